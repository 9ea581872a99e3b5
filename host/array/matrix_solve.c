/* matrix_solve.c - linear systems with a Matrix: solve, det, and the factorisations to keep. */
#include "array/matrix_store.h"

#include <math.h>
#include <string.h>
#include "array/args.h"
#include "array/blas.h"
#include "array/dense.h"
#include "array/kernelsz.h"
#include "array/matrix_lapack.h"
#include "array/memory.h"
#include "array/scalar.h"
#include "array/sides.h"

#define FACTOR_TNAME "neap.Factorisation"

/* As a userdata of its own it has the factors behind it: plain Lua memory, nothing to close. */
typedef struct Factor {
  bool is_cholesky, is_complex;
  int n;
  int *pivots; /* of LU */
  double *x;   /* n x n */
} Factor;

/* The number, from 1, of the first pivot that cannot be, or 0. */
static int factorise (Factor *F) {
  int threads = blas_limit((size_t)F->n * (size_t)F->n), pivot;
  if (F->is_complex)
    pivot = F->is_cholesky ? dense_zcholesky(F->n, F->x) : dense_zlu(F->n, F->x, F->pivots);
  else pivot = F->is_cholesky ? dense_cholesky(F->n, F->x) : dense_lu(F->n, F->x, F->pivots);
  blas_restore(threads);
  return pivot;
}

/* X = A^-1 X, or A^-H X, for m columns of F's kind. */
static void solve_with (const Factor *F, bool adjoint, int m, double *X) {
  int ld = F->n == 0 ? 1 : F->n;
  int threads = blas_limit((size_t)F->n * (size_t)(F->n < m ? m : F->n));
  if (F->is_complex && F->is_cholesky) dense_zcholesky_solve(F->n, F->x, m, X, ld);
  else if (F->is_complex) dense_zlu_solve(F->n, F->x, F->pivots, adjoint, m, X, ld);
  else if (F->is_cholesky) dense_cholesky_solve(F->n, F->x, m, X, ld);
  else dense_lu_solve(F->n, F->x, F->pivots, adjoint, m, X, ld);
  blas_restore(threads);
}

static void raise_pivot (lua_State *L, const Factor *F, int pivot) {
  if (F->is_cholesky) {
    luaL_error(L, "Matrix is not positive definite: pivot %d is not positive", pivot);
  }
  luaL_error(L, "Matrix is singular: pivot %d is 0", pivot);
}

/* Real factors take complex right-hand sides as twice as many real ones. */
static void push_from_parts (lua_State *L, const Factor *F, bool adjoint, const Sides *s) {
  size_t n = s->rows * s->n, total;
  if (!memory_multiply(n, 2 * sizeof(double), &total)) luaL_error(L, "not enough memory");
  double *parts = args_scratch(L, total, 1);
  sides_copy_parts(L, s, parts, s->rows);
  solve_with(F, adjoint, matrix_lapack_size(L, 2 * s->n), parts);
  sides_check_solution(L, parts, s->rows, 2 * s->n, false);
  kernelz_merge(sides_push(L, s, s->rows, true), parts, parts + n, n);
}

static int push_solution (lua_State *L, const Factor *F, bool adjoint, const Sides *s) {
  int columns = matrix_lapack_size(L, s->n);
  bool is_complex = F->is_complex || s->is_complex;
  if (is_complex && !F->is_complex) {
    push_from_parts(L, F, adjoint, s);
  } else {
    double *x = sides_push(L, s, s->rows, is_complex);
    if (is_complex) sides_copy_complex(L, s, x, s->rows);
    else sides_copy(L, s, x, s->rows);
    solve_with(F, adjoint, columns, x);
    sides_check_solution(L, x, s->rows, s->n, is_complex);
  }
  sides_finish(L, s, s->rows, is_complex);
  return 1;
}

/* LU factors that are to be, in the memory of copy; pushes scratch for the pivots. */
static Factor lu_in (lua_State *L, Matrix *copy) {
  return (Factor){.n = matrix_lapack_size(L, copy->rows),
                  .is_complex = copy->is_complex,
                  .x = matrix_own(copy),
                  .pivots = args_scratch(L, copy->rows, sizeof(int))};
}

static int solve (lua_State *L, bool adjoint) {
  const Matrix *M = matrix_check_square(L, 1);
  Sides s = sides_check(L, 2, M->rows);
  sides_check_finite(L, &s);
  Matrix *copy = matrix_push_finite_copy(L, 1);
  Factor F = lu_in(L, copy);
  int singular = factorise(&F);
  if (singular > 0) raise_pivot(L, &F, singular);
  push_solution(L, &F, adjoint, &s);
  matrix_close(copy);
  return 1;
}

/* M:solve(B) -> of B's kind */
static int l_solve (lua_State *L) {
  return solve(L, false);
}

/* M:solve_adjoint(B) -> of B's kind */
static int l_solve_adjoint (lua_State *L) {
  return solve(L, true);
}

/* M:apply_inverse(V), as operators call it: functions of their own, so that messages have the name
   that was called. */
