/* encode.c - values to bytes: plain values, and the loop over those that have parts. */
#include "wire/encoder.h"

#include <stdlib.h>
#include <lauxlib.h>
#include "array/slots.h"
#include "metatable.h"
#include "wire/immutable.h"
#include "wire/state.h"

#define PACKED_TNAME "neap.wire.packed"

enum { FIRST_FRAMES = 16, LONG_STRING = 64 };

EncoderFrame *encode_open (lua_State *L, Encoder *e, uint8_t kind) {
  if (e->n_frames == e->w.room_frames) {
    size_t room = e->w.room_frames * 2 + FIRST_FRAMES;
    EncoderFrame *frames = realloc(e->w.frames, room * sizeof *frames);
    if (frames == NULL) encoder_no_memory(L);
    e->w.frames = frames;
    e->w.room_frames = room;
  }
  if (!lua_checkstack(L, FRAME_SLOTS)) encode_refuse(L, e, "nested too deep", NULL);
  EncoderFrame *f = &e->w.frames[e->n_frames++];
  *f = (EncoderFrame){.kind = kind, .object = lua_gettop(L), .op = e->len};
  return f;
}

static void put_integer (lua_State *L, Encoder *e, lua_Integer x) {
  uint8_t *p = encoder_room(L, e, 1 + VARINT_MAX);
  if ((lua_Unsigned)x < SMALL_END) {
    *p = (uint8_t)(OP_SMALL + x);
    e->len++;
  } else {
    uint64_t zigzag = ((uint64_t)x << 1) ^ (x < 0 ? UINT64_MAX : 0);
    *p = OP_INTEGER;
    e->len += 1 + put_varint(p + 1, zigzag);
  }
}

/* Has the string been written already? Then its reference has been written now. Short strings
   are one object for one content, so addresses tell repetitions. For them a few recent ones are
   enough: a string that is written twice costs bytes, nothing else. */
static bool put_string_ref (lua_State *L, Encoder *e, const char *s, size_t len) {
  if (len >= LONG_STRING) return encoder_met(L, e, s);
  if (e->w.recent == NULL) {
    e->w.recent = calloc(RECENT, sizeof *e->w.recent);
    if (e->w.recent == NULL) encoder_no_memory(L);
  }
  e->w.recent_used = true;
  AddressSlot *slot = &e->w.recent[((uintptr_t)s * 0x9e3779b97f4a7c15u) >> (64 - RECENT_BITS)];
  if (slot->key != (uintptr_t)s) {
    *slot = (AddressSlot){.key = (uintptr_t)s, .value = e->len};
    return false;
  }
  encoder_ref(L, e, slot->value);
  return true;
}

void encode_string (lua_State *L, Encoder *e, int index) {
  size_t len;
  const char *s = lua_tolstring(L, index, &len);
  if (len > 1 && put_string_ref(L, e, s, len)) return;
  uint8_t *p = encoder_room(L, e, 1 + VARINT_MAX + len);
  if (len < SHORT_END) {
    *p++ = (uint8_t)(OP_SHORT + len);
  } else {
    *p++ = OP_STRING;
    p += put_varint(p, len);
  }
  memcpy(p, s, len);
  e->len = (size_t)(p - e->w.bytes) + len;
}

bool encode_atom (lua_State *L, Encoder *e, int index) {
  switch (lua_type(L, index)) {
    case LUA_TNIL: encoder_put(L, e, OP_NIL); return true;
    case LUA_TBOOLEAN:
      encoder_put(L, e, lua_toboolean(L, index) ? OP_TRUE : OP_FALSE);
      return true;
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) {
        put_integer(L, e, lua_tointeger(L, index));
      } else {
        uint8_t *p = encoder_room(L, e, 9);
        *p = OP_FLOAT;
        put_le64(p + 1, bits_of_double(lua_tonumber(L, index)));
        e->len += 9;
      }
      return true;
    case LUA_TSTRING: encode_string(L, e, index); return true;
    default: return false;
  }
}

