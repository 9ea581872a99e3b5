/* kernels.h - arithmetic on runs of doubles. No Lua; nothing here can fail.
   The sums over one vector run in an order that depends on its length alone, so that their bits
   depend neither on the BLAS, nor on its threads, nor on the vectors beside it. */
#ifndef KERNELS_H
#define KERNELS_H

#include <stdbool.h>
#include <stddef.h>

double kernel_dot (const double *x, const double *y, size_t n);
double kernel_norm (const double *x, size_t n); /* neither overflows nor underflows */
double kernel_norm_of_difference (const double *x, const double *y, size_t n);
double kernel_sup_of_difference (const double *x, const double *y, size_t n); /* NaN wins */

/* The largest absolute value, and the first index where it stands unless index is NULL; the first
   NaN wins over every number. n = 0: 0 and index 0. */
double kernel_sup (const double *x, size_t n, size_t *index);

/* How many numbers come before the first that is not finite; n when all are. */
size_t kernel_finite (const double *x, size_t n);

/* Copies x to y, and says whether all numbers are finite; if not, only a part may be copied. */
bool kernel_copy_finite (double *y, const double *x, size_t n);

void kernel_fill (double *x, double value, size_t n);
void kernel_scal (double *x, double alpha, size_t n);                    /* x = alpha x */
void kernel_scaled (double *z, double alpha, const double *x, size_t n); /* z = alpha x */
void kernel_axpy (double *y, double alpha, const double *x, size_t n);   /* y += alpha x */
void kernel_sum (double *z, const double *x, double alpha, const double *y, size_t n);
/* z = x + alpha y */

/* C = op(A) op(B), column-major, op(A) m x k, op(B) k x n. Any sizes and leading dimensions, beyond
   the 32 bits of the BLAS too. C overlaps neither A nor B; k = 0 gives zeros. */
void kernel_gemm (bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k,
                  const double *A, size_t lda, const double *B, size_t ldb, double *C,
                  size_t ldc);

/* C = A^T A, A k x n: exactly symmetric. */
void kernel_gramian (size_t n, size_t k, const double *A, size_t lda, double *C, size_t ldc);

#endif
