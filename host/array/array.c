/* array.c - the Lua module host.array. */
#include "array/array.h"

#include <lauxlib.h>

int luaopen_host_array (lua_State *L) {
  lua_newtable(L);
  vectorarray_open(L);
  lua_setfield(L, -2, "VectorArray");
  matrix_open(L);
  lua_setfield(L, -2, "Matrix");
  return 1;
}
