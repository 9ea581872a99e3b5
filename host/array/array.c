/* array.c - the Lua module host.array. */
#include "array/array.h"

#include <lauxlib.h>
#include "array/affine.h"
#include "array/blas.h"
#include "array/files.h"
#include "array/scalar.h"
#include "array/sparse.h"
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

int luaopen_host_array (lua_State *L) {
  luaL_newlib(L, functions);
  scalar_open(L);
  vectorarray_open(L);
  lua_setfield(L, -2, "VectorArray");
  matrix_open(L);
  lua_setfield(L, -2, "Matrix");
  sparse_open(L);
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
