/* simd.c - loops over runs of doubles. Compiled once for each kind of registers: SIMD_TABLE is
   the name of the table that is made. */
#include "array/simd.h"

#include <string.h>

#ifndef SIMD_TABLE
#define SIMD_TABLE simd_baseline
#endif

/* Independent partial sums: they fill the vector registers and keep rounding errors small. */
enum { LANES = 8 };

static double reduce (const double s[LANES]) {
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static double dot (const double *x, const double *y, size_t n) {
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

static int64_t largest (const double *x, size_t n) {
  int64_t s[LANES] = {0}, best = 0;
  size_t i = 0;
  for (; n - i >= LANES; i += LANES) {
    for (size_t k = 0; k < LANES; k++) {
      int64_t a = simd_magnitude(x[i + k]);
      s[k] = a > s[k] ? a : s[k];
    }
  }
  for (size_t k = 0; i < n; i++, k++) {
    int64_t a = simd_magnitude(x[i]);
    s[k] = a > s[k] ? a : s[k];
  }
  for (size_t k = 0; k < LANES; k++) best = s[k] > best ? s[k] : best;
  return best;
}

static void scaled (double *z, double alpha, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) z[i] = alpha * x[i];
}

static void axpy (double *y, double alpha, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] += alpha * x[i];
}

static void sum (double *z, const double *x, double alpha, const double *y, size_t n) {
  for (size_t i = 0; i < n; i++) z[i] = x[i] + alpha * y[i];
}

static double cross (const double *x, const double *y, size_t n) {
  double s[LANES] = {0};
  size_t i = 0;
  n *= 2;
  for (; n - i >= LANES; i += LANES) {
    for (size_t k = 0; k < LANES; k++) s[k] += x[i + k] * y[(i + k) ^ 1];
  }
  for (size_t k = 0; i < n; i++, k++) s[k] += x[i] * y[i ^ 1];
  return ((s[0] + s[4]) + (s[2] + s[6])) - ((s[1] + s[5]) + (s[3] + s[7]));
}

static void axpyz (double *y, double re, double im, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    double a = x[2 * i], b = x[2 * i + 1];
    y[2 * i] += re * a - im * b;
    y[2 * i + 1] += re * b + im * a;
  }
}

/* --- small matrix products ------------------------------------------------------------------- */

enum { WIDTH = 4 };
typedef double Lanes
  __attribute__((vector_size(WIDTH * sizeof(double)), aligned(8), may_alias));

static inline Lanes *lanes (double *x) {
  return (Lanes *)x;
}

static inline const Lanes *read_lanes (const double *x) {
  return (const Lanes *)x;
}

static inline double total (const Lanes *s) {
  return ((*s)[0] + (*s)[2]) + ((*s)[1] + (*s)[3]);
}

/* The products of 3 columns of A with 2 of B; whole is k without what does not fill lanes. */
static void dots_3x2 (size_t k, size_t whole, const double *a, size_t lda, const double *b,
                      size_t ldb, double *C, size_t ldc) {
  const double *a1 = a + lda, *a2 = a1 + lda, *b1 = b + ldb;
  Lanes s00 = {0}, s10 = {0}, s20 = {0}, s01 = {0}, s11 = {0}, s21 = {0};
  for (size_t l = 0; l < whole; l += WIDTH) {
    Lanes y0 = *read_lanes(b + l), y1 = *read_lanes(b1 + l), x = *read_lanes(a + l);
    s00 += x * y0;
    s01 += x * y1;
    x = *read_lanes(a1 + l);
    s10 += x * y0;
    s11 += x * y1;
    x = *read_lanes(a2 + l);
    s20 += x * y0;
    s21 += x * y1;
  }
  double c[] = {total(&s00), total(&s10), total(&s20), total(&s01), total(&s11), total(&s21)};
  for (size_t l = whole; l < k; l++) {
    c[0] += a[l] * b[l];
    c[1] += a1[l] * b[l];
    c[2] += a2[l] * b[l];
    c[3] += a[l] * b1[l];
    c[4] += a1[l] * b1[l];
    c[5] += a2[l] * b1[l];
  }
  memcpy(C, c, 3 * sizeof *c);
  memcpy(C + ldc, c + 3, 3 * sizeof *c);
}

/* The products of 2 columns of A with 2 of B. */
static void dots_2x2 (size_t k, size_t whole, const double *a, size_t lda, const double *b,
                      size_t ldb, double *C, size_t ldc) {
  const double *a1 = a + lda, *b1 = b + ldb;
  Lanes s00 = {0}, s10 = {0}, s01 = {0}, s11 = {0};
  for (size_t l = 0; l < whole; l += WIDTH) {
    Lanes y0 = *read_lanes(b + l), y1 = *read_lanes(b1 + l);
    Lanes x0 = *read_lanes(a + l), x1 = *read_lanes(a1 + l);
    s00 += x0 * y0;
    s01 += x0 * y1;
    s10 += x1 * y0;
    s11 += x1 * y1;
  }
  double c[] = {total(&s00), total(&s10), total(&s01), total(&s11)};
  for (size_t l = whole; l < k; l++) {
    c[0] += a[l] * b[l];
    c[1] += a1[l] * b[l];
    c[2] += a[l] * b1[l];
    c[3] += a1[l] * b1[l];
  }
  memcpy(C, c, 2 * sizeof *c);
  memcpy(C + ldc, c + 2, 2 * sizeof *c);
}

