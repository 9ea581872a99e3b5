/* frame_reader.c - messages out of bytes that come in pieces: a state machine. */
#include "wire/frame.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include "wire/bytes.h"

enum {
  MAGIC = 0x7061656e,   /* "neap" */
  STAGE = 64 * 1024,    /* pieces smaller than this pass through the stage, several at a time */
  BYTES_STEP = 1 << 20, /* what is taken on trust of announced bytes, before any has come, */
  TABLE_STEP = 1024,    /* and of slices */
  SEGMENTS_MAX = 1 << 20, /* in one message */
  READY_STEP = 16
};

/* What the next byte belongs to. */
enum { AT_HEAD, AT_TABLE, AT_BYTES, AT_BLOCK, BROKEN };

/* A slice, or the written pages of one, whose bytes come behind those of the parcel. */
typedef struct Pending {
  uint32_t slice;
  bool is_patch;
  size_t len;
} Pending;

struct FrameReader {
  int state;
  uint64_t limit;
  FrameFetch fetch;
  void *fetch_user;
  uint8_t *stage;      /* owned; STAGE bytes */
  size_t staged, used; /* stage[used..staged) has been received but not yet looked at */
  uint8_t *direct;     /* where feed's next bytes went when they went past the stage */
  Message message;     /* the one being put together */
  uint64_t left;       /* of limit, while the table is read */
  uint32_t n_entries, at_entry; /* announced, read */
  uint32_t room_slices;         /* allocated */
  bool wants_patch;             /* the next entry is the written pages of the last slice */
  Segment **segments;           /* owned: the message's descriptors; NULL: one that was lost */
  uint32_t n_segments;
  Pending *pending; /* owned: the entries of the table whose bytes follow */
  uint32_t n_pending, room_pending, at_pending;
  Block *block;        /* the one being filled: one reference */
  uint8_t *block_data; /* its memory */
  size_t have;         /* of the bytes, or of that block */
  size_t room_bytes;   /* allocated for the bytes */
  Message *ready;      /* owned queue of whole messages: first..n_ready */
  size_t first_ready, n_ready, room_ready;
  char error[80];
};

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

void frame_reader_set_fetch (FrameReader *r, FrameFetch fetch, void *user) {
  r->fetch = fetch;
  r->fetch_user = user;
}

/* Lets go of what only the message under way needs. */
static void drop_parts (FrameReader *r) {
  for (uint32_t i = 0; i < r->n_segments; i++) {
    if (r->segments[i] != NULL) segment_spare_descriptors(r->segments[i]);
    segment_release(r->segments[i]);
  }
  free(r->segments);
  r->segments = NULL;
  r->n_segments = 0;
  free(r->pending);
  r->pending = NULL;
  r->n_pending = r->room_pending = r->at_pending = 0;
  block_release(r->block);
  r->block = NULL;
}

void frame_reader_free (FrameReader *r) {
  if (r == NULL) return;
  drop_parts(r);
  message_fini(&r->message);
  for (size_t i = r->first_ready; i < r->n_ready; i++) message_fini(&r->ready[i]);
  free(r->ready);
  free(r->stage);
  free(r);
}

static int broken (FrameReader *r, int rc) {
  r->state = BROKEN;
  drop_parts(r);
  message_fini(&r->message);
  return rc;
}

static int malformed (FrameReader *r, const char *what, uint64_t number) {
  snprintf(r->error, sizeof r->error, "%s (%llu)", what, (unsigned long long)number);
  return broken(r, UV_EPROTO);
}

static int no_memory (FrameReader *r) {
  snprintf(r->error, sizeof r->error, "not enough memory");
  return broken(r, UV_ENOMEM);
}

