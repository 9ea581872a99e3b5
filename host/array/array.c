/* array.c - the Lua module host.array. */
#include "array/array.h"

#include <lauxlib.h>
#include "array/affine.h"
#include "array/blas.h"
#include "array/files.h"
#include "array/matrix.h"
#include "array/scalar.h"
#include "array/sparse.h"
#include "array/vectorarray.h"
#include "block/block.h"

/* blocks() -> how many blocks this process holds, and their bytes */
static int l_blocks (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)block_total_count());
  lua_pushinteger(L, (lua_Integer)block_total_len());
  return 2;
}

/* idle_bytes() -> those of freed blocks that are kept for the next ones */
static int l_idle_bytes (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)block_idle_len());
  return 1;
}

static const luaL_Reg functions[] = {
  {"blocks", l_blocks},
  {"complex", scalar_l_complex},
  {"idle_bytes", l_idle_bytes},
  {NULL, NULL},
};

/* Copies the fields of the table on top to the one at index, and pops it. */
static void copy_fields (lua_State *L, int index) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, index);
  }
  lua_pop(L, 1);
}

/* Puts the functions of a kind, whose constructors are on top, into package.loaded: there Lua looks
   for the name of a function that was not called by a name, but by pcall, say. */
static void name_functions (lua_State *L, const char *kind) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_newtable(L);
  int names = lua_gettop(L);
  luaL_getmetatable(L, kind);
  lua_getfield(L, -1, "__index");
  lua_getupvalue(L, -1, 1); /* the methods */
  copy_fields(L, names);
  lua_pushvalue(L, names - 2);
  copy_fields(L, names);
  lua_pushvalue(L, names);
  lua_setfield(L, names - 1, kind);
  lua_settop(L, names - 2);
}

int luaopen_host_array (lua_State *L) {
  luaL_newlib(L, functions);
  scalar_open(L);
  vectorarray_open(L);
  name_functions(L, vectorarray_kind.name);
  lua_setfield(L, -2, "VectorArray");
  matrix_open(L);
  name_functions(L, matrix_kind.name);
  lua_setfield(L, -2, "Matrix");
  sparse_open(L);
  name_functions(L, SPARSE_TNAME);
  lua_setfield(L, -2, "SparseMatrix");
  affine_open(L);
  lua_setfield(L, -2, "affine");
  files_open(L);
  lua_pushcfunction(L, blas_l_threads);
  lua_setfield(L, -2, "blas_threads");
  lua_pushcfunction(L, blas_l_kernels);
  lua_setfield(L, -2, "blas_kernels");
  return 1;
}
