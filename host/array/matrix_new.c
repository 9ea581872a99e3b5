/* matrix_new.c - the constructors of neap.Matrix. */
#include "array/matrix_store.h"

#include <string.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/memory.h"

/* Matrix.zeros(m, n) */
static int l_zeros (lua_State *L) {
  size_t rows = args_size(L, 1, "rows"), cols = args_size(L, 2, "cols");
  matrix_push(L, rows, cols);
  return 1;
}

/* Matrix.identity(n) */
static int l_identity (lua_State *L) {
  size_t n = args_size(L, 1, "n");
  Matrix *M = matrix_push(L, n, n);
  double *m = memory_own(M->block);
  for (size_t i = 0; i < n; i++) m[i + i * n] = 1;
  return 1;
}

/* Matrix.diag(list) */
static int l_diag (lua_State *L) {
  size_t n = args_list_len(L, 1);
  const double *x = args_numbers(L, 1, n);
  Matrix *M = matrix_push(L, n, n);
  double *m = memory_own(M->block);
  for (size_t i = 0; i < n; i++) m[i + i * n] = x[i];
  return 1;
}

/* Matrix.from_table(rows) */
static int l_from_table (lua_State *L) {
  size_t rows = args_list_len(L, 1), cols = 0;
  lua_settop(L, 1);
  if (rows > 0) {
    if (lua_geti(L, 1, 1) != LUA_TTABLE) {
      args_fail(L, 1, "row 1: list of numbers expected, got %s", luaL_typename(L, -1));
    }
    cols = args_list_len(L, 2);
    lua_settop(L, 1);
  }
  Matrix *M = matrix_push_raw(L, rows, cols); /* stack: rows, M */
  double *m = memory_own(M->block);
  for (size_t i = 0; i < rows; i++) {
    if (lua_geti(L, 1, (lua_Integer)i + 1) != LUA_TTABLE) {
      args_fail(L, 1, "row %I: list of numbers expected, got %s", (lua_Integer)i + 1,
                luaL_typename(L, -1));
    }
    size_t n = args_list_len(L, 3);
    if (n != cols) {
      args_fail(L, 1, "row %I has %I entries, row 1 has %I", (lua_Integer)i + 1, (lua_Integer)n,
                (lua_Integer)cols);
    }
    for (size_t j = 0; j < cols; j++) {
      lua_geti(L, 3, (lua_Integer)j + 1);
      m[i + j * rows] = args_pop_number(L, 1, "entry (%zu, %zu)", i + 1, j + 1);
    }
    lua_settop(L, 2);
  }
  return 1;
}

static const Matrix *get_matrix (lua_State *L, int arg, size_t k) {
  lua_geti(L, arg, (lua_Integer)k + 1);
  const Matrix *M = matrix_test(L, -1);
  if (M == NULL) {
    args_fail(L, arg, "entry %I: Matrix expected, got %s", (lua_Integer)k + 1,
              luaL_typename(L, -1));
  }
  return M;
}

/* Matrix.lincomb(coefficients, matrices) */
static int l_lincomb (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t n = args_list_len(L, 2);
  luaL_argcheck(L, n > 0, 2, "at least one Matrix expected");
  lua_settop(L, 2);
  const double *coefficients = args_numbers(L, 1, n);
  const Matrix *first = get_matrix(L, 2, 0);
  size_t rows = first->rows, cols = first->cols;
  Matrix *result = matrix_push_raw(L, rows, cols); /* stack: lists, numbers, first, result */
  double *x = memory_own(result->block);
  kernel_scaled(x, coefficients[0], matrix_read(first), rows * cols);
  for (size_t k = 1; k < n; k++) {
    const Matrix *M = get_matrix(L, 2, k);
    if (M->rows != rows || M->cols != cols) {
      args_fail(L, 2, "entry %I: Matrix of %I x %I expected, got %I x %I", (lua_Integer)k + 1,
                (lua_Integer)rows, (lua_Integer)cols, (lua_Integer)M->rows,
                (lua_Integer)M->cols);
    }
    kernel_axpy(x, coefficients[k], matrix_read(M), rows * cols);
    lua_pop(L, 1);
  }
  return 1;
}

static const luaL_Reg constructors[] = {
  {"zeros", l_zeros},           {"identity", l_identity}, {"diag", l_diag},
  {"from_table", l_from_table}, {"lincomb", l_lincomb},   {NULL, NULL},
};

void matrix_push_constructors (lua_State *L) {
  luaL_newlib(L, constructors);
}
