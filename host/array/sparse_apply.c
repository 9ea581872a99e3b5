/* sparse_apply.c - a SparseMatrix as an operator and as a product on VectorArrays. */
#include "array/sparse.h"

#include <string.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/matrix_store.h"
#include "array/memory.h"
#include "array/scalar.h"
#include "array/sparse_apply.h"
#include "array/sparsekernel.h"
#include "array/vectorarray_store.h"

/* Y = A U or A^H U, both real or both complex. Gathering is faster than scattering and gives a
   symmetric or Hermitian matrix the same bits, so from its second use on it pays to know. */
static void apply (lua_State *L, SparseMatrix *A, bool adjoint, size_t n, const double *U,
                   size_t ldu, double *Y) {
  bool hermitian = adjoint || (A->used && sparse_is_hermitian(L, A));
  bool gather = hermitian || (A->used && sparse_is_symmetric(L, A));
  A->used = true;
  if (A->is_complex && gather)
    sparsekernel_gather_complex(A->pattern, A->x, hermitian, n, U, ldu, Y);
  else if (A->is_complex) sparsekernel_apply_complex(A->pattern, A->x, n, U, ldu, Y);
  else if (gather) sparsekernel_apply_adjoint(A->pattern, A->x, n, U, ldu, Y);
  else sparsekernel_apply(A->pattern, A->x, n, U, ldu, Y);
}

static VectorArray *push_plain (lua_State *L, SparseMatrix *A, bool adjoint,
                                const VectorArray *U) {
  const Pattern *p = A->pattern;
  size_t ldu, dim = adjoint ? p->cols : p->rows;
  const double *panel = vectorarray_panel(L, U, &ldu);
  VectorArray *V = vectorarray_push_kind(L, dim, U->len, A->is_complex, false);
  if (U->len > 0 && dim > 0) apply(L, A, adjoint, U->len, panel, ldu, memory_own(V->block));
  return V;
}

VectorArray *sparse_push_applied (lua_State *L, SparseMatrix *A, bool adjoint, int index,
                                  const VectorArray *U) {
  if (A->is_complex) return push_plain(L, A, adjoint, vectorarray_push_complex(L, index, U));
  if (!vectorarray_is_complex(U)) return push_plain(L, A, adjoint, U);
  const VectorArray *parts = vectorarray_push_parts(L, U);
  return vectorarray_push_merged(L, push_plain(L, A, adjoint, parts));
}

/* A:apply(U) -> A U */
static int l_apply (lua_State *L) {
  SparseMatrix *A = sparse_check(L, 1);
  const VectorArray *U = vectorarray_check(L, 2);
  args_check_dim(L, 2, A->pattern->cols, U->dim);
  sparse_push_applied(L, A, false, 2, U);
  return 1;
}

/* A:apply_adjoint(V) -> A^H V */
static int l_apply_adjoint (lua_State *L) {
  SparseMatrix *A = sparse_check(L, 1);
  const VectorArray *V = vectorarray_check(L, 2);
  args_check_dim(L, 2, A->pattern->rows, V->dim);
  sparse_push_applied(L, A, true, 2, V);
  return 1;
}

/* The arguments A, V, U of the two functions below; pushes A U. */
static const VectorArray *push_right (lua_State *L, const VectorArray **V) {
  SparseMatrix *A = sparse_check(L, 1);
  *V = vectorarray_check(L, 2);
  const VectorArray *U = vectorarray_check(L, 3);
  args_check_dim(L, 2, A->pattern->rows, (*V)->dim);
  args_check_dim(L, 3, A->pattern->cols, U->dim);
  return sparse_push_applied(L, A, false, 3, U);
}

/* A:apply2(V, U) -> Matrix [#V, #U] of V^H A U */
static int l_apply2 (lua_State *L) {
  const VectorArray *V, *W = push_right(L, &V);
  vectorarray_push_inner(L, 2, V, lua_gettop(L), W);
  return 1;
}

/* A:pairwise_apply2(V, U) -> list of V[i]^H A U[i] */
static int l_pairwise_apply2 (lua_State *L) {
  args_check_len(L, 3, vectorarray_check(L, 2)->len, vectorarray_check(L, 3)->len);
  const VectorArray *V, *W = push_right(L, &V);
  vectorarray_push_pairwise(L, 2, V, lua_gettop(L), W);
  return 1;
}

void sparse_push_times_matrix (lua_State *L, SparseMatrix *A, Matrix *B) {
  args_check_dim(L, 2, A->pattern->cols, B->rows);
  VectorArray *columns = vectorarray_push_closed(L); /* over the same memory */
  vectorarray_adopt(columns, block_retain(B->block), B->offset, B->rows, B->cols,
                    B->is_complex);
  VectorArray *V = sparse_push_applied(L, A, false, lua_gettop(L), columns);
  Matrix *C = matrix_push_closed(L);
  matrix_adopt(C, block_retain(V->block), V->offset, V->dim, V->len, V->is_complex);
  vectorarray_close(V); /* now, so that C need not copy before it is written */
  vectorarray_close(columns);
}

/* Column by column: each is a combination of few columns of B. */
void sparse_push_matrix_times (lua_State *L, const Matrix *B, SparseMatrix *A) {
  bool is_complex = A->is_complex || B->is_complex;
  if (is_complex) {
    B = matrix_push_complex(L, 1, B);
    A = sparse_push_complex(L, 2, A);
  }
  const Pattern *p = A->pattern;
  Matrix *C = matrix_push_kind(L, B->rows, p->cols, is_complex, true);
  double *c = matrix_write(L, C);
  const double *b = matrix_read(B);
  size_t n = B->rows, run = is_complex ? 2 * n : n;
  for (size_t j = 0; j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      const double *column = b + (size_t)p->indices[k] * run;
      if (is_complex)
        kernelz_axpy(c + j * run, scalar_of(A->x[2 * k], A->x[2 * k + 1]), column, n);
      else kernel_axpy(c + j * run, A->x[k], column, n);
    }
  }
}

const luaL_Reg sparse_apply_methods[] = {
  {"apply", l_apply},   {"apply_adjoint", l_apply_adjoint},
  {"apply2", l_apply2}, {"pairwise_apply2", l_pairwise_apply2},
  {NULL, NULL},
};
