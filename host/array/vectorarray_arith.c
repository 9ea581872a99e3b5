/* vectorarray_arith.c - scal, axpy and the operators +, -, *; parts of complex arrays. */
#include "array/vectorarray_store.h"

#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/memory.h"
#include "array/scalar.h"

/* One factor for all vectors, or a list of one for each. */
typedef struct Factors {
  Scalar one;
  const double *each; /* NULL, or in a scratch userdata that was pushed */
  bool is_complex;
} Factors;

static Factors check_factors (lua_State *L, int arg, size_t n) {
  Factors f = {0};
  if (scalar_test(L, arg, &f.one)) {
    f.is_complex = f.one.is_complex;
  } else if (lua_istable(L, arg)) {
    f.each = scalar_list(L, arg, n, &f.is_complex);
  } else {
    luaL_typeerror(L, arg, "number or list of numbers");
  }
  return f;
}

static double complex factor (const Factors *f, size_t j) {
  if (f->each == NULL) return f->one.value;
  return f->is_complex ? scalar_of(f->each[2 * j], f->each[2 * j + 1]) : f->each[j];
}

/* Is it one real factor for everything? */
static bool is_uniform (const Factors *f) {
  return f->each == NULL && !f->is_complex;
}

/* Makes one run of *len runs that follow each other. Cannot overflow: they are in memory. */
static size_t join (size_t run, size_t *len) {
  run *= *len;
  *len = 1;
  return run;
}