static double dots_1x1 (size_t k, size_t whole, const double *a, const double *b) {
  Lanes s = {0};
  for (size_t l = 0; l < whole; l += WIDTH) s += *read_lanes(a + l) * *read_lanes(b + l);
  double c = total(&s);
  for (size_t l = whole; l < k; l++) c += a[l] * b[l];
  return c;
}

/* Rows first to m - 1 of two columns. Sums of few products wait for each other, so the last four
   rows are two pairs rather than three and one. */
static void two_columns (size_t first, size_t m, size_t k, const double *A, size_t lda,
                         const double *b, size_t ldb, double *C, size_t ldc) {
  size_t whole = k - k % WIDTH, i = first;
  for (; m - i >= 3 && m - i != 4; i += 3)
    dots_3x2(k, whole, A + i * lda, lda, b, ldb, C + i, ldc);
  for (; m - i >= 2; i += 2) dots_2x2(k, whole, A + i * lda, lda, b, ldb, C + i, ldc);
  for (; i < m; i++) {
    C[i] = dots_1x1(k, whole, A + i * lda, b);
    C[i + ldc] = dots_1x1(k, whole, A + i * lda, b + ldb);
  }
}

static void gemm_tn (size_t m, size_t n, size_t k, const double *A, size_t lda, const double *B,
                     size_t ldb, double *C, size_t ldc) {
  size_t whole = k - k % WIDTH, wide = n - n % 2;
  for (size_t j = 0; j < wide; j += 2)
    two_columns(0, m, k, A, lda, B + j * ldb, ldb, C + j * ldc, ldc);
  for (size_t i = 0; wide < n && i < m; i++)
    C[i + wide * ldc] = dots_1x1(k, whole, A + i * lda, B + wide * ldb);
}

static void gramian (size_t n, size_t k, const double *A, size_t lda, double *C, size_t ldc) {
  size_t whole = k - k % WIDTH, wide = n - n % 2;
  for (size_t j = 0; j < wide; j += 2)
    two_columns(j, n, k, A, lda, A + j * lda, lda, C + j * ldc, ldc);
  if (wide < n) C[wide + wide * ldc] = dots_1x1(k, whole, A + wide * lda, A + wide * lda);
}

/* WIDTH rows and 4 columns of A B. */
static void columns_4 (size_t k, const double *a, size_t lda, const double *b, size_t ldb,
                       double *C, size_t ldc) {
  const double *b1 = b + ldb, *b2 = b1 + ldb, *b3 = b2 + ldb;
  Lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
  for (size_t l = 0; l < k; l++) {
    Lanes x = *read_lanes(a + l * lda);
    s0 += x * b[l];
    s1 += x * b1[l];
    s2 += x * b2[l];
    s3 += x * b3[l];
  }
  *lanes(C) = s0;
  *lanes(C + ldc) = s1;
  *lanes(C + 2 * ldc) = s2;
  *lanes(C + 3 * ldc) = s3;
}

static void columns_1 (size_t k, const double *a, size_t lda, const double *b, double *c) {
  Lanes s = {0};
  for (size_t l = 0; l < k; l++) s += *read_lanes(a + l * lda) * b[l];
  *lanes(c) = s;
}

static void gemm_nn (size_t m, size_t n, size_t k, const double *A, size_t lda, const double *B,
                     size_t ldb, double *C, size_t ldc) {
  size_t tall = m - m % WIDTH, wide = n - n % 4;
  for (size_t j = 0; j < wide; j += 4) {
    for (size_t i = 0; i < tall; i += WIDTH)
      columns_4(k, A + i, lda, B + j * ldb, ldb, C + i + j * ldc, ldc);
  }
  for (size_t j = wide; j < n; j++) {
    for (size_t i = 0; i < tall; i += WIDTH)
      columns_1(k, A + i, lda, B + j * ldb, C + i + j * ldc);
  }
  for (size_t j = 0; tall < m && j < n; j++) {
    double s[WIDTH] = {0};
    for (size_t l = 0; l < k; l++) {
      for (size_t i = tall; i < m; i++) s[i - tall] += A[i + l * lda] * B[l + j * ldb];
    }
    memcpy(C + tall + j * ldc, s, (m - tall) * sizeof *s);
  }
}

const Simd SIMD_TABLE = {
  .dot = dot,
  .squared_difference = squared_difference,
  .largest = largest,
  .scaled = scaled,
  .axpy = axpy,
  .sum = sum,
  .cross = cross,
  .axpyz = axpyz,
  .gemm_tn = gemm_tn,
  .gemm_nn = gemm_nn,
  .gramian = gramian,
};
