/* matrix_decompose.c - qr, svd, eigh and eig of matrices through LAPACK. */
#include "array/matrix_store.h"

#include <string.h>
#include "array/args.h"
#include "array/blas.h"
#include "array/matrix_lapack.h"
#include "array/scalar.h"

typedef lapack_complex_double Z;

static size_t min_size (size_t a, size_t b) {
  return a < b ? a : b;
}

/* Moves the upper triangle of the k x n matrix in a (leading dimension lda) to r; width doubles an
   entry. */
static void take_upper (size_t k, size_t n, const double *a, size_t lda, size_t width,
                        double *r) {
  memset(r, 0, k * n * width * sizeof *r);
  for (size_t j = 0; j < n; j++) {
    memcpy(r + j * k * width, a + j * lda * width, min_size(k, j + 1) * width * sizeof *r);
  }
}

static lapack_int factorise_qr (bool is_complex, bool pivoting, int m, int n, double *a,
                                lapack_int *p, double *tau) {
  if (is_complex) {
    return pivoting ? LAPACKE_zgeqp3(LAPACK_COL_MAJOR, m, n, (Z *)a, m, p, (Z *)tau)
                    : LAPACKE_zgeqrf(LAPACK_COL_MAJOR, m, n, (Z *)a, m, (Z *)tau);
  }
  return pivoting ? LAPACKE_dgeqp3(LAPACK_COL_MAJOR, m, n, a, m, p, tau)
                  : LAPACKE_dgeqrf(LAPACK_COL_MAJOR, m, n, a, m, tau);
}

static lapack_int form_q (bool is_complex, int m, int k, double *a, const double *tau) {
  return is_complex ? LAPACKE_zungqr(LAPACK_COL_MAJOR, m, k, k, (Z *)a, m, (const Z *)tau)
                    : LAPACKE_dorgqr(LAPACK_COL_MAJOR, m, k, k, a, m, tau);
}

/* M:qr([{pivoting = false}]) -> Q, R [, p]: M = Q R, or column p[j] of M = column j of Q R */
static int l_qr (lua_State *L) {
  static const char *const names[] = {"pivoting", NULL};
  args_options(L, 2, names); /* first: a metamethod could close the Matrix */
  bool pivoting = args_option_boolean(L, 2, "pivoting", false);
  const Matrix *M = matrix_check_finite(L, 1);
  bool is_complex = M->is_complex;
  size_t rows = M->rows, cols = M->cols, k = min_size(rows, cols), width = is_complex ? 2 : 1;
  int m = matrix_lapack_size(L, rows), n = matrix_lapack_size(L, cols);
  Matrix *copy = matrix_push_copy(L, M, false);
  double *a = matrix_own(copy), *tau = args_scratch(L, k, width * sizeof *tau);
  lapack_int *p = args_scratch(L, cols, sizeof *p);
  double *q = matrix_own(matrix_push_kind(L, rows, k, is_complex, false));
  double *r = matrix_own(matrix_push_kind(L, k, cols, is_complex, false));
  for (int j = 0; j < n; j++) p[j] = k == 0 ? j + 1 : 0; /* 0: may be moved */
  if (k > 0) {
    int threads = blas_limit(rows * cols);
    lapack_int info = factorise_qr(is_complex, pivoting, m, n, a, p, tau);
    take_upper(k, cols, a, rows, width, r);
    if (info == 0) info = form_q(is_complex, m, (int)k, a, tau);
    blas_restore(threads);
    matrix_check_info(L, info, "QR");
    memcpy(q, a, rows * k * width * sizeof *q);
  }
  matrix_close(copy);
  if (!pivoting) return 2;
  lua_createtable(L, n, 0);
  for (int j = 0; j < n; j++) {
    lua_pushinteger(L, p[j]);
    lua_rawseti(L, -2, (lua_Integer)j + 1);
  }
  return 3;
}

/* M:svd() -> U, list s, Vt (economic); Vt is V^H */
static int l_svd (lua_State *L) {
  const Matrix *M = matrix_check_finite(L, 1);
  size_t rows = M->rows, cols = M->cols, k = min_size(rows, cols);
  double *s = args_scratch(L, k, sizeof *s);
  double *u = matrix_own(matrix_push_kind(L, rows, k, M->is_complex, false));
  int at_u = lua_gettop(L);
  double *vt = matrix_own(matrix_push_kind(L, k, cols, M->is_complex, false));
  matrix_svd(L, M, u, s, vt);
  lua_pushvalue(L, at_u);
  scalar_push_list(L, s, false, k, 1);
  lua_pushvalue(L, at_u + 1);
  return 3;
}

static lapack_int call_hermitian (bool is_complex, int n, double *x, double *b, double *w) {
  if (is_complex && b == NULL)
    return LAPACKE_zheevd(LAPACK_COL_MAJOR, 'V', 'L', n, (Z *)x, n, w);
  if (is_complex)
    return LAPACKE_zhegvd(LAPACK_COL_MAJOR, 1, 'V', 'L', n, (Z *)x, n, (Z *)b, n, w);
  if (b == NULL) return LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', n, x, n, w);
  return LAPACKE_dsygvd(LAPACK_COL_MAJOR, 1, 'V', 'L', n, x, n, b, n, w);
}