void encode_value (lua_State *L, Encoder *e) {
  if (encode_atom(L, e, -1)) {
    lua_pop(L, 1);
    return;
  }
  switch (lua_type(L, -1)) {
    case LUA_TTABLE: encode_table(L, e, false); break;
    case LUA_TFUNCTION: encode_function(L, e); break;
    case LUA_TUSERDATA: encode_userdata(L, e); break;
    default: encode_refuse_kind(L, e);
  }
}

void encode_run (lua_State *L, Encoder *e) {
  while (e->n_frames > 0) {
    switch (e->w.frames[e->n_frames - 1].kind) {
      case FRAME_TABLE: encode_step_fields(L, e); break;
      case FRAME_METATABLE: encode_step_metatable(L, e); break;
      case FRAME_FUNCTION: encode_step_function(L, e); break;
      default: encode_step_slice(L, e);
    }
  }
}

/* Fills the slots; stack: ..., index and name strings, cache, state. */
static void begin (lua_State *L, Encoder *e, const char *label) {
  luaL_checkstack(L, N_SLOTS + 2 * FRAME_SLOTS, "too many values");
  e->label = label;
  e->n_frames = 0; /* of a value that was refused */
  e->slots = lua_gettop(L) + 1;
  lua_pushliteral(L, "__index");
  lua_pushliteral(L, "__name");
  state_push(L);
  lua_getiuservalue(L, -1, STATE_CACHE);
  lua_insert(L, -2);
}

/* What is encoded stays alive until the end: no two objects must ever have one address. */
void encode_anchor (lua_State *L, const Encoder *e) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, e) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, e); /* until the encoder ends */
  }
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_pop(L, 1);
}

static void count_value (lua_State *L, Encoder *e) {
  if (e->n_values == UINT32_MAX) luaL_error(L, "too many values");
  e->n_values++;
}

void wire_encode (lua_State *L, Encoder *e, int index, const char *label) {
  index = lua_absindex(L, index);
  if (encode_atom(L, e, index) && lua_type(L, index) != LUA_TSTRING) {
    count_value(L, e);
    return;
  }
  int top = lua_gettop(L);
  begin(L, e, label);
  lua_pushvalue(L, index);
  encode_anchor(L, e);
  if (lua_type(L, -1) != LUA_TSTRING) encode_value(L, e);
  encode_run(L, e);
  lua_settop(L, top);
  count_value(L, e);
}

uint8_t *wire_encode_bytes (lua_State *L, Encoder *e, size_t len) {
  if (len > SIZE_MAX - 1 - VARINT_MAX) encoder_no_memory(L);
  uint8_t *p = encoder_room(L, e, 1 + VARINT_MAX + len);
  *p = OP_STRING;
  size_t head = 1 + put_varint(p + 1, len);
  e->len += head + len;
  count_value(L, e);
  return p + head;
}

/* Writes the items as they lie there, all of one type; false: they are not. Some at a time: each
   step over the stack costs as much as reading one. The stack is the caller's to restore. */
static bool put_numbers (lua_State *L, uint8_t *p, int index, lua_Integer first,
                         lua_Integer last, bool integers) {
  enum { BATCH = 16 };
  lua_Integer done = slots_read(L, index, first, last - first + 1, integers, p);
  first += done;
  p += 8 * done;
  int base = lua_gettop(L);
  luaL_checkstack(L, BATCH, NULL);
  while (first <= last) {
    int n = last - first < BATCH ? (int)(last - first) + 1 : BATCH;
    for (int k = 0; k < n; k++) {
      if (lua_geti(L, index, first + k) != LUA_TNUMBER) return false; /* quicker than raw */
    }
    for (int k = 1; k <= n; k++, p += 8) {
      if ((lua_isinteger(L, base + k) != 0) != integers) return false;
      put_le64(p, integers ? (uint64_t)lua_tointeger(L, base + k)
                           : bits_of_double(lua_tonumber(L, base + k)));
    }
    lua_settop(L, base);
    first += n; /* a list is never as long as integers go */
  }
  return true;
}

