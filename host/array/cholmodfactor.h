/* cholmodfactor.h - Cholesky factorisations of symmetric or Hermitian positive definite matrices. */
#ifndef CHOLMODFACTOR_H
#define CHOLMODFACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include "array/pattern.h"

/* What factorisations return beside 0 and UV_* codes. */
enum { FACTOR_SINGULAR = 1, FACTOR_INDEFINITE = 2 };

/* A pivot that is this small relative to what it was before elimination is rounding error: a
   few units in the last place of numbers that cancelled. */
#define FACTOR_PIVOT_MIN 3.6e-15 /* 16 units */

/* Where a factorisation ended. */
typedef struct FactorPivot {
  size_t column; /* of the matrix, from 0 */
  double value;
} FactorPivot;

typedef struct CholmodFactor CholmodFactor;

/* *f: the factorisation of the symmetric, or complex Hermitian, matrix with the given values in the
   pattern, to be freed by the caller; it holds a reference to the pattern. The ordering and the
   structure of the factor are found once per pattern. 0, UV_ENOMEM, UV_E2BIG, or
   FACTOR_INDEFINITE and *pivot. */
int cholmodfactor_new (CholmodFactor **f, Pattern *pattern, const double *values,
                       bool is_complex, FactorPivot *pivot);

/* Leaves its memory with the pattern, for the next matrix. NULL is allowed. */
void cholmodfactor_free (CholmodFactor *f);
size_t cholmodfactor_len (const CholmodFactor *f); /* bytes of memory, about */

/* X = inverse of the matrix times B; both have n right-hand sides of its kind, ldb apart in B
   and contiguous in X. 0 or UV_ENOMEM. */
int cholmodfactor_solve (CholmodFactor *f, double *X, size_t n, const double *B, size_t ldb);

/* For pattern.c. NULL is allowed in all places. */
void cholmodsymbolic_free (struct CholmodSymbolic *s, struct CholmodContext *context);
void cholmodcontext_free (struct CholmodContext *context);

#endif
