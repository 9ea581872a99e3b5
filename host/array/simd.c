/* simd.c - loops over runs of doubles. Compiled once for each kind of registers: SIMD_TABLE is
   the name of the table that is made. */
#include "array/simd.h"

#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#ifndef SIMD_TABLE
#define SIMD_TABLE simd_baseline
#endif

/* Lanes pass between functions of this file alone, all of them inline. */
#pragma GCC diagnostic ignored "-Wpsabi"

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

/* Bit k of the result is set where lane k is not 0 but all bits. */
static inline unsigned bits_of (Bits b) {
#ifdef __AVX__
  return (unsigned)__builtin_ia32_movmskpd256((Lanes)b);
#else
  return (unsigned)((b[0] & 1) | (b[1] & 2) | (b[2] & 4) | (b[3] & 8));
#endif
}

static size_t find (const double *x, int64_t magnitude, size_t n) {
  const Bits below = (Bits){0} + (magnitude - 1), mask = (Bits){0} + INT64_MAX;
  size_t i = 0;
  for (; n - i >= 2 * WIDTH; i += 2 * WIDTH) {
    const Bits *a = (const Bits *)(x + i), *b = (const Bits *)(x + i + WIDTH);
    unsigned hits = bits_of((*a & mask) > below) | bits_of((*b & mask) > below) << WIDTH;
    if (hits != 0) return i + (size_t)__builtin_ctz(hits);
  }
  while (simd_magnitude(x[i]) < magnitude) i++;
  return i;
}

/* Loops that do little with a number are unrolled, so that the loop itself costs nothing. */
enum { UNROLLED = 8 * WIDTH };

/* The memory of a result of so many numbers has left the caches since its last array was dropped:
   it is the collector that frees it. To write past the caches saves reading it first. Of 4 MB
   that gains nothing yet, of 8 and 80 MB a quarter. */
enum { STREAMED = 750000 };

static inline void stream (double *z, Lanes v) {
#if defined __AVX__
  _mm256_stream_pd(z, (__m256d)v);
#elif defined __SSE2__
  _mm_stream_pd(z, (__m128d){v[0], v[1]});
  _mm_stream_pd(z + 2, (__m128d){v[2], v[3]});
#else
  *lanes(z) = v;
#endif
}