/* U:scal(alpha) */
static int l_scal (lua_State *L) {
  args_plain(L, 2);
  VectorArray *U = vectorarray_check(L, 1);
  Factors f = check_factors(L, 2, U->len);
  vectorarray_check_distinct(L, 1, U);
  if (f.is_complex) vectorarray_promote(L, U);
  if (U->len > 0) {
    double *data = vectorarray_write(L, U);
    size_t run = vectorarray_run(U), len = U->len;
    if (is_uniform(&f) && vectorarray_is_run(U)) run = join(run, &len);
    for (size_t j = 0; j < len; j++) {
      double *x = data + vectorarray_place(U, j) * vectorarray_run(U);
      if (f.is_complex) kernelz_scaled(x, factor(&f, j), x, U->dim);
      else kernel_scal(x, creal(factor(&f, j)), run);
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

static void add_scaled_vectors (lua_State *L, VectorArray *U, const Factors *f,
                                const VectorArray *X) {
  double *data = vectorarray_write(L, U); /* X's memory is asked for after this */
  size_t run = vectorarray_run(U), len = U->len;
  if (is_uniform(f) && len == X->len && vectorarray_is_run(U) && vectorarray_is_run(X))
    run = join(run, &len);
  for (size_t j = 0; j < len; j++) {
    double *y = data + vectorarray_place(U, j) * vectorarray_run(U);
    const double *x = vectorarray_vector(X, X->len == 1 ? 0 : j);
    if (f->is_complex) kernelz_axpy(y, factor(f, j), x, U->dim);
    else kernel_axpy(y, creal(factor(f, j)), x, run);
  }
}

/* U:axpy(alpha, X): the right-hand side counts as it was before, whatever X shares with U */
static int l_axpy (lua_State *L) {
  args_plain(L, 2);
  VectorArray *U = vectorarray_check(L, 1);
  const VectorArray *X = vectorarray_check(L, 3);
  Factors f = check_factors(L, 2, U->len);
  args_check_dim(L, 3, U->dim, X->dim);
  if (X->len != 1) args_check_len(L, 3, U->len, X->len);
  vectorarray_check_distinct(L, 1, U);
  if (f.is_complex || vectorarray_is_complex(X)) vectorarray_promote(L, U);
  if (U->len > 0) {
    if (vectorarray_is_complex(U)) X = vectorarray_push_complex(L, 3, X);
    if (may_clash(U, X)) {
      VectorArray *copy = vectorarray_push_kind(L, X->dim, X->len, vectorarray_is_complex(X),
                                                false);
      vectorarray_gather(X, memory_own(copy->block));
      X = copy;
    }
    add_scaled_vectors(L, U, &f, X);
  }
  lua_settop(L, 1);
  return 1;
}

/* U + alpha V, where V may be one vector */
static int add_scaled (lua_State *L, double alpha, const char *verb) {
  const VectorArray *U = vectorarray_test(L, 1), *V = vectorarray_test(L, 2);
  if (U == NULL || V == NULL) {
    const char *a = args_operand(L, 1), *b = args_operand(L, 2);
    return args_raise(L, "cannot %s %s and %s", verb, a, b);
  }
  if (U->dim != V->dim || (V->len != U->len && V->len != 1)) {
    return args_raise(L, "cannot %s VectorArrays of %I x %I and %I x %I", verb,
                      (lua_Integer)U->dim, (lua_Integer)U->len, (lua_Integer)V->dim,
                      (lua_Integer)V->len);
  }
  bool is_complex = vectorarray_is_complex(U) || vectorarray_is_complex(V);
  if (is_complex) {
    U = vectorarray_push_complex(L, 1, U);
    V = vectorarray_push_complex(L, 2, V);
  }
  VectorArray *W = vectorarray_push_kind(L, U->dim, U->len, is_complex, false);
  double *z = memory_own(W->block);
  size_t run = vectorarray_run(W), len = U->len;
  if (len > 0 && len == V->len && vectorarray_is_run(U) && vectorarray_is_run(V))
    run = join(run, &len);
  for (size_t j = 0; j < len; j++) {
    kernel_sum(z + j * run, vectorarray_vector(U, j), alpha,
               vectorarray_vector(V, V->len == 1 ? 0 : j), run);
  }
  return 1;
}

static int l_add (lua_State *L) {
  return add_scaled(L, 1, "add");
}

static int l_sub (lua_State *L) {
  return add_scaled(L, -1, "subtract");
}

static int push_scaled (lua_State *L, Scalar alpha, int index, const VectorArray *U) {
  if (alpha.is_complex) U = vectorarray_push_complex(L, index, U);
  VectorArray *W = vectorarray_push_kind(L, U->dim, U->len, vectorarray_is_complex(U), false);
  double *z = memory_own(W->block);
  size_t run = vectorarray_run(W);
  for (size_t j = 0; j < U->len; j++) {
    const double *x = vectorarray_vector(U, j);
    if (alpha.is_complex) kernelz_scaled(z + j * run, alpha.value, x, U->dim);
    else kernel_scaled(z + j * run, creal(alpha.value), x, run);
  }
  return 1;
}

/* a * U and U * a */
static int l_mul (lua_State *L) {
  Scalar alpha;
  int number = scalar_test(L, 1, &alpha) ? 1 : 2;
  const VectorArray *U = vectorarray_test(L, 3 - number);
  if (U == NULL || !scalar_test(L, number, &alpha)) {
    const char *a = args_operand(L, 1), *b = args_operand(L, 2);
    return args_raise(L, "cannot multiply %s and %s; a VectorArray is multiplied by a number",
                      a, b);
  }
  return push_scaled(L, alpha, 3 - number, U);
}

static int l_unm (lua_State *L) {
  return push_scaled(L, (Scalar){.value = -1}, 1, vectorarray_check(L, 1));
}

/* --- parts ----------------------------------------------------------------------------------- */

static int push_part (lua_State *L, bool imaginary) {
  const VectorArray *U = vectorarray_check(L, 1);
  bool is_complex = vectorarray_is_complex(U);
  VectorArray *W = vectorarray_push_kind(L, U->dim, U->len, false, imaginary && !is_complex);
  double *y = memory_own(W->block);
  if (is_complex) {
    for (size_t j = 0; j < U->len; j++) {
      kernelz_part(y + j * U->dim, vectorarray_vector(U, j), U->dim, imaginary);
    }
  } else if (!imaginary) {
    vectorarray_gather(U, y);
  }
  return 1;
}

/* U:real() -> real VectorArray */
static int l_real (lua_State *L) {
  return push_part(L, false);
}

/* U:imag() -> real VectorArray */
static int l_imag (lua_State *L) {
  return push_part(L, true);
}

/* U:conj() -> VectorArray, real or complex as U is */
static int l_conj (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  if (!vectorarray_is_complex(U)) return push_part(L, false);
  VectorArray *W = vectorarray_push_kind(L, U->dim, U->len, true, false);
  double *z = memory_own(W->block);
  for (size_t j = 0; j < U->len; j++) {
    kernelz_conj(z + 2 * j * U->dim, vectorarray_vector(U, j), U->dim);
  }
  return 1;
}

const luaL_Reg vectorarray_arith_methods[] = {
  {"scal", l_scal}, {"axpy", l_axpy}, {"real", l_real},
  {"imag", l_imag}, {"conj", l_conj}, {NULL, NULL},
};

const luaL_Reg vectorarray_arith_metamethods[] = {
  {"__add", l_add}, {"__sub", l_sub}, {"__mul", l_mul}, {"__unm", l_unm}, {NULL, NULL},
};
