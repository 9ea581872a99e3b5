/* sparseops.c - sums, products and norms of sparse matrices in Lua. */
#include <math.h>
#include <string.h>
#include <lauxlib.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/matrix.h"
#include "array/scalar.h"
#include "array/sparse.h"
#include "array/sparse_apply.h"
#include "array/sparsekernel.h"
#include "array/sparseproduct.h"
#include "array/vectorarray.h"

/* The different patterns among those of n matrices, in order; which[i]: the place of matrix i. */
static size_t distinct_patterns (size_t n, SparseMatrix *const *matrices, Pattern **distinct,
                                 size_t *which) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    size_t k = 0;
    while (k < count && distinct[k] != matrices[i]->pattern) k++;
    if (k == count) distinct[count++] = matrices[i]->pattern;
    which[i] = k;
  }
  return count;
}

SparseMatrix *sparse_push_lincomb (lua_State *L, size_t n, const double *coefficients,
                                   SparseMatrix *const *matrices, bool is_complex) {
  SparseMatrix *sum = sparse_push_closed(L);
  Pattern **distinct = args_scratch(L, n, sizeof(Pattern *));
  size_t *which = args_scratch(L, n, sizeof *which);
  const double **x = args_scratch(L, n, sizeof(double *));
  size_t *lens = args_scratch(L, n, sizeof *lens);
  const int64_t **maps = args_scratch(L, n, sizeof(int64_t *));
  bool *are_complex = args_scratch(L, n, sizeof *are_complex);
  size_t count = distinct_patterns(n, matrices, distinct, which);
  PatternUnion u = {.pattern = distinct[0]};
  if (count > 1) sparse_check_code(L, pattern_union(distinct[0]->set, distinct, count, &u));
  sum->pattern = pattern_retain(u.pattern);
  double *z = sparse_alloc_values(L, sum, is_complex);
  /* Once more: finalizers that the allocation ran may have made other unions. From here on
     nothing calls Lua. */
  if (count > 1) sparse_check_code(L, pattern_union(distinct[0]->set, distinct, count, &u));
  for (size_t i = 0; i < n; i++) {
    x[i] = matrices[i]->x;
    lens[i] = matrices[i]->pattern->nnz;
    are_complex[i] = matrices[i]->is_complex;
    maps[i] = u.maps == NULL ? NULL : u.maps[which[i]];
  }
  size_t nnz = sum->pattern->nnz;
  if (is_complex)
    sparsekernel_lincomb_complex(z, nnz, n, coefficients, x, are_complex, lens, maps);
  else sparsekernel_lincomb(z, nnz, n, coefficients, x, lens, maps);
  lua_pop(L, 6);
  return sum;
}

static void check_shape (lua_State *L, int arg, const char *what, const Pattern *expected,
                         const Pattern *got) {
  if (got->rows == expected->rows && got->cols == expected->cols) return;
  luaL_argerror(L, arg,
                lua_pushfstring(L, "%s: %I x %I expected, got %I x %I", what,
                                (LUAI_UACINT)expected->rows, (LUAI_UACINT)expected->cols,
                                (LUAI_UACINT)got->rows, (LUAI_UACINT)got->cols));
}

