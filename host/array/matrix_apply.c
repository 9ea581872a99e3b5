/* matrix_apply.c - a Matrix as an operator and as a product on VectorArrays. A parameter that
   operators take is ignored. */
#include "array/matrix_store.h"

#include "array/args.h"
#include "array/kernels.h"
#include "array/memory.h"
#include "array/vectorarray_store.h"

/* Pushes M U or M^T U. */
static VectorArray *push_product (lua_State *L, const Matrix *M, bool transposed,
                                  const VectorArray *U) {
  size_t ld, dim = transposed ? M->cols : M->rows;
  const double *u = vectorarray_panel(L, U, &ld);
  VectorArray *V = vectorarray_push_raw(L, dim, U->len);
  kernel_gemm(transposed, false, dim, U->len, U->dim, matrix_read(M), matrix_ld(M->rows), u, ld,
              memory_own(V->block), matrix_ld(dim));
  lua_remove(L, -2);
  return V;
}

/* M:apply(U) -> VectorArray [rows, #U] */
static int l_apply (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  const VectorArray *U = vectorarray_check(L, 2);
  args_check_dim(L, 2, M->cols, U->dim);
  push_product(L, M, false, U);
  return 1;
}

/* M:apply_adjoint(V) -> VectorArray [cols, #V] */
static int l_apply_adjoint (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  const VectorArray *V = vectorarray_check(L, 2);
  args_check_dim(L, 2, M->rows, V->dim);
  push_product(L, M, true, V);
  return 1;
}

/* M:apply2(V, U) -> Matrix [#V, #U], V^T M U */
static int l_apply2 (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  const VectorArray *V = vectorarray_check(L, 2), *U = vectorarray_check(L, 3);
  args_check_dim(L, 2, M->rows, V->dim);
  args_check_dim(L, 3, M->cols, U->dim);
  const VectorArray *W = push_product(L, M, false, U);
  size_t ldv, ldw;
  const double *v = vectorarray_panel(L, V, &ldv), *w = vectorarray_panel(L, W, &ldw);
  Matrix *R = matrix_push_raw(L, V->len, U->len);
  kernel_gemm(true, false, V->len, U->len, V->dim, v, ldv, w, ldw, memory_own(R->block),
              matrix_ld(V->len));
  return 1;
}

/* M:pairwise_apply2(V, U) -> list of #U numbers */
static int l_pairwise_apply2 (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  const VectorArray *V = vectorarray_check(L, 2), *U = vectorarray_check(L, 3);
  args_check_dim(L, 2, M->rows, V->dim);
  args_check_dim(L, 3, M->cols, U->dim);
  args_check_len(L, 3, V->len, U->len);
  const VectorArray *W = push_product(L, M, false, U);
  lua_newtable(L);
  for (size_t j = 0; j < U->len; j++) {
    lua_pushnumber(L, kernel_dot(vectorarray_vector(V, j), vectorarray_vector(W, j), V->dim));
    lua_rawseti(L, -2, (lua_Integer)j + 1);
  }
  return 1;
}

const luaL_Reg matrix_apply_methods[] = {
  {"apply", l_apply},   {"apply_adjoint", l_apply_adjoint},
  {"apply2", l_apply2}, {"pairwise_apply2", l_pairwise_apply2},
  {NULL, NULL},
};
