/* immutable.c - tables that are read-only for good. The contents move behind a metatable of
   the table's own, so that the table stays the same object and writes find no field. */
#include "wire/immutable.h"

#include <string.h>
#include <lauxlib.h>
#include "array/image.h"

/* Addresses are the keys in that metatable: scripts cannot make them. */
static const char contents_key, before_key;

bool immutable_contents (lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return false;
  if (lua_rawgetp(L, -1, &contents_key) == LUA_TTABLE) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 2);
  return false;
}

void immutable_metatable (lua_State *L, int index) {
  lua_getmetatable(L, index);
  lua_rawgetp(L, -1, &before_key);
  lua_remove(L, -2);
}

bool immutable_check (lua_State *L, int index) {
  if (immutable_contents(L, index)) {
    lua_pop(L, 1);
    return true;
  }
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return false;
  lua_pushliteral(L, "__immutable");
  lua_rawget(L, -2);
  bool is = lua_type(L, -1) == LUA_TBOOLEAN && lua_toboolean(L, -1);
  lua_pop(L, 2);
  return is;
}

static int l_newindex (lua_State *L) { /* stack: table, key, value */
  if (lua_type(L, 2) == LUA_TSTRING) {
    return luaL_error(L, "field '%s' of an immutable table cannot be set", lua_tostring(L, 2));
  }
  const char *key = luaL_tolstring(L, 2, NULL);
  return luaL_error(L, "field [%s] of an immutable table cannot be set", key);
}

static void push_contents (lua_State *L) {
  if (!immutable_contents(L, 1)) luaL_argerror(L, 1, "immutable table expected");
}

static int l_next (lua_State *L) {
  lua_settop(L, 2);
  push_contents(L);
  lua_insert(L, 2); /* stack: table, contents, key */
  if (lua_next(L, 2)) return 2;
  lua_pushnil(L);
  return 1;
}

/* Hands out the table, not its contents, so that nobody gets hold of these. */
static int l_pairs (lua_State *L) {
  push_contents(L);
  lua_pushcfunction(L, l_next);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

static int l_len (lua_State *L) {
  push_contents(L);
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
  return 1;
}

/* Where the table had an __index that is no table; upvalue: that. Stack: table, key. */
static int l_index (lua_State *L) {
  lua_settop(L, 2);
  push_contents(L);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) != LUA_TNIL) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  if (lua_type(L, -1) != LUA_TFUNCTION) {
    lua_pushvalue(L, 2);
    lua_gettable(L, -2);
    return 1;
  }
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

/* Moves all fields from one table to another. */
static void move_fields (lua_State *L, int from, int to) {
  lua_pushnil(L);
  while (lua_next(L, from)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, to);
  }
  lua_pushnil(L);
  while (lua_next(L, from)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, from); /* a field that is there may be cleared on the way */
  }
}

/* Where reads of the new table go; stack on return: ... , what becomes __index. */
static void push_index (lua_State *L, int contents, int before) {
  lua_pushliteral(L, "__index");
  int type = before == 0 ? LUA_TNIL : lua_rawget(L, before);
  if (before == 0) lua_pop(L, 1);
  if (type == LUA_TNIL) {
    if (before != 0) lua_pop(L, 1);
    lua_pushvalue(L, contents);
  } else if (type == LUA_TTABLE) { /* what the contents lack is looked up there */
    lua_createtable(L, 0, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, contents);
    lua_pushvalue(L, contents);
  } else { /* it is called with the table, never with the contents */
    lua_pushcclosure(L, l_index, 1);
  }
}

static bool has_field (lua_State *L, int table, const char *name) {
  lua_pushstring(L, name);
  bool has = lua_rawget(L, table) != LUA_TNIL;
  lua_pop(L, 1);
  return has;
}

