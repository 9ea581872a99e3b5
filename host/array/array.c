/* array.c - the Lua module host.array. */
#include "array/array.h"

#include <lauxlib.h>
#include "array/blas.h"
#include "array/files.h"
#include "array/sparse.h"

int luaopen_host_array (lua_State *L) {
  lua_newtable(L);
  vectorarray_open(L);
  lua_setfield(L, -2, "VectorArray");
  matrix_open(L);
  lua_setfield(L, -2, "Matrix");
  sparse_open(L);
  lua_setfield(L, -2, "SparseMatrix");
  files_open(L);
  lua_pushcfunction(L, blas_l_threads);
  lua_setfield(L, -2, "blas_threads");
  return 1;
}
