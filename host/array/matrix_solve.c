/* matrix_solve.c - linear systems with a Matrix: solve, det, and the factorisations to keep. */
#include "array/matrix_store.h"

#include <string.h>
#include "array/args.h"
#include "array/dense.h"
#include "array/matrix_lapack.h"
#include "array/sides.h"

#define FACTOR_TNAME "neap.Factorisation"

/* A userdata of its own with the factors behind it: plain Lua memory, nothing to close. */
typedef struct Factor {
  bool is_cholesky;
  int n;
  int *pivots; /* of LU */
  double *x;   /* n x n */
} Factor;

static int raise_singular (lua_State *L, int pivot) {
  return luaL_error(L, "Matrix is singular: pivot %d is 0", pivot);
}

static int solve (lua_State *L, bool transposed) {
  const Matrix *M = matrix_check_square(L, 1);
  int n = matrix_lapack_size(L, M->rows);
  size_t m, size = (size_t)n;
  SidesKind kind = sides_check(L, 2, size, &m);
  int columns = matrix_lapack_size(L, m);
  double *factors = matrix_scratch_copy(L, M);
  int *pivots = args_scratch(L, size, sizeof *pivots);
  double *x = sides_push(L, kind, size, m);
  sides_copy(L, 2, kind, size, x, size);
  int singular = dense_lu(n, factors, pivots);
  if (singular > 0) return raise_singular(L, singular);
  dense_lu_solve(n, factors, pivots, transposed, columns, x, (int)matrix_ld(size));
  sides_finish(L, kind, size);
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

static Factor *push_factor (lua_State *L, const Matrix *M, bool is_cholesky) {
  int n = matrix_lapack_size(L, M->rows);
  size_t size = (size_t)n, entries = size * size * sizeof(double);
  Factor *F = lua_newuserdatauv(L, sizeof *F + entries + size * sizeof(int), 0);
  *F = (Factor){.is_cholesky = is_cholesky, .n = n};
  F->x = (double *)(F + 1);
  F->pivots = (int *)((char *)F->x + entries);
  memcpy(F->x, matrix_read(M), entries);
  luaL_setmetatable(L, FACTOR_TNAME);
  return F;
}

/* M:lu() -> factorisation */
static int l_lu (lua_State *L) {
  Factor *F = push_factor(L, matrix_check_square(L, 1), false);
  int singular = dense_lu(F->n, F->x, F->pivots);
  return singular > 0 ? raise_singular(L, singular) : 1;
}

/* M:cholesky() -> factorisation */
static int l_cholesky (lua_State *L) {
  const Matrix *M = matrix_check_square(L, 1);
  matrix_check_symmetric(L, 1);
  Factor *F = push_factor(L, M, true);
  int pivot = dense_cholesky(F->n, F->x);
  if (pivot > 0) {
    return luaL_error(L, "Matrix is not positive definite: pivot %d is not positive", pivot);
  }
  return 1;
}

/* M:det(): 0 for a singular matrix */
static int l_det (lua_State *L) {
  const Matrix *M = matrix_check_square(L, 1);
  int n = matrix_lapack_size(L, M->rows);
  double *x = matrix_scratch_copy(L, M), det = 1;
  int *pivots = args_scratch(L, (size_t)n, sizeof *pivots);
  if (dense_lu(n, x, pivots) > 0) det = 0;
  for (int i = 0; i < n && det != 0; i++) {
    det *= x[(size_t)i * (size_t)n + (size_t)i];
    if (pivots[i] != i + 1) det = -det;
  }
  lua_pushnumber(L, det);
  return 1;
}

static Factor *check_factor (lua_State *L) {
  return luaL_checkudata(L, 1, FACTOR_TNAME);
}

static int factor_solve (lua_State *L, bool transposed) {
  const Factor *F = check_factor(L);
  size_t m, size = (size_t)F->n;
  SidesKind kind = sides_check(L, 2, size, &m);
  int columns = matrix_lapack_size(L, m);
  double *x = sides_push(L, kind, size, m);
  sides_copy(L, 2, kind, size, x, size);
  if (F->is_cholesky) dense_cholesky_solve(F->n, F->x, columns, x, (int)matrix_ld(size));
  else dense_lu_solve(F->n, F->x, F->pivots, transposed, columns, x, (int)matrix_ld(size));
  sides_finish(L, kind, size);
  return 1;
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
  lua_pushfstring(L, "%s factorisation %d x %d", F->is_cholesky ? "Cholesky" : "LU", F->n,
                  F->n);
  return 1;
}

const luaL_Reg matrix_solve_methods[] = {
  {"solve", l_solve}, {"solve_adjoint", l_solve_adjoint},
  {"lu", l_lu},       {"cholesky", l_cholesky},
  {"det", l_det},     {NULL, NULL},
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
