/* blas.c - how many threads BLAS runs on. A sum has other last bits on another number of threads,
   so what must not depend on where it runs is run on one. */
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
