/* sparseops.c - products, sums and norms of sparse matrices in Lua. */
#include <math.h>
#include <string.h>
#include <lauxlib.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/matrix.h"
#include "array/sparse.h"
#include "array/sparsekernel.h"
#include "array/sparseproduct.h"
#include "array/vectorarray.h"

/* Y = A U or A^T U. Gathering is faster than scattering and gives a symmetric matrix the same
   bits, so from its second use on it pays to know. */
static void apply (lua_State *L, SparseMatrix *A, bool transposed, size_t n, const double *U,
                   size_t ldu, double *Y) {
  if (!transposed && A->used) transposed = sparse_is_symmetric(L, A);
  A->used = true;
  if (transposed) sparsekernel_apply_adjoint(A->pattern, A->x, n, U, ldu, Y);
  else sparsekernel_apply(A->pattern, A->x, n, U, ldu, Y);
}

static int push_applied (lua_State *L, bool transposed) {
  SparseMatrix *A = sparse_check(L, 1);
  const Pattern *p = A->pattern;
  VectorArray *U = vectorarray_check(L, 2);
  args_check_dim(L, 2, transposed ? p->rows : p->cols, vectorarray_dim(U));
  size_t n = vectorarray_len(U), ldu;
  const double *panel = vectorarray_panel(L, U, &ldu);
  VectorArray *V = vectorarray_push_raw(L, transposed ? p->cols : p->rows, n);
  if (n > 0 && vectorarray_dim(V) > 0) {
    apply(L, A, transposed, n, panel, ldu, vectorarray_vector_write(L, V, 0));
  }
  return 1;
}

/* A:apply(U) -> A U */
static int l_apply (lua_State *L) {
  return push_applied(L, false);
}

/* A:apply_adjoint(V) -> A^T V */
static int l_apply_adjoint (lua_State *L) {
  return push_applied(L, true);
}

/* Checks A, V, U as arguments of apply2 and pushes A U as scratch and two more values. */
static const double *push_product (lua_State *L, SparseMatrix **A, size_t *n_v,
                                   const double **V, size_t *ldv, size_t *n_u) {
  *A = sparse_check(L, 1);
  const Pattern *p = (*A)->pattern;
  VectorArray *left = vectorarray_check(L, 2), *right = vectorarray_check(L, 3);
  args_check_dim(L, 2, p->rows, vectorarray_dim(left));
  args_check_dim(L, 3, p->cols, vectorarray_dim(right));
  *n_v = vectorarray_len(left);
  *n_u = vectorarray_len(right);
  size_t ldu;
  *V = vectorarray_panel(L, left, ldv);
  const double *U = vectorarray_panel(L, right, &ldu);
  double *W = args_scratch(L, p->rows * *n_u + 1, sizeof *W);
  apply(L, *A, false, *n_u, U, ldu, W);
  return W;
}

/* A:apply2(V, U) -> Matrix [#V, #U] of V^T A U */
static int l_apply2 (lua_State *L) {
  SparseMatrix *A;
  size_t m, n, ldv;
  const double *V, *W = push_product(L, &A, &m, &V, &ldv, &n);
  size_t dim = A->pattern->rows;
  double *M = matrix_write(L, matrix_push(L, m, n));
  kernel_gemm(true, false, m, n, dim, V, ldv, W, dim > 0 ? dim : 1, M, m > 0 ? m : 1);
  return 1;
}

