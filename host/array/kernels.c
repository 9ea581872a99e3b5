/* kernels.c - arithmetic on runs of doubles. */
#include "array/kernels.h"

#include <cblas.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include "array/simd.h"

static size_t min_size (size_t a, size_t b) {
  return a < b ? a : b;
}

double kernel_dot (const double *x, const double *y, size_t n) {
  return simd()->dot(x, y, n);
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
  double sup = kernel_sup(x, n, NULL);
  if (sup == 0 || !isfinite(sup)) return sup;
  double scale = scale_for(sup), s = 0;
  for (size_t i = 0; i < n; i++) s += (x[i] * scale) * (x[i] * scale);
  return sqrt(s) / scale;
}

double kernel_norm_of_difference (const double *x, const double *y, size_t n) {
  double square = simd()->squared_difference(x, y, 1, n);
  if (is_safe(square)) return sqrt(square);
  double sup = kernel_sup_of_difference(x, y, n);
  if (sup == 0 || !isfinite(sup)) return sup;
  double scale = scale_for(sup);
  return sqrt(simd()->squared_difference(x, y, scale, n)) / scale;
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

/* Longer vectors are gone through in runs of that length, which stay in the cache. */
enum { RUN = 1024 };

/* No simd_magnitude of a number is larger. */
static int64_t infinity (void) {
  return simd_magnitude(HUGE_VAL);
}

/* Run by run, so that the place is looked for in the cache, and in the best run alone. */
double kernel_sup (const double *x, size_t n, size_t *index) {
  int64_t sup = 0;
  size_t best = 0;
  for (size_t i = 0; i < n && sup <= infinity(); i += RUN) {
    int64_t largest = simd()->largest(x + i, min_size(n - i, RUN));
    if (largest <= sup) continue;
    sup = largest;
    best = i;
  }
  if (sup > infinity()) sup = infinity() + 1; /* the first NaN, whatever its bits */
  if (index != NULL) *index = n == 0 ? 0 : best + simd()->find(x + best, sup, n - best);
  return sup > infinity() ? NAN : simd_number(sup);
}

size_t kernel_finite (const double *x, size_t n) {
  for (size_t i = 0; i < n; i += RUN) {
    size_t run = min_size(n - i, RUN);
    if (simd()->largest(x + i, run) < infinity()) continue;
    while (isfinite(x[i])) i++;
    return i;
  }
  return n;
}

bool kernel_copy_finite (double *y, const double *x, size_t n) {
  for (size_t i = 0; i < n; i += RUN) { /* from the cache, the second time */
    size_t run = min_size(n - i, RUN);
    memcpy(y + i, x + i, run * sizeof *y);
    if (kernel_finite(x + i, run) < run) return false;
  }
  return true;
}

void kernel_fill (double *x, double value, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = value;
}

void kernel_scal (double *x, double alpha, size_t n) {
  simd()->scaled(x, alpha, x, n);
}

void kernel_scaled (double *z, double alpha, const double *x, size_t n) {
  simd()->scaled(z, alpha, x, n);
}

void kernel_sum (double *z, const double *x, double alpha, const double *y, size_t n) {
  simd()->sum(z, x, alpha, y, n);
}

/* The BLAS counts in int. A run longer than that is cut; where columns are further apart than that,
   they are taken one by one, and their distance does not matter. */
static const size_t blas_max = (size_t)1 << 30;

/* Measured on two threads: from here on the BLAS is faster, by up to two times. It gives other last
   bits, since it rounds once for a product and a sum, so that one thread keeps to the loop. */
enum { SHARED_RUN = 1 << 16 };

void kernel_axpy (double *y, double alpha, const double *x, size_t n) {
  if (n < SHARED_RUN || alpha == 0 || openblas_get_num_threads() == 1) {
    /* 0 too: the BLAS would leave y alone where x is not finite */
    simd()->sum(y, y, alpha, x, n);
    return;
  }
  for (size_t i = 0; i < n; i += blas_max) {
    cblas_daxpy((int)min_size(n - i, blas_max), alpha, x + i, 1, y + i, 1);
  }
}

/* Is the product of m x k and k x n over before the BLAS has packed its operands? */
static bool is_small (size_t m, size_t n, size_t k) {
  enum { MOST = 1 << 16 };
  return m <= MOST && n <= MOST && k <= MOST && m * n * k <= MOST;
}

/* Measured: with up to so many vectors on either side the loops of simd.h are 1.5 to 4 times as fast
   as OpenBLAS on one thread, however long the vectors are; with 16 no longer. */
enum { NARROW = 12 };

/* C += B, m x n, or only the lower triangle. */
static void add_block (size_t m, size_t n, bool lower, const double *B, double *C, size_t ldc) {
  for (size_t j = 0; j < n; j++) {
    for (size_t i = lower ? j : 0; i < m; i++) C[i + j * ldc] += B[i + j * m];
  }
}

/* C = A^T B, with no more than NARROW x NARROW entries where k is above RUN. */
static void narrow_tn (size_t m, size_t n, size_t k, const double *A, size_t lda,
                       const double *B, size_t ldb, double *C, size_t ldc) {
  double part[NARROW * NARROW];
  simd()->gemm_tn(m, n, min_size(k, RUN), A, lda, B, ldb, C, ldc);
  for (size_t l = RUN; l < k; l += RUN) {
    simd()->gemm_tn(m, n, min_size(k - l, RUN), A + l, lda, B + l, ldb, part, m);
    add_block(m, n, false, part, C, ldc);
  }
}

static void narrow_gramian (size_t n, size_t k, const double *A, size_t lda, double *C,
                            size_t ldc) {
  double part[NARROW * NARROW];
  simd()->gramian(n, min_size(k, RUN), A, lda, C, ldc);
  for (size_t l = RUN; l < k; l += RUN) {
    simd()->gramian(n, min_size(k - l, RUN), A + l, lda, part, n);
    add_block(n, n, true, part, C, ldc);
  }
}

/* Is the product one for the loops of simd.h? Not where one side is a single vector and long: the
   BLAS is as fast with that. */
static bool is_narrow (bool ta, size_t m, size_t n, size_t k) {
  size_t a = ta ? m : k;
  return a > 1 && n > 1 && a <= NARROW && n <= NARROW;
}

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
  if (!tb && (is_small(m, n, k) || is_narrow(ta, m, n, k))) {
    (ta ? narrow_tn : simd()->gemm_nn)(m, n, k, A, lda, B, ldb, C, ldc);
    return;
  }
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
  if (is_small(n, n, k) || n <= NARROW) {
    narrow_gramian(n, k, A, lda, C, ldc);
  } else if (n > INT_MAX || k > INT_MAX || lda > INT_MAX || ldc > INT_MAX) {
    kernel_gemm(true, false, n, n, k, A, lda, A, lda, C, ldc);
  } else {
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, (int)n, (int)k, 1, A, (int)lda, 0, C,
                (int)ldc);
  }
  for (size_t j = 0; j < n; j++) {
    for (size_t i = 0; i < j; i++) C[i + j * ldc] = C[j + i * ldc];
  }
}
