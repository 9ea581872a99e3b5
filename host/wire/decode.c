/* decode.c - bytes to values: nothing in the bytes is trusted. */
#include "wire/decoder.h"

#include <stdlib.h>
#include <lauxlib.h>
#include "array/scalar.h"
#include "array/slots.h"
#include "metatable.h"
#include "wire/immutable.h"

#define DECODER_TNAME "neap.wire.decoder"

enum { FIRST_FRAMES = 16 };

void decoder_close (Decoder *d) {
  decoder_close_slices(d);
  free(d->frames);
  d->frames = NULL;
  d->n_frames = d->room_frames = 0;
}

static int l_close (lua_State *L) {
  Decoder *d = luaL_checkudata(L, 1, DECODER_TNAME);
  for (int i = 0; i < ARRAY_SLICES; i++) {
    block_release(d->held[i]);
    d->held[i] = NULL;
  }
  decoder_close(d);
  return 0;
}

static const luaL_Reg metamethods[] = {{"__gc", l_close}, {"__close", l_close}, {NULL, NULL}};

Decoder *decoder_push (lua_State *L, const WireContext *context, int definitions) {
  luaL_checkstack(L, DECODER_SLOTS + 2 * FRAME_SLOTS, "too many values");
  Decoder *d = lua_newuserdatauv(L, sizeof *d, 0);
  *d = (Decoder){.context = context, .definitions = definitions};
  metatable_set(L, DECODER_TNAME, metamethods);
  lua_newtable(L);
  d->shared = lua_gettop(L);
  d->recent_slots = d->shared + 1;
  lua_settop(L, d->shared + RECENT_REFS);
  return d;
}

int decoder_malformed (lua_State *L, const Decoder *d, const char *what) {
  return luaL_error(L, "malformed message: %s at byte %I", what, (lua_Integer)d->at);
}

uint64_t decoder_varint (lua_State *L, Decoder *d) {
  uint64_t x = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    uint8_t byte = decoder_byte(L, d);
    x |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (shift == 63 && byte > 1) break;
      return x;
    }
  }
  decoder_malformed(L, d, "number too long");
  return 0;
}

size_t decoder_length (lua_State *L, Decoder *d) {
  uint64_t len = decoder_varint(L, d);
  if (len > d->end - d->at) decoder_malformed(L, d, "length beyond the end");
  return (size_t)len;
}

DecoderFrame *decoder_open (lua_State *L, Decoder *d, uint8_t kind) {
  if (d->n_frames == d->room_frames) {
    size_t room = d->room_frames * 2 + FIRST_FRAMES;
    DecoderFrame *frames = realloc(d->frames, room * sizeof *frames);
    if (frames == NULL) luaL_error(L, "not enough memory");
    d->frames = frames;
    d->room_frames = room;
  }
  if (!lua_checkstack(L, FRAME_SLOTS)) decoder_malformed(L, d, "nested too deep");
  DecoderFrame *f = &d->frames[d->n_frames++];
  *f = (DecoderFrame){.kind = kind, .object = lua_gettop(L)};
  return f;
}

void decoder_share (lua_State *L, Decoder *d, size_t offset) {
  lua_pushvalue(L, -1);
  lua_rawseti(L, d->shared, (lua_Integer)offset);
}

void decoder_ref (lua_State *L, Decoder *d, size_t *offset) {
  uint64_t at = decoder_varint(L, d);
  int i = (int)((at * 0x9e3779b97f4a7c15u) >> (64 - RECENT_REF_BITS));
  if (offset != NULL) *offset = (size_t)at;
  if (d->recent[i] == at && at != 0) {
    lua_pushvalue(L, d->recent_slots + i);
    return;
  }
  if (at >= d->at || lua_rawgeti(L, d->shared, (lua_Integer)at) == LUA_TNIL) {
    decoder_malformed(L, d, "reference to nothing");
  }
  lua_copy(L, -1, d->recent_slots + i);
  d->recent[i] = (size_t)at;
}

