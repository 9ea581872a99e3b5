/* matrix_lapack.h - what several users of LAPACK need; for host/array. */
#ifndef MATRIX_LAPACK_H
#define MATRIX_LAPACK_H

#include <lapacke.h>
#include "array/matrix_store.h"

/* Raises what a non-zero info means: no memory, or an iteration that did not converge. */
void matrix_check_info (lua_State *L, lapack_int info, const char *what);

/* Raises unless the square matrix at arg is symmetric up to rounding. */
void matrix_check_symmetric (lua_State *L, int arg);

/* The economic singular value decomposition: k = min(rows, cols) values in s; the vectors, too,
   unless u is NULL. May push scratch. */
void matrix_svd (lua_State *L, const Matrix *M, double *u, double *s, double *vt);

#endif
