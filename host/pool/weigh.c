/* weigh.c - what values weigh on the wire, and whether they can cross, without sending them. */
#include "pool/weigh.h"

#include <stdio.h>
#include <unistd.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "pool/holds.h"
#include "wire/codeglobals.h"

static int l_encode (lua_State *L) { /* (pool, value, label, place for the parcel) */
  Pool *p = pool_check(L, 1);
  Parcel **parcel = lua_touserdata(L, 4);
  Encoder *e = wire_encoder(L, &p->context, 0);
  wire_encode(L, e, 2, lua_tostring(L, 3));
  *parcel = wire_finish(L, e);
  return 0;
}

int weigh_value (lua_State *L) {
  pool_check(L, 1);
  luaL_checkany(L, 2);
  luaL_checkstring(L, 3);
  lua_settop(L, 3);
  Parcel *parcel = NULL;
  lua_pushcfunction(L, l_encode);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, &parcel);
  if (lua_pcall(L, 4, 0, 0) != LUA_OK) {
    luaL_tolstring(L, -1, NULL);
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  lua_Integer blocks = (lua_Integer)(parcel_total_len(parcel) - parcel->len);
  lua_Integer bytes = (lua_Integer)parcel->len, definitions = parcel->n_defs;
  parcel_release(parcel);
  lua_pushinteger(L, bytes);
  lua_pushinteger(L, blocks);
  lua_pushinteger(L, definitions);
  return 3;
}

/* One object at a time: a list may hold many. They stay until the map is over, for which they are
   looked at here. */
static int remote_id (lua_State *L, int index, void *user, uint64_t *id, const char **why) {
  Holds *held = user;
  held->pool->n_touched = 0;
  int is = pool_remote_id(L, index, held->pool, id, why);
  if (is == 1) holds_add(L, held, *id);
  return is;
}

int weigh_holds (lua_State *L) {
  holds_push(L, pool_check(L, 1));
  return 1;
}

int weigh_check_items (lua_State *L) {
  Pool *p = pool_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Integer n = luaL_checkinteger(L, 3);
  const char *label = luaL_checkstring(L, 4);
  Holds *held = holds_check(L, 5);
  if (!lua_getmetatable(L, 2) && wire_pack_items(L, 2, n)) return 1;
  WireContext context = p->context; /* an encoder that is left to the collector needs none */
  context.user = held;
  context.remote_id = remote_id;
  wire_check_items(L, &context, 2, n, label);
  return 0;
}

static void add_name (void *user, const char *name, size_t len, bool is_certain) {
  lua_State *L = user; /* stack: dump, list */
  if (!is_certain) return;
  lua_pushlstring(L, name, len);
  lua_rawseti(L, 2, (lua_Integer)lua_rawlen(L, 2) + 1);
}

int weigh_named_globals (lua_State *L) {
  size_t len;
  const char *dump = luaL_checklstring(L, 1, &len);
  lua_settop(L, 1);
  lua_newtable(L);
  codeglobals_in_dump(dump, len, add_name, L);
  return 1;
}
