/* decode_array.c - arrays over the blocks of a parcel, or over small blocks of their own. */
#include "wire/decoder.h"

#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include <uv.h>
#include "array/memory.h"
#include "metatable.h"

#define BOX_TNAME "neap.wire.block"

/* A small block that several arrays share, while it is decoded. */
typedef struct Box {
  Block *block; /* one reference */
} Box;

static int l_close (lua_State *L) {
  Box *box = luaL_checkudata(L, 1, BOX_TNAME);
  block_release(box->block);
  box->block = NULL;
  return 0;
}

static void share_block (lua_State *L, Decoder *d, size_t offset, Block *block) {
  Box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->block = NULL;
  static const luaL_Reg metamethods[] = {{"__gc", l_close}, {NULL, NULL}};
  metatable_set(L, BOX_TNAME, metamethods);
  box->block = block_retain(block);
  decoder_share(L, d, offset);
  lua_pop(L, 1);
}

static void take_inline (lua_State *L, Decoder *d, Block **held, BlockSlice *slice) {
  size_t len = decoder_length(L, d);
  const uint8_t *bytes = decoder_take(L, d, len);
  void *data;
  if (block_new(held, len) < 0) {
    *held = NULL;
    luaL_error(L, "not enough memory");
  }
  if (block_write(held, 0, &data) < 0) luaL_error(L, "not enough memory");
  if (len > 0) memcpy(data, bytes, len);
  *slice = (BlockSlice){.block = *held, .len = len};
}

void decoder_close_slices (Decoder *d) {
  for (uint32_t i = 0; d->opened != NULL && i < d->n_slices; i++) {
    block_release(d->opened[i].block);
  }
  free(d->opened);
  d->opened = NULL;
}

/* The block of slice number, mapped when it is first referred to. */
static const BlockSlice *open_slice (lua_State *L, Decoder *d, uint32_t number) {
  if (number >= d->n_slices) decoder_malformed(L, d, "a block that has not come");
  if (d->opened == NULL) {
    d->opened = calloc(d->n_slices, sizeof *d->opened);
    if (d->opened == NULL) luaL_error(L, "not enough memory");
  }
  BlockSlice *slice = &d->opened[number];
  if (slice->block != NULL) return slice;
  Snapshot *from = d->slices[number];
  slice->len = snapshot_len(from);
  memory_received(L);
  int rc = snapshot_open(from, &slice->block, &slice->offset);
  if (rc == UV_ENOMEM) { /* of mappings, there may be too many that nobody refers to any more */
    lua_gc(L, LUA_GCCOLLECT);
    rc = snapshot_open(from, &slice->block, &slice->offset);
  }
  if (rc == 0) return slice;
  slice->block = NULL;
  if (rc == UV_EPROTO) decoder_malformed(L, d, "written pages beyond their block");
  if (rc == UV_EMFILE) {
    luaL_error(L, "an array could not be received: too many open files, see ulimit -n");
  }
  memory_missing(L, slice->len);
  return NULL;
}

static void take_attached (lua_State *L, Decoder *d, Block **held, BlockSlice *slice) {
  const uint8_t *p = decoder_take(L, d, 20);
  uint64_t offset = get_le64(p + 4), len = get_le64(p + 12);
  const BlockSlice *from = open_slice(L, d, get_le32(p));
  if (offset > from->len || len > from->len - offset) {
    decoder_malformed(L, d, "range beyond its block");
  }
  *held = block_retain(from->block);
  *slice = (BlockSlice){.block = *held,
                        .offset = from->offset + (size_t)offset,
                        .len = (size_t)len};
}

static void take_shared (lua_State *L, Decoder *d, Block **held, BlockSlice *slice) {
  decoder_ref(L, d, NULL);
  const Box *box = luaL_testudata(L, -1, BOX_TNAME);
  if (box == NULL) decoder_malformed(L, d, "reference to no block");
  *held = block_retain(box->block);
  *slice = (BlockSlice){.block = *held, .len = block_len(*held)};
  lua_pop(L, 1);
}

static void take_slice (lua_State *L, Decoder *d, Block **held, BlockSlice *slice) {
  size_t start = d->at;
  int byte = decoder_byte(L, d);
  switch (byte & ~OP_SHARED) {
    case SLICE_INLINE:
      take_inline(L, d, held, slice);
      if (byte & OP_SHARED) share_block(L, d, start, *held);
      break;
    case SLICE_ATTACHED: take_attached(L, d, held, slice); break;
    case SLICE_REF: take_shared(L, d, held, slice); break;
    default: decoder_malformed(L, d, "unknown slice");
  }
}

/* The first array in a state may come before any script has asked for the module, which gives
   arrays their metatables. */
static void load_module (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "host.array") == LUA_TNIL) {
    lua_getfield(L, -2, LUA_GNAME);
    lua_getfield(L, -1, "require");
    lua_pushliteral(L, "host.array");
    lua_call(L, 1, 0);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}

void decode_array (lua_State *L, Decoder *d) {
  ArrayImage image = {0};
  if (!d->has_arrays) load_module(L);
  d->has_arrays = true;
  image.kind = decoder_byte(L, d);
  image.flags = decoder_byte(L, d);
  for (int i = 0; i < 3; i++) image.shape[i] = decoder_varint(L, d);
  image.n_slices = decoder_byte(L, d);
  if (image.n_slices > ARRAY_SLICES) decoder_malformed(L, d, "too many slices");
  for (unsigned i = 0; i < image.n_slices; i++) {
    take_slice(L, d, &d->held[i], &image.slices[i]);
  }
  const char *wrong = array_import(L, &image);
  if (wrong != NULL) decoder_malformed(L, d, wrong);
  for (unsigned i = 0; i < image.n_slices; i++) {
    block_release(d->held[i]);
    d->held[i] = NULL;
  }
}
