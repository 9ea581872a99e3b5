/* encode_array.c - arrays and remote objects; ranges of blocks become slices of the parcel. */
#include "wire/encoder.h"

#include <stdlib.h>
#include <lauxlib.h>
#include "array/scalar.h"

enum { ATTACHMENTS_STEP = 8 };

int encode_remote (lua_State *L, Encoder *e) {
  uint64_t id;
  const char *why = NULL;
  if (e->context == NULL || e->context->remote_id == NULL) return 0;
  int is = e->context->remote_id(L, lua_gettop(L), e->context->user, &id, &why);
  if (is < 0) encode_refuse(L, e, why, NULL);
  if (is <= 0) return 0;
  encoder_put(L, e, OP_REMOTE);
  encoder_varint(L, e, id);
  lua_pop(L, 1);
  return 1;
}

/* Takes the reference of the range over. */
static void attach (lua_State *L, Encoder *e, BlockSlice *range) {
  if (e->n_attachments == e->room_attachments) {
    size_t room = e->room_attachments + e->room_attachments / 2 + ATTACHMENTS_STEP;
    Attachment *attachments = realloc(e->attachments, room * sizeof *attachments);
    if (attachments == NULL) encoder_no_memory(L);
    e->attachments = attachments;
    e->room_attachments = room;
  }
  uint8_t *p = encoder_room(L, e, 21);
  *p = SLICE_ATTACHED;
  put_le64(p + 13, range->len); /* slice and offset are known at the end */
  e->attachments[e->n_attachments++] = (Attachment){.at = e->len + 1, .range = *range};
  range->block = NULL;
  e->len += 21;
}

/* Refers to the bytes of the range where they have been written already. One block stays one:
   what is known of a pattern holds for all matrices that have it. */
static bool put_slice_ref (lua_State *L, Encoder *e, const BlockSlice *range) {
  /* A block that the array does not hold as well is gone, and its address free, after this. */
  if (range->len == 0 || !block_is_shared(range->block)) return false;
  bool is_new;
  const uint8_t *data = (const uint8_t *)block_data(range->block) + range->offset;
  size_t *at = addressmap_at(&e->w.met, data, &is_new);
  if (at == NULL) encoder_no_memory(L);
  if (is_new) {
    *at = e->len;
    return false;
  }
  uint8_t len[VARINT_MAX];
  if (memcmp(e->w.bytes + *at + 1, len, put_varint(len, range->len)) != 0) return false;
  e->w.bytes[*at] |= OP_SHARED;
  encoder_put(L, e, SLICE_REF);
  encoder_varint(L, e, *at);
  return true;
}

static void put_slice (lua_State *L, Encoder *e, BlockSlice *range) {
  if (range->len > INLINE_MAX) {
    attach(L, e, range);
  } else if (!put_slice_ref(L, e, range)) {
    encoder_put(L, e, SLICE_INLINE);
    encoder_varint(L, e, range->len);
    const char *data = block_data(range->block);
    encoder_append(L, e, data + range->offset, range->len);
  }
}

static void put_array (lua_State *L, Encoder *e) {
  ArrayImage *image = &e->image;
  uint8_t *p = encoder_room(L, e, 4 + 3 * VARINT_MAX);
  const uint8_t *start = p;
  *p++ = OP_ARRAY;
  *p++ = image->kind;
  *p++ = image->flags;
  for (int i = 0; i < 3; i++) p += put_varint(p, image->shape[i]);
  *p++ = (uint8_t)image->n_slices;
  e->len += (size_t)(p - start);
  for (unsigned i = 0; i < image->n_slices; i++) put_slice(L, e, &image->slices[i]);
}

static void release_image (ArrayImage *image) {
  for (unsigned i = 0; i < image->n_slices; i++) block_release(image->slices[i].block);
  image->n_slices = 0;
}

