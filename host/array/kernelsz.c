/* kernelsz.c - arithmetic on runs of complex numbers. */
#include "array/kernelsz.h"

#include <cblas.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include "array/kernels.h"
#include "array/scalar.h"
#include "array/simd.h"

double complex kernelz_dot (const double *x, const double *y, size_t n) {
  return scalar_of(simd()->dot(x, y, 2 * n), simd()->cross(x, y, n));
}

/* The largest sum of two squares, and where; NaN wins. */
static double largest_square (const double *x, size_t n, size_t *index) {
  double largest = -1;
  for (size_t i = 0; i < n; i++) {
    double square = x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1];
    if (square <= largest) continue;
    largest = square;
    *index = i;
    if (isnan(square)) break;
  }
  return largest;
}

static double modulus (const double *x) {
  if (isnan(x[0]) || isnan(x[1])) return NAN; /* hypot has infinity beside a NaN */
  return hypot(x[0], x[1]);
}

double kernelz_sup (const double *x, size_t n, size_t *index) {
  size_t unwanted;
  if (index == NULL) index = &unwanted;
  *index = 0;
  if (n == 0) return 0;
  double square = largest_square(x, n, index);
  if (square > DBL_MIN / DBL_EPSILON && square <= DBL_MAX) return sqrt(square);
  double sup = -1; /* squares have overflowed or underflowed */
  for (size_t i = 0; i < n; i++) {
    double a = modulus(x + 2 * i);
    if (a <= sup) continue;
    sup = a;
    *index = i;
    if (isnan(a)) break;
  }
  return sup;
}

double kernelz_sup_of_difference (const double *x, const double *y, size_t n) {
  double sup = 0;
  for (size_t i = 0; i < n; i++) {
    double d[] = {x[2 * i] - y[2 * i], x[2 * i + 1] - y[2 * i + 1]};
    double a = modulus(d);
    if (!(a <= sup)) sup = a;
    if (isnan(sup)) break;
  }
  return sup;
}

void kernelz_scaled (double *z, double complex alpha, const double *x, size_t n) {
  double re = creal(alpha), im = cimag(alpha);
  for (size_t i = 0; i < n; i++) {
    double a = x[2 * i], b = x[2 * i + 1];
    z[2 * i] = re * a - im * b;
    z[2 * i + 1] = re * b + im * a;
  }
}

void kernelz_axpy (double *y, double complex alpha, const double *x, size_t n) {
  simd()->axpyz(y, creal(alpha), cimag(alpha), x, n);
}

void kernelz_promote (double *z, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    z[2 * i] = x[i];
    z[2 * i + 1] = 0;
  }
}

void kernelz_part (double *y, const double *x, size_t n, bool imaginary) {
  for (size_t i = 0; i < n; i++) y[i] = x[2 * i + imaginary];
}

void kernelz_conj (double *y, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    y[2 * i] = x[2 * i];
    y[2 * i + 1] = -x[2 * i + 1];
  }
}

void kernelz_merge (double *z, const double *re, const double *im, size_t n) {
  for (size_t i = 0; i < n; i++) {
    z[2 * i] = re[i];
    z[2 * i + 1] = im[i];
  }
}

static size_t larger (size_t a, size_t b) {
  return a < b ? b : a;
}

/* The BLAS counts in int: longer runs are cut. Columns so long that they are further apart than
   INT_MAX complex numbers (32 GiB) are taken one by one. */
static size_t piece_of (size_t n, size_t ld) {
  static const size_t most = (size_t)1 << 30;
  if (ld > INT_MAX) return 1;
  return n < most ? n : most;
}

static int int_ld (size_t ld, size_t rows) {
  return ld > INT_MAX ? (int)rows : (int)ld;
}

void kernelz_gemm (bool ha, bool hb, size_t m, size_t n, size_t k, const double *A, size_t lda,
                   const double *B, size_t ldb, double *C, size_t ldc) {
  const double one[] = {1, 0}, zero[] = {0, 0};
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (size_t j = 0; j < n; j++) kernel_fill(C + 2 * j * ldc, 0, 2 * m);
    return;
  }
  size_t m_piece = piece_of(m, ha ? lda : 1),
         n_piece = piece_of(n, hb ? ldc : larger(ldc, ldb));
  size_t k_piece = piece_of(k, larger(ha ? 1 : lda, hb ? ldb : 1));
  for (size_t j = 0; j < n; j += n_piece) {
    size_t nj = n - j < n_piece ? n - j : n_piece;
    for (size_t i = 0; i < m; i += m_piece) {
      size_t mi = m - i < m_piece ? m - i : m_piece;
      for (size_t l = 0; l < k; l += k_piece) {
        size_t kl = k - l < k_piece ? k - l : k_piece;
        cblas_zgemm(CblasColMajor, ha ? CblasConjTrans : CblasNoTrans,
                    hb ? CblasConjTrans : CblasNoTrans, (int)mi, (int)nj, (int)kl, one,
                    A + 2 * (ha ? l + i * lda : i + l * lda), int_ld(lda, ha ? kl : mi),
                    B + 2 * (hb ? j + l * ldb : l + j * ldb), int_ld(ldb, hb ? nj : kl),
                    l == 0 ? zero : one, C + 2 * (i + j * ldc), int_ld(ldc, mi));
      }
    }
  }
}

void kernelz_gramian (size_t n, size_t k, const double *A, size_t lda, double *C, size_t ldc) {
  if (n == 0) return;
  if (n > INT_MAX || k > INT_MAX || lda > INT_MAX || ldc > INT_MAX) {
    kernelz_gemm(true, false, n, n, k, A, lda, A, lda, C, ldc);
  } else {
    cblas_zherk(CblasColMajor, CblasLower, CblasConjTrans, (int)n, (int)k, 1, A, (int)lda, 0, C,
                (int)ldc);
  }
  for (size_t j = 0; j < n; j++) {
    C[2 * (j + j * ldc) + 1] = 0;
    for (size_t i = 0; i < j; i++)
      kernelz_conj(C + 2 * (i + j * ldc), C + 2 * (j + i * ldc), 1);
  }
}
