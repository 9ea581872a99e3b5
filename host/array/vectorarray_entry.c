/* vectorarray_entry.c - single components of VectorArrays: the largest, chosen ones, all. */
#include "array/vectorarray_store.h"

#include <string.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/matrix_store.h"
#include "array/scalar.h"

/* The largest absolute value in vector j, and where it stands unless index is NULL. */
static double sup (const VectorArray *U, size_t j, size_t *index) {
  const double *x = vectorarray_vector(U, j);
  return (vectorarray_is_complex(U) ? kernelz_sup : kernel_sup)(x, U->dim, index);
}

static void push_list (lua_State *L, size_t n) {
  lua_createtable(L, n > INT32_MAX ? 0 : (int)n, 0);
}

/* U:sup_norm() -> list */
static int l_sup_norm (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  push_list(L, U->len);
  for (size_t j = 0; j < U->len; j++) {
    lua_pushnumber(L, sup(U, j, NULL));
    lua_rawseti(L, -2, (lua_Integer)j + 1);
  }
  return 1;
}

/* U:amax() -> list of indices, list of values */
static int l_amax (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  if (U->dim == 0) return luaL_error(L, "amax: vectors of dimension 0 have no entries");
  push_list(L, U->len);
  push_list(L, U->len);
  for (size_t j = 0; j < U->len; j++) {
    size_t index;
    double value = sup(U, j, &index);
    lua_pushinteger(L, (lua_Integer)index + 1);
    lua_rawseti(L, -3, (lua_Integer)j + 1);
    lua_pushnumber(L, value);
    lua_rawseti(L, -2, (lua_Integer)j + 1);
  }
  return 2;
}

/* U:dofs(indices) -> Matrix [#indices, #U] */
static int l_dofs (lua_State *L) {
  args_plain(L, 2);
  const VectorArray *U = vectorarray_check(L, 1);
  size_t n, few[ARGS_FEW];
  const size_t *indices = args_indices(L, 2, U->dim, &n, few);
  bool is_complex = vectorarray_is_complex(U);
  Matrix *M = matrix_push_kind(L, n, U->len, is_complex, false);
  double *m = matrix_own(M);
  for (size_t j = 0; j < U->len; j++) {
    const double *u = vectorarray_vector(U, j);
    if (is_complex) {
      for (size_t i = 0; i < n; i++)
        memcpy(m + 2 * (j * n + i), u + 2 * indices[i], 2 * sizeof *u);
    } else {
      for (size_t i = 0; i < n; i++) m[j * n + i] = u[indices[i]];
    }
  }
  return 1;
}

/* U:to_table() -> list of lists, one per vector */
static int l_to_table (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  bool is_complex = vectorarray_is_complex(U);
  double *x = args_scratch(L, vectorarray_run(U), sizeof *x);
  push_list(L, U->len);
  for (size_t j = 0; j < U->len; j++) { /* a copy: the collector may run finalizers meanwhile */
    memcpy(x, vectorarray_vector(U, j), vectorarray_run(U) * sizeof *x);
    scalar_push_list(L, x, is_complex, U->dim, 1);
    lua_rawseti(L, -2, (lua_Integer)j + 1);
  }
  return 1;
}

const luaL_Reg vectorarray_entry_methods[] = {
  {"sup_norm", l_sup_norm}, {"amax", l_amax}, {"dofs", l_dofs},
  {"to_table", l_to_table}, {NULL, NULL},
};
