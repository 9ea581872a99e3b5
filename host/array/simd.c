/* simd.c - loops over runs of doubles. Compiled once for each kind of registers: SIMD_TABLE is
   the name of the table that is made. */
#include "array/simd.h"

#include <string.h>

#ifndef SIMD_TABLE
#define SIMD_TABLE simd_baseline
#endif

enum { WIDTH = 4 };
typedef double Lanes
  __attribute__((vector_size(WIDTH * sizeof(double)), aligned(8), may_alias));
typedef int64_t Bits
  __attribute__((vector_size(WIDTH * sizeof(double)), aligned(8), may_alias));

static inline Lanes *lanes (double *x) {
  return (Lanes *)x;
}

static inline const Lanes *read_lanes (const double *x) {
  return (const Lanes *)x;
}

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

static size_t find (const double *x, int64_t magnitude, size_t n) {
  const Bits below = (Bits){0} + (magnitude - 1), mask = (Bits){0} + INT64_MAX;
  size_t i = 0;
  for (; n - i >= 2 * WIDTH; i += 2 * WIDTH) {
    const Bits *a = (const Bits *)(x + i), *b = (const Bits *)(x + i + WIDTH);
    Bits hit = ((*a & mask) > below) | ((*b & mask) > below);
    if ((hit[0] | hit[1] | hit[2] | hit[3]) != 0) break;
  }
  while (simd_magnitude(x[i]) < magnitude) i++;
  return i;
}

/* Loops that do little with a number are unrolled, so that the loop itself costs nothing. */
enum { UNROLLED = 8 * WIDTH };

static void scaled (double *z, double alpha, const double *x, size_t n) {
  size_t i = 0;
  for (; n - i >= UNROLLED; i += UNROLLED) {
    for (size_t k = i; k < i + UNROLLED; k += WIDTH) *lanes(z + k) = alpha * *read_lanes(x + k);
  }
  for (; n - i >= WIDTH; i += WIDTH) *lanes(z + i) = alpha * *read_lanes(x + i);
  for (; i < n; i++) z[i] = alpha * x[i];
}