/* A complex number is a value: where it occurs twice, it crosses twice. */
static bool put_complex (lua_State *L, Encoder *e) {
  const double *parts = scalar_parts(L, -1);
  if (parts == NULL) return false;
  uint8_t *p = encoder_room(L, e, 17);
  *p = OP_COMPLEX;
  for (int i = 0; i < 2; i++) put_le64(p + 1 + 8 * i, bits_of_double(parts[i]));
  e->len += 17;
  lua_pop(L, 1);
  return true;
}

void encode_userdata (lua_State *L, Encoder *e) {
  if (put_complex(L, e)) return;
  if (encoder_met(L, e, lua_topointer(L, -1))) {
    lua_pop(L, 1);
    return;
  }
  int kind = array_kind(L, -1);
  if (kind == 0) {
    if (!encode_remote(L, e)) encode_refuse_kind(L, e);
    return;
  }
  if (kind == ARRAY_VECTORARRAY && encode_view(L, e)) {
    lua_pop(L, 1);
    return;
  }
  ArrayImage image = {0}; /* e holds it only when it is whole */
  array_export(L, -1, &image);
  e->image = image;
  bool is_frozen = (image.flags & ARRAY_FROZEN) != 0 || image.kind == ARRAY_SPARSE;
  if (!is_frozen || !encode_remote(L, e)) {
    put_array(L, e);
    lua_pop(L, 1);
  }
  release_image(&e->image);
}

void encode_array (lua_State *L, Encoder *e) {
  ArrayImage image = {0};
  array_export(L, -1, &image);
  e->image = image;
  put_array(L, e);
  release_image(&e->image);
}

static int compare (const void *a, const void *b) {
  const BlockSlice *x = &((const Attachment *)a)->range, *y = &((const Attachment *)b)->range;
  if (x->block != y->block) return (uintptr_t)x->block < (uintptr_t)y->block ? -1 : 1;
  if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
  return (x->len > y->len) - (x->len < y->len);
}

/* Can the next range be part of the same slice? Large ones get one each, unless they are the
   same: an array that has its slice alone writes to it page by page. Small ones that touch go
   together, so that nothing is sent twice. */
static bool goes_with (const BlockSlice *slice, const BlockSlice *range) {
  if (slice->block != range->block || range->offset > slice->offset + slice->len) return false;
  if (slice->len < BLOCK_SHARE_MIN && range->len < BLOCK_SHARE_MIN) return true;
  return range->offset == slice->offset && range->len == slice->len;
}

/* The attachments from first on that go into one slice, which *slice becomes; returns the first
   that does not. */
static size_t group (const Encoder *e, size_t first, BlockSlice *slice) {
  *slice = e->attachments[first].range;
  size_t i = first + 1;
  for (; i < e->n_attachments && goes_with(slice, &e->attachments[i].range); i++) {
    const BlockSlice *range = &e->attachments[i].range;
    size_t end = range->offset + range->len;
    if (end > slice->offset + slice->len) slice->len = end - slice->offset;
  }
  return i;
}

bool encode_attachments (Encoder *e, Parcel *p) {
  if (e->n_attachments == 0) return true;
  if (e->n_attachments > UINT32_MAX) return false;
  p->slices = malloc(e->n_attachments * sizeof *p->slices);
  if (p->slices == NULL) return false;
  qsort(e->attachments, e->n_attachments, sizeof *e->attachments, compare);
  for (size_t i = 0; i < e->n_attachments;) {
    BlockSlice slice;
    size_t end = group(e, i, &slice);
    if (snapshot_new(&p->slices[p->n_slices], slice.block, slice.offset, slice.len) < 0) {
      return false;
    }
    p->n_slices++;
    for (; i < end; i++) {
      uint8_t *at = e->w.bytes + e->attachments[i].at;
      put_le32(at, p->n_slices - 1);
      put_le64(at + 4, e->attachments[i].range.offset - slice.offset);
    }
  }
  return true;
}