/* The message is whole: it joins the queue. */
static int finish (FrameReader *r) {
  const Parcel *p = r->message.parcel;
  for (uint32_t i = 0; r->n_segments > 0 && p != NULL && i < p->n_slices; i++) {
    snapshot_spare_descriptor(p->slices[i]);
  }
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
  drop_parts(r);
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
  if (r->state == AT_BLOCK) {
    *want = r->pending[r->at_pending].len - r->have;
    return r->block_data + r->have;
  }
  *want = r->state == AT_HEAD ? FRAME_HEAD : FRAME_ENTRY;
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
  Parcel *p = r->message.parcel;
  r->state = state;
  r->have = 0;
  if (state == AT_BYTES && p->len == 0) r->state = AT_BLOCK;
  if (r->state == AT_BLOCK && r->at_pending == r->n_pending) return finish(r);
  if (r->state == AT_BYTES) return more_bytes(r, BYTES_STEP);
  if (r->state == AT_BLOCK) {
    void *data;
    if (block_new(&r->block, r->pending[r->at_pending].len) < 0) {
      r->block = NULL;
      return no_memory(r);
    }
    if (block_write(&r->block, 0, &data) < 0) return no_memory(r);
    r->block_data = data;
  }
  return 0;
}

/* The descriptors that a frame announces have come before it: they are fetched now. */
static int take_descriptors (FrameReader *r, unsigned n) {
  int fds[FRAME_DESCRIPTORS];
  if (n > FRAME_DESCRIPTORS || n > SEGMENTS_MAX - r->n_segments || r->fetch == NULL) {
    return malformed(r, "too many descriptors", n);
  }
  Segment **segments = realloc(r->segments, (r->n_segments + n) * sizeof *segments);
  if (segments == NULL) return no_memory(r);
  r->segments = segments;
  int got = r->fetch(r->fetch_user, fds, (int)n);
  if (got < 0) return malformed(r, "descriptors that have not come", n);
  for (int i = 0; i < (int)n; i++) {
    Segment **s = &r->segments[r->n_segments];
    int rc = 0;
    *s = NULL;
    if (i < got) rc = segment_adopt(s, fds[i]);
    if (rc < 0) {
      for (int k = i + 1; k < got; k++) close(fds[k]);
      return rc == UV_ENOMEM ? no_memory(r) : malformed(r, "no sealed memory", (uint64_t)i + 1);
    }
    r->n_segments++;
  }
  return 0;
}

static int take_head (FrameReader *r, const uint8_t *head) {
  if (get_le32(head) != FRAME_MAGIC) return malformed(r, "no neap message", get_le32(head));
  if (get_le32(head + 28) != 0)
    return malformed(r, "reserved bytes are set", get_le32(head + 28));
  unsigned n_descriptors = head[6] | (unsigned)head[7] << 8;
  uint64_t len = get_le64(head + 16);
  uint32_t n_entries = get_le32(head + 24);
  if (len > r->limit || len > SIZE_MAX) return malformed(r, "message too long", len);
  r->left = r->limit - len;
  if (n_descriptors > 0) {
    int rc = take_descriptors(r, n_descriptors);
    if (rc < 0) return rc;
    if (head[4] == 0) { /* there are more to come */
      return len == 0 && n_entries == 0 ? 0 : malformed(r, "descriptors with a body", len);
    }
  }
  if (n_entries > r->left && r->n_segments == 0)
    return malformed(r, "too many blocks", n_entries);
  r->message = (Message){.type = head[4], .flags = head[5], .request = get_le64(head + 8)};
  if (len == 0 && n_entries == 0) return finish(r);
  Parcel *p = r->message.parcel = parcel_new();
  if (p == NULL) return no_memory(r);
  p->len = (size_t)len;
  r->n_entries = n_entries;
  r->room_slices = r->at_entry = 0;
  r->wants_patch = false;
  if (n_entries == 0) return enter(r, AT_BYTES);
  r->state = AT_TABLE;
  return 0;
}

/* Bytes are to come for the last slice of the parcel. */
static int expect (FrameReader *r, uint64_t len, bool is_patch) {
  if (len == 0) return malformed(r, "empty block", r->at_entry);
  if (len > r->left || len > SIZE_MAX) return malformed(r, "message too long", len);
  r->left -= len;
  if (r->n_pending == r->room_pending) {
    uint32_t room = r->room_pending * 2 + READY_STEP;
    Pending *pending = realloc(r->pending, room * sizeof *pending);
    if (pending == NULL) return no_memory(r);
    r->pending = pending;
    r->room_pending = room;
  }
  r->pending[r->n_pending++] = (Pending){.slice = r->message.parcel->n_slices - 1,
                                         .is_patch = is_patch,
                                         .len = (size_t)len};
  return 0;
}