/* Numbers as they stand in a message. The collector sees only the handle, and need not: the bytes
   go when the map that they are for ends. */
typedef struct Packed {
  lua_Integer kind;
  uint8_t *bytes; /* owned; NULL when freed */
} Packed;

void wire_free_packed (lua_State *L, int index) {
  Packed *p = lua_touserdata(L, index);
  free(p->bytes);
  p->bytes = NULL;
}

static int l_packed_gc (lua_State *L) {
  luaL_checkudata(L, 1, PACKED_TNAME);
  wire_free_packed(L, 1);
  return 0;
}

static Packed *push_packed (lua_State *L, lua_Integer kind, size_t len) {
  static const luaL_Reg metamethods[] = {{"__gc", l_packed_gc}, {NULL, NULL}};
  Packed *p = lua_newuserdatauv(L, sizeof *p, 0);
  *p = (Packed){.kind = kind};
  metatable_set(L, PACKED_TNAME, metamethods);
  p->bytes = malloc(len);
  if (p->bytes == NULL) luaL_error(L, "not enough memory");
  return p;
}

bool wire_pack_items (lua_State *L, int index, lua_Integer n) {
  int top = lua_gettop(L);
  index = lua_absindex(L, index);
  if (n < 2 || n > (lua_Integer)(SIZE_MAX / 16) || lua_rawgeti(L, index, 1) != LUA_TNUMBER) {
    lua_settop(L, top);
    return false;
  }
  bool integers = lua_isinteger(L, -1) != 0;
  const Packed *p = push_packed(L, integers ? WIRE_INTEGERS : WIRE_FLOATS, 8 * (size_t)n);
  bool good = put_numbers(L, p->bytes, index, 1, n, integers);
  lua_settop(L, top + 2);
  if (good) lua_replace(L, top + 1);
  else lua_settop(L, top);
  return good;
}

void wire_encode_packed (lua_State *L, Encoder *e, int index, lua_Integer first,
                         lua_Integer last) {
  const Packed *p = lua_touserdata(L, index);
  size_t len = 8 * ((size_t)last - (size_t)first + 1);
  put_integer(L, e, p->kind);
  count_value(L, e);
  memcpy(wire_encode_bytes(L, e, len), p->bytes + 8 * (first - 1), len);
}

void wire_encode_items (lua_State *L, Encoder *e, int index, lua_Integer first,
                        lua_Integer last, const char *label) {
  index = lua_absindex(L, index);
  int top = lua_gettop(L);
  size_t n = first <= last ? (size_t)last - (size_t)first + 1 : 0;
  if (n > 1 && n <= SIZE_MAX / 16 && lua_istable(L, index) && !lua_getmetatable(L, index) &&
      lua_rawgeti(L, index, first) == LUA_TNUMBER) {
    bool integers = lua_isinteger(L, -1) != 0;
    lua_settop(L, top);
    size_t len = e->len;
    uint32_t n_values = e->n_values;
    put_integer(L, e, integers ? WIRE_INTEGERS : WIRE_FLOATS);
    count_value(L, e);
    bool good = put_numbers(L, wire_encode_bytes(L, e, 8 * n), index, first, last, integers);
    lua_settop(L, top);
    if (good) return;
    e->len = len;
    e->n_values = n_values;
  }
  lua_settop(L, top);
  put_integer(L, e, WIRE_LIST);
  count_value(L, e);
  wire_encode_slice(L, e, index, first, last, label);
}

void wire_encode_slice (lua_State *L, Encoder *e, int index, lua_Integer first,
                        lua_Integer last, const char *label) {
  index = lua_absindex(L, index);
  int top = lua_gettop(L);
  begin(L, e, label);
  lua_pushvalue(L, index);
  encode_anchor(L, e);
  if (immutable_contents(L, -1)) lua_replace(L, -2);
  EncoderFrame *f = encode_open(L, e, FRAME_SLICE);
  f->n_items = first;
  f->last = last;
  encode_run(L, e);
  lua_settop(L, top);
  count_value(L, e);
}
