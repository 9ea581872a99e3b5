/* blas.c - what BLAS runs on. A sum has other last bits on another number of threads, so what must
   not depend on where it runs is run on one; and on other kernels, which OpenBLAS chooses by the
   processor or OPENBLAS_CORETYPE. */
#include "array/blas.h"

#include <cblas.h>
#include <lauxlib.h>

int blas_l_threads (lua_State *L) {
  int before = openblas_get_num_threads();
  if (!lua_isnoneornil(L, 1)) {
    lua_Integer n = luaL_checkinteger(L, 1);
    luaL_argcheck(L, n > 0 && n <= 4096, 1, "positive number expected");
    if ((int)n != before) openblas_set_num_threads((int)n);
  }
  lua_pushinteger(L, before);
  return 1;
}

int blas_l_kernels (lua_State *L) {
  lua_pushstring(L, openblas_get_corename());
  return 1;
}
