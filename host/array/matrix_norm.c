/* matrix_norm.c - norms of matrices and what singular values give: cond, pinv, lstsq. */
#include "array/matrix_store.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/matrix_lapack.h"
#include "array/memory.h"
#include "array/sides.h"

void matrix_check_info (lua_State *L, lapack_int info, const char *what) {
  if (info == LAPACK_WORK_MEMORY_ERROR) luaL_error(L, "not enough memory");
  if (info != 0)
    luaL_error(L, "%s iteration did not converge (LAPACK code %d)", what, (int)info);
}

void matrix_check_symmetric (lua_State *L, int arg) {
  const Matrix *M = matrix_check_square(L, arg);
  const double *m = matrix_read(M);
  size_t n = M->rows, index;
  double allowed = 1e-10 *
                   kernel_sup(m, n * n, &index); /* far above rounding, far below a mistake */
  for (size_t j = 0; j < n; j++) {
    for (size_t i = 0; i < j; i++) {
      double a = m[i + j * n], b = m[j + i * n];
      if (!(fabs(a - b) > allowed)) continue;
      args_fail(L, arg,
                "Matrix is not symmetric: entry (%I, %I) is %f, entry "
                "(%I, %I) is %f",
                (lua_Integer)i + 1, (lua_Integer)j + 1, a, (lua_Integer)j + 1,
                (lua_Integer)i + 1, b);
    }
  }
}

void matrix_svd (lua_State *L, const Matrix *M, double *u, double *s, double *vt) {
  size_t k = M->rows < M->cols ? M->rows : M->cols;
  int m = matrix_lapack_size(L, M->rows), n = matrix_lapack_size(L, M->cols);
  if (k == 0) return;
  double none, *a = matrix_scratch_copy(L, M);
  char job = u == NULL ? 'N' : 'S';
  if (u == NULL) u = vt = &none;
  lapack_int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, job, m, n, a, m, s, u, m, vt, (int)k);
  if (info > 0) { /* rare; the older iteration is slower and more robust */
    memcpy(a, matrix_read(M), M->rows * M->cols * sizeof *a);
    double *superb = args_scratch(L, k, sizeof *superb);
    info = LAPACKE_dgesvd(LAPACK_COL_MAJOR, job, job, m, n, a, m, s, u, m, vt, (int)k, superb);
  }
  matrix_check_info(L, info, "singular value");
}

/* The singular values in a scratch userdata that is pushed. */
static const double *push_values (lua_State *L, const Matrix *M, size_t *k) {
  *k = M->rows < M->cols ? M->rows : M->cols;
  double *s = args_scratch(L, *k, sizeof *s);
  matrix_svd(L, M, NULL, s, NULL);
  return s;
}

static double column_sums (const Matrix *M) {
  const double *m = matrix_read(M);
  double norm = 0;
  for (size_t j = 0; j < M->cols; j++) {
    double sum = 0;
    for (size_t i = 0; i < M->rows; i++) sum += fabs(m[i + j * M->rows]);
    if (!(sum <= norm)) norm = sum;
    if (isnan(norm)) break;
  }
  return norm;
}

static double row_sums (const Matrix *M) {
  const double *m = matrix_read(M);
  double norm = 0;
  for (size_t i = 0; i < M->rows; i++) {
    double sum = 0;
    for (size_t j = 0; j < M->cols; j++) sum += fabs(m[i + j * M->rows]);
    if (!(sum <= norm)) norm = sum;
    if (isnan(norm)) break;
  }
  return norm;
}

/* M:norm(["fro" | "2" | "1" | "inf"]) */
static int l_norm (lua_State *L) {
  static const char *const kinds[] = {"fro", "2", "1", "inf", NULL};
  const Matrix *M = matrix_check(L, 1);
  double norm = 0;
  size_t k;
  switch (luaL_checkoption(L, 2, "fro", kinds)) {
    case 0: norm = kernel_norm(matrix_read(M), M->rows * M->cols); break;
    case 1: {
      const double *s = push_values(L, matrix_check_finite(L, 1), &k);
      norm = k == 0 ? 0 : s[0];
      break;
    }
    case 2: norm = column_sums(M); break;
    default: norm = row_sums(M);
  }
  lua_pushnumber(L, norm);
  return 1;
}