/* A:pairwise_apply2(V, U) -> list of V[i]^T A U[i] */
static int l_pairwise_apply2 (lua_State *L) {
  SparseMatrix *A;
  size_t m, n, ldv;
  const double *V, *W = push_product(L, &A, &m, &V, &ldv, &n);
  args_check_len(L, 3, m, n);
  size_t dim = A->pattern->rows;
  lua_createtable(L, n <= INT_MAX ? (int)n : 0, 0);
  for (size_t k = 0; k < n; k++) {
    lua_pushnumber(L, kernel_dot(V + k * ldv, W + k * dim, dim));
    lua_rawseti(L, -2, (lua_Integer)k + 1);
  }
  return 1;
}

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
                                   SparseMatrix *const *matrices) {
  SparseMatrix *sum = sparse_push_closed(L);
  Pattern **distinct = args_scratch(L, n, sizeof(Pattern *));
  size_t *which = args_scratch(L, n, sizeof *which);
  const double **x = args_scratch(L, n, sizeof(double *));
  size_t *lens = args_scratch(L, n, sizeof *lens);
  const int64_t **maps = args_scratch(L, n, sizeof(int64_t *));
  size_t count = distinct_patterns(n, matrices, distinct, which);
  PatternUnion u = {.pattern = distinct[0]};
  if (count > 1) sparse_check_code(L, pattern_union(distinct[0]->set, distinct, count, &u));
  sum->pattern = pattern_retain(u.pattern);
  double *z = sparse_alloc_values(L, sum);
  /* Once more: finalizers that the allocation ran may have made other unions. From here on
     nothing calls Lua. */
  if (count > 1) sparse_check_code(L, pattern_union(distinct[0]->set, distinct, count, &u));
  for (size_t i = 0; i < n; i++) {
    x[i] = matrices[i]->x;
    lens[i] = matrices[i]->pattern->nnz;
    maps[i] = u.maps == NULL ? NULL : u.maps[which[i]];
  }
  sparsekernel_lincomb(z, sum->pattern->nnz, n, coefficients, x, lens, maps);
  lua_pop(L, 5);
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
  double *coefficients = args_numbers(L, 1, n);
  SparseMatrix **matrices = args_scratch(L, n, sizeof *matrices);
  lua_createtable(L, n <= INT_MAX ? (int)n : 0, 0); /* the list may change under us; this not */
  for (size_t i = 0; i < n; i++) {
    lua_geti(L, 2, (lua_Integer)i + 1);
    matrices[i] = sparse_test(L, -1);
    const char *what = lua_pushfstring(L, "matrices[%I]", (LUAI_UACINT)i + 1);
    if (matrices[i] == NULL) {
      luaL_argerror(L, 2,
                    lua_pushfstring(L, "%s: SparseMatrix expected, got %s", what,
                                    luaL_typename(L, -2)));
    }
    check_shape(L, 2, what, matrices[0]->pattern, matrices[i]->pattern);
    lua_pop(L, 1);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  sparse_push_lincomb(L, n, coefficients, matrices);
  return 1;
}

/* An operand of another type may know better what the operation means: a Lua Operator, say. */
static int defer (lua_State *L, const char *event) {
  for (int i = 1; i <= 2; i++) {
    if (sparse_test(L, i) != NULL || luaL_getmetafield(L, i, event) == LUA_TNIL) continue;
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
  }
  int other = sparse_test(L, 1) != NULL ? 2 : 1;
  return luaL_error(L, "SparseMatrix and %s cannot be combined by %s", luaL_typename(L, other),
                    event + 2);
}

static int combine (lua_State *L, double beta, const char *event) {
  lua_settop(L, 2);
  SparseMatrix *both[] = {sparse_test(L, 1), sparse_test(L, 2)};
  if (both[0] == NULL || both[1] == NULL) return defer(L, event);
  check_shape(L, 2, "SparseMatrix", both[0]->pattern, both[1]->pattern);
  sparse_push_lincomb(L, 2, (double[]){1, beta}, both);
  return 1;
}

static int l_add (lua_State *L) {
  return combine(L, 1, "__add");
}

static int l_sub (lua_State *L) {
  return combine(L, -1, "__sub");
}

/* Pushes alpha * A, or A / alpha. */
static int push_scaled (lua_State *L, const SparseMatrix *A, double alpha, bool divide) {
  SparseMatrix *B = sparse_push_closed(L);
  B->pattern = pattern_retain(A->pattern);
  double *y = sparse_alloc_values(L, B);
  for (size_t k = 0; k < A->pattern->nnz; k++)
    y[k] = divide ? A->x[k] / alpha : alpha * A->x[k];
  return 1;
}

static int l_unm (lua_State *L) {
  return push_scaled(L, sparse_check(L, 1), -1, false);
}

static int l_div (lua_State *L) {
  lua_settop(L, 2);
  SparseMatrix *A = sparse_test(L, 1);
  if (A == NULL || lua_type(L, 2) != LUA_TNUMBER) return defer(L, "__div");
  return push_scaled(L, A, lua_tonumber(L, 2), true);
}

static int push_times_matrix (lua_State *L, SparseMatrix *A, const Matrix *B) {
  const Pattern *p = A->pattern;
  args_check_dim(L, 2, p->cols, matrix_rows(B));
  Matrix *C = matrix_push(L, p->rows, matrix_cols(B));
  if (p->rows > 0 && matrix_cols(B) > 0) {
    double *y = matrix_write(L, C);
    apply(L, A, false, matrix_cols(B), matrix_read(B), p->cols, y);
  }
  return 1;
}

/* number * A, A * number, A * B, A * Matrix, A * U */
static int l_mul (lua_State *L) {
  lua_settop(L, 2);
  SparseMatrix *A = sparse_test(L, 1), *B = sparse_test(L, 2);
  if (A != NULL && B != NULL) {
    args_check_dim(L, 2, A->pattern->cols, B->pattern->rows);
    sparse_push_product(L, A, B);
    return 1;
  }
  if (B != NULL && lua_type(L, 1) == LUA_TNUMBER) {
    return push_scaled(L, B, lua_tonumber(L, 1), false);
  }
  if (A != NULL && lua_type(L, 2) == LUA_TNUMBER) {
    return push_scaled(L, A, lua_tonumber(L, 2), false);
  }
  if (A != NULL && matrix_test(L, 2) != NULL) return push_times_matrix(L, A, matrix_test(L, 2));
  if (A != NULL && vectorarray_test(L, 2) != NULL) return push_applied(L, false);
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
  static const char *const kinds[] = {"fro", "1", "inf", NULL};
  const SparseMatrix *A = sparse_check(L, 1);
  const Pattern *p = A->pattern;
  int kind = luaL_checkoption(L, 2, "fro", kinds);
  if (kind == 0) {
    lua_pushnumber(L, kernel_norm(A->x, p->nnz));
    return 1;
  }
  size_t n = kind == 1 ? p->cols : p->rows;
  double *sums = args_scratch(L, n + 1, sizeof *sums);
  memset(sums, 0, n * sizeof *sums);
  for (size_t j = 0; j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      sums[kind == 1 ? j : (size_t)p->indices[k]] += fabs(A->x[k]);
    }
  }
  lua_pushnumber(L, largest(sums, n));
  return 1;
}

const luaL_Reg sparse_operations[] = {
  {"apply", l_apply},   {"apply_adjoint", l_apply_adjoint},
  {"apply2", l_apply2}, {"pairwise_apply2", l_pairwise_apply2},
  {"norm", l_norm},     {NULL, NULL},
};

const luaL_Reg sparse_metamethods[] = {
  {"__add", l_add}, {"__sub", l_sub}, {"__mul", l_mul},
  {"__div", l_div}, {"__unm", l_unm}, {NULL, NULL},
};
