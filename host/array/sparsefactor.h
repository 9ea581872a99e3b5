/* sparsefactor.h - which factorisation suits a sparse matrix. */
#ifndef SPARSEFACTOR_H
#define SPARSEFACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include "array/cholmodfactor.h"
#include "array/umfpackfactor.h"

/* At most one of the two; both NULL: not factorised. */
typedef struct Factor {
  CholmodFactor *cholmod;
  UmfpackFactor *umfpack;
} Factor;

/* Cholesky where the matrix is its own adjoint, as hermitian says, and turns out to be positive
   definite, else LU. 0, UV_ENOMEM, UV_E2BIG, or FACTOR_SINGULAR and *pivot. */
int factor_new (Factor *f, Pattern *pattern, const double *values, bool is_complex,
                bool hermitian, FactorPivot *pivot);
void factor_free (Factor *f); /* may be called any number of times */
bool factor_exists (const Factor *f);
size_t factor_len (const Factor *f); /* bytes of memory, about */

/* X = inverse of the matrix, or of its adjoint, times B, n right-hand sides of the matrix's kind, ldb
   apart in B and contiguous in X. 0 or UV_ENOMEM. */
int factor_solve (Factor *f, bool adjoint, double *X, size_t n, const double *B, size_t ldb);

#endif
