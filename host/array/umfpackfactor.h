/* umfpackfactor.h - LU factorisations of square sparse matrices. */
#ifndef UMFPACKFACTOR_H
#define UMFPACKFACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include "array/cholmodfactor.h"
#include "array/pattern.h"

typedef struct UmfpackFactor UmfpackFactor;

/* *f: the factorisation of the matrix with the given values, real or complex, in the pattern, to be
   freed by the caller; it holds a reference to the pattern, and the caller keeps the values as long. The column
   ordering is found once per pattern, and from the pattern alone, so that it does not depend on
   which matrix came first. 0, UV_ENOMEM, UV_E2BIG, or FACTOR_SINGULAR and *pivot. */
int umfpackfactor_new (UmfpackFactor **f, Pattern *pattern, const double *values,
                       bool is_complex, FactorPivot *pivot);
void umfpackfactor_free (UmfpackFactor *f);        /* NULL is allowed */
size_t umfpackfactor_len (const UmfpackFactor *f); /* bytes of memory, about */

/* X = inverse of the matrix, or of its adjoint, times B; both have n right-hand sides, of the
   matrix's kind, ldb apart in B and contiguous in X. 0 or UV_ENOMEM. */
int umfpackfactor_solve (UmfpackFactor *f, bool adjoint, double *X, size_t n, const double *B,
                         size_t ldb);

void umfpacksymbolic_free (struct UmfpackSymbolic *s); /* for pattern.c; NULL is allowed */

#endif
