/* matrix_decompose.c - qr, svd, eigh and eig of matrices through LAPACK. */
#include "array/matrix_store.h"

#include <lapacke.h>
#include "array/args.h"
#include "array/matrix_lapack.h"
#include "array/memory.h"

static size_t min_size (size_t a, size_t b) {
  return a < b ? a : b;
}

static double *own (Matrix *M) {
  return memory_own(M->block);
}

/* Moves the upper triangle of the k x n matrix in a (leading dimension lda) to r. */
static void take_upper (size_t k, size_t n, const double *a, size_t lda, double *r) {
  for (size_t j = 0; j < n; j++) {
    for (size_t i = 0; i < k; i++) r[i + j * k] = i <= j ? a[i + j * lda] : 0;
  }
}

/* M:qr([{pivoting = false}]) -> Q, R [, p]: M = Q R, or column p[j] of M = column j of Q R */
static int l_qr (lua_State *L) {
  static const char *const names[] = {"pivoting", NULL};
  const Matrix *M = matrix_check_finite(L, 1);
  args_options(L, 2, names);
  bool pivoting = args_option_boolean(L, 2, "pivoting", false);
  size_t rows = M->rows, cols = M->cols, k = min_size(rows, cols);
  int m = matrix_lapack_size(L, rows), n = matrix_lapack_size(L, cols),
      lda = (int)matrix_ld(rows);
  double *a = matrix_scratch_copy(L, M), *tau = args_scratch(L, k, sizeof *tau);
  lapack_int *p = args_scratch(L, cols, sizeof *p);
  double *q = own(matrix_push_raw(L, rows, k));
  double *r = own(matrix_push_raw(L, k, cols));
  for (int j = 0; j < n; j++) p[j] = k == 0 ? j + 1 : 0; /* 0: may be moved */
  if (k > 0) {
    lapack_int info = pivoting ? LAPACKE_dgeqp3(LAPACK_COL_MAJOR, m, n, a, lda, p, tau)
                               : LAPACKE_dgeqrf(LAPACK_COL_MAJOR, m, n, a, lda, tau);
    matrix_check_info(L, info, "QR");
    take_upper(k, cols, a, rows, r);
    info = LAPACKE_dorgqr(LAPACK_COL_MAJOR, m, (int)k, (int)k, a, lda, tau);
    matrix_check_info(L, info, "QR");
    for (size_t i = 0; i < rows * k; i++) q[i] = a[i];
  }
  if (!pivoting) return 2;
  lua_createtable(L, n, 0);
  for (int j = 0; j < n; j++) {
    lua_pushinteger(L, p[j]);
    lua_rawseti(L, -2, (lua_Integer)j + 1);
  }
  return 3;
}

/* M:svd() -> U, list s, Vt (economic) */
static int l_svd (lua_State *L) {
  const Matrix *M = matrix_check_finite(L, 1);
  size_t rows = M->rows, cols = M->cols, k = min_size(rows, cols);
  double *s = args_scratch(L, k, sizeof *s);
  double *u = own(matrix_push_raw(L, rows, k));
  int at_u = lua_gettop(L);
  double *vt = own(matrix_push_raw(L, k, cols));
  matrix_svd(L, M, u, s, vt);
  lua_pushvalue(L, at_u);
  matrix_push_list(L, s, k, 1);
  lua_pushvalue(L, at_u + 1);
  return 3;
}

/* M:eigh([B]) -> list (ascending), Matrix: M X = X D, or M X = B X D with X^T B X = 1 */
static int l_eigh (lua_State *L) {
  const Matrix *M = matrix_check_square(L, 1), *B = NULL;
  matrix_check_finite(L, 1);
  matrix_check_symmetric(L, 1);
  if (!lua_isnoneornil(L, 2)) {
    B = matrix_check_square(L, 2);
    matrix_check_finite(L, 2);
    matrix_check_symmetric(L, 2);
    if (B->rows != M->rows) {
      args_fail(L, 2, "Matrix of %I x %I expected, got %I x %I", (lua_Integer)M->rows,
                (lua_Integer)M->rows, (lua_Integer)B->rows, (lua_Integer)B->rows);
    }
  }
  int n = matrix_lapack_size(L, M->rows);
  double *w = args_scratch(L, M->rows, sizeof *w);
  double *b = B == NULL ? NULL : matrix_scratch_copy(L, B);
  Matrix *X = matrix_push_raw(L, M->rows, M->rows);
  double *x = own(X);
  const double *m = matrix_read(M);
  for (size_t i = 0; i < M->rows * M->rows; i++) x[i] = m[i];
  if (n > 0) {
    lapack_int info = B == NULL
                        ? LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', n, x, n, w)
                        : LAPACKE_dsygvd(LAPACK_COL_MAJOR, 1, 'V', 'L', n, x, n, b, n, w);
    if (info > n) {
      args_fail(L, 2,
                "Matrix is not positive definite: pivot %d is not "
                "positive",
                info - n);
    }
    matrix_check_info(L, info, "eigenvalue");
  }
  matrix_push_list(L, w, M->rows, 1);
  lua_insert(L, -2);
  return 2;
}

/* M:eig() -> list, Matrix; real eigenvalues only */
static int l_eig (lua_State *L) {
  const Matrix *M = matrix_check_square(L, 1);
  matrix_check_finite(L, 1);
  int n = matrix_lapack_size(L, M->rows);
  double *a = matrix_scratch_copy(L, M);
  double *re = args_scratch(L, M->rows, sizeof *re), *im = args_scratch(L, M->rows, sizeof *im);
  double *x = own(matrix_push_raw(L, M->rows, M->rows));
  if (n > 0) {
    lapack_int info = LAPACKE_dgeev(LAPACK_COL_MAJOR, 'N', 'V', n, a, n, re, im, NULL, 1, x, n);
    matrix_check_info(L, info, "eigenvalue");
  }
  for (int i = 0; i < n; i++) {
    if (im[i] == 0) continue;
    return luaL_error(L, "eigenvalue %d is complex (%f %s %fi): matrices are real only", i + 1,
                      re[i], im[i] < 0 ? "-" : "+", im[i] < 0 ? -im[i] : im[i]);
  }
  matrix_push_list(L, re, M->rows, 1);
  lua_insert(L, -2);
  return 2;
}

const luaL_Reg matrix_decompose_methods[] = {
  {"qr", l_qr}, {"svd", l_svd}, {"eigh", l_eigh}, {"eig", l_eig}, {NULL, NULL},
};
