/* sides.c - right-hand sides of linear systems. */
#include "array/sides.h"

#include <math.h>
#include <string.h>
#include <lauxlib.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/matrix_store.h"
#include "array/memory.h"
#include "array/scalar.h"
#include "array/vectorarray_store.h"

Sides sides_check (lua_State *L, int arg, size_t rows) {
  Sides s = {.arg = arg, .rows = rows, .n = 1};
  const Matrix *M = matrix_test(L, arg);
  const VectorArray *U = vectorarray_test(L, arg);
  if (M != NULL) {
    if (M->rows != rows) {
      args_fail(L, arg, "Matrix of %I rows expected, got %I", (lua_Integer)rows,
                (lua_Integer)M->rows);
    }
    s.kind = SIDES_MATRIX;
    s.n = M->cols;
    s.is_complex = M->is_complex;
  } else if (U != NULL) {
    args_check_dim(L, arg, rows, U->dim);
    s.kind = SIDES_ARRAY;
    s.n = U->len;
    s.is_complex = vectorarray_is_complex(U);
  } else {
    if (!lua_istable(L, arg)) luaL_typeerror(L, arg, "Matrix, VectorArray or list of numbers");
    s.kind = SIDES_LIST;
    s.list = scalar_list(L, arg, rows, &s.is_complex);
  }
  return s;
}

static const double *column (lua_State *L, const Sides *s, size_t j) {
  size_t run = s->is_complex ? 2 * s->rows : s->rows;
  switch (s->kind) {
    case SIDES_LIST: return s->list;
    case SIDES_MATRIX: return matrix_read(matrix_test(L, s->arg)) + j * run;
    default: return vectorarray_vector(vectorarray_test(L, s->arg), j);
  }
}

static void fail_at (lua_State *L, const Sides *s, size_t i, size_t j, double x) {
  lua_Integer row = (lua_Integer)i + 1, col = (lua_Integer)j + 1;
  const char *what = isnan(x) ? "NaN" : "infinite";
  if (s->kind == SIDES_MATRIX)
    args_fail(L, s->arg, "entry (%I, %I) of the Matrix is %s", row, col, what);
  else if (s->kind == SIDES_ARRAY)
    args_fail(L, s->arg, "entry %I of vector %I is %s", row, col, what);
  else args_fail(L, s->arg, "entry %I is %s", row, what);
}

void sides_check_finite (lua_State *L, const Sides *s) {
  size_t width = s->is_complex ? 2 : 1;
  for (size_t j = 0; j < s->n; j++) {
    const double *x = column(L, s, j);
    size_t k = kernel_finite(x, s->rows * width);
    if (k < s->rows * width) fail_at(L, s, k / width, j, x[k]);
  }
}

void sides_check_solution (lua_State *L, const double *x, size_t rows, size_t n,
                           bool is_complex) {
  size_t width = is_complex ? 2 : 1, all = rows * n * width, k = kernel_finite(x, all);
  if (k == all) return;
  luaL_error(L, "the solution overflows: its entry %I is %s",
             (LUAI_UACINT)(k / width % rows) + 1, isnan(x[k]) ? "NaN" : "infinite");
}

void sides_copy (lua_State *L, const Sides *s, double *x, size_t ld) {
  size_t width = s->is_complex ? 2 : 1;
  for (size_t j = 0; j < s->n; j++) {
    memcpy(x + j * ld * width, column(L, s, j), s->rows * width * sizeof *x);
  }
}

void sides_copy_complex (lua_State *L, const Sides *s, double *x, size_t ld) {
  if (s->is_complex) {
    sides_copy(L, s, x, ld);
    return;
  }
  for (size_t j = 0; j < s->n; j++) kernelz_promote(x + 2 * j * ld, column(L, s, j), s->rows);
}

void sides_copy_parts (lua_State *L, const Sides *s, double *x, size_t ld) {
  for (size_t j = 0; j < s->n; j++) {
    kernelz_part(x + j * ld, column(L, s, j), s->rows, false);
    kernelz_part(x + (s->n + j) * ld, column(L, s, j), s->rows, true);
  }
}

double *sides_push (lua_State *L, const Sides *s, size_t rows, bool is_complex) {
  switch (s->kind) {
    case SIDES_MATRIX:
      return memory_own(matrix_push_kind(L, rows, s->n, is_complex, false)->block);
    case SIDES_ARRAY:
      return memory_own(vectorarray_push_kind(L, rows, s->n, is_complex, false)->block);
    default: return args_scratch(L, rows, 2 * sizeof(double));
  }
}

void sides_finish (lua_State *L, const Sides *s, size_t rows, bool is_complex) {
  if (s->kind != SIDES_LIST) return;
  scalar_push_list(L, lua_touserdata(L, -1), is_complex, rows, 1);
  lua_remove(L, -2);
}
