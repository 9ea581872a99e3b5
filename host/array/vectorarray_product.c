/* vectorarray_product.c - inner products, norms and linear combinations of VectorArrays. */
#include "array/vectorarray_store.h"

#include <math.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/matrix_store.h"
#include "array/memory.h"
#include "array/scalar.h"
#include "array/sparse.h"

static size_t at_least_one (size_t n) {
  return n == 0 ? 1 : n;
}

/* Raises, about argument arg, when the product at index is of another size, as far as it tells. */
static void check_size (lua_State *L, int index, int arg, const char *what, size_t rows,
                        size_t cols) {
  lua_Integer m, n;
  if (matrix_test(L, index) != NULL) {
    const Matrix *M = matrix_test(L, index);
    m = (lua_Integer)matrix_rows(M);
    n = (lua_Integer)matrix_cols(M);
  } else if (sparse_test(L, index) != NULL) {
    const SparseMatrix *A = sparse_test(L, index);
    m = (lua_Integer)A->pattern->rows;
    n = (lua_Integer)A->pattern->cols;
  } else if (lua_istable(L, index)) {
    lua_getfield(L, index, "range");
    lua_getfield(L, index, "source");
    if (!lua_isinteger(L, -2) || !lua_isinteger(L, -1)) {
      lua_pop(L, 2);
      return;
    }
    m = lua_tointeger(L, -2);
    n = lua_tointeger(L, -1);
    lua_pop(L, 2);
  } else {
    if (args_test(L, index, &matrix_kind) != NULL)
      args_fail(L, arg, "product: Matrix is closed");
    return; /* refused when it is called */
  }
  if (m == (lua_Integer)rows && n == (lua_Integer)cols) return;
  args_fail(L, arg, "%s %I x %I expected, got %I x %I", what, (lua_Integer)rows,
            (lua_Integer)cols, m, n);
}

/* Pushes product:method(a, b), for the arrays at a and b; messages about the product name argument
   arg. Everything that has the method is a product: a Matrix, a SparseMatrix, an Operator written
   in Lua. */
static void call_product (lua_State *L, int product, int arg, const char *method, int a,
                          int b) {
  int type = lua_type(L, product);
  if (type != LUA_TTABLE &&
      (type != LUA_TUSERDATA || !luaL_getmetafield(L, product, "__index"))) {
    args_fail(L, arg, "product (Operator, SparseMatrix or Matrix) expected, got %s",
              args_kind(L, product));
  }
  if (lua_getfield(L, product, method) == LUA_TNIL) {
    args_fail(L, arg, "a product needs a method '%s'", method);
  }
  check_size(L, product, arg, "product of", vectorarray_check(L, a)->dim,
             vectorarray_check(L, b)->dim);
  lua_pushvalue(L, product);
  lua_pushvalue(L, a);
  lua_pushvalue(L, b);
  lua_call(L, 3, 1);
}

static bool has_product (lua_State *L, int arg) {
  return !lua_isnoneornil(L, arg);
}

/* Do both arrays, which stand at u and v, have complex numbers? Where one of them does, the other
   is replaced by a complex copy; pushes up to two values. */
static bool promote_either (lua_State *L, int u, const VectorArray **U, int v,
                            const VectorArray **V) {
  bool is_complex = vectorarray_is_complex(*U) || vectorarray_is_complex(*V);
  if (is_complex) {
    *U = vectorarray_push_complex(L, u, *U);
    *V = vectorarray_push_complex(L, v, *V);
  }
  return is_complex;
}

void vectorarray_push_inner (lua_State *L, int u, const VectorArray *U, int v,
                             const VectorArray *V) {
  bool is_complex = promote_either(L, u, &U, v, &V);
  size_t ldu, ldv, ldm = at_least_one(U->len);
  const double *x = vectorarray_panel(L, U, &ldu), *y = vectorarray_panel(L, V, &ldv);
  Matrix *M = matrix_push_kind(L, U->len, V->len, is_complex, false);
  (is_complex ? kernelz_gemm : kernel_gemm)(true, false, U->len, V->len, U->dim, x, ldu, y, ldv,
                                            matrix_own(M), ldm);
}

