/* check.c - can all items of a list be sent? Looked at before the first of them is.

   What has no parts, arrays and tables of such can be: they are walked through, which takes a
   fraction of writing them. Where anything else turns up the item is written, to nowhere: then what
   is wrong is told as it would be when it is sent. */
#include "wire/encoder.h"

#include <lauxlib.h>
#include "metatable.h"
#include "wire/immutable.h"

#define CHECK_TNAME "neap.wire.check"

enum { DEPTH_MAX = 16, BATCH = 16, LEAF_MAX = 64 };

typedef struct Check {
  AddressMap plain; /* owned: tables that are, or are being looked at */
  Encoder *e;       /* NULL until an item needs it; anchored in the stack */
} Check;

static int l_gc (lua_State *L) {
  Check *c = luaL_checkudata(L, 1, CHECK_TNAME);
  addressmap_fini(&c->plain);
  return 0;
}

static bool is_atom (int type) {
  enum { ATOMS = 1 << LUA_TNIL | 1 << LUA_TBOOLEAN | 1 << LUA_TNUMBER | 1 << LUA_TSTRING };
  return (1 << type & ATOMS) != 0;
}

static bool is_plain_table (lua_State *L, Check *c, int depth);

/* What is known of the table that is being looked at. */
typedef struct Look {
  const void *address;
  int depth;
  bool is_noted;
} Look;

/* A table that holds others, or much, is not looked at twice. */
static void note (lua_State *L, Check *c, Look *look) {
  bool is_new;
  if (look->is_noted) return;
  if (addressmap_at(&c->plain, look->address, &is_new) == NULL) encoder_no_memory(L);
  look->is_noted = true;
}

/* Is the value on top, which is no atom, one that crosses whatever it holds? */
static bool is_plain (lua_State *L, Check *c, Look *look) {
  if (lua_type(L, -1) == LUA_TTABLE) {
    note(L, c, look);
    return is_plain_table(L, c, look->depth + 1);
  }
  return lua_type(L, -1) == LUA_TUSERDATA && array_kind(L, -1) != 0;
}

/* Items 1..n of the table on top: quicker than to go through it by lua_next. */
static bool are_plain (lua_State *L, Check *c, Look *look, lua_Integer n) {
  for (lua_Integer i = 1; i <= n; i++) {
    bool ok = is_atom(lua_rawgeti(L, -1, i)) || is_plain(L, c, look);
    lua_pop(L, 1);
    if (!ok) return false;
  }
  return true;
}

/* The table on top, and what is in it. One that was noted before is left alone: it was plain, or has
   been written with the item that met it. */
static bool is_plain_table (lua_State *L, Check *c, int depth) {
  if (depth == DEPTH_MAX || !lua_checkstack(L, 4)) return false;
  if (lua_getmetatable(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  Look look = {.address = lua_topointer(L, -1), .depth = depth};
  size_t unused;
  if (addressmap_find(&c->plain, look.address, &unused)) return true;
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  if (n > LEAF_MAX) note(L, c, &look);
  if (!are_plain(L, c, &look, n)) return false;
  /* What comes after item n is all there is besides, but for tables built in odd orders, where some
     fields may be missed: those are refused when they are written. */
  if (n > 0) lua_pushinteger(L, n);
  else lua_pushnil(L);
  for (int i = 0; lua_next(L, -2); i++) {
    if (i == LEAF_MAX) note(L, c, &look);
    bool ok = is_atom(lua_type(L, -2));
    if (!ok || (!is_atom(lua_type(L, -1)) && !is_plain(L, c, &look))) {
      lua_pop(L, 2);
      return false;
    }
    lua_pop(L, 1);
  }
  return true;
}

/* Writes item i, which may raise, and takes it back. What comes later refers to bytes that are no
   more, where it meets the same object again: nobody reads them, and the room stays. */
static void write_item (lua_State *L, Check *c, const WireContext *context, int list,
                        lua_Integer i, const char *label) {
  if (c->e == NULL) {
    c->e = wire_encoder(L, context, 0);
    lua_replace(L, list + 2);
  }
  wire_encode_slice(L, c->e, list, i, i, label);
  c->e->len = HEAD_VALUES;
  c->e->n_values = 0;
}

/* Stack: list, Check, encoder or nil */
static void check_items (lua_State *L, Check *c, const WireContext *context, int list,
                         lua_Integer n, const char *label) {
  Look look = {.is_noted = true}; /* of the list, which is looked at once */
  for (lua_Integer i = 1; i <= n;) {
    int top = lua_gettop(L);
    bool all = true;
    for (int k = 0; k < BATCH && i <= n && all; k++, i++) {
      all = is_atom(lua_rawgeti(L, list, i));
      if (!all && !is_plain(L, c, &look)) write_item(L, c, context, list, i, label);
    }
    lua_settop(L, top);
  }
}

void wire_check_items (lua_State *L, const WireContext *context, int index, lua_Integer n,
                       const char *label) {
  luaL_checkstack(L, BATCH + 20, NULL);
  int top = lua_gettop(L);
  lua_pushvalue(L, index);
  if (immutable_contents(L, -1)) lua_replace(L, -2);
  Check *c = lua_newuserdatauv(L, sizeof *c, 0);
  *c = (Check){0};
  static const luaL_Reg metamethods[] = {{"__gc", l_gc}, {NULL, NULL}};
  metatable_set(L, CHECK_TNAME, metamethods);
  lua_pushnil(L);
  check_items(L, c, context, top + 1, n, label);
  addressmap_fini(&c->plain);
  if (c->e != NULL) encoder_close(L, c->e);
  lua_settop(L, top);
}
