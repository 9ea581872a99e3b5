/* vectorarray_entry.c - single components of VectorArrays: the largest, chosen ones, all. */
#include "array/vectorarray_store.h"

#include <string.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/matrix_store.h"
#include "array/scalar.h"
#include "array/slots.h"

/* The largest absolute value in vector j, and where it stands unless index is NULL. */
static double sup (const VectorArray *U, size_t j, size_t *index) {
  const double *x = vectorarray_vector(U, j);
  return (vectorarray_is_complex(U) ? kernelz_sup : kernel_sup)(x, U->dim, index);
}

static void push_list (lua_State *L, size_t n) {
  lua_createtable(L, n > INT32_MAX ? 0 : (int)n, 0);
}

enum { BATCH = 32 }; /* results that are stored at once */

static size_t batch (size_t left) {
  return left < BATCH ? left : BATCH;
}

void vectorarray_push_numbers (lua_State *L, const VectorArray *U,
                               double (*number)(const VectorArray *U, size_t j)) {
  double x[BATCH];
  push_list(L, U->len);
  for (size_t j = 0, n; j < U->len; j += n) {
    n = batch(U->len - j);
    for (size_t k = 0; k < n; k++) x[k] = number(U, j + k);
    slots_put_numbers(L, -1, j, n, x);
  }
}

static double sup_norm (const VectorArray *U, size_t j) {
  return sup(U, j, NULL);
}

/* U:sup_norm() -> list */
static int l_sup_norm (lua_State *L) {
  vectorarray_push_numbers(L, vectorarray_check(L, 1), sup_norm);
  return 1;
}

/* U:amax() -> list of indices, list of values */
static int l_amax (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  if (U->dim == 0) return luaL_error(L, "amax: vectors of dimension 0 have no entries");
  push_list(L, U->len);
  push_list(L, U->len);
  lua_Integer indices[BATCH];
  double values[BATCH];
  for (size_t j = 0, n; j < U->len; j += n) {
    n = batch(U->len - j);
    for (size_t k = 0; k < n; k++) {
      size_t index;
      values[k] = sup(U, j + k, &index);
      indices[k] = (lua_Integer)index + 1;
    }
    slots_put_integers(L, -2, j, n, indices);
    slots_put_numbers(L, -1, j, n, values);
  }
  return 2;
}

/* Entries of two vectors, y0[i] = x0[indices[i]] and so on: several at once, or most of the
   instructions would be the loop's and its indices'. */
static void gather_two (double *restrict y0, double *restrict y1, const double *x0,
                        const double *x1, const size_t *indices, size_t n) {
  size_t i = 0;
  for (; n - i >= 2; i += 2) {
    size_t p = indices[i], q = indices[i + 1];
    double a = x0[p], b = x0[q], c = x1[p], d = x1[q];
    y0[i] = a;
    y0[i + 1] = b;
    y1[i] = c;
    y1[i + 1] = d;
  }
  if (i == n) return;
  y0[i] = x0[indices[i]];
  y1[i] = x1[indices[i]];
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
  size_t len = U->len, j = 0;
  for (; !is_complex && len - j >= 2; j += 2) {
    gather_two(m + j * n, m + (j + 1) * n, vectorarray_vector(U, j),
               vectorarray_vector(U, j + 1), indices, n);
  }
  for (size_t width = is_complex ? 2 : 1; j < len; j++) {
    const double *u = vectorarray_vector(U, j);
    for (size_t i = 0; i < n; i++)
      memcpy(m + width * (j * n + i), u + width * indices[i], width * sizeof *u);
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
