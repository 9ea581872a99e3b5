/* encode_fields.c - the items, fields and metatable of a table; lists of numbers packed. */
#include "wire/encoder.h"

#include <lauxlib.h>
#include "array/slots.h"
#include "wire/immutable.h"

enum { PACKED_MIN = 2, GAP_MAX = 64 };

static EncoderFrame *last_frame (const Encoder *e) {
  return &e->w.frames[e->n_frames - 1];
}

/* The op with its counts, to be filled in at the end. */
static void put_head (lua_State *L, Encoder *e, uint8_t op, uint32_t n_items,
                      uint32_t n_fields) {
  uint8_t *p = encoder_room(L, e, 9);
  *p++ = op;
  if ((op & ~OP_META) != OP_RECORD) {
    put_le32(p, n_items);
    p += 4;
  }
  put_le32(p, n_fields);
  e->len = (size_t)(p - e->w.bytes) + 4;
}

/* The count of items in a head stands after the op, that of fields comes last. */
static void patch_head (lua_State *L, Encoder *e, const EncoderFrame *f) {
  uint8_t *p = e->w.bytes + f->op;
  if ((*p & ~OP_META & ~OP_SHARED) != OP_RECORD) {
    if (f->n_items > UINT32_MAX) luaL_error(L, "too many items");
    put_le32(p + 1, (uint32_t)f->n_items);
    p += 4;
  }
  put_le32(p + 1, f->n_fields);
}

/* Appends the number on top, of the type wanted; false: it is another. */
static bool pack (lua_State *L, Encoder *e, bool integers) {
  uint64_t bits;
  if (lua_isinteger(L, -1)) {
    if (!integers) return false;
    bits = (uint64_t)lua_tointeger(L, -1);
  } else {
    if (integers || lua_type(L, -1) != LUA_TNUMBER) return false;
    bits = bits_of_double(lua_tonumber(L, -1));
  }
  put_le64(encoder_room(L, e, 8), bits);
  e->len += 8;
  return true;
}

/* Appends items from first on, at most up to last, of the type wanted, as far as they can be read
   quickly. Returns how many. */
static lua_Integer pack_run (lua_State *L, Encoder *e, int table, lua_Integer first,
                             lua_Integer last, bool integers) {
  enum { RUN = 4096 }; /* what may be read in vain */
  lua_Integer done = 0, n = 0, wanted;
  do {
    first += n;
    wanted = last - first < RUN ? last - first + 1 : RUN;
    n = slots_read(L, table, first, wanted, integers, encoder_room(L, e, 8 * (size_t)wanted));
    e->len += 8 * (size_t)n;
    done += n;
  } while (n == wanted && first + n <= last);
  return done;
}

/* Tries to write the items of the table in frame f as one run of numbers. True: done, and the
   stack holds the next key and value, if any. False: nothing was written. */
static bool pack_items (lua_State *L, Encoder *e, EncoderFrame *f) {
  size_t start = e->len;
  lua_pushnil(L);
  if (!lua_next(L, f->object)) return false;
  if (lua_type(L, -1) != LUA_TNUMBER) {
    lua_pop(L, 2);
    return false;
  }
  bool integers = lua_isinteger(L, -1) != 0, more = true;
  lua_Integer n = pack_run(L, e, f->object, 1, f->bound, integers);
  if (n > 0) {
    lua_pop(L, 2);
    lua_pushinteger(L, n);
    more = lua_next(L, f->object) != 0;
  }
  while (more && lua_isinteger(L, -2) && lua_tointeger(L, -2) == n + 1 && n < f->bound) {
    if (!pack(L, e, integers)) {
      lua_pop(L, 2);
      e->len = start;
      return false;
    }
    n++;
    lua_pop(L, 1);
    more = lua_next(L, f->object) != 0;
    if (!more) break;
  }
  if (n == 0 || (more && lua_isinteger(L, -2) && lua_tointeger(L, -2) > n &&
                 lua_tointeger(L, -2) <= f->bound)) {
    lua_pop(L, 2); /* the items have gaps */
    e->len = start;
    return false;
  }
  int op = (integers ? OP_INTEGERS : OP_FLOATS) | (e->w.bytes[f->op] & OP_META);
  e->w.bytes[f->op] = (uint8_t)op;
  f->n_items = n;
  f->bound = 0;
  f->flags |= more ? FRAME_HAS_ENTRY : FRAME_AT_END;
  return true;
}

/* Is the key (stack: key, value) that of the next item? Gaps before it are filled with nil,
   so that a list with holes keeps its length. */
static bool is_item (lua_State *L, Encoder *e, EncoderFrame *f) {
  if (f->bound == 0) return false;
  if (lua_isinteger(L, -2)) {
    lua_Integer k = lua_tointeger(L, -2);
    if (k > f->n_items && k <= f->bound && k - f->n_items <= f->n_items + GAP_MAX) {
      while (++f->n_items < k) encoder_put(L, e, OP_NIL);
      return true;
    }
  }
  f->bound = 0;
  return false;
}

static void finish_fields (lua_State *L, Encoder *e) {
  EncoderFrame *f = last_frame(e);
  patch_head(L, e, f);
  if (f->flags & FRAME_HAS_META) {
    /* stack: the table; of an immutable, the metatable that it had before */
    f->kind = FRAME_METATABLE;
    if (!(f->flags & FRAME_IMMUTABLE)) lua_getmetatable(L, f->object);
    else immutable_metatable(L, f->object - 1);
    encode_table(L, e, true);
    return;
  }
  encode_step_metatable(L, e);
}

