/* matrix_apply.c - a Matrix as an operator and as a product on VectorArrays. A parameter that
   operators take is ignored. */
#include "array/matrix_store.h"

#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/memory.h"
#include "array/vectorarray_store.h"

/* Pushes M U or M^H U, where both are real or both complex. */
static VectorArray *push_plain (lua_State *L, const Matrix *M, bool adjoint,
                                const VectorArray *U) {
  size_t ld, dim = adjoint ? M->cols : M->rows;
  const double *u = vectorarray_panel(L, U, &ld);
  VectorArray *V = vectorarray_push_kind(L, dim, U->len, M->is_complex, false);
  (M->is_complex ? kernelz_gemm : kernel_gemm)(adjoint, false, dim, U->len, U->dim,
                                               matrix_read(M), matrix_ld(M->rows), u, ld,
                                               memory_own(V->block), matrix_ld(dim));
  return V;
}

/* The same for any two; U stands at index. Pushes more than the result, which comes last. */
static VectorArray *push_product (lua_State *L, const Matrix *M, bool adjoint, int index,
                                  const VectorArray *U) {
  if (M->is_complex) return push_plain(L, M, adjoint, vectorarray_push_complex(L, index, U));
  if (!vectorarray_is_complex(U)) return push_plain(L, M, adjoint, U);
  const VectorArray *parts = vectorarray_push_parts(L, U);
  return vectorarray_push_merged(L, push_plain(L, M, adjoint, parts));
}

void matrix_push_applied (lua_State *L, const Matrix *M, int index, const VectorArray *U) {
  push_product(L, M, false, index, U);
}

/* M:apply(U) -> VectorArray [rows, #U] */
static int l_apply (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  const VectorArray *U = vectorarray_check(L, 2);
  args_check_dim(L, 2, M->cols, U->dim);
  push_product(L, M, false, 2, U);
  return 1;
}

/* M:apply_adjoint(V) -> VectorArray [cols, #V] */
static int l_apply_adjoint (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  const VectorArray *V = vectorarray_check(L, 2);
  args_check_dim(L, 2, M->rows, V->dim);
  push_product(L, M, true, 2, V);
  return 1;
}

/* The arguments M, V, U of the two functions below; pushes M U. */
static const VectorArray *push_right (lua_State *L, const VectorArray **V) {
  const Matrix *M = matrix_check(L, 1);
  *V = vectorarray_check(L, 2);
  const VectorArray *U = vectorarray_check(L, 3);
  args_check_dim(L, 2, M->rows, (*V)->dim);
  args_check_dim(L, 3, M->cols, U->dim);
  return push_product(L, M, false, 3, U);
}

/* M:apply2(V, U) -> Matrix [#V, #U], V^H M U */
static int l_apply2 (lua_State *L) {
  const VectorArray *V, *W = push_right(L, &V);
  vectorarray_push_inner(L, 2, V, lua_gettop(L), W);
  return 1;
}

/* M:pairwise_apply2(V, U) -> list of #U numbers */
static int l_pairwise_apply2 (lua_State *L) {
  args_check_len(L, 3, vectorarray_check(L, 2)->len, vectorarray_check(L, 3)->len);
  const VectorArray *V, *W = push_right(L, &V);
  vectorarray_push_pairwise(L, 2, V, lua_gettop(L), W);
  return 1;
}

const luaL_Reg matrix_apply_methods[] = {
  {"apply", l_apply},   {"apply_adjoint", l_apply_adjoint},
  {"apply2", l_apply2}, {"pairwise_apply2", l_pairwise_apply2},
  {NULL, NULL},
};
