/* array.h - the Lua module host.array: VectorArray, Matrix and SparseMatrix. */
#ifndef ARRAY_H
#define ARRAY_H

#include <lua.h>

/* Each registers its kind in a fresh Lua state and pushes the table of its constructors. */
void vectorarray_open (lua_State *L);
void matrix_open (lua_State *L);

int luaopen_host_array (lua_State *L);

#endif
