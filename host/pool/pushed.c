/* pushed.c - immutables that are on the workers, and whether they are still what was pushed.

   Nothing keeps a script from overwriting a field of a model or an operator: their metatables
   see new fields only, and a proxy would double the cost of reading. So what was pushed is
   compared when it crosses again, where an old copy on the workers would go unnoticed. */
#include <lauxlib.h>
#include "pool/pool.h"
#include "wire/immutable.h"

/* An entry of p->immutables is {id, list of tables, list of copies of them}. Longer lists, and
   more tables, are data rather than structure: they are not looked at. */
enum { ENTRY_ID = 1, ENTRY_TABLES, ENTRY_COPIES };
enum { LIST_MAX = 256, TABLES_MAX = 256 };

/* Is the value at index a table that somebody could have changed? Proxies guard themselves. */
static bool is_open (lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TTABLE || lua_rawlen(L, index) > LIST_MAX) return false;
  if (immutable_contents(L, index)) {
    lua_pop(L, 1);
    return false;
  }
  if (!lua_getmetatable(L, index)) return true;
  lua_pop(L, 1);
  return immutable_check(L, index);
}

/* Pops a table; pushes a copy of its fields, and appends those that are open themselves to the
   list at index tables. stack: ..., table -> ..., copy */
static void copy_fields (lua_State *L, int tables, int seen) {
  int t = lua_gettop(L);
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, t)) {
    if (is_open(L, -1) && lua_rawlen(L, tables) < TABLES_MAX) {
      lua_pushvalue(L, -1);
      if (lua_rawget(L, seen) == LUA_TNIL) {
        lua_pushvalue(L, -2);
        lua_pushboolean(L, 1);
        lua_rawset(L, seen);
        lua_pushvalue(L, -2);
        lua_rawseti(L, tables, (lua_Integer)lua_rawlen(L, tables) + 1);
      }
      lua_pop(L, 1);
    }
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, t + 1);
  }
  lua_remove(L, t);
}

void pushed_note (lua_State *L, const Pool *p, int index, uint64_t id) {
  luaL_checkstack(L, 16, NULL);
  index = lua_absindex(L, index);
  int top = lua_gettop(L), entry = top + 1, tables = top + 2, copies = top + 3, seen = top + 4;
  lua_createtable(L, 3, 0);
  for (int i = 0; i < 3; i++) lua_newtable(L);
  if (is_open(L, index)) {
    lua_pushvalue(L, index);
    lua_rawseti(L, tables, 1);
  }
  for (lua_Integer i = 1; lua_rawgeti(L, tables, i) == LUA_TTABLE; i++) {
    copy_fields(L, tables, seen);
    lua_rawseti(L, copies, i);
  }
  lua_settop(L, copies);
  lua_rawseti(L, entry, ENTRY_COPIES);
  lua_rawseti(L, entry, ENTRY_TABLES);
  lua_pushinteger(L, (lua_Integer)id);
  lua_rawseti(L, entry, ENTRY_ID);
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->immutables);
  lua_pushvalue(L, index);
  lua_pushvalue(L, entry);
  lua_rawset(L, -3);
  lua_settop(L, top);
}

/* Pushes the first key of table a whose value table b has not; false: there is none. */
static bool push_difference (lua_State *L, int a, int b) {
  lua_pushnil(L);
  while (lua_next(L, a)) {
    lua_pushvalue(L, -2);
    lua_rawget(L, b);
    bool is_nan = !lua_rawequal(L, -1, -1) && !lua_rawequal(L, -2, -2);
    bool is_same = is_nan || lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    if (!is_same) return true;
  }
  return false;
}

/* Pushes what has changed; the key is on top, the table at index t. */
static const char *push_reason (lua_State *L, int t) {
  const char *key = luaL_tolstring(L, -1, NULL);
  bool is_typed = luaL_getmetafield(L, t, "__name") == LUA_TSTRING;
  const char *type = is_typed ? lua_tostring(L, -1) : "table";
  return lua_pushfstring(
    L, "an immutable in which field '%s' of a %s has changed since it was pushed", key, type);
}

uint64_t pushed_id (lua_State *L, const Pool *p, int index, const char **why) {
  luaL_checkstack(L, 16, NULL);
  int top = lua_gettop(L);
  index = lua_absindex(L, index);
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->immutables);
  lua_pushvalue(L, index);
  uint64_t id = 0;
  if (lua_rawget(L, -2) == LUA_TTABLE) {
    lua_rawgeti(L, -1, ENTRY_ID);
    id = (uint64_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  if (id == 0 || !objects_is_live(&p->objects, id)) {
    lua_settop(L, top);
    return 0;
  }
  lua_rawgeti(L, -1, ENTRY_TABLES);
  lua_rawgeti(L, -2, ENTRY_COPIES);
  int tables = lua_gettop(L) - 1, t = tables + 2;
  for (lua_Integer i = 1; lua_rawgeti(L, tables, i) == LUA_TTABLE; i++) {
    lua_rawgeti(L, tables + 1, i);
    if (push_difference(L, t, t + 1) || push_difference(L, t + 1, t)) {
      *why = push_reason(L, t); /* stays on the stack, where the encoder raises with it */
      return id;
    }
    lua_settop(L, tables + 1);
  }
  lua_settop(L, top);
  return id;
}
