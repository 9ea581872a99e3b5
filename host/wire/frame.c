/* frame.c - messages as bytes: headers, and reassembly as a state machine. */
#include "wire/frame.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "wire/bytes.h"

enum {
  MAGIC = 0x7061656e,   /* "neap" */
  STAGE = 64 * 1024,    /* pieces smaller than this pass through the stage, several at a time */
  BYTES_STEP = 1 << 20, /* what is taken on trust of announced bytes, before any has come, */
  TABLE_STEP = 1024,    /* and of lengths of slices */
  READY_STEP = 16
};

/* What the next byte belongs to. */
enum { AT_HEAD, AT_TABLE, AT_BYTES, AT_SLICE, BROKEN };

struct FrameReader {
  int state;
  uint64_t limit;
  uint8_t *stage;       /* owned; STAGE bytes */
  size_t staged, used;  /* stage[used..staged) has been received but not yet looked at */
  uint8_t *direct;      /* where feed's next bytes went when they went past the stage */
  Message message;      /* the one being put together */
  uint64_t left;        /* of limit, while the table is read */
  uint32_t n_slices;    /* announced */
  uint32_t room_slices; /* allocated */
  uint32_t at_slice;    /* the slice being filled */
  uint8_t *slice_data;  /* its memory */
  size_t have;          /* of the bytes, or of that slice */
  size_t room_bytes;    /* allocated for the bytes */
  Message *ready;       /* owned queue of whole messages: first..n_ready */
  size_t first_ready, n_ready, room_ready;
  char error[80];
};

void message_fini (Message *m) {
  parcel_release(m->parcel);
  m->parcel = NULL;
}

void frame_put_head (uint8_t head[FRAME_HEAD], const Message *m) {
  const Parcel *p = m->parcel;
  put_le32(head, MAGIC);
  head[4] = m->type;
  head[5] = m->flags;
  put_le16(head + 6, 0);
  put_le64(head + 8, m->request);
  put_le64(head + 16, p != NULL ? p->len : 0);
  put_le32(head + 24, p != NULL ? p->n_slices : 0);
  put_le32(head + 28, 0);
}

void frame_put_table (uint8_t *table, const Parcel *p) {
  for (uint32_t i = 0; i < p->n_slices; i++) put_le64(table + 8 * (size_t)i, p->slices[i].len);
}

FrameReader *frame_reader_new (uint64_t limit) {
  FrameReader *r = calloc(1, sizeof *r);
  if (r == NULL) return NULL;
  r->limit = limit;
  r->stage = malloc(STAGE);
  if (r->stage == NULL) {
    free(r);
    return NULL;
  }
  return r;
}

void frame_reader_free (FrameReader *r) {
  if (r == NULL) return;
  message_fini(&r->message);
  for (size_t i = r->first_ready; i < r->n_ready; i++) message_fini(&r->ready[i]);
  free(r->ready);
  free(r->stage);
  free(r);
}

static int malformed (FrameReader *r, const char *what, uint64_t number) {
  snprintf(r->error, sizeof r->error, "%s (%llu)", what, (unsigned long long)number);
  r->state = BROKEN;
  message_fini(&r->message);
  return UV_EPROTO;
}

static int no_memory (FrameReader *r) {
  snprintf(r->error, sizeof r->error, "not enough memory");
  r->state = BROKEN;
  message_fini(&r->message);
  return UV_ENOMEM;
}

/* The message is whole: it joins the queue. */
static int finish (FrameReader *r) {
  if (r->first_ready == r->n_ready) r->first_ready = r->n_ready = 0;
  if (r->n_ready == r->room_ready) {
    size_t room = r->room_ready + READY_STEP + r->room_ready / 2;
    Message *ready = realloc(r->ready, room * sizeof *ready);
    if (ready == NULL) return no_memory(r);
    r->ready = ready;
    r->room_ready = room;
  }
  r->ready[r->n_ready++] = r->message;
  r->message = (Message){0};
  r->state = AT_HEAD;
  return 0;
}

/* Bytes that the present state still wants, and where they go; NULL: through the stage. */
static uint8_t *target (const FrameReader *r, size_t *want) {
  const Parcel *p = r->message.parcel;
  if (r->state == AT_BYTES) {
    *want = r->room_bytes - r->have;
    return p->bytes + r->have;
  }
  if (r->state == AT_SLICE) {
    const BlockSlice *s = &p->slices[r->at_slice];
    *want = s->len - r->have;
    return r->slice_data + r->have;
  }
  *want = r->state == AT_HEAD ? FRAME_HEAD : 8;
  return NULL;
}

/* Makes room for the bytes, as many as have been announced, but at most room. */
static int more_bytes (FrameReader *r, size_t room) {
  Parcel *p = r->message.parcel;
  if (room > p->len) room = p->len;
  uint8_t *bytes = realloc(p->bytes, room);
  if (bytes == NULL) return no_memory(r);
  p->bytes = bytes;
  r->room_bytes = room;
  return 0;
}

