/* dense.c - factorisations of small dense systems. */
#include "array/dense.h"

#include <math.h>
#include <lapacke.h>

/* Measured: up to here the loops below are faster than LAPACK's LU with its calls to the BLAS. Its
   Cholesky is as fast as loops. */
enum { SMALL = 48 };

static void swap (double *a, double *b) {
  double t = *a;
  *a = *b;
  *b = t;
}

/* Row of the first entry of largest absolute value in a[k..n-1]; NaN counts as the largest, so that
   it is not hidden. */
static int find_pivot (int n, int k, const double *a) {
  int best = k;
  for (int i = k + 1; i < n; i++) {
    if (fabs(a[i]) > fabs(a[best]) || isnan(a[i])) best = i;
  }
  return best;
}

static void interchange (double *a, int k, int pivot) {
  if (pivot - 1 != k) swap(&a[k], &a[pivot - 1]);
}

/* Brings column a up to date: a[k+1..] -= a[k] * column k of L, for k = 0..j-1. Four columns of L
   at once, so that a is loaded and stored a quarter as often. */
static void update_column (int n, int j, const double *A, double *restrict a) {
  size_t ld = (size_t)n;
  int k = 0;
  for (; k + 4 <= j; k += 4) {
    const double *l0 = A + (size_t)k * ld, *l1 = l0 + ld, *l2 = l1 + ld, *l3 = l2 + ld;
    double u0 = a[k];
    double u1 = a[k + 1] -= u0 * l0[k + 1];
    double u2 = a[k + 2] -= u0 * l0[k + 2] + u1 * l1[k + 2];
    double u3 = a[k + 3] -= u0 * l0[k + 3] + u1 * l1[k + 3] + u2 * l2[k + 3];
    for (int i = k + 4; i < n; i++) {
      a[i] -= (u0 * l0[i] + u1 * l1[i]) + (u2 * l2[i] + u3 * l3[i]);
    }
  }
  for (; k < j; k++) {
    const double *l = A + (size_t)k * ld;
    double u = a[k];
    for (int i = k + 1; i < n; i++) a[i] -= u * l[i];
  }
}

/* Column by column: each is brought up to date by those before it, then scaled by its pivot. */
static int small_lu (int n, double *A, int *pivots) {
  for (int j = 0; j < n; j++) {
    double *a = A + (size_t)j * (size_t)n;
    for (int k = 0; k < j; k++) interchange(a, k, pivots[k]);
    update_column(n, j, A, a);
    int p = find_pivot(n, j, a);
    if (a[p] == 0) return j + 1;
    pivots[j] = p + 1;
    for (int k = 0; k <= j; k++) interchange(A + (size_t)k * (size_t)n, j, p + 1);
    double pivot = a[j];
    for (int i = j + 1; i < n; i++) a[i] /= pivot;
  }
  return 0;
}

int dense_lu (int n, double *A, int *pivots) {
  if (n <= SMALL) return small_lu(n, A, pivots);
  return LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, n, n, A, n, pivots);
}

/* x = U^-1 L^-1 P^T x */
static void small_solve (int n, const double *LU, const int *pivots, double *x) {
  for (int k = 0; k < n; k++) interchange(x, k, pivots[k]);
  for (int k = 0; k < n; k++) {
    const double *l = LU + (size_t)k * (size_t)n;
    double xk = x[k];
    for (int i = k + 1; i < n; i++) x[i] -= xk * l[i];
  }
  for (int k = n - 1; k >= 0; k--) {
    const double *u = LU + (size_t)k * (size_t)n;
    double xk = x[k] /= u[k];
    for (int i = 0; i < k; i++) x[i] -= xk * u[i];
  }
}

/* x = P L^-T U^-T x */
static void small_solve_transposed (int n, const double *LU, const int *pivots, double *x) {
  for (int k = 0; k < n; k++) {
    const double *u = LU + (size_t)k * (size_t)n;
    double s = x[k];
    for (int i = 0; i < k; i++) s -= u[i] * x[i];
    x[k] = s / u[k];
  }
  for (int k = n - 1; k >= 0; k--) {
    const double *l = LU + (size_t)k * (size_t)n;
    double s = x[k];
    for (int i = k + 1; i < n; i++) s -= l[i] * x[i];
    x[k] = s;
  }
  for (int k = n - 1; k >= 0; k--) interchange(x, k, pivots[k]);
}

void dense_lu_solve (int n, const double *LU, const int *pivots, bool transposed, int m,
                     double *X, int ldx) {
  if (n == 0 || m == 0) return;
  if (n > SMALL) {
    LAPACKE_dgetrs_work(LAPACK_COL_MAJOR, transposed ? 'T' : 'N', n, m, LU, n, pivots, X, ldx);
    return;
  }
  for (int j = 0; j < m; j++) {
    double *x = X + (size_t)j * (size_t)ldx;
    if (transposed) small_solve_transposed(n, LU, pivots, x);
    else small_solve(n, LU, pivots, x);
  }
}

int dense_cholesky (int n, double *A) {
  if (n == 0) return 0;
  int info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, A, n);
  for (int k = 0; info == 0 && k < n; k++) { /* LAPACKs differ in whether they see NaN */
    if (!(A[(size_t)k * ((size_t)n + 1)] > 0)) info = k + 1;
  }
  return info;
}

void dense_cholesky_solve (int n, const double *A, int m, double *X, int ldx) {
  if (n == 0 || m == 0) return;
  LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'L', n, m, A, n, X, ldx);
}

/* --- complex --------------------------------------------------------------------------------- */

int dense_zlu (int n, double *A, int *pivots) {
  if (n == 0) return 0;
  return LAPACKE_zgetrf_work(LAPACK_COL_MAJOR, n, n, (lapack_complex_double *)A, n, pivots);
}

void dense_zlu_solve (int n, const double *LU, const int *pivots, bool adjoint, int m,
                      double *X, int ldx) {
  if (n == 0 || m == 0) return;
  LAPACKE_zgetrs_work(LAPACK_COL_MAJOR, adjoint ? 'C' : 'N', n, m,
                      (const lapack_complex_double *)LU, n, pivots, (lapack_complex_double *)X,
                      ldx);
}

int dense_zcholesky (int n, double *A) {
  if (n == 0) return 0;
  int info = LAPACKE_zpotrf_work(LAPACK_COL_MAJOR, 'L', n, (lapack_complex_double *)A, n);
  for (int k = 0; info == 0 && k < n; k++) {
    if (!(A[2 * (size_t)k * ((size_t)n + 1)] > 0)) info = k + 1;
  }
  return info;
}

void dense_zcholesky_solve (int n, const double *A, int m, double *X, int ldx) {
  if (n == 0 || m == 0) return;
  LAPACKE_zpotrs_work(LAPACK_COL_MAJOR, 'L', n, m, (const lapack_complex_double *)A, n,
                      (lapack_complex_double *)X, ldx);
}
