/* sparse_apply.h - products of a SparseMatrix with what is dense; for host/array. */
#ifndef SPARSE_APPLY_H
#define SPARSE_APPLY_H

#include "array/matrix_store.h"
#include "array/sparse.h"
#include "array/vectorarray_store.h"

/* Pushes A U, or A^H U, after other values; U stands at index. */
VectorArray *sparse_push_applied (lua_State *L, SparseMatrix *A, bool adjoint, int index,
                                  const VectorArray *U);

/* Pushes A B; B is argument 2. */
void sparse_push_times_matrix (lua_State *L, SparseMatrix *A, Matrix *B);

/* Pushes B A; B is argument 1, A argument 2, and they fit. */
void sparse_push_matrix_times (lua_State *L, const Matrix *B, SparseMatrix *A);

#endif