/* Enters the first state, from AT_BYTES on, that wants bytes. */
static int enter (FrameReader *r, int state) {
  const Parcel *p = r->message.parcel;
  r->state = state;
  r->have = 0;
  if (state == AT_BYTES && p->len == 0) r->state = AT_SLICE;
  if (r->state == AT_SLICE && r->at_slice == p->n_slices) return finish(r);
  if (r->state == AT_BYTES) return more_bytes(r, BYTES_STEP);
  if (r->state == AT_SLICE) {
    BlockSlice *s = &p->slices[r->at_slice];
    void *data;
    if (block_new(&s->block, s->len) < 0) {
      s->block = NULL;
      return no_memory(r);
    }
    if (block_write(&s->block, 0, &data) < 0) return no_memory(r);
    r->slice_data = data;
  }
  return 0;
}

static int take_head (FrameReader *r, const uint8_t *head) {
  if (get_le32(head) != MAGIC) return malformed(r, "no neap message", get_le32(head));
  if ((head[6] | head[7]) != 0 || get_le32(head + 28) != 0) {
    return malformed(r, "reserved bytes are set", head[6]);
  }
  uint64_t len = get_le64(head + 16);
  uint32_t n_slices = get_le32(head + 24);
  if (len > r->limit || len > SIZE_MAX) return malformed(r, "message too long", len);
  r->left = r->limit - len;
  if (n_slices > r->left) return malformed(r, "too many blocks", n_slices);
  r->message = (Message){.type = head[4], .flags = head[5], .request = get_le64(head + 8)};
  if (len == 0 && n_slices == 0) return finish(r);
  Parcel *p = r->message.parcel = parcel_new();
  if (p == NULL) return no_memory(r);
  p->len = (size_t)len;
  r->n_slices = n_slices;
  r->room_slices = r->at_slice = 0;
  if (n_slices == 0) return enter(r, AT_BYTES);
  r->state = AT_TABLE;
  return 0;
}

static int take_length (FrameReader *r, const uint8_t *entry) {
  Parcel *p = r->message.parcel;
  uint64_t len = get_le64(entry);
  if (len == 0) return malformed(r, "empty block", p->n_slices);
  if (len > r->left || len > SIZE_MAX) return malformed(r, "message too long", len);
  r->left -= len;
  if (p->n_slices == r->room_slices) {
    uint64_t room = (uint64_t)r->room_slices * 2 + TABLE_STEP;
    if (room > r->n_slices) room = r->n_slices;
    BlockSlice *slices = realloc(p->slices, (size_t)room * sizeof *slices);
    if (slices == NULL) return no_memory(r);
    p->slices = slices;
    r->room_slices = (uint32_t)room;
  }
  p->slices[p->n_slices++] = (BlockSlice){.len = (size_t)len};
  return p->n_slices == r->n_slices ? enter(r, AT_BYTES) : 0;
}

/* n bytes have come to where the present state wants them. */
static int advance (FrameReader *r, size_t n) {
  const Parcel *p = r->message.parcel;
  r->have += n;
  if (r->state == AT_BYTES) {
    if (r->have == p->len) return enter(r, AT_SLICE);
    return r->have < r->room_bytes ? 0 : more_bytes(r, 2 * r->room_bytes);
  }
  if (r->have < p->slices[r->at_slice].len) return 0;
  r->at_slice++;
  return enter(r, AT_SLICE);
}

void frame_reader_space (FrameReader *r, uint8_t **where, size_t *room) {
  size_t want;
  uint8_t *direct = target(r, &want);
  r->direct = NULL;
  if (r->state == BROKEN) r->used = r->staged = 0; /* room >= 1, whatever came */
  if (direct != NULL && r->used == r->staged && want >= STAGE) {
    r->direct = direct;
    *where = direct;
    *room = want;
    return;
  }
  if (r->used > 0) { /* less than a header is left: cheap to move */
    memmove(r->stage, r->stage + r->used, r->staged - r->used);
    r->staged -= r->used;
    r->used = 0;
  }
  *where = r->stage + r->staged;
  *room = STAGE - r->staged;
}

int frame_reader_feed (FrameReader *r, size_t n) {
  if (r->state == BROKEN) return UV_EPROTO;
  int rc = 0;
  if (r->direct != NULL) {
    r->direct = NULL;
    return n > 0 ? advance(r, n) : 0;
  }
  assert(n <= STAGE - r->staged);
  r->staged += n;
  while (rc == 0 && r->used < r->staged) {
    size_t want, have = r->staged - r->used;
    const uint8_t *from = r->stage + r->used;
    uint8_t *to = target(r, &want);
    if (to == NULL) {
      if (have < want) return 0;
      r->used += want;
      rc = r->state == AT_HEAD ? take_head(r, from) : take_length(r, from);
    } else {
      if (have > want) have = want;
      memcpy(to, from, have);
      r->used += have;
      rc = advance(r, have);
    }
  }
  return rc;
}

bool frame_reader_next (FrameReader *r, Message *m) {
  if (r->first_ready == r->n_ready) return false;
  *m = r->ready[r->first_ready++];
  return true;
}

bool frame_reader_is_idle (const FrameReader *r) {
  return r->state == AT_HEAD && r->used == r->staged;
}

const char *frame_reader_error (const FrameReader *r) {
  return r->error[0] != '\0' ? r->error : NULL;
}
