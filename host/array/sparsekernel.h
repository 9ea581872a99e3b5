/* sparsekernel.h - arithmetic on compressed columns. No Lua; nothing here can fail.
   Each vector's sums run in an order that depends on the matrix alone, not on its neighbours. */
#ifndef SPARSEKERNEL_H
#define SPARSEKERNEL_H

#include <stdbool.h>
#include "array/pattern.h"

/* Y = A U, n vectors; those of U are ldu apart, those of Y contiguous. */
void sparsekernel_apply (const Pattern *p, const double *x, size_t n, const double *U,
                         size_t ldu, double *Y);

/* Y = A^T V. Gathers rather than scatters, hence the faster one: for a symmetric matrix it gives
   the same bits as sparsekernel_apply. */
void sparsekernel_apply_adjoint (const Pattern *p, const double *x, size_t n, const double *V,
                                 size_t ldv, double *Y);

/* The same for complex matrices and vectors; the adjoint, or, where conjugate is false, the
   transposed one. */
void sparsekernel_apply_complex (const Pattern *p, const double *x, size_t n, const double *U,
                                 size_t ldu, double *Y);
void sparsekernel_gather_complex (const Pattern *p, const double *x, bool conjugate, size_t n,
                                  const double *V, size_t ldv, double *Y);

/* z = sum of coefficients[i] * x[i] in the places maps[i] of z, which has nnz entries; maps or one
   of them may be NULL (in place). Terms with the coefficient 0 are left out. */
void sparsekernel_lincomb (double *z, size_t nnz, size_t n, const double *coefficients,
                           const double *const *x, const size_t *lens,
                           const int64_t *const *maps);

/* The same for complex z and coefficients; matrix i is complex where are_complex[i] says so. */
void sparsekernel_lincomb_complex (double *z, size_t nnz, size_t n, const double *coefficients,
                                   const double *const *x, const bool *are_complex,
                                   const size_t *lens, const int64_t *const *maps);

/* Fills indices and values of the transposed matrix, whose column pointers are starts; next is
   scratch of p->rows + 1, width the number of doubles of a value. */
void sparsekernel_transpose (const Pattern *p, const double *x, size_t width,
                             const int64_t *starts, int64_t *indices, double *y, int64_t *next);

/* Is the matrix of a symmetric pattern symmetric? next is scratch of p->cols. */
int sparsekernel_is_symmetric (const Pattern *p, const double *x, size_t width, int64_t *next);

/* Is the complex matrix of a symmetric pattern Hermitian? */
int sparsekernel_is_hermitian (const Pattern *p, const double *x, int64_t *next);

#endif
