/* matrix_new.c - the constructors of neap.Matrix. */
#include "array/matrix_store.h"

#include <string.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/memory.h"
#include "array/scalar.h"

static bool check_complex (lua_State *L, int arg) {
  static const char *const names[] = {"complex", NULL};
  args_options(L, arg, names);
  return args_option_boolean(L, arg, "complex", false);
}

/* Matrix.zeros(m, n [, {complex = false}]) */
static int l_zeros (lua_State *L) {
  size_t rows = args_size(L, 1, "rows"), cols = args_size(L, 2, "cols");
  matrix_push_kind(L, rows, cols, check_complex(L, 3), true);
  return 1;
}

/* Matrix.identity(n [, {complex = false}]) */
static int l_identity (lua_State *L) {
  size_t n = args_size(L, 1, "n");
  bool is_complex = check_complex(L, 2);
  double *m = memory_own(matrix_push_kind(L, n, n, is_complex, true)->block);
  for (size_t i = 0; i < n; i++) m[(i + i * n) * (is_complex ? 2 : 1)] = 1;
  return 1;
}

/* Matrix.diag(list) */
static int l_diag (lua_State *L) {
  size_t n = args_list_len(L, 1);
  bool is_complex;
  const double *x = scalar_list(L, 1, n, &is_complex);
  double *m = memory_own(matrix_push_kind(L, n, n, is_complex, true)->block);
  for (size_t i = 0; i < n; i++) {
    if (is_complex) memcpy(m + 2 * (i + i * n), x + 2 * i, 2 * sizeof *x);
    else m[i + i * n] = x[i];
  }
  return 1;
}

/* Of a matrix that nobody else has: the first complex entry makes it complex. */
static void set_entry (lua_State *L, Matrix *M, size_t i, size_t j, Scalar s) {
  if (s.is_complex) matrix_promote(L, M);
  double *m = memory_own(M->block);
  size_t k = i + j * M->rows;
  if (M->is_complex) memcpy(m + 2 * k, &s.value, sizeof s.value);
  else m[k] = creal(s.value);
}

/* Matrix.from_table(rows) */
static int l_from_table (lua_State *L) {
  size_t rows = args_list_len(L, 1), cols = 0;
  lua_settop(L, 1);
  if (rows > 0) {
    if (lua_geti(L, 1, 1) != LUA_TTABLE) {
      args_fail(L, 1, "row 1: list of numbers expected, got %s", args_kind(L, -1));
    }
    cols = args_list_len(L, 2);
    lua_settop(L, 1);
  }
  Matrix *M = matrix_push_raw(L, rows, cols); /* stack: rows, M */
  for (size_t i = 0; i < rows; i++) {
    if (lua_geti(L, 1, (lua_Integer)i + 1) != LUA_TTABLE) {
      args_fail(L, 1, "row %I: list of numbers expected, got %s", (lua_Integer)i + 1,
                args_kind(L, -1));
    }
    size_t n = args_list_len(L, 3);
    if (n != cols) {
      args_fail(L, 1, "row %I has %I entries, row 1 has %I", (lua_Integer)i + 1, (lua_Integer)n,
                (lua_Integer)cols);
    }
    for (size_t j = 0; j < cols; j++) {
      lua_geti(L, 3, (lua_Integer)j + 1);
      set_entry(L, M, i, j, scalar_pop(L, 1, "entry (%zu, %zu)", i + 1, j + 1));
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
              args_kind(L, -1));
  }
  return M;
}

/* Is any of the n matrices at arg complex? All are checked to be of one shape. */
static bool check_matrices (lua_State *L, int arg, size_t n) {
  bool is_complex = false;
  const Matrix *first = get_matrix(L, arg, 0);
  for (size_t k = 0; k < n; k++) {
    const Matrix *M = get_matrix(L, arg, k);
    if (M->rows != first->rows || M->cols != first->cols) {
      args_fail(L, arg, "entry %I: Matrix of %I x %I expected, got %I x %I", (lua_Integer)k + 1,
                (lua_Integer)first->rows, (lua_Integer)first->cols, (lua_Integer)M->rows,
                (lua_Integer)M->cols);
    }
    is_complex = is_complex || M->is_complex;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return is_complex;
}

/* Matrix.lincomb(coefficients, matrices) */
static int l_lincomb (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t n = args_list_len(L, 2);
  luaL_argcheck(L, n > 0, 2, "at least one Matrix expected");
  lua_settop(L, 2);
  bool has_complex;
  double *coefficients = scalar_list(L, 1, n, &has_complex);
  bool is_complex = check_matrices(L, 2, n) || has_complex;
  if (is_complex && !has_complex) scalar_widen(coefficients, n);
  const Matrix *first = get_matrix(L, 2, 0);
  size_t entries = first->rows * first->cols;
  /* stack: lists, numbers, first, result */
  Matrix *result = matrix_push_kind(L, first->rows, first->cols, is_complex, false);
  double *x = memory_own(result->block);
  for (size_t k = 0; k < n; k++) {
    const Matrix *M = get_matrix(L, 2, k);
    if (M->rows * M->cols != entries) luaL_argerror(L, 2, "list has changed");
    if (is_complex) {
      const double *c = coefficients + 2 * k;
      M = matrix_push_complex(L, lua_gettop(L), M);
      if (k == 0) kernelz_scaled(x, scalar_of(c[0], c[1]), matrix_read(M), entries);
      else kernelz_axpy(x, scalar_of(c[0], c[1]), matrix_read(M), entries);
      lua_pop(L, 1);
    } else {
      if (M->is_complex) luaL_argerror(L, 2, "list has changed");
      if (k == 0) kernel_scaled(x, coefficients[0], matrix_read(M), entries);
      else kernel_axpy(x, coefficients[k], matrix_read(M), entries);
    }
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