/* Numbers as they lie: items 1..n of the table on top. */
static void read_packed (lua_State *L, Decoder *d, uint32_t n, bool integers) {
  if (n > (d->end - d->at) / 8) decoder_malformed(L, d, "more numbers than bytes");
  const uint8_t *p = decoder_take(L, d, 8 * (size_t)n);
  uint32_t done = (uint32_t)slots_write(L, -1, 1, n, integers, p);
  p += 8 * (size_t)done;
  for (uint32_t i = done + 1; i <= n; i++, p += 8) {
    if (integers) lua_pushinteger(L, (lua_Integer)get_le64(p));
    else lua_pushnumber(L, double_of_bits(get_le64(p)));
    lua_rawseti(L, -2, i);
  }
}

/* Pushes a new table and opens a frame for what is to come. */
static void open_table (lua_State *L, Decoder *d, int op) {
  int kind = op & ~OP_META;
  bool packed = kind == OP_INTEGERS || kind == OP_FLOATS;
  uint32_t n_items = kind != OP_RECORD ? get_le32(decoder_take(L, d, 4)) : 0;
  uint32_t n_fields = get_le32(decoder_take(L, d, 4));
  /* Room is made for what is announced only as far as bytes are left that nobody else has been
     promised: no message makes tables larger than itself allows. */
  uint64_t wanted = (packed ? 0 : (uint64_t)n_items) + 2 * (uint64_t)n_fields;
  uint64_t left = d->end - d->at;
  if (packed) {
    if (n_items > left / 8) decoder_malformed(L, d, "more numbers than bytes");
    left -= 8 * (uint64_t)n_items;
  }
  if (left < d->promised || wanted > left - d->promised || n_items > INT32_MAX ||
      n_fields > INT32_MAX) {
    decoder_malformed(L, d, "more fields than bytes");
  }
  lua_createtable(L, (int)n_items, (int)n_fields);
  if (packed) read_packed(L, d, n_items, kind == OP_INTEGERS);
  DecoderFrame *f = decoder_open(L, d, BUILD_TABLE);
  f->n_items = packed ? 0 : n_items;
  f->n_fields = n_fields;
  if (op & OP_META) f->flags = BUILD_HAS_META;
  d->promised += (size_t)wanted;
}

static void check_key (lua_State *L, const Decoder *d) {
  int type = lua_type(L, -1);
  if (type == LUA_TNIL || (type == LUA_TNUMBER && lua_tonumber(L, -1) != lua_tonumber(L, -1))) {
    decoder_malformed(L, d, "nil or nan as a key");
  }
}

/* The value on top is whole: it goes where the last frame wants it. */
static void deliver (lua_State *L, Decoder *d, DecoderFrame *f) {
  if (f->kind == BUILD_FUNCTION) {
    decode_upvalue_done(L, d);
  } else if (f->item < f->n_items) {
    lua_rawseti(L, f->object, ++f->item);
  } else if (f->n_fields > 0) {
    if (!(f->flags & BUILD_HAS_KEY)) {
      check_key(L, d);
      f->flags |= BUILD_HAS_KEY;
    } else {
      f->flags &= (uint8_t)~BUILD_HAS_KEY;
      f->n_fields--;
      lua_rawset(L, f->object);
    }
  } else {
    if (!lua_istable(L, -1)) decoder_malformed(L, d, "a metatable that is no table");
    f->flags &= (uint8_t)~BUILD_HAS_META;
    lua_setmetatable(L, f->object);
  }
}

/* Reads parts of the table in the last frame, up to one that has parts itself, or to the end. */
static void read_parts (lua_State *L, Decoder *d, DecoderFrame *f) {
  while (f->item < f->n_items) {
    d->promised--; /* its first byte comes now */
    if (decode_read(L, d)) return;
    lua_rawseti(L, f->object, ++f->item);
  }
  while (f->n_fields > 0) {
    if (!(f->flags & BUILD_HAS_KEY)) {
      d->promised--;
      if (decode_read(L, d)) return;
      check_key(L, d);
      f->flags |= BUILD_HAS_KEY;
    }
    d->promised--;
    if (decode_read(L, d)) return;
    f->flags &= (uint8_t)~BUILD_HAS_KEY;
    f->n_fields--;
    lua_rawset(L, f->object);
  }
  if ((f->flags & BUILD_HAS_META) && !decode_read(L, d)) deliver(L, d, f);
}

