/* dense.h - factorisations of small dense systems, column-major with leading dimension n. No Lua.
   LAPACK does the large ones; for the small ones its calls cost more than the work. */
#ifndef DENSE_H
#define DENSE_H

#include <stdbool.h>
#include <stddef.h>

/* A = P L U in place, with row interchanges in pivots (counted from 1, as LAPACK does). Returns
   the number, from 1, of the first pivot that is 0, or 0. */
int dense_lu (int n, double *A, int *pivots);

/* X = A^-1 X, or A^-T X, from the factors; X has m columns, ldx apart. */
void dense_lu_solve (int n, const double *LU, const int *pivots, bool transposed, int m,
                     double *X, int ldx);

/* A = L L^T in place, from and in the lower triangle; the upper one is not touched. Returns the
   number, from 1, of the first pivot that is not positive, or 0. */
int dense_cholesky (int n, double *A);
void dense_cholesky_solve (int n, const double *A, int m, double *X, int ldx);

/* The same for complex matrices, and with adjoints; LAPACK throughout. */
int dense_zlu (int n, double *A, int *pivots);
void dense_zlu_solve (int n, const double *LU, const int *pivots, bool adjoint, int m,
                      double *X, int ldx);
int dense_zcholesky (int n, double *A);
void dense_zcholesky_solve (int n, const double *A, int m, double *X, int ldx);

#endif