void vectorarray_push_pairwise (lua_State *L, int u, const VectorArray *U, int v,
                                const VectorArray *V) {
  bool is_complex = promote_either(L, u, &U, v, &V);
  lua_createtable(L, U->len > INT32_MAX ? 0 : (int)U->len, 0);
  for (size_t j = 0; j < U->len; j++) {
    const double *x = vectorarray_vector(U, j), *y = vectorarray_vector(V, j);
    if (is_complex) scalar_push(L, kernelz_dot(x, y, U->dim));
    else lua_pushnumber(L, kernel_dot(x, y, U->dim));
    lua_rawseti(L, -2, (lua_Integer)j + 1);
  }
}

/* U:inner(V [, product]) -> Matrix [#U, #V]: U^H V, or U^H product V */
static int l_inner (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1), *V = vectorarray_check(L, 2);
  args_check_dim(L, 2, U->dim, V->dim);
  if (has_product(L, 3)) call_product(L, 3, 3, "apply2", 1, 2);
  else vectorarray_push_inner(L, 1, U, 2, V);
  return 1;
}

/* U:gramian([product]) -> Matrix, exactly symmetric, or Hermitian, without a product */
static int l_gramian (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  if (has_product(L, 2)) {
    call_product(L, 2, 2, "apply2", 1, 1);
    return 1;
  }
  size_t ld;
  const double *u = vectorarray_panel(L, U, &ld);
  bool is_complex = vectorarray_is_complex(U);
  Matrix *M = matrix_push_kind(L, U->len, U->len, is_complex, false);
  (is_complex ? kernelz_gramian : kernel_gramian)(U->len, U->dim, u, ld, matrix_own(M),
                                                  at_least_one(U->len));
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
    call_product(L, 3, 3, "pairwise_apply2", 1, 2);
    return 1;
  }
  vectorarray_push_pairwise(L, 1, U, 2, V);
  return 1;
}

/* Pushes product:pairwise_apply2(U, U) as plain numbers, or their roots, for the array at u and the
   product at index, which argument arg names. Squares in (-1e-10, 0) are rounding, and their roots
   0; below, the product is not semidefinite, and where they are not real, it is not Hermitian. */
static void push_squares (lua_State *L, int u, int index, int arg, bool roots) {
  size_t n = vectorarray_check(L, u)->len;
  int result = lua_gettop(L) + 1;
  call_product(L, index, arg, "pairwise_apply2", u, u);
  int squares = lua_gettop(L);
  if (lua_type(L, squares) != LUA_TTABLE) {
    args_fail(L, arg, "pairwise_apply2 returned %s, list of numbers expected",
              args_kind(L, squares));
  }
  push_numbers(L, n);
  for (size_t j = 0; j < n; j++) {
    lua_geti(L, squares, (lua_Integer)j + 1);
    double complex z = scalar_pop(L, arg, "entry %zu of pairwise_apply2", j + 1).value;
    double square = creal(z);
    if (fabs(cimag(z)) > 1e-10 * fmax(1, fabs(square))) {
      args_fail(L, arg,
                "vector %I has a squared norm with the imaginary part %f: the product is not "
                "Hermitian",
                (lua_Integer)j + 1, cimag(z));
    }
    if (roots && square <= -1e-10) {
      args_fail(L, arg,
                "vector %I has the squared norm %f: the product is "
                "not positive semidefinite",
                (lua_Integer)j + 1, square);
    }
    append_number(L, j, !roots ? square : square < 0 ? 0 : sqrt(square));
  }
  lua_replace(L, result);
  lua_settop(L, result);
}

static double square (const VectorArray *U, size_t j) {
  const double *u = vectorarray_vector(U, j);
  return kernel_dot(u, u, vectorarray_run(U));
}

static double norm (const VectorArray *U, size_t j) {
  return kernel_norm(vectorarray_vector(U, j), vectorarray_run(U));
}

/* U:norm2([product]) -> list */
static int l_norm2 (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  if (has_product(L, 2)) {
    push_squares(L, 1, 2, 2, false);
    return 1;
  }
  vectorarray_push_numbers(L, U, square);
  return 1;
}

/* U:norm([product]) -> list */
static int l_norm (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  if (has_product(L, 2)) {
    push_squares(L, 1, 2, 2, true);
    return 1;
  }
  vectorarray_push_numbers(L, U, norm);
  return 1;
}

