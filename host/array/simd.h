/* simd.h - loops over runs of doubles, compiled once for each kind of vector registers. No Lua.
   Every version gives the same bits: sums run over the same lanes, and products and sums stay
   apart (-ffp-contract=off). */
#ifndef SIMD_H
#define SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Simd {
  double (*dot)(const double *x, const double *y, size_t n);

  /* The sum of the squares of (x - y) scale. */
  double (*squared_difference)(const double *x, const double *y, double scale, size_t n);

  /* The largest of simd_magnitude. */
  int64_t (*largest)(const double *x, size_t n);

  /* The first place where simd_magnitude is so large; there is one. */
  size_t (*find)(const double *x, int64_t magnitude, size_t n);

  /* z = alpha x and z = x + alpha y; z may be x. */
  void (*scaled)(double *z, double alpha, const double *x, size_t n);
  void (*sum)(double *z, const double *x, double alpha, const double *y, size_t n);

  /* The same for complex numbers, a real part and an imaginary part each: the imaginary part of the
     sum of conj(x) y (dot over all parts gives the real one), and y += (re + im i) x. */
  double (*cross)(const double *x, const double *y, size_t n);
  void (*axpyz)(double *y, double re, double im, const double *x, size_t n);

  /* C = A^T B and C = A B, column-major. For products that are over before a BLAS has packed its
     operands. The order of each sum depends on k alone. */
  void (*gemm_tn)(size_t m, size_t n, size_t k, const double *A, size_t lda, const double *B,
                  size_t ldb, double *C, size_t ldc);
  void (*gemm_nn)(size_t m, size_t n, size_t k, const double *A, size_t lda, const double *B,
                  size_t ldb, double *C, size_t ldc);

  /* The lower triangle of C = A^T A, n x n; of the rest some entries. */
  void (*gramian)(size_t n, size_t k, const double *A, size_t lda, double *C, size_t ldc);
} Simd;

/* The absolute value of x as an integer: of the same order as the numbers, and above all of them
   where x is NaN. */
static inline int64_t simd_magnitude (double x) {
  int64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & INT64_MAX;
}

/* The number that it is of. */
static inline double simd_number (int64_t magnitude) {
  double x;
  memcpy(&x, &magnitude, sizeof x);
  return x;
}

extern const Simd simd_baseline;

#ifdef SIMD_AVX2
extern const Simd simd_avx2;

/* The best for this processor. */
static inline const Simd *simd (void) {
  return __builtin_cpu_supports("avx2") ? &simd_avx2 : &simd_baseline;
}
#else
static inline const Simd *simd (void) {
  return &simd_baseline;
}
#endif

#endif