/* M:cond(): in the 2-norm; infinite for a singular matrix */
static int l_cond (lua_State *L) {
  const Matrix *M = matrix_check_finite(L, 1);
  size_t k;
  const double *s = push_values(L, M, &k);
  if (k == 0) return luaL_error(L, "an empty Matrix has no condition number");
  lua_pushnumber(L, s[k - 1] == 0 ? HUGE_VAL : s[0] / s[k - 1]);
  return 1;
}

/* What counts as zero beside the largest singular value. */
static double rank_tolerance (const Matrix *M) {
  return DBL_EPSILON * (double)(M->rows < M->cols ? M->cols : M->rows);
}

/* M:pinv() -> Matrix [cols, rows] */
static int l_pinv (lua_State *L) {
  const Matrix *M = matrix_check_finite(L, 1);
  size_t rows = M->rows, cols = M->cols, k = rows < cols ? rows : cols, rank = 0;
  double *s = args_scratch(L, k, sizeof *s);
  double *u = memory_own(matrix_push_raw(L, rows, k)->block);
  double *vt = memory_own(matrix_push_raw(L, k, cols)->block);
  matrix_svd(L, M, u, s, vt);
  while (rank < k && s[rank] > rank_tolerance(M) * s[0]) rank++;
  for (size_t i = 0; i < rank; i++) kernel_scal(u + i * rows, 1 / s[i], rows);
  Matrix *P = matrix_push_raw(L, cols, rows);
  kernel_gemm(true, true, cols, rows, rank, vt, matrix_ld(k), u, matrix_ld(rows),
              memory_own(P->block), matrix_ld(cols));
  return 1;
}

/* M:lstsq(B) -> X of B's kind: the smallest of those that minimise |M X - B| */
static int l_lstsq (lua_State *L) {
  const Matrix *M = matrix_check_finite(L, 1);
  size_t rows = M->rows, cols = M->cols, n, longer = rows < cols ? cols : rows;
  size_t k = rows < cols ? rows : cols;
  SidesKind kind = sides_check(L, 2, rows, &n);
  int size = matrix_lapack_size(L, longer), columns = matrix_lapack_size(L, n);
  double *a = matrix_scratch_copy(L, M), *s = args_scratch(L, k, sizeof *s);
  size_t total;
  if (!memory_multiply(longer, n, &total)) luaL_error(L, "not enough memory");
  double *work = args_scratch(L, total, sizeof *work);
  sides_copy(L, 2, kind, rows, work, longer);
  for (size_t i = 0; i < total; i++) {
    if (i % matrix_ld(longer) < rows && !isfinite(work[i])) {
      args_fail(L, 2, "an entry of row %I is %s", (lua_Integer)(i % longer) + 1,
                isnan(work[i]) ? "NaN" : "infinite");
    }
  }
  double *x = sides_push(L, kind, cols, n);
  if (k == 0 || n == 0) {
    kernel_fill(x, 0, cols * n);
  } else {
    lapack_int rank;
    lapack_int info = LAPACKE_dgelsd(LAPACK_COL_MAJOR, (int)rows, (int)cols, columns, a,
                                     (int)rows, work, size, s, rank_tolerance(M), &rank);
    matrix_check_info(L, info, "least squares");
    for (size_t j = 0; j < n; j++) memcpy(x + j * cols, work + j * longer, cols * sizeof *x);
  }
  sides_finish(L, kind, cols);
  return 1;
}

const luaL_Reg matrix_norm_methods[] = {
  {"norm", l_norm}, {"cond", l_cond}, {"pinv", l_pinv}, {"lstsq", l_lstsq}, {NULL, NULL},
};