static int make_room (FrameReader *r) {
  Parcel *p = r->message.parcel;
  if (p->n_slices < r->room_slices) return 0;
  uint64_t room = (uint64_t)r->room_slices * 2 + TABLE_STEP;
  if (room > r->n_entries) room = r->n_entries;
  Snapshot **slices = realloc(p->slices, (size_t)room * sizeof *slices);
  if (slices == NULL) return no_memory(r);
  p->slices = slices;
  r->room_slices = (uint32_t)room;
  return 0;
}

static int take_entry (FrameReader *r, const uint8_t *entry) {
  Parcel *p = r->message.parcel;
  uint64_t len = get_le64(entry), origin = get_le64(entry + 8);
  uint32_t descriptor = get_le32(entry + 16), flags = get_le32(entry + 20);
  bool is_patch = r->wants_patch, has_patch = (flags & ENTRY_HAS_PATCH) != 0;
  Snapshot *s = NULL;
  int rc = 0;
  if (has_patch && (is_patch || descriptor == 0))
    return malformed(r, "stray patch", r->at_entry);
  if (flags > ENTRY_HAS_PATCH) return malformed(r, "unknown flags", flags);
  if (descriptor > r->n_segments) return malformed(r, "no such descriptor", descriptor);
  if (descriptor > 0) {
    Segment *segment = r->segments[descriptor - 1];
    if (segment != NULL) segment_retain(segment);
    rc = snapshot_of_segment(&s, segment, origin, len);
    if (rc == UV_EPROTO) return malformed(r, "range beyond its memory", len);
    if (rc < 0) return no_memory(r);
  }
  if (!is_patch) {
    rc = make_room(r);
    if (rc < 0) {
      snapshot_release(s);
      return rc;
    }
    p->slices[p->n_slices++] = s; /* NULL until its bytes have come */
  } else if (s != NULL) {
    snapshot_set_patch(p->slices[p->n_slices - 1], s);
  }
  if (s == NULL) rc = expect(r, len, is_patch);
  if (rc < 0) return rc;
  r->wants_patch = has_patch;
  if (++r->at_entry < r->n_entries) return 0;
  return has_patch ? malformed(r, "patch missing", r->at_entry) : enter(r, AT_BYTES);
}

/* The block under way is full. */
static int take_block (FrameReader *r) {
  const Pending *pending = &r->pending[r->at_pending++];
  Parcel *p = r->message.parcel;
  Block *block = r->block;
  Snapshot *s;
  r->block = NULL;
  if (snapshot_of_block(&s, block) < 0) return no_memory(r);
  if (pending->is_patch) snapshot_set_patch(p->slices[pending->slice], s);
  else p->slices[pending->slice] = s;
  return enter(r, AT_BLOCK);
}

/* n bytes have come to where the present state wants them. */
static int advance (FrameReader *r, size_t n) {
  r->have += n;
  if (r->state == AT_BYTES) {
    if (r->have == r->message.parcel->len) return enter(r, AT_BLOCK);
    return r->have < r->room_bytes ? 0 : more_bytes(r, 2 * r->room_bytes);
  }
  return r->have < r->pending[r->at_pending].len ? 0 : take_block(r);
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
      rc = r->state == AT_HEAD ? take_head(r, from) : take_entry(r, from);
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
  return r->state == AT_HEAD && r->used == r->staged && r->n_segments == 0;
}

const char *frame_reader_error (const FrameReader *r) {
  return r->error[0] != '\0' ? r->error : NULL;
}

int frame_read (const uint8_t *bytes, size_t len, Message *m) {
  FrameReader r = {.limit = len, .stage = (uint8_t *)(uintptr_t)bytes, .staged = len};
  int rc = len <= STAGE ? frame_reader_feed(&r, 0) : UV_EPROTO;
  if (rc == 0) rc = frame_reader_next(&r, m) && frame_reader_is_idle(&r) ? 0 : UV_EPROTO;
  if (rc < 0 && r.first_ready > 0) message_fini(m);
  drop_parts(&r);
  message_fini(&r.message);
  for (size_t i = r.first_ready; i < r.n_ready; i++) message_fini(&r.ready[i]);
  free(r.ready);
  return rc;
}