void immutable_seal (lua_State *L, int index) {
  luaL_checkstack(L, 12, NULL);
  int table = lua_absindex(L, index), top = lua_gettop(L);
  if (immutable_check(L, table)) return;
  int before = lua_getmetatable(L, table) ? lua_gettop(L) : 0;
  lua_newtable(L);
  int contents = lua_gettop(L);
  lua_createtable(L, 0, 8);
  int meta = lua_gettop(L);
  if (before != 0) { /* all metamethods stay */
    lua_pushnil(L);
    while (lua_next(L, before)) {
      bool is_method = lua_type(L, -2) == LUA_TSTRING &&
                       strncmp(lua_tostring(L, -2), "__", 2) == 0;
      if (is_method && strcmp(lua_tostring(L, -2), "__mode") != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, meta);
      } else {
        lua_pop(L, 1);
      }
    }
    lua_pushvalue(L, before);
    lua_rawsetp(L, meta, &before_key);
  }
  lua_pushvalue(L, contents);
  lua_rawsetp(L, meta, &contents_key);
  lua_pushcfunction(L, l_newindex);
  lua_setfield(L, meta, "__newindex");
  if (!has_field(L, meta, "__pairs")) {
    lua_pushcfunction(L, l_pairs);
    lua_setfield(L, meta, "__pairs");
  }
  if (!has_field(L, meta, "__len")) {
    lua_pushcfunction(L, l_len);
    lua_setfield(L, meta, "__len");
  }
  if (!has_field(L, meta, "__metatable")) { /* getmetatable goes on to give what it gave */
    if (before != 0) lua_pushvalue(L, before);
    else lua_pushboolean(L, 0);
    lua_setfield(L, meta, "__metatable");
  }
  push_index(L, contents, before);
  lua_setfield(L, meta, "__index");
  move_fields(L, table, contents);
  lua_pushvalue(L, meta);
  lua_setmetatable(L, table);
  lua_settop(L, top);
}

/* Is the table at index a class, the globals or a module: what stays as it is? */
static bool stays (lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_pushliteral(L, "__index");
  lua_rawget(L, index);
  bool is = lua_rawequal(L, -1, index);
  lua_pop(L, 1);
  if (is || has_field(L, index, "__name")) return true;
  lua_pushglobaltable(L);
  is = lua_rawequal(L, -1, index);
  lua_pop(L, 1);
  if (is) return true;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushnil(L);
  while (!is && lua_next(L, -2)) {
    is = lua_rawequal(L, -1, index);
    lua_pop(L, is ? 2 : 1);
  }
  lua_pop(L, 1);
  return is;
}

/* Adds the value on top to the list of what is to be sealed, unless it was met before; pops
   it. stack: 2: what was met, 3: the list */
static void enqueue (lua_State *L) {
  int type = lua_type(L, -1);
  if (type == LUA_TTABLE || (type == LUA_TUSERDATA && array_kind(L, -1) != 0)) {
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 2) == LUA_TNIL) {
      lua_pushvalue(L, -2);
      lua_pushboolean(L, 1);
      lua_rawset(L, 2);
      lua_pushvalue(L, -2);
      lua_rawseti(L, 3, (lua_Integer)lua_rawlen(L, 3) + 1);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void freeze_array (lua_State *L) {
  if (lua_getfield(L, -1, "freeze") == LUA_TFUNCTION) { /* the others never change */
    lua_pushvalue(L, -2);
    lua_call(L, 1, 0);
  } else {
    lua_pop(L, 1);
  }
}

/* immutable(obj) -> obj */
static int l_immutable (lua_State *L) {
  luaL_argexpected(L, lua_istable(L, 1) || array_kind(L, 1) != 0, 1, "table or array");
  lua_settop(L, 1);
  lua_newtable(L);
  lua_newtable(L);
  lua_pushvalue(L, 1);
  enqueue(L);
  for (lua_Integer n; (n = (lua_Integer)lua_rawlen(L, 3)) > 0;) {
    lua_rawgeti(L, 3, n);
    lua_pushnil(L);
    lua_rawseti(L, 3, n);
    if (lua_type(L, 4) == LUA_TUSERDATA) {
      freeze_array(L);
    } else if (!immutable_check(L, 4) && (!stays(L, 4) || lua_rawequal(L, 1, 4))) {
      lua_pushnil(L);
      while (lua_next(L, 4)) {
        enqueue(L);
        lua_pushvalue(L, -1);
        enqueue(L);
      }
      immutable_seal(L, 4);
    }
    lua_settop(L, 3);
  }
  lua_settop(L, 1);
  return 1;
}

/* is_immutable(obj) -> boolean */
static int l_is_immutable (lua_State *L) {
  luaL_checkany(L, 1);
  bool is = immutable_check(L, 1);
  if (!is && lua_type(L, 1) == LUA_TUSERDATA && array_kind(L, 1) != 0) {
    ArrayImage image;
    array_export(L, 1, &image);
    is = (image.flags & ARRAY_FROZEN) != 0 || image.kind == ARRAY_SPARSE;
    for (unsigned i = 0; i < image.n_slices; i++) block_release(image.slices[i].block);
  }
  lua_pushboolean(L, is);
  return 1;
}

static const luaL_Reg functions[] = {
  {"immutable", l_immutable},
  {"is_immutable", l_is_immutable},
  {NULL, NULL},
};

int luaopen_host_immutable (lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