static lapack_int solve_hermitian (bool is_complex, int n, double *x, double *b, double *w) {
  int threads = blas_limit((size_t)n * (size_t)n);
  lapack_int info = call_hermitian(is_complex, n, x, b, w);
  blas_restore(threads);
  return info;
}

/* The Matrix at arg, symmetric or Hermitian; the second one as large as the first. */
static const Matrix *check_hermitian (lua_State *L, int arg, size_t n) {
  const Matrix *M = matrix_check_square(L, arg);
  matrix_check_finite(L, arg);
  matrix_check_symmetric(L, arg);
  if (n != M->rows && arg > 1) {
    args_fail(L, arg, "Matrix of %I x %I expected, got %I x %I", (lua_Integer)n, (lua_Integer)n,
              (lua_Integer)M->rows, (lua_Integer)M->rows);
  }
  return M;
}

/* M:eigh([B]) -> list (ascending), Matrix: M X = X D, or M X = B X D with X^H B X = 1 */
static int l_eigh (lua_State *L) {
  const Matrix *M = check_hermitian(L, 1, 0), *B = NULL;
  if (!lua_isnoneornil(L, 2)) B = check_hermitian(L, 2, M->rows);
  bool is_complex = M->is_complex || (B != NULL && B->is_complex);
  int n = matrix_lapack_size(L, M->rows);
  double *w = args_scratch(L, M->rows, sizeof *w);
  Matrix *copy = B == NULL ? NULL : matrix_push_copy(L, B, is_complex);
  double *b = copy == NULL ? NULL : matrix_own(copy);
  Matrix *X = matrix_push_copy(L, M, is_complex); /* becomes the vectors */
  if (n > 0) {
    lapack_int info = solve_hermitian(is_complex, n, matrix_own(X), b, w);
    if (info > n) {
      args_fail(L, 2, "Matrix is not positive definite: pivot %d is not positive", info - n);
    }
    matrix_check_info(L, info, "eigenvalue");
  }
  if (copy != NULL) matrix_close(copy);
  scalar_push_list(L, w, false, M->rows, 1);
  lua_insert(L, -2);
  return 2;
}

/* From LAPACK's real form of complex eigenvectors: those of a pair have their real parts in the
   first column and their imaginary parts in the second one. */
static void expand_pairs (size_t n, const double *im, const double *x, double *z) {
  for (size_t j = 0; j < n; j++) {
    for (size_t i = 0; i < n; i++) {
      double re = x[i + j * n], part = 0;
      if (im[j] > 0) part = x[i + (j + 1) * n];
      if (im[j] < 0) {
        re = x[i + (j - 1) * n];
        part = -x[i + j * n];
      }
      z[2 * (i + j * n)] = re;
      z[2 * (i + j * n) + 1] = part;
    }
  }
}

static int eig_complex (lua_State *L, const Matrix *M) {
  size_t n = M->rows;
  Matrix *copy = matrix_push_copy(L, M, false);
  double *a = matrix_own(copy), *w = args_scratch(L, n, 2 * sizeof *w);
  double *x = matrix_own(matrix_push_kind(L, n, n, true, false));
  if (n > 0) {
    int size = matrix_lapack_size(L, n), threads = blas_limit(n * n);
    lapack_int info = LAPACKE_zgeev(LAPACK_COL_MAJOR, 'N', 'V', size, (Z *)a, size, (Z *)w,
                                    NULL, 1, (Z *)x, size);
    blas_restore(threads);
    matrix_check_info(L, info, "eigenvalue");
  }
  matrix_close(copy);
  scalar_push_list(L, w, true, n, 1);
  lua_insert(L, -2);
  return 2;
}

/* M:eig() -> list, Matrix: plain numbers when all eigenvalues of a real M are real, else complex */
static int l_eig (lua_State *L) {
  const Matrix *M = matrix_check_square(L, 1);
  matrix_check_finite(L, 1);
  size_t n = M->rows, n_complex = 0;
  int size = matrix_lapack_size(L, n);
  if (M->is_complex) return eig_complex(L, M);
  Matrix *copy = matrix_push_copy(L, M, false);
  double *a = matrix_own(copy);
  double *re = args_scratch(L, n, sizeof *re), *im = args_scratch(L, n, sizeof *im);
  double *x = matrix_own(matrix_push_raw(L, n, n));
  if (n > 0) {
    int threads = blas_limit(n * n);
    lapack_int info = LAPACKE_dgeev(LAPACK_COL_MAJOR, 'N', 'V', size, a, size, re, im, NULL, 1,
                                    x, size);
    blas_restore(threads);
    matrix_check_info(L, info, "eigenvalue");
  }
  matrix_close(copy);
  for (size_t i = 0; i < n; i++) n_complex += im[i] != 0;
  if (n_complex == 0) {
    scalar_push_list(L, re, false, n, 1);
  } else {
    double *w = args_scratch(L, n, 2 * sizeof *w);
    for (size_t i = 0; i < n; i++) {
      w[2 * i] = re[i];
      w[2 * i + 1] = im[i];
    }
    double *z = matrix_own(matrix_push_kind(L, n, n, true, false));
    expand_pairs(n, im, x, z);
    scalar_push_list(L, w, true, n, 1);
  }
  lua_insert(L, -2);
  return 2;
}

const luaL_Reg matrix_decompose_methods[] = {
  {"qr", l_qr}, {"svd", l_svd}, {"eigh", l_eigh}, {"eig", l_eig}, {NULL, NULL},
};