/* The metatable has been written, or there is none: the frame is done. */
void encode_step_metatable (lua_State *L, Encoder *e) {
  const EncoderFrame *f = last_frame(e);
  lua_settop(L, f->object - (f->flags & FRAME_IMMUTABLE ? 2 : 1));
  e->n_frames--;
}

static void count_field (lua_State *L, EncoderFrame *f) {
  if (f->n_fields == UINT32_MAX) luaL_error(L, "too many fields");
  f->n_fields++;
}

/* Writes entries of the table in the last frame as long as they have no parts. True: all are
   written. False: stack: key, value; FRAME_HAS_VALUE: the value is next, else the key. */
static bool put_atoms (lua_State *L, Encoder *e) {
  EncoderFrame *f = last_frame(e);
  if (f->flags & FRAME_AT_END) return true;
  int flags = f->flags;
  f->flags &= (uint8_t) ~(FRAME_HAS_ENTRY | FRAME_HAS_VALUE);
  for (;; flags = 0) { /* stack: table, last key [, value] */
    if (!(flags & FRAME_HAS_VALUE)) {
      if (!(flags & FRAME_HAS_ENTRY) && !lua_next(L, f->object)) return true;
      if (f->bound == 0 || !is_item(L, e, f)) {
        if (lua_type(L, -2) == LUA_TSTRING) {
          encode_string(L, e, -2);
        } else if (!encode_atom(L, e, -2)) {
          f->flags |= FRAME_HAS_ENTRY;
          return false;
        }
        count_field(L, f);
      }
    }
    if (!encode_atom(L, e, -1)) {
      f->flags |= FRAME_HAS_VALUE;
      return false;
    }
    lua_pop(L, 1);
  }
}

void encode_fields (lua_State *L, Encoder *e, int flags) {
  EncoderFrame *f = encode_open(L, e, FRAME_TABLE);
  f->flags = (uint8_t)flags;
  f->bound = (lua_Integer)lua_rawlen(L, -1);
  int op = (f->bound > 0 ? OP_TABLE : OP_RECORD) | (flags & FRAME_HAS_META ? OP_META : 0);
  put_head(L, e, (uint8_t)op, 0, 0);
  if (f->bound < PACKED_MIN || !pack_items(L, e, f)) lua_pushnil(L);
  if (!put_atoms(L, e)) return;
  /* Metatables have metatables: that of this one comes from encode_run, not in recursion. */
  f->flags |= FRAME_AT_END;
  if (!(flags & FRAME_HAS_META)) finish_fields(L, e);
}

void encode_step_fields (lua_State *L, Encoder *e) {
  size_t depth = e->n_frames;
  while (!put_atoms(L, e)) { /* stack: table, key, value */
    EncoderFrame *f = last_frame(e);
    if (f->flags & FRAME_HAS_VALUE) {
      f->flags &= (uint8_t)~FRAME_HAS_VALUE;
    } else {
      f->flags = (uint8_t)((f->flags & ~FRAME_HAS_ENTRY) | FRAME_HAS_VALUE); /* comes next */
      count_field(L, f);
      lua_pushvalue(L, -2);
    }
    if (lua_type(L, -1) == LUA_TTABLE) encode_table(L, e, false);
    else encode_value(L, e);
    if (e->n_frames > depth) return;
  }
  finish_fields(L, e);
}

/* A slice of numbers alone is packed in one go; false: nothing was written. */
static bool pack_slice (lua_State *L, Encoder *e, const EncoderFrame *f) {
  size_t start = e->len;
  lua_Integer n = f->last - f->n_items + 1;
  if (lua_rawgeti(L, f->object, f->n_items) != LUA_TNUMBER) {
    lua_pop(L, 1);
    return false;
  }
  bool integers = lua_isinteger(L, -1) != 0;
  lua_pop(L, 1);
  put_head(L, e, integers ? OP_INTEGERS : OP_FLOATS, (uint32_t)n, 0);
  lua_Integer i = f->n_items;
  i += pack_run(L, e, f->object, i, f->last, integers);
  for (; i <= f->last; i++) {
    lua_rawgeti(L, f->object, i);
    bool good = pack(L, e, integers);
    lua_pop(L, 1);
    if (good) continue;
    e->len = start;
    return false;
  }
  return true;
}

void encode_step_slice (lua_State *L, Encoder *e) {
  size_t depth = e->n_frames;
  EncoderFrame *f = last_frame(e);
  bool has_meta = lua_getmetatable(L, f->object);
  lua_settop(L, f->object);
  if (f->upvalue == 0) { /* the first step */
    f->upvalue = 1;
    if (f->n_items <= f->last &&
        (lua_Unsigned)f->last - (lua_Unsigned)f->n_items >= UINT32_MAX) {
      luaL_error(L, "too many items");
    }
    lua_Integer n = f->n_items <= f->last ? f->last - f->n_items + 1 : 0;
    if (n == 0 || (!has_meta && pack_slice(L, e, f))) {
      if (n == 0) put_head(L, e, OP_RECORD, 0, 0);
      f->flags |= FRAME_AT_END;
    } else {
      put_head(L, e, OP_TABLE, (uint32_t)n, 0);
      f->n_items--;
    }
  }
  while (!(f->flags & FRAME_AT_END) && f->n_items < f->last) {
    f->n_items++;
    if (has_meta) {
      lua_geti(L, f->object, f->n_items);
      encode_anchor(L, e); /* the list may have made it just now */
    } else {
      lua_rawgeti(L, f->object, f->n_items);
    }
    encode_value(L, e);
    if (e->n_frames > depth) return;
    f = last_frame(e);
  }
  lua_settop(L, f->object - 1);
  e->n_frames--;
}
