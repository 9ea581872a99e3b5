/* metatable.h - metatables that are made when they are first needed. */
#ifndef METATABLE_H
#define METATABLE_H

#include <lua.h>
#include <lauxlib.h>

/* Sets the metatable called name of the userdata on top, which holds nothing yet. The first time it
   is made, of these functions, and known under its name only when it is whole: luaL_newmetatable
   would leave half of one behind where memory fails, and all later objects without finalizer. */
static inline void metatable_set (lua_State *L, const char *name, const luaL_Reg *functions) {
  if (luaL_getmetatable(L, name) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    luaL_setfuncs(L, functions, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, name);
  }
  lua_setmetatable(L, -2);
}

#endif
