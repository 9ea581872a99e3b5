/* vectorarray_product.c - inner products, norms and linear combinations of VectorArrays. */
#include "array/vectorarray_store.h"

#include <math.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/matrix.h"
#include "array/memory.h"

static size_t at_least_one (size_t n) {
  return n == 0 ? 1 : n;
}

/* Pushes product:method(a, b), for the arrays at a and b. Everything that has the method is a
   product: a Matrix, a SparseMatrix, an Operator written in Lua. */
static void call_product (lua_State *L, int product, const char *method, int a, int b) {
  int type = lua_type(L, product);
  if (type != LUA_TTABLE &&
      (type != LUA_TUSERDATA || !luaL_getmetafield(L, product, "__index"))) {
    luaL_typeerror(L, product, "product (Operator, SparseMatrix or Matrix)");
  }
  if (lua_getfield(L, product, method) == LUA_TNIL) {
    args_fail(L, product, "a product needs a method '%s'", method);
  }
  lua_pushvalue(L, product);
  lua_pushvalue(L, a);
  lua_pushvalue(L, b);
  lua_call(L, 3, 1);
}

static bool has_product (lua_State *L, int arg) {
  return !lua_isnoneornil(L, arg);
}

/* U:inner(V [, product]) -> Matrix [#U, #V] */
static int l_inner (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1), *V = vectorarray_check(L, 2);
  args_check_dim(L, 2, U->dim, V->dim);
  if (has_product(L, 3)) {
    call_product(L, 3, "apply2", 1, 2);
    return 1;
  }
  size_t ldu, ldv;
  const double *u = vectorarray_panel(L, U, &ldu), *v = vectorarray_panel(L, V, &ldv);
  Matrix *M = matrix_push_raw(L, U->len, V->len);
  kernel_gemm(true, false, U->len, V->len, U->dim, u, ldu, v, ldv, matrix_write(L, M),
              at_least_one(U->len));
  return 1;
}

/* U:gramian([product]) -> Matrix, exactly symmetric without a product */
static int l_gramian (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  if (has_product(L, 2)) {
    call_product(L, 2, "apply2", 1, 1);
    return 1;
  }
  size_t ld;
  const double *u = vectorarray_panel(L, U, &ld);
  Matrix *M = matrix_push_raw(L, U->len, U->len);
  kernel_gramian(U->len, U->dim, u, ld, matrix_write(L, M), at_least_one(U->len));
  return 1;
}

static void push_numbers (lua_State *L, size_t n) {
  lua_createtable(L, n > INT32_MAX ? 0 : (int)n, 0);
}

static void append_number (lua_State *L, size_t j, double x) {
  lua_pushnumber(L, x);
  lua_rawseti(L, -2, (lua_Integer)j + 1);
}

/* U:pairwise_inner(V [, product]) -> list */
static int l_pairwise_inner (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1), *V = vectorarray_check(L, 2);
  args_check_dim(L, 2, U->dim, V->dim);
  args_check_len(L, 2, U->len, V->len);
  if (has_product(L, 3)) {
    call_product(L, 3, "pairwise_apply2", 1, 2);
    return 1;
  }
  push_numbers(L, U->len);
  for (size_t j = 0; j < U->len; j++) {
    append_number(L, j, kernel_dot(vectorarray_vector(U, j), vectorarray_vector(V, j), U->dim));
  }
  return 1;
}

/* U:norm2([product]) -> list */
static int l_norm2 (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  if (has_product(L, 2)) {
    call_product(L, 2, "pairwise_apply2", 1, 1);
    return 1;
  }
  push_numbers(L, U->len);
  for (size_t j = 0; j < U->len; j++) {
    const double *u = vectorarray_vector(U, j);
    append_number(L, j, kernel_dot(u, u, U->dim));
  }
  return 1;
}

/* Replaces the list of squares at the top of the stack by a list of roots. Squares in (-1e-10, 0)
   are rounding and count as 0; below, the product at arg is not semidefinite. */
static void push_roots (lua_State *L, int arg, size_t n) {
  int squares = lua_gettop(L);
  if (lua_type(L, squares) != LUA_TTABLE) {
    args_fail(L, arg, "pairwise_apply2 returned %s, list of numbers expected",
              luaL_typename(L, squares));
  }
  push_numbers(L, n);
  for (size_t j = 0; j < n; j++) {
    lua_geti(L, squares, (lua_Integer)j + 1);
    double square = args_pop_number(L, arg, "entry %zu of pairwise_apply2", j + 1);
    if (square <= -1e-10) {
      args_fail(L, arg,
                "vector %I has the squared norm %f: the product is "
                "not positive semidefinite",
                (lua_Integer)j + 1, square);
    }
    append_number(L, j, square < 0 ? 0 : sqrt(square));
  }
  lua_remove(L, squares);
}

