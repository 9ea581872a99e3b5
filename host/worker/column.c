/* column.c - results of a chunk as bytes while they are plain numbers, else as a table. */
#include "worker/column.h"

#include <string.h>
#include <lauxlib.h>
#include "worker/protocol.h"

enum { TABLE_MAX = 1 << 20 }; /* room made in advance, in items */

void column_push (lua_State *L, Column *c, lua_Integer count, int anchor, int place) {
  lua_pushnil(L);
  *c = (Column){.index = lua_gettop(L), .anchor = anchor, .place = place, .count = count};
}

/* What is on top holds the items from now on. */
static void keep (lua_State *L, const Column *c) {
  if (c->anchor != 0) {
    lua_pushvalue(L, -1);
    lua_rawseti(L, c->anchor, c->place);
  }
  lua_replace(L, c->index);
}

/* The kind of the value on top. */
static int kind_of (lua_State *L) {
  if (lua_isinteger(L, -1)) return SEQUENCE_INTEGERS;
  return lua_type(L, -1) == LUA_TNUMBER ? SEQUENCE_FLOATS : SEQUENCE_LIST;
}

static void begin (lua_State *L, Column *c, int kind) {
  c->kind = kind;
  if (kind == SEQUENCE_LIST) {
    lua_createtable(L, (int)(c->count < TABLE_MAX ? c->count : TABLE_MAX), 0);
  } else {
    c->bytes = lua_newuserdatauv(L, 8 * (size_t)c->count, 0);
  }
  keep(L, c);
}

static void push_packed (lua_State *L, const Column *c, lua_Integer i) {
  uint64_t bits = get_le64(c->bytes + 8 * (i - 1));
  if (c->kind == SEQUENCE_INTEGERS) lua_pushinteger(L, (lua_Integer)bits);
  else lua_pushnumber(L, double_of_bits(bits));
}

/* Something came that cannot be packed with what is there. */
static void unpack (lua_State *L, Column *c) {
  lua_createtable(L, (int)(c->count < TABLE_MAX ? c->count : TABLE_MAX), 0);
  for (lua_Integer i = 1; i <= c->n; i++) {
    push_packed(L, c, i);
    lua_rawseti(L, -2, i);
  }
  keep(L, c);
  c->kind = SEQUENCE_LIST;
}

void column_put_any (lua_State *L, Column *c, lua_Integer i) {
  int kind = kind_of(L);
  if (c->kind == 0 && lua_isnil(L, -1)) { /* a gap */
    lua_pop(L, 1);
    return;
  }
  if (c->kind == 0) begin(L, c, i == 1 ? kind : SEQUENCE_LIST);
  if (c->kind != SEQUENCE_LIST && (kind != c->kind || i != c->n + 1)) unpack(L, c);
  if (c->kind == SEQUENCE_LIST) {
    lua_rawseti(L, c->index, i);
    return;
  }
  uint64_t bits = kind == SEQUENCE_INTEGERS ? (uint64_t)lua_tointeger(L, -1)
                                            : bits_of_double(lua_tonumber(L, -1));
  put_le64(c->bytes + 8 * (i - 1), bits);
  c->n = i;
  lua_pop(L, 1);
}

void column_clear (lua_State *L, Column *c, lua_Integer i) {
  if (c->kind == 0) return;
  if (c->kind != SEQUENCE_LIST) unpack(L, c);
  lua_pushnil(L);
  lua_rawseti(L, c->index, i);
}

void column_encode (lua_State *L, const Column *c, Encoder *e, lua_Integer n,
                    const char *label) {
  bool packed = c->kind > SEQUENCE_LIST && c->n == n;
  lua_pushinteger(L, packed ? c->kind : SEQUENCE_LIST);
  wire_encode(L, e, -1, "kind");
  lua_pop(L, 1);
  if (packed) {
    memcpy(wire_encode_bytes(L, e, 8 * (size_t)n), c->bytes, 8 * (size_t)n);
    return;
  }
  Column copy = *c;
  lua_pushvalue(L, c->index); /* the original's slot may be needed again */
  copy.index = lua_gettop(L);
  copy.anchor = 0;
  if (c->kind == 0) lua_newtable(L), lua_replace(L, copy.index);
  else if (c->kind != SEQUENCE_LIST) unpack(L, &copy);
  wire_encode_slice(L, e, copy.index, 1, n, label);
  lua_settop(L, copy.index - 1);
}