/* U:lincomb(C) -> VectorArray; C: Matrix [#U, n], or a list of #U numbers for one vector */
static int l_lincomb (lua_State *L) {
  args_plain(L, 2);
  const VectorArray *U = vectorarray_check(L, 1);
  const Matrix *C = matrix_test(L, 2);
  size_t n = 1, ld;
  const double *c;
  bool c_is_complex;
  if (C != NULL) {
    n = matrix_cols(C);
    c_is_complex = matrix_is_complex(C);
    if (matrix_rows(C) != U->len) {
      args_fail(L, 2, "Matrix of %I rows expected, got %I", (lua_Integer)U->len,
                (lua_Integer)matrix_rows(C));
    }
    if (vectorarray_is_complex(U)) C = matrix_push_complex(L, 2, C);
    c = matrix_read(C);
  } else {
    if (!lua_istable(L, 2)) luaL_typeerror(L, 2, "Matrix or list of numbers");
    double *list = scalar_list(L, 2, U->len, &c_is_complex);
    if (vectorarray_is_complex(U) && !c_is_complex) scalar_widen(list, U->len);
    c = list;
  }
  bool is_complex = c_is_complex || vectorarray_is_complex(U);
  if (is_complex) U = vectorarray_push_complex(L, 1, U);
  const double *u = vectorarray_panel(L, U, &ld);
  VectorArray *W = vectorarray_push_kind(L, U->dim, n, is_complex, false);
  (is_complex ? kernelz_gemm : kernel_gemm)(false, false, U->dim, n, U->len, u, ld, c,
                                            at_least_one(U->len), memory_own(W->block),
                                            at_least_one(U->dim));
  return 1;
}

static bool differs (double difference, double norm, double rtol, double atol) {
  return !(difference <= atol + rtol * norm); /* NaN differs from everything */
}

/* Does vector j of U differ from its counterpart in V, in the Euclidean or the sup norm? */
static bool vectors_differ (const double *u, const double *v, size_t n, bool is_complex,
                            bool sup, double rtol, double atol) {
  size_t run = is_complex ? 2 * n : n;
  double norm, difference;
  if (!sup) {
    norm = kernel_norm(v, run);
    difference = kernel_norm_of_difference(u, v, run);
  } else {
    norm = (is_complex ? kernelz_sup : kernel_sup)(v, n, NULL);
    difference = (is_complex ? kernelz_sup_of_difference : kernel_sup_of_difference)(u, v, n);
  }
  return differs(difference, norm, rtol, atol);
}

/* norms(U - V) and norms(V) in the product. stack: U, V, options, product */
static bool arrays_differ (lua_State *L, size_t n, bool broadcast, double rtol, double atol) {
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_arith(L, LUA_OPSUB);
  push_squares(L, 5, 4, 3, true);
  push_squares(L, 2, 4, 3, true);
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
  args_options(L, 3, names); /* first: a metamethod could close an array */
  double rtol = args_option_number(L, 3, "rtol", 1e-14);
  double atol = args_option_number(L, 3, "atol", 1e-14);
  bool sup = args_option_boolean(L, 3, "sup_norm", false);
  lua_settop(L, 3);
  bool has_option = args_option(L, 3, "product") != LUA_TNIL;
  const VectorArray *U = vectorarray_check(L, 1), *V = vectorarray_check(L, 2);
  args_check_dim(L, 2, U->dim, V->dim);
  bool broadcast = V->len == 1;
  if (!broadcast) args_check_len(L, 2, U->len, V->len);
  bool differ = false;
  if (has_option) {
    luaL_argcheck(L, !sup, 3, "options product and sup_norm exclude each other");
    check_size(L, 4, 3, "option product:", U->dim, U->dim);
    differ = arrays_differ(L, U->len, broadcast, rtol, atol);
  } else {
    bool is_complex = promote_either(L, 1, &U, 2, &V);
    for (size_t j = 0; j < U->len && !differ; j++) {
      const double *u = vectorarray_vector(U, j), *v = vectorarray_vector(V, broadcast ? 0 : j);
      differ = vectors_differ(u, v, U->dim, is_complex, sup, rtol, atol);
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