static int l_apply_inverse (lua_State *L) {
  return solve(L, false);
}

/* M:apply_inverse_adjoint(V) */
static int l_apply_inverse_adjoint (lua_State *L) {
  return solve(L, true);
}

static int push_factor (lua_State *L, const Matrix *M, bool is_cholesky) {
  int n = matrix_lapack_size(L, M->rows);
  size_t entries = matrix_run(M) * sizeof(double);
  Factor *F = lua_newuserdatauv(L, sizeof *F + entries + M->rows * sizeof(int), 0);
  *F = (Factor){.is_cholesky = is_cholesky, .is_complex = M->is_complex, .n = n};
  F->x = (double *)(F + 1);
  F->pivots = (int *)((char *)F->x + entries);
  memcpy(F->x, matrix_read(M), entries);
  luaL_setmetatable(L, FACTOR_TNAME);
  int pivot = factorise(F);
  if (pivot > 0) raise_pivot(L, F, pivot);
  return 1;
}

/* M:lu() -> factorisation */
static int l_lu (lua_State *L) {
  matrix_check_finite(L, 1);
  return push_factor(L, matrix_check_square(L, 1), false);
}

/* M:cholesky() -> factorisation */
static int l_cholesky (lua_State *L) {
  const Matrix *M = matrix_check_square(L, 1);
  matrix_check_finite(L, 1);
  matrix_check_symmetric(L, 1);
  return push_factor(L, M, true);
}

/* Makes *re + *im i of order 1 by a power of 2, which it returns the exponent of: exact, and 0 for
   what has none. */
static int normalise (double *re, double *im) {
  int exponent = 0;
  double size = fmax(fabs(*re), fabs(*im));
  if (size == 0 || !isfinite(*re) || !isfinite(*im)) return 0;
  frexp(size, &exponent);
  *re = ldexp(*re, -exponent);
  *im = ldexp(*im, -exponent);
  return exponent;
}

/* M:det(): 0 for a singular matrix. On the way to it nothing overflows. */
static int l_det (lua_State *L) {
  const Matrix *M = matrix_check_square(L, 1);
  Matrix *copy = matrix_push_copy(L, M, false);
  Factor F = lu_in(L, copy);
  size_t n = M->rows;
  double re = factorise(&F) > 0 ? 0 : 1, im = 0;
  long exponent = 0;
  for (size_t i = 0; i < n && (re != 0 || im != 0); i++) {
    const double *d = F.x + i * (n + 1) * (M->is_complex ? 2 : 1);
    double sign = F.pivots[i] != (int)i + 1 ? -1 : 1;
    double a = d[0], b = M->is_complex ? d[1] : 0, old = re;
    exponent += normalise(&a, &b);
    re = sign * (M->is_complex ? old * a - im * b : old * a);
    im = sign * (M->is_complex ? old * b + im * a : 0);
    exponent += normalise(&re, &im);
  }
  matrix_close(copy);
  int shift = (int)(exponent > 5000 ? 5000 : exponent < -5000 ? -5000 : exponent);
  if (M->is_complex) scalar_push(L, scalar_of(ldexp(re, shift), ldexp(im, shift)));
  else lua_pushnumber(L, ldexp(re, shift));
  return 1;
}

static const Factor *check_factor (lua_State *L) {
  return luaL_checkudata(L, 1, FACTOR_TNAME);
}

static int factor_solve (lua_State *L, bool adjoint) {
  const Factor *F = check_factor(L);
  Sides s = sides_check(L, 2, (size_t)F->n);
  sides_check_finite(L, &s);
  return push_solution(L, F, adjoint, &s);
}

/* factorisation:solve(B) -> of B's kind */
static int l_factor_solve (lua_State *L) {
  return factor_solve(L, false);
}

/* factorisation:solve_adjoint(B) -> of B's kind */
static int l_factor_solve_adjoint (lua_State *L) {
  return factor_solve(L, true);
}

static int l_factor_tostring (lua_State *L) {
  const Factor *F = check_factor(L);
  lua_pushfstring(L, "%s factorisation %d x %d%s", F->is_cholesky ? "Cholesky" : "LU", F->n,
                  F->n, F->is_complex ? ", complex" : "");
  return 1;
}

const luaL_Reg matrix_solve_methods[] = {
  {"solve", l_solve},
  {"solve_adjoint", l_solve_adjoint},
  {"apply_inverse", l_apply_inverse},
  {"apply_inverse_adjoint", l_apply_inverse_adjoint},
  {"lu", l_lu},
  {"cholesky", l_cholesky},
  {"det", l_det},
  {NULL, NULL},
};

static const luaL_Reg factor_methods[] = {
  {"solve", l_factor_solve},
  {"solve_adjoint", l_factor_solve_adjoint},
  {NULL, NULL},
};

void matrix_open_factor (lua_State *L) {
  luaL_newmetatable(L, FACTOR_TNAME);
  luaL_newlib(L, factor_methods);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_factor_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}