static void sum (double *z, const double *x, double alpha, const double *y, size_t n) {
  size_t i = 0;
  for (; n - i >= UNROLLED; i += UNROLLED) {
    for (size_t k = i; k < i + UNROLLED; k += WIDTH)
      *lanes(z + k) = *read_lanes(x + k) + alpha * *read_lanes(y + k);
  }
  for (; n - i >= WIDTH; i += WIDTH)
    *lanes(z + i) = *read_lanes(x + i) + alpha * *read_lanes(y + i);
  for (; i < n; i++) z[i] = x[i] + alpha * y[i];
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

/* A value that is used twice is loaded once: compilers make it an operand of both, and processors
   load less than they multiply. */
#ifdef __AVX__
#define KEEP(x) __asm__("" : "+x"(x))
#else
#define KEEP(x) ((void)0)
#endif

static inline double total (const Lanes *s) {
  return ((*s)[0] + (*s)[2]) + ((*s)[1] + (*s)[3]);
}

/* Lanes 0 to 3 of s become the totals of a, b, c and d. */
static inline void totals (const Lanes *a, const Lanes *b, const Lanes *c, const Lanes *d,
                           double *s) {
  Lanes ab = __builtin_shufflevector(*a, *b, 0, 1, 4, 5) +
             __builtin_shufflevector(*a, *b, 2, 3, 6, 7);
  Lanes cd = __builtin_shufflevector(*c, *d, 0, 1, 4, 5) +
             __builtin_shufflevector(*c, *d, 2, 3, 6, 7);
  *lanes(s) = __builtin_shufflevector(ab, cd, 0, 2, 4, 6) +
              __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
}

/* Adds to m x n numbers in c what does not fill lanes, and moves them to C. */
static inline void finish (size_t m, size_t n, size_t whole, size_t k, const double *a,
                           size_t lda, const double *b, size_t ldb, double *c, double *C,
                           size_t ldc) {
  for (size_t l = whole; l < k; l++) {
    for (size_t e = 0; e < m * n; e++) c[e] += a[e % m * lda + l] * b[e / m * ldb + l];
  }
  for (size_t j = 0; j < n; j++) memcpy(C + j * ldc, c + j * m, m * sizeof *c);
}

/* The products of 5 columns of A with 2 of B; whole is k without what does not fill lanes. */
static void dots_5x2 (size_t k, size_t whole, const double *a, size_t lda, const double *b,
                      size_t ldb, double *C, size_t ldc) {
  const double *a1 = a + lda, *a2 = a1 + lda, *a3 = a2 + lda, *a4 = a3 + lda, *b1 = b + ldb;
  Lanes s00 = {0}, s10 = {0}, s20 = {0}, s30 = {0}, s40 = {0};
  Lanes s01 = {0}, s11 = {0}, s21 = {0}, s31 = {0}, s41 = {0};
  for (size_t l = 0; l < whole; l += WIDTH) {
    Lanes y0 = *read_lanes(b + l), y1 = *read_lanes(b1 + l), x = *read_lanes(a + l);
    KEEP(x);
    s00 += x * y0;
    s01 += x * y1;
    x = *read_lanes(a1 + l);
    KEEP(x);
    s10 += x * y0;
    s11 += x * y1;
    x = *read_lanes(a2 + l);
    KEEP(x);
    s20 += x * y0;
    s21 += x * y1;
    x = *read_lanes(a3 + l);
    KEEP(x);
    s30 += x * y0;
    s31 += x * y1;
    x = *read_lanes(a4 + l);
    KEEP(x);
    s40 += x * y0;
    s41 += x * y1;
  }
  double c[12];
  totals(&s00, &s10, &s20, &s30, c);
  totals(&s40, &s01, &s11, &s21, c + 4);
  totals(&s31, &s41, &s41, &s41, c + 8);
  finish(5, 2, whole, k, a, lda, b, ldb, c, C, ldc);
}

/* The products of 3 columns of A with 2 of B. */
static void dots_3x2 (size_t k, size_t whole, const double *a, size_t lda, const double *b,
                      size_t ldb, double *C, size_t ldc) {
  const double *a1 = a + lda, *a2 = a1 + lda, *b1 = b + ldb;
  Lanes s00 = {0}, s10 = {0}, s20 = {0}, s01 = {0}, s11 = {0}, s21 = {0};
  for (size_t l = 0; l < whole; l += WIDTH) {
    Lanes y0 = *read_lanes(b + l), y1 = *read_lanes(b1 + l), x = *read_lanes(a + l);
    KEEP(x);
    s00 += x * y0;
    s01 += x * y1;
    x = *read_lanes(a1 + l);
    KEEP(x);
    s10 += x * y0;
    s11 += x * y1;
    x = *read_lanes(a2 + l);
    KEEP(x);
    s20 += x * y0;
    s21 += x * y1;
  }
  double c[8];
  totals(&s00, &s10, &s20, &s01, c);
  totals(&s11, &s21, &s21, &s21, c + 4);
  finish(3, 2, whole, k, a, lda, b, ldb, c, C, ldc);
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
  double c[4];
  totals(&s00, &s10, &s01, &s11, c);
  finish(2, 2, whole, k, a, lda, b, ldb, c, C, ldc);
}

static double dots_1x1 (size_t k, size_t whole, const double *a, const double *b) {
  Lanes s = {0};
  for (size_t l = 0; l < whole; l += WIDTH) s += *read_lanes(a + l) * *read_lanes(b + l);
  double c = total(&s);
  for (size_t l = whole; l < k; l++) c += a[l] * b[l];
  return c;
}

/* Rows first to m - 1 of two columns. Sums of few products wait for each other, so the last six rows
   are two times three rather than five and one, and four are two pairs. */
static void two_columns (size_t first, size_t m, size_t k, const double *A, size_t lda,
                         const double *b, size_t ldb, double *C, size_t ldc) {
  size_t whole = k - k % WIDTH, i = first;
  for (; m - i >= 5 && m - i != 6; i += 5)
    dots_5x2(k, whole, A + i * lda, lda, b, ldb, C + i, ldc);
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

/* 2 WIDTH rows and 5 columns of A B. */
static void columns_5 (size_t k, const double *a, size_t lda, const double *b, size_t ldb,
                       double *C, size_t ldc) {
  const double *b1 = b + ldb, *b2 = b1 + ldb, *b3 = b2 + ldb, *b4 = b3 + ldb;
  Lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0};
  Lanes t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0};
  for (size_t l = 0; l < k; l++) {
    Lanes x = *read_lanes(a + l * lda), y = *read_lanes(a + l * lda + WIDTH);
    s0 += x * b[l];
    t0 += y * b[l];
    s1 += x * b1[l];
    t1 += y * b1[l];
    s2 += x * b2[l];
    t2 += y * b2[l];
    s3 += x * b3[l];
    t3 += y * b3[l];
    s4 += x * b4[l];
    t4 += y * b4[l];
  }
  *lanes(C) = s0;
  *lanes(C + WIDTH) = t0;
  *lanes(C + ldc) = s1;
  *lanes(C + ldc + WIDTH) = t1;
  *lanes(C + 2 * ldc) = s2;
  *lanes(C + 2 * ldc + WIDTH) = t2;
  *lanes(C + 3 * ldc) = s3;
  *lanes(C + 3 * ldc + WIDTH) = t3;
  *lanes(C + 4 * ldc) = s4;
  *lanes(C + 4 * ldc + WIDTH) = t4;
}

