/* kernels.c - arithmetic on runs of doubles. */
#include "array/kernels.h"

#include <cblas.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>

/* Independent partial sums: they fill the vector registers and keep rounding errors small. */
enum { LANES = 8 };

static double reduce (const double s[LANES]) {
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

double kernel_dot (const double *x, const double *y, size_t n) {
  double s[LANES] = {0};
  size_t i = 0;
  for (; n - i >= LANES; i += LANES) {
    for (size_t k = 0; k < LANES; k++) s[k] += x[i + k] * y[i + k];
  }
  for (size_t k = 0; i < n; i++, k++) s[k] += x[i] * y[i];
  return reduce(s);
}

static double squared_difference (const double *x, const double *y, double scale, size_t n) {
  double s[LANES] = {0};
  size_t i = 0;
  for (; n - i >= LANES; i += LANES) {
    for (size_t k = 0; k < LANES; k++) {
      double d = (x[i + k] - y[i + k]) * scale;
      s[k] += d * d;
    }
  }
  for (size_t k = 0; i < n; i++, k++) {
    double d = (x[i] - y[i]) * scale;
    s[k] += d * d;
  }
  return reduce(s);
}

/* Is a sum of n squares free of overflow, and of underflow that would be seen? */
static bool is_safe (double square) {
  return square > DBL_MIN / (DBL_EPSILON * DBL_EPSILON) && square <= DBL_MAX;
}

/* A power of two that brings values of size sup near 1. */
static double scale_for (double sup) {
  int exponent = ilogb(sup);
  return ldexp(1, exponent < -1022 ? 1022 : -exponent);
}

double kernel_norm (const double *x, size_t n) {
  double square = kernel_dot(x, x, n);
  if (is_safe(square)) return sqrt(square);
  size_t index;
  double sup = kernel_sup(x, n, &index);
  if (sup == 0 || !isfinite(sup)) return sup;
  double scale = scale_for(sup), s[LANES] = {0};
  for (size_t i = 0; i < n; i++) s[i % LANES] += (x[i] * scale) * (x[i] * scale);
  return sqrt(reduce(s)) / scale;
}

double kernel_norm_of_difference (const double *x, const double *y, size_t n) {
  double square = squared_difference(x, y, 1, n);
  if (is_safe(square)) return sqrt(square);
  double sup = kernel_sup_of_difference(x, y, n);
  if (sup == 0 || !isfinite(sup)) return sup;
  double scale = scale_for(sup);
  return sqrt(squared_difference(x, y, scale, n)) / scale;
}

double kernel_sup_of_difference (const double *x, const double *y, size_t n) {
  double sup = 0;
  for (size_t i = 0; i < n; i++) {
    double d = fabs(x[i] - y[i]);
    if (!(d <= sup)) sup = d;
    if (isnan(sup)) break;
  }
  return sup;
}

double kernel_sup (const double *x, size_t n, size_t *index) {
  double sup = 0;
  *index = 0;
  for (size_t i = 0; i < n; i++) {
    double a = fabs(x[i]);
    if (a <= sup) continue;
    sup = a;
    *index = i;
    if (isnan(a)) break;
  }
  return sup;
}

void kernel_fill (double *x, double value, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = value;
}

void kernel_scal (double *x, double alpha, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] *= alpha;
}

void kernel_scaled (double *z, double alpha, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) z[i] = alpha * x[i];
}

void kernel_axpy (double *y, double alpha, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] += alpha * x[i];
}

void kernel_sum (double *z, const double *x, double alpha, const double *y, size_t n) {
  for (size_t i = 0; i < n; i++) z[i] = x[i] + alpha * y[i];
}

static size_t min_size (size_t a, size_t b) {
  return a < b ? a : b;
}

/* The BLAS counts in int. A run longer than that is cut; where columns are further apart than that,
   they are taken one by one, and their distance does not matter. */
static const size_t blas_max = (size_t)1 << 30;

static size_t blas_columns (size_t ld, size_t n) {
  return ld > INT_MAX ? 1 : min_size(n, blas_max);
}

static int blas_ld (size_t ld, size_t rows) {
  return ld > INT_MAX ? (int)rows : (int)ld;
}

static void gemm_piece (bool ta, bool tb, int m, int n, int k, const double *A, int lda,
                        const double *B, int ldb, double beta, double *C, int ldc) {
  if (n == 1) {
    cblas_dgemv(CblasColMajor, ta ? CblasTrans : CblasNoTrans, ta ? k : m, ta ? m : k, 1, A,
                lda, B, tb ? ldb : 1, beta, C, 1);
  } else if (m == 1) {
    cblas_dgemv(CblasColMajor, tb ? CblasNoTrans : CblasTrans, tb ? n : k, tb ? k : n, 1, B,
                ldb, A, ta ? 1 : lda, beta, C, ldc);
  } else {
    cblas_dgemm(CblasColMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                m, n, k, 1, A, lda, B, ldb, beta, C, ldc);
  }
}

void kernel_gemm (bool ta, bool tb, size_t m, size_t n, size_t k, const double *A, size_t lda,
                  const double *B, size_t ldb, double *C, size_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (size_t j = 0; j < n; j++) kernel_fill(C + j * ldc, 0, m);
    return;
  }
  size_t m_piece = min_size(m, blas_max), k_piece = min_size(k, blas_max);
  size_t n_piece = blas_columns(ldc, n);
  if (ta) m_piece = min_size(m_piece, blas_columns(lda, m));
  else k_piece = min_size(k_piece, blas_columns(lda, k));
  if (tb) k_piece = min_size(k_piece, blas_columns(ldb, k));
  else n_piece = min_size(n_piece, blas_columns(ldb, n));
  for (size_t j = 0; j < n; j += n_piece) {
    size_t nj = min_size(n - j, n_piece);
    for (size_t i = 0; i < m; i += m_piece) {
      size_t mi = min_size(m - i, m_piece);
      for (size_t l = 0; l < k; l += k_piece) {
        size_t kl = min_size(k - l, k_piece);
        gemm_piece(ta, tb, (int)mi, (int)nj, (int)kl, ta ? A + l + i * lda : A + i + l * lda,
                   blas_ld(lda, ta ? kl : mi), tb ? B + j + l * ldb : B + l + j * ldb,
                   blas_ld(ldb, tb ? nj : kl), l == 0 ? 0 : 1, C + i + j * ldc,
                   blas_ld(ldc, mi));
      }
    }
  }
}

void kernel_gramian (size_t n, size_t k, const double *A, size_t lda, double *C, size_t ldc) {
  if (n == 0) return;
  if (n > INT_MAX || k > INT_MAX || lda > INT_MAX || ldc > INT_MAX) {
    kernel_gemm(true, false, n, n, k, A, lda, A, lda, C, ldc);
  } else {
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, (int)n, (int)k, 1, A, (int)lda, 0, C,
                (int)ldc);
  }
  for (size_t j = 0; j < n; j++) {
    for (size_t i = 0; i < j; i++) C[i + j * ldc] = C[j + i * ldc];
  }
}
