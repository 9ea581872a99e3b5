/* blas.c - what BLAS runs on. A sum has other last bits on another number of threads, so what must
   not depend on where it runs is run on one; and on other kernels, which OpenBLAS chooses by the
   processor or OPENBLAS_CORETYPE. */
#include "array/blas.h"

#include <cblas.h>
#include <lauxlib.h>

/* Measured with two threads on Zen 3: LAPACK calls the BLAS for parts of a matrix, whose threads then
   wait for each other all the time. Eigenvalues and singular values take 1.8 times as long for 100 x
   100, 1.2 times for 400 x 400, LU and QR up to 1.4 times, and pay from 600 x 600 or more on. */
static const size_t serial_most = 400 * 400;

int blas_limit (size_t entries) {
  int before = openblas_get_num_threads();
  if (before > 1 && entries <= serial_most) openblas_set_num_threads(1);
  return before;
}

void blas_restore (int threads) {
  if (threads > 1) openblas_set_num_threads(threads);
}

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
