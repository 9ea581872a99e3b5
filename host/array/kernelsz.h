/* kernelsz.h - arithmetic on runs of complex numbers, each a real and an imaginary part. No Lua;
   nothing here can fail. n counts complex numbers, leading dimensions too. What a complex run has
   in common with a real one of twice the length (sums, norms, real factors) is in kernels.h. */
#ifndef KERNELSZ_H
#define KERNELSZ_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

/* The sum of conj(x[i]) y[i]. */
double complex kernelz_dot (const double *x, const double *y, size_t n);

/* The largest modulus, and the first index where it stands unless index is NULL; the first number
   with a NaN in it wins over every other. n = 0: 0 and index 0. */
double kernelz_sup (const double *x, size_t n, size_t *index);
double kernelz_sup_of_difference (const double *x, const double *y, size_t n); /* NaN wins */

void kernelz_scaled (double *z, double complex alpha, const double *x, size_t n);
/* z = alpha x; z may be x */
void kernelz_axpy (double *y, double complex alpha, const double *x,
                   size_t n); /* y += alpha x */

void kernelz_promote (double *z, const double *x, size_t n); /* real to complex */
void kernelz_part (double *y, const double *x, size_t n, bool imaginary);
void kernelz_conj (double *y, const double *x, size_t n);
void kernelz_merge (double *z, const double *re, const double *im, size_t n);

/* C = op(A) op(B) as kernel_gemm; op is the adjoint where that says so. */
void kernelz_gemm (bool adjoint_a, bool adjoint_b, size_t m, size_t n, size_t k,
                   const double *A, size_t lda, const double *B, size_t ldb, double *C,
                   size_t ldc);

/* C = A^H A, A k x n: exactly Hermitian. */
void kernelz_gramian (size_t n, size_t k, const double *A, size_t lda, double *C, size_t ldc);

#endif
