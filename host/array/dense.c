/* dense.c - factorisations of small dense systems. */
#include "array/dense.h"

#include <math.h>
#include <lapacke.h>

/* Measured: up to here the loops below are faster than LAPACK with its calls to the BLAS. */
enum { SMALL = 32 };

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

/* Column by column: each is brought up to date by those before it, then scaled by its pivot. */
static int small_lu (int n, double *A, int *pivots) {
  for (int j = 0; j < n; j++) {
    double *a = A + (size_t)j * (size_t)n;
    for (int k = 0; k < j; k++) interchange(a, k, pivots[k]);
    for (int k = 0; k < j; k++) {
      const double *l = A + (size_t)k * (size_t)n;
      double u = a[k];
      for (int i = k + 1; i < n; i++) a[i] -= u * l[i];
    }
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
    if (transposed)
      small_solve_transposed(n, LU, pivots, x);
    else
      small_solve(n, LU, pivots, x);
  }
}

static int small_cholesky (int n, double *A) {
  for (int j = 0; j < n; j++) {
    double *a = A + (size_t)j * (size_t)n;
    for (int k = 0; k < j; k++) {
      const double *l = A + (size_t)k * (size_t)n;
      double u = l[j];
      for (int i = j; i < n; i++) a[i] -= u * l[i];
    }
    if (!(a[j] > 0)) return j + 1;
    double pivot = sqrt(a[j]);
    for (int i = j; i < n; i++) a[i] /= pivot;
  }
  return 0;
}

int dense_cholesky (int n, double *A) {
  if (n <= SMALL) return small_cholesky(n, A);
  return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, A, n);
}

void dense_cholesky_solve (int n, const double *A, int m, double *X, int ldx) {
  if (n == 0 || m == 0) return;
  if (n > SMALL) {
    LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'L', n, m, A, n, X, ldx);
    return;
  }
  for (int j = 0; j < m; j++) {
    double *x = X + (size_t)j * (size_t)ldx;
    for (int k = 0; k < n; k++) {
      const double *l = A + (size_t)k * (size_t)n;
      double xk = x[k] /= l[k];
      for (int i = k + 1; i < n; i++) x[i] -= xk * l[i];
    }
    for (int k = n - 1; k >= 0; k--) {
      const double *l = A + (size_t)k * (size_t)n;
      double s = x[k];
      for (int i = k + 1; i < n; i++) s -= l[i] * x[i];
      x[k] = s / l[k];
    }
  }
}