/* U:norm([product]) -> list */
static int l_norm (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  if (has_product(L, 2)) {
    call_product(L, 2, "pairwise_apply2", 1, 1);
    push_roots(L, 2, U->len);
    return 1;
  }
  push_numbers(L, U->len);
  for (size_t j = 0; j < U->len; j++) {
    append_number(L, j, kernel_norm(vectorarray_vector(U, j), U->dim));
  }
  return 1;
}

/* U:lincomb(C) -> VectorArray; C: Matrix [#U, n], or a list of #U numbers for one vector */
static int l_lincomb (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  const Matrix *C = matrix_test(L, 2);
  size_t n = 1;
  const double *c;
  if (C != NULL) {
    n = matrix_cols(C);
    c = matrix_read(C);
    if (matrix_rows(C) != U->len) {
      args_fail(L, 2, "Matrix of %I rows expected, got %I", (lua_Integer)U->len,
                (lua_Integer)matrix_rows(C));
    }
  } else {
    if (!lua_istable(L, 2)) luaL_typeerror(L, 2, "Matrix or list of numbers");
    c = args_numbers(L, 2, U->len);
  }
  size_t ld;
  const double *u = vectorarray_panel(L, U, &ld);
  VectorArray *W = vectorarray_push_raw(L, U->dim, n);
  kernel_gemm(false, false, U->dim, n, U->len, u, ld, c, at_least_one(U->len),
              memory_own(W->block), at_least_one(U->dim));
  return 1;
}

static bool differs (double difference, double norm, double rtol, double atol) {
  return !(difference <= atol + rtol * norm); /* NaN differs from everything */
}

/* Does vector j of U differ from its counterpart in V, in the Euclidean or the sup norm? */
static bool vectors_differ (const double *u, const double *v, size_t n, bool sup, double rtol,
                            double atol) {
  size_t index;
  double norm = sup ? kernel_sup(v, n, &index) : kernel_norm(v, n);
  double difference = sup ? kernel_sup_of_difference(u, v, n)
                          : kernel_norm_of_difference(u, v, n);
  return differs(difference, norm, rtol, atol);
}

/* norms(U - V) and norms(V) by calling norm with the product. stack: U, V, options, product */
static bool arrays_differ (lua_State *L, size_t n, bool broadcast, double rtol, double atol) {
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_arith(L, LUA_OPSUB);
  for (int k = 0; k < 2; k++) {
    lua_pushcfunction(L, l_norm);
    lua_pushvalue(L, k == 0 ? 5 : 2);
    lua_pushvalue(L, 4);
    lua_call(L, 2, 1);
  }
  for (size_t j = 0; j < n; j++) {
    lua_rawgeti(L, 6, (lua_Integer)j + 1);
    lua_rawgeti(L, 7, broadcast ? 1 : (lua_Integer)j + 1);
    if (differs(lua_tonumber(L, -2), lua_tonumber(L, -1), rtol, atol)) return true;
    lua_pop(L, 2);
  }
  return false;
}

/* U:almost_equal(V [, options]): |U_j - V_j| <= atol + rtol |V_j| for all j */
static int l_almost_equal (lua_State *L) {
  static const char *const names[] = {"rtol", "atol", "product", "sup_norm", NULL};
  const VectorArray *U = vectorarray_check(L, 1), *V = vectorarray_check(L, 2);
  args_options(L, 3, names);
  double rtol = args_option_number(L, 3, "rtol", 1e-14);
  double atol = args_option_number(L, 3, "atol", 1e-14);
  bool sup = args_option_boolean(L, 3, "sup_norm", false);
  args_check_dim(L, 2, U->dim, V->dim);
  bool broadcast = V->len == 1;
  if (!broadcast) args_check_len(L, 2, U->len, V->len);
  lua_settop(L, 3);
  bool differ = false;
  if (lua_getfield(L, 3, "product") != LUA_TNIL) {
    luaL_argcheck(L, !sup, 3, "options product and sup_norm exclude each other");
    differ = arrays_differ(L, U->len, broadcast, rtol, atol);
  } else {
    for (size_t j = 0; j < U->len && !differ; j++) {
      differ = vectors_differ(vectorarray_vector(U, j),
                              vectorarray_vector(V, broadcast ? 0 : j), U->dim, sup, rtol,
                              atol);
    }
  }
  lua_pushboolean(L, !differ);
  return 1;
}

const luaL_Reg vectorarray_product_methods[] = {
  {"inner", l_inner},
  {"gramian", l_gramian},
  {"pairwise_inner", l_pairwise_inner},
  {"norm", l_norm},
  {"norm2", l_norm2},
  {"lincomb", l_lincomb},
  {"almost_equal", l_almost_equal},
  {NULL, NULL},
};
