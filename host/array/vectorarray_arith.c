/* vectorarray_arith.c - scal, axpy and the operators +, -, *. */
#include "array/vectorarray_store.h"

#include "array/args.h"
#include "array/kernels.h"
#include "array/memory.h"

/* A number or a list of n numbers at arg: for each j, *each is NULL and *one the factor, or each
   holds them (in a scratch userdata that is pushed). */
static void check_factors (lua_State *L, int arg, size_t n, double *one, const double **each) {
  *one = 0;
  *each = NULL;
  if (lua_type(L, arg) == LUA_TNUMBER) {
    *one = lua_tonumber(L, arg);
  } else if (lua_istable(L, arg)) {
    *each = args_numbers(L, arg, n);
  } else {
    luaL_typeerror(L, arg, "number or list of numbers");
  }
}

/* U:scal(alpha) */
static int l_scal (lua_State *L) {
  VectorArray *U = vectorarray_check(L, 1);
  double one;
  const double *each;
  check_factors(L, 2, U->len, &one, &each);
  vectorarray_check_distinct(L, 1, U);
  if (U->len > 0) {
    double *x = vectorarray_write(L, U);
    for (size_t j = 0; j < U->len; j++) {
      kernel_scal(x + vectorarray_place(U, j) * U->dim, each == NULL ? one : each[j], U->dim);
    }
  }
  lua_settop(L, 1);
  return 1;
}

/* The smallest and the largest place of the vectors of U in its root; U is not empty. */
static void get_extent (const VectorArray *U, size_t *low, size_t *high) {
  *low = *high = vectorarray_place(U, 0);
  size_t step = U->is_view && U->indices != NULL ? 1 : U->len - 1;
  for (size_t j = 0; j < U->len; j += step == 0 ? 1 : step) {
    size_t place = vectorarray_place(U, j);
    if (place < *low) *low = place;
    if (place > *high) *high = place;
  }
}

/* Could writing to vector j of U change a vector of X that is read later? */
static bool may_clash (const VectorArray *U, const VectorArray *X) {
  if (vectorarray_root(U) != vectorarray_root(X)) return false;
  size_t j = 0;
  while (X->len == U->len && j < U->len && vectorarray_place(U, j) == vectorarray_place(X, j))
    j++;
  if (j == U->len) return false; /* each vector is its own right-hand side */
  size_t low_u, high_u, low_x, high_x;
  get_extent(U, &low_u, &high_u);
  get_extent(X, &low_x, &high_x);
  return low_u <= high_x && low_x <= high_u;
}

/* U:axpy(alpha, X): the right-hand side counts as it was before, whatever X shares with U */
static int l_axpy (lua_State *L) {
  VectorArray *U = vectorarray_check(L, 1);
  const VectorArray *X = vectorarray_check(L, 3);
  double one;
  const double *each;
  check_factors(L, 2, U->len, &one, &each);
  args_check_dim(L, 3, U->dim, X->dim);
  if (X->len != 1) args_check_len(L, 3, U->len, X->len);
  vectorarray_check_distinct(L, 1, U);
  if (U->len > 0) {
    if (may_clash(U, X)) {
      VectorArray *copy = vectorarray_push_raw(L, X->dim, X->len);
      vectorarray_gather(X, memory_own(copy->block));
      X = copy;
    }
    double *y = vectorarray_write(L, U); /* X's memory is asked for after this */
    for (size_t j = 0; j < U->len; j++) {
      kernel_axpy(y + vectorarray_place(U, j) * U->dim, each == NULL ? one : each[j],
                  vectorarray_vector(X, X->len == 1 ? 0 : j), U->dim);
    }
  }
  lua_settop(L, 1);
  return 1;
}

/* U + alpha V, where V may be one vector */
static int add_scaled (lua_State *L, double alpha, const char *verb) {
  const VectorArray *U = vectorarray_test(L, 1), *V = vectorarray_test(L, 2);
  if (U == NULL || V == NULL) {
    const char *a = luaL_tolstring(L, 1, NULL), *b = luaL_tolstring(L, 2, NULL);
    return luaL_error(L, "cannot %s %s and %s", verb, a, b);
  }
  if (U->dim != V->dim || (V->len != U->len && V->len != 1)) {
    return luaL_error(L, "cannot %s VectorArrays of %I x %I and %I x %I", verb,
                      (lua_Integer)U->dim, (lua_Integer)U->len, (lua_Integer)V->dim,
                      (lua_Integer)V->len);
  }
  VectorArray *W = vectorarray_push_raw(L, U->dim, U->len);
  double *z = memory_own(W->block);
  for (size_t j = 0; j < U->len; j++) {
    kernel_sum(z + j * U->dim, vectorarray_vector(U, j), alpha,
               vectorarray_vector(V, V->len == 1 ? 0 : j), U->dim);
  }
  return 1;
}

static int l_add (lua_State *L) {
  return add_scaled(L, 1, "add");
}

static int l_sub (lua_State *L) {
  return add_scaled(L, -1, "subtract");
}

static int push_scaled (lua_State *L, double alpha, const VectorArray *U) {
  VectorArray *W = vectorarray_push_raw(L, U->dim, U->len);
  double *z = memory_own(W->block);
  for (size_t j = 0; j < U->len; j++) {
    kernel_scaled(z + j * U->dim, alpha, vectorarray_vector(U, j), U->dim);
  }
  return 1;
}

/* a * U and U * a */
static int l_mul (lua_State *L) {
  int number = lua_type(L, 1) == LUA_TNUMBER ? 1 : 2;
  const VectorArray *U = vectorarray_test(L, 3 - number);
  if (U == NULL || lua_type(L, number) != LUA_TNUMBER) {
    const char *a = luaL_tolstring(L, 1, NULL), *b = luaL_tolstring(L, 2, NULL);
    return luaL_error(L, "cannot multiply %s and %s; a VectorArray is multiplied by a number",
                      a, b);
  }
  return push_scaled(L, lua_tonumber(L, number), U);
}

static int l_unm (lua_State *L) {
  return push_scaled(L, -1, vectorarray_check(L, 1));
}

const luaL_Reg vectorarray_arith_methods[] = {
  {"scal", l_scal},
  {"axpy", l_axpy},
  {NULL, NULL},
};

const luaL_Reg vectorarray_arith_metamethods[] = {
  {"__add", l_add}, {"__sub", l_sub}, {"__mul", l_mul}, {"__unm", l_unm}, {NULL, NULL},
};