/* SparseMatrix.lincomb(coefficients, matrices) -> SparseMatrix */
int sparse_l_lincomb (lua_State *L) {
  lua_settop(L, 2);
  size_t n = args_list_len(L, 2);
  luaL_argcheck(L, n >= 1, 2, "list of at least one SparseMatrix expected, got none");
  bool is_complex;
  double *coefficients = scalar_list(L, 1, n, &is_complex);
  SparseMatrix **matrices = args_scratch(L, n, sizeof *matrices);
  lua_createtable(L, n <= INT_MAX ? (int)n : 0, 0); /* the list may change under us; this not */
  for (size_t i = 0; i < n; i++) {
    lua_geti(L, 2, (lua_Integer)i + 1);
    matrices[i] = sparse_test(L, -1);
    const char *what = lua_pushfstring(L, "matrices[%I]", (LUAI_UACINT)i + 1);
    if (matrices[i] == NULL) {
      luaL_argerror(L, 2,
                    lua_pushfstring(L, "%s: SparseMatrix expected, got %s", what,
                                    args_kind(L, -2)));
    }
    check_shape(L, 2, what, matrices[0]->pattern, matrices[i]->pattern);
    lua_pop(L, 1);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  for (size_t i = 0; i < n && !is_complex; i++) {
    if (!matrices[i]->is_complex) continue;
    scalar_widen(coefficients, n);
    is_complex = true;
  }
  sparse_push_lincomb(L, n, coefficients, matrices, is_complex);
  return 1;
}

/* A second operand of another type may know better what the operation means: a Lua Operator, say.
   A first one has been asked before; and strings know numerals only. */
static int defer (lua_State *L, const char *event) {
  bool is_other = sparse_test(L, 2) == NULL && lua_type(L, 2) != LUA_TSTRING;
  if (is_other && luaL_getmetafield(L, 2, event) != LUA_TNIL) {
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
  }
  int other = sparse_test(L, 1) != NULL ? 2 : 1;
  return args_raise(L, "SparseMatrix and %s cannot be combined by %s", args_kind(L, other),
                    event + 2);
}

/* Makes A, which stands at index, dense, so that the two arguments are matrices of one kind. */
static void make_dense (lua_State *L, int index, const SparseMatrix *A, const Matrix *M) {
  const Pattern *p = A->pattern;
  if (p->rows != matrix_rows(M) || p->cols != matrix_cols(M)) {
    args_raise(L, "cannot combine %s and %s", args_operand(L, 1), args_operand(L, 2));
  }
  sparse_push_dense(L, A);
  lua_replace(L, index);
}

static int combine (lua_State *L, double beta, const char *event) {
  lua_settop(L, 2);
  SparseMatrix *both[] = {sparse_test(L, 1), sparse_test(L, 2)};
  for (int k = 0; k < 2; k++) {
    const Matrix *M = matrix_test(L, 2 - k);
    if (both[k] == NULL || M == NULL) continue;
    make_dense(L, k + 1, both[k], M);
    lua_arith(L, beta > 0 ? LUA_OPADD : LUA_OPSUB);
    return 1;
  }
  if (both[0] == NULL || both[1] == NULL) return defer(L, event);
  check_shape(L, 2, "SparseMatrix", both[0]->pattern, both[1]->pattern);
  bool is_complex = both[0]->is_complex || both[1]->is_complex;
  double real[] = {1, beta}, parts[] = {1, 0, beta, 0};
  sparse_push_lincomb(L, 2, is_complex ? parts : real, both, is_complex);
  return 1;
}

static int l_add (lua_State *L) {
  return combine(L, 1, "__add");
}

static int l_sub (lua_State *L) {
  return combine(L, -1, "__sub");
}

/* Pushes alpha * A, or A / alpha; A stands at index. */
static int push_scaled (lua_State *L, int index, SparseMatrix *A, Scalar alpha, bool divide) {
  if (alpha.is_complex) A = sparse_push_complex(L, index, A);
  SparseMatrix *B = sparse_push_closed(L);
  B->pattern = pattern_retain(A->pattern);
  double *y = sparse_alloc_values(L, B, A->is_complex), factor = creal(alpha.value);
  if (alpha.is_complex) {
    double complex z = divide ? 1 / alpha.value : alpha.value;
    kernelz_scaled(y, z, A->x, A->pattern->nnz);
  } else {
    for (size_t k = 0; k < sparse_run(A); k++) {
      y[k] = divide ? A->x[k] / factor : factor * A->x[k];
    }
  }
  return 1;
}

static int l_unm (lua_State *L) {
  return push_scaled(L, 1, sparse_check(L, 1), (Scalar){.value = -1}, false);
}

static int l_div (lua_State *L) {
  lua_settop(L, 2);
  SparseMatrix *A = sparse_test(L, 1);
  Scalar alpha;
  if (A == NULL || !scalar_test(L, 2, &alpha)) return defer(L, "__div");
  return push_scaled(L, 1, A, alpha, true);
}

/* number * A, A * number, A * B, A * Matrix, Matrix * A, A * U */
static int l_mul (lua_State *L) {
  lua_settop(L, 2);
  SparseMatrix *A = sparse_test(L, 1), *B = sparse_test(L, 2);
  if (A != NULL && B != NULL) {
    args_check_dim(L, 2, A->pattern->cols, B->pattern->rows);
    sparse_push_product(L, A, B);
    return 1;
  }
  Scalar alpha;
  if (B != NULL && scalar_test(L, 1, &alpha)) return push_scaled(L, 2, B, alpha, false);
  if (A != NULL && scalar_test(L, 2, &alpha)) return push_scaled(L, 1, A, alpha, false);
  Matrix *M = matrix_test(L, A == NULL ? 1 : 2);
  const VectorArray *U = vectorarray_test(L, 2);
  if (A != NULL && M != NULL) {
    sparse_push_times_matrix(L, A, M);
    return 1;
  }
  if (B != NULL && M != NULL) {
    if (matrix_cols(M) != B->pattern->rows)
      return args_raise(L, "cannot multiply %s and %s", args_operand(L, 1), args_operand(L, 2));
    sparse_push_matrix_times(L, M, B);
    return 1;
  }
  if (A != NULL && U != NULL) {
    args_check_dim(L, 2, A->pattern->cols, vectorarray_dim(U));
    sparse_push_applied(L, A, false, 2, U);
    return 1;
  }
  return defer(L, "__mul");
}

/* The largest of n sums; NaN wins. */
static double largest (const double *sums, size_t n) {
  double max = 0;
  for (size_t k = 0; k < n; k++) {
    if (!(sums[k] <= max)) max = sums[k];
    if (isnan(max)) break;
  }
  return max;
}

/* A:norm(["fro" | "1" | "inf"]) -> number */
static int l_norm (lua_State *L) {
  const SparseMatrix *A = sparse_check(L, 1);
  const Pattern *p = A->pattern;
  const char *kind = luaL_optstring(L, 2, "fro");
  bool by_columns = strcmp(kind, "1") == 0;
  if (strcmp(kind, "fro") == 0) {
    lua_pushnumber(L, kernel_norm(A->x, sparse_run(A)));
    return 1;
  }
  if (!by_columns && strcmp(kind, "inf") != 0)
    args_fail(L, 2, "'fro', '1' or 'inf' expected, got '%s'", kind);
  size_t n = by_columns ? p->cols : p->rows;
  double *sums = args_scratch(L, n + 1, sizeof *sums);
  memset(sums, 0, n * sizeof *sums);
  for (size_t j = 0; j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      sums[by_columns ? j : (size_t)p->indices[k]] += A->is_complex
                                                        ? hypot(A->x[2 * k], A->x[2 * k + 1])
                                                        : fabs(A->x[k]);
    }
  }
  lua_pushnumber(L, largest(sums, n));
  return 1;
}

const luaL_Reg sparse_operations[] = {{"norm", l_norm}, {NULL, NULL}};

const luaL_Reg sparse_metamethods[] = {
  {"__add", l_add}, {"__sub", l_sub}, {"__mul", l_mul},
  {"__div", l_div}, {"__unm", l_unm}, {NULL, NULL},
};