/* 2 WIDTH rows of one column. */
static void columns_1 (size_t k, const double *a, size_t lda, const double *b, double *c) {
  Lanes s = {0}, t = {0};
  for (size_t l = 0; l < k; l++) {
    s += *read_lanes(a + l * lda) * b[l];
    t += *read_lanes(a + l * lda + WIDTH) * b[l];
  }
  *lanes(c) = s;
  *lanes(c + WIDTH) = t;
}

/* Fewer rows than that. */
static void few_rows (size_t m, size_t k, const double *A, size_t lda, const double *b,
                      double *c) {
  double s[2 * WIDTH] = {0};
  for (size_t l = 0; l < k; l++) {
    for (size_t i = 0; i < m; i++) s[i] += A[i + l * lda] * b[l];
  }
  memcpy(c, s, m * sizeof *s);
}

/* The last rows begin so that they are as many as the others: what both compute are the same
   bits. */
static void gemm_nn (size_t m, size_t n, size_t k, const double *A, size_t lda, const double *B,
                     size_t ldb, double *C, size_t ldc) {
  enum { ROWS = 2 * WIDTH };
  size_t wide = n - n % 5;
  for (size_t j = 0; m < ROWS && j < n; j++) few_rows(m, k, A, lda, B + j * ldb, C + j * ldc);
  if (m < ROWS) return;
  for (size_t r = 0; r < m; r += ROWS) {
    size_t i = r < m - ROWS ? r : m - ROWS;
    for (size_t j = 0; j < wide; j += 5)
      columns_5(k, A + i, lda, B + j * ldb, ldb, C + i + j * ldc, ldc);
    for (size_t j = wide; j < n; j++) columns_1(k, A + i, lda, B + j * ldb, C + i + j * ldc);
  }
}

const Simd SIMD_TABLE = {
  .dot = dot,
  .squared_difference = squared_difference,
  .largest = largest,
  .find = find,
  .scaled = scaled,
  .sum = sum,
  .cross = cross,
  .axpyz = axpyz,
  .gemm_tn = gemm_tn,
  .gemm_nn = gemm_nn,
  .gramian = gramian,
};