/* Other processes may be told of the result right after this. */
static inline void end_streams (void) {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

/* How many numbers come before the first that can be streamed to; n when none shall be. */
static size_t before_streams (const double *z, const double *operand, size_t n) {
  if (n < STREAMED || z == operand) return n;
  return -((uintptr_t)z / sizeof *z) % WIDTH;
}

static void scaled (double *z, double alpha, const double *x, size_t n) {
  size_t i = 0, cached = before_streams(z, x, n);
  for (; cached - i >= UNROLLED; i += UNROLLED) {
    for (size_t k = i; k < i + UNROLLED; k += WIDTH) *lanes(z + k) = alpha * *read_lanes(x + k);
  }
  for (; cached - i >= WIDTH; i += WIDTH) *lanes(z + i) = alpha * *read_lanes(x + i);
  for (; i < cached; i++) z[i] = alpha * x[i];
  if (i == n) return;
  for (; n - i >= WIDTH; i += WIDTH) stream(z + i, alpha * *read_lanes(x + i));
  end_streams();
  for (; i < n; i++) z[i] = alpha * x[i];
}

static void sum (double *z, const double *x, double alpha, const double *y, size_t n) {
  size_t i = 0, cached = before_streams(z, x, n);
  for (; cached - i >= UNROLLED; i += UNROLLED) {
    for (size_t k = i; k < i + UNROLLED; k += WIDTH)
      *lanes(z + k) = *read_lanes(x + k) + alpha * *read_lanes(y + k);
  }
  for (; cached - i >= WIDTH; i += WIDTH)
    *lanes(z + i) = *read_lanes(x + i) + alpha * *read_lanes(y + i);
  for (; i < cached; i++) z[i] = x[i] + alpha * y[i];
  if (i == n) return;
  for (; n - i >= WIDTH; i += WIDTH)
    stream(z + i, *read_lanes(x + i) + alpha * *read_lanes(y + i));
  end_streams();
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

#define INLINE static inline __attribute__((always_inline))

INLINE double total (Lanes s) {
  return (s[0] + s[1]) + (s[2] + s[3]);
}

/* The totals of a, b, c and d. */
INLINE Lanes totals (Lanes a, Lanes b, Lanes c, Lanes d) {
  Lanes ab = __builtin_shufflevector(a, b, 0, 4, 2, 6) +
             __builtin_shufflevector(a, b, 1, 5, 3, 7);
  Lanes cd = __builtin_shufflevector(c, d, 0, 4, 2, 6) +
             __builtin_shufflevector(c, d, 1, 5, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 6, 7) +
         __builtin_shufflevector(ab, cd, 2, 3, 4, 5);
}

/* The totals of m <= 5 sums. */
INLINE void put_totals (size_t m, const Lanes *s, double *c) {
  if (m >= 4) *lanes(c) = totals(s[0], s[1], s[2], s[3]);
  if (m % 4 == 1) c[m - 1] = total(s[m - 1]);
  if (m == 2 || m == 3) {
    Lanes t = totals(s[0], s[1], s[m - 1], s[m - 1]);
    for (size_t i = 0; i < m; i++) c[i] = t[i];
  }
}

/* The first n < WIDTH lanes. */
INLINE Lanes read_some (const double *x, size_t n) {
  return (Lanes){x[0], n > 1 ? x[1] : 0, n > 2 ? x[2] : 0, 0};
}

enum { ROWS = 5, COLS = 2 }; /* as many sums as there are registers for them */

/* Adds the products of so many rows, from row l on, of m columns of A with n of B. */
INLINE void add_products (size_t m, size_t n, size_t rows, Lanes s[COLS][ROWS], const double *a,
                          size_t lda, const double *b, size_t ldb) {
  bool all = rows == WIDTH;
  Lanes y[COLS];
  for (size_t j = 0; j < n; j++)
    y[j] = all ? *read_lanes(b + j * ldb) : read_some(b + j * ldb, rows);
  for (size_t i = 0; i < m; i++) {
    Lanes x = all ? *read_lanes(a + i * lda) : read_some(a + i * lda, rows);
    KEEP(x);
    for (size_t j = 0; j < n; j++) s[j][i] += x * y[j];
  }
}

/* The products of m columns of A with n of B, both constants. */
INLINE void dots (size_t m, size_t n, size_t k, const double *a, size_t lda, const double *b,
                  size_t ldb, double *C, size_t ldc) {
  Lanes s[COLS][ROWS];
  for (size_t e = 0; e < m * n; e++) s[e / m][e % m] = (Lanes){0};
  size_t l = 0;
  for (; k - l >= WIDTH; l += WIDTH) add_products(m, n, WIDTH, s, a + l, lda, b + l, ldb);
  if (l < k) add_products(m, n, k - l, s, a + l, lda, b + l, ldb);
  for (size_t j = 0; j < n; j++) put_totals(m, s[j], C + j * ldc);
}

/* Rows first to m - 1 of n columns, a constant. Sums of few products wait for each other, so the
   last six rows are two times three rather than five and one. */
INLINE void columns_tn (size_t first, size_t m, size_t n, size_t k, const double *A, size_t lda,
                        const double *b, size_t ldb, double *C, size_t ldc) {
  size_t i = first;
  for (; m - i >= ROWS && m - i != 6; i += ROWS)
    dots(ROWS, n, k, A + i * lda, lda, b, ldb, C + i, ldc);
  for (; m - i == 6 || m - i == 3; i += 3) dots(3, n, k, A + i * lda, lda, b, ldb, C + i, ldc);
  const double *a = A + i * lda;
  if (m - i == 4) dots(4, n, k, a, lda, b, ldb, C + i, ldc);
  else if (m - i == 2) dots(2, n, k, a, lda, b, ldb, C + i, ldc);
  else if (m - i == 1) dots(1, n, k, a, lda, b, ldb, C + i, ldc);
}

static void gemm_tn (size_t m, size_t n, size_t k, const double *A, size_t lda, const double *B,
                     size_t ldb, double *C, size_t ldc) {
  size_t j = 0;
  for (; n - j >= COLS; j += COLS)
    columns_tn(0, m, COLS, k, A, lda, B + j * ldb, ldb, C + j * ldc, ldc);
  if (j < n) columns_tn(0, m, 1, k, A, lda, B + j * ldb, ldb, C + j * ldc, ldc);
}

static void gramian (size_t n, size_t k, const double *A, size_t lda, double *C, size_t ldc) {
  size_t j = 0;
  for (; n - j >= COLS; j += COLS)
    columns_tn(j, n, COLS, k, A, lda, A + j * lda, lda, C + j * ldc, ldc);
  if (j < n) columns_tn(j, n, 1, k, A, lda, A + j * lda, lda, C + j * ldc, ldc);
}

/* v times WIDTH rows and n columns of A B, both constants. */
INLINE void columns_nn (size_t v, size_t n, size_t k, const double *a, size_t lda,
                        const double *b, size_t ldb, double *C, size_t ldc) {
  Lanes s[ROWS][COLS], x[COLS]; /* columns and rows have changed places */
  for (size_t e = 0; e < n * v; e++) s[e / v][e % v] = (Lanes){0};
  for (size_t l = 0; l < k; l++) {
    for (size_t i = 0; i < v; i++) x[i] = *read_lanes(a + l * lda + i * WIDTH);
    for (size_t e = 0; e < n * v; e++) s[e / v][e % v] += x[e % v] * b[l + e / v * ldb];
  }
  for (size_t e = 0; e < n * v; e++) *lanes(C + e / v * ldc + e % v * WIDTH) = s[e / v][e % v];
}

/* v times WIDTH rows of A B, a constant. */
INLINE void rows_nn (size_t v, size_t n, size_t k, const double *a, size_t lda, const double *B,
                     size_t ldb, double *C, size_t ldc) {
  size_t j = 0;
  for (; n - j >= ROWS; j += ROWS)
    columns_nn(v, ROWS, k, a, lda, B + j * ldb, ldb, C + j * ldc, ldc);
  const double *b = B + j * ldb;
  double *c = C + j * ldc;
  switch (n - j) {
    case 4: columns_nn(v, 4, k, a, lda, b, ldb, c, ldc); break;
    case 3: columns_nn(v, 3, k, a, lda, b, ldb, c, ldc); break;
    case 2: columns_nn(v, 2, k, a, lda, b, ldb, c, ldc); break;
    case 1: columns_nn(v, 1, k, a, lda, b, ldb, c, ldc); break;
  }
}

/* Fewer rows than lanes. */
static void few_rows (size_t m, size_t k, const double *A, size_t lda, const double *b,
                      double *c) {
  double s[WIDTH] = {0};
  for (size_t l = 0; l < k; l++) {
    for (size_t i = 0; i < m; i++) s[i] += A[i + l * lda] * b[l];
  }
  memcpy(c, s, m * sizeof *s);
}

/* The last rows begin so that they are as many as the others: what both compute are the same
   bits. */
static void gemm_nn (size_t m, size_t n, size_t k, const double *A, size_t lda, const double *B,
                     size_t ldb, double *C, size_t ldc) {
  size_t i = 0;
  for (size_t j = 0; m < WIDTH && j < n; j++) few_rows(m, k, A, lda, B + j * ldb, C + j * ldc);
  if (m < WIDTH) return;
  for (; m - i >= 2 * WIDTH; i += 2 * WIDTH) rows_nn(2, n, k, A + i, lda, B, ldb, C + i, ldc);
  for (; i < m; i += WIDTH) {
    size_t last = m - WIDTH, r = i < last ? i : last;
    rows_nn(1, n, k, A + r, lda, B, ldb, C + r, ldc);
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