static bool is_whole (const DecoderFrame *f) {
  if (f->kind == BUILD_FUNCTION) return f->upvalue == f->n_upvalues;
  return f->item == f->n_items && f->n_fields == 0 && !(f->flags & BUILD_HAS_META);
}

/* What has parts, or asks others. */
static void read_object (lua_State *L, Decoder *d, int op) {
  switch (op) {
    case OP_FUNCTION: decode_function(L, d); break;
    case OP_GLOBALS: lua_pushglobaltable(L); break;
    case OP_NAMED: decode_named(L, d); break;
    case OP_CLASS: decode_class(L, d); break;
    case OP_REMOTE: decode_remote(L, d); break;
    case OP_ARRAY: decode_array(L, d); break;
    case OP_VIEW: decode_view(L, d); break;
    case OP_BASE: decode_base(L, d); break;
    case OP_COMPLEX: {
      const uint8_t *p = decoder_take(L, d, 16);
      scalar_push(L, scalar_of(double_of_bits(get_le64(p)), double_of_bits(get_le64(p + 8))));
      break;
    }
    case OP_IMMUTABLE: {
      size_t depth = d->n_frames;
      op = decoder_byte(L, d);
      if (op < OP_TABLE || op > (OP_FLOATS | OP_META)) {
        decoder_malformed(L, d, "an immutable that is no table");
      }
      open_table(L, d, op);
      d->frames[depth].flags |= BUILD_IMMUTABLE;
      break;
    }
    default:
      if (op >= OP_TABLE && op <= (OP_FLOATS | OP_META)) {
        open_table(L, d, op);
      } else {
        d->at--;
        decoder_malformed(L, d, "unknown value");
      }
  }
}

static void push_string (lua_State *L, Decoder *d, size_t len) {
  lua_pushlstring(L, (const char *)decoder_take(L, d, len), len);
}

bool decode_read (lua_State *L, Decoder *d) {
  size_t start = d->at, depth = d->n_frames;
  int byte = decoder_byte(L, d), op = byte & ~OP_SHARED;
  switch (op) {
    case OP_REF: decoder_ref(L, d, NULL); break;
    case OP_NIL: lua_pushnil(L); break;
    case OP_FALSE: lua_pushboolean(L, 0); break;
    case OP_TRUE: lua_pushboolean(L, 1); break;
    case OP_INTEGER: {
      uint64_t zigzag = decoder_varint(L, d);
      lua_pushinteger(L, (lua_Integer)((zigzag >> 1) ^ (~(zigzag & 1) + 1)));
      break;
    }
    case OP_FLOAT: lua_pushnumber(L, double_of_bits(get_le64(decoder_take(L, d, 8)))); break;
    case OP_STRING: push_string(L, d, decoder_length(L, d)); break;
    default:
      if (op >= OP_SMALL) lua_pushinteger(L, op - OP_SMALL);
      else if (op >= OP_SHORT) push_string(L, d, (size_t)(op - OP_SHORT));
      else read_object(L, d, op);
  }
  if (byte & OP_SHARED) decoder_share(L, d, start);
  return d->n_frames > depth;
}

void decoder_values (lua_State *L, Decoder *d, uint32_t n) {
  while (n > 0) {
    if (d->n_frames == 0) {
      if (!lua_checkstack(L, FRAME_SLOTS)) decoder_malformed(L, d, "too many values");
      if (!decode_read(L, d)) n--;
      continue;
    }
    DecoderFrame *f = &d->frames[d->n_frames - 1];
    if (!is_whole(f)) {
      if (f->kind == BUILD_FUNCTION) decode_upvalue(L, d);
      else read_parts(L, d, f);
      continue;
    }
    if (f->flags & BUILD_IMMUTABLE) immutable_seal(L, f->object);
    d->n_frames--;
    if (d->n_frames > 0) deliver(L, d, f - 1);
    else n--;
  }
}
