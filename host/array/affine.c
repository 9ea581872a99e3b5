/* affine.c - reduced systems with affine parameter dependence in Lua. */
#include "array/affine.h"

#include <lauxlib.h>
#include "array/affinekernel.h"
#include "array/args.h"
#include "array/matrix.h"

/* Followed by the system, in the same userdata. */
typedef struct Affine {
  AffineSystem *system;
  size_t n, q, k;
  bool has_residual;
} Affine;

static Affine *check_affine (lua_State *L, int arg) {
  Affine *a = luaL_checkudata(L, arg, AFFINE_TNAME);
  luaL_argcheck(L, a->system != NULL, arg, "AffineSystem is closed");
  return a;
}

/* Item i, from 1, of the list of Matrices at arg; pushes it. */
static const Matrix *push_matrix (lua_State *L, int arg, size_t i, size_t rows, size_t cols) {
  lua_geti(L, arg, (lua_Integer)i);
  const Matrix *A = matrix_test(L, -1);
  if (A == NULL) {
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "item %I: Matrix expected, got %s", (LUAI_UACINT)i,
                                  args_kind(L, -1)));
  } else if (matrix_rows(A) != rows || matrix_cols(A) != cols) {
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "item %I: Matrix %I x %I expected, got %I x %I",
                                  (LUAI_UACINT)i, (LUAI_UACINT)rows, (LUAI_UACINT)cols,
                                  (LUAI_UACINT)matrix_rows(A), (LUAI_UACINT)matrix_cols(A)));
  } else if (matrix_is_complex(A)) {
    args_fail(L, arg, "item %I: Matrix of real numbers expected, got complex ones",
              (lua_Integer)i);
  }
  return A;
}

static size_t find_dimension (lua_State *L, int arg) {
  lua_geti(L, arg, 1);
  const Matrix *A = matrix_test(L, -1);
  size_t n = A == NULL ? 0 : matrix_rows(A);
  lua_pop(L, 1);
  return n;
}

/* affine(operators, rhs [, residual]) -> AffineSystem */
static int l_affine (lua_State *L) {
  lua_settop(L, 3);
  args_plain(L, 1);
  args_plain(L, 2);
  size_t q = args_list_len(L, 1), k = args_list_len(L, 2);
  luaL_argcheck(L, q >= 1, 1, "list of at least one Matrix expected, got none");
  luaL_argcheck(L, k >= 1, 2, "list of at least one Matrix expected, got none");
  const Matrix *M = lua_isnil(L, 3) ? NULL : matrix_check_real(L, 3);
  size_t n = find_dimension(L, 1), r = M == NULL ? 0 : matrix_rows(M);
  if (M != NULL && matrix_cols(M) != k + q * n) {
    luaL_argerror(L, 3,
                  lua_pushfstring(L, "Matrix of %I columns expected, got %I",
                                  (LUAI_UACINT)(k + q * n), (LUAI_UACINT)matrix_cols(M)));
  }
  size_t len = affinesystem_len(n, q, k, r);
  if (len == 0) luaL_error(L, "system is too large");
  Affine *a = lua_newuserdatauv(L, sizeof *a + len, 0);
  *a = (Affine){.n = n, .q = q, .k = k, .has_residual = M != NULL};
  luaL_setmetatable(L, AFFINE_TNAME);
  AffineSystem *system = affinesystem_init(a + 1, n, q, k, r);
  for (size_t i = 1; i <= q; i++) {
    affinesystem_set_operator(system, i - 1, matrix_read(push_matrix(L, 1, i, n, n)));
    lua_pop(L, 1);
  }
  for (size_t i = 1; i <= k; i++) {
    affinesystem_set_rhs(system, i - 1, matrix_read(push_matrix(L, 2, i, n, 1)));
    lua_pop(L, 1);
  }
  if (M != NULL) affinesystem_set_residual(system, matrix_read(M));
  a->system = system;
  return 1;
}

enum { FEW = 32 };

/* The coefficients at arg: a Matrix with a parameter a column, or a list of numbers for one
   parameter; of a few, in the caller's own room. Sets the number of parameters; pushes one value. */
static const double *push_coefficients (lua_State *L, int arg, size_t rows, size_t *p,
                                        double few[FEW]) {
  const Matrix *theta = matrix_test(L, arg);
  if (theta == NULL) {
    if (!lua_istable(L, arg)) luaL_typeerror(L, arg, "Matrix or list of numbers");
    *p = 1;
    if (rows > FEW) return args_numbers(L, arg, rows);
    args_read_numbers(L, arg, rows, few);
    lua_pushnil(L);
    return few;
  }
  matrix_check_real(L, arg);
  if (matrix_rows(theta) != rows) {
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "Matrix of %I rows expected, got %I", (LUAI_UACINT)rows,
                                  (LUAI_UACINT)matrix_rows(theta)));
  }
  *p = matrix_cols(theta);
  lua_pushnil(L);
  return matrix_read(theta);
}

/* Solves for the coefficients at 2 and 3; pushes the list of norms and the Matrix of solutions, those
   of the two that are wanted. */
static void push_solutions (lua_State *L, Affine *a, bool wants_norms, bool wants_solutions) {
  size_t p, p_f;
  double few[FEW], few_f[FEW], one;
  lua_settop(L, 3);
  args_plain(L, 2);
  args_plain(L, 3);
  const double *theta = push_coefficients(L, 2, a->q, &p, few);
  const double *thetaf = push_coefficients(L, 3, a->k, &p_f, few_f);
  if (p_f != p) {
    luaL_argerror(L, 3,
                  lua_pushfstring(L, "coefficients of %I parameters expected, got %I",
                                  (LUAI_UACINT)p, (LUAI_UACINT)p_f));
  }
  double *norms = NULL, *U = NULL;
  if (wants_norms) norms = p == 1 ? &one : args_scratch(L, p + 1, sizeof *norms);
  if (wants_norms) lua_createtable(L, p <= INT_MAX ? (int)p : 0, 0);
  int list = lua_gettop(L);
  if (wants_solutions) U = matrix_write(L, matrix_push_raw(L, a->n, p));
  size_t solved = affinesystem_solve(a->system, p, theta, thetaf, U, norms);
  if (solved < p) luaL_error(L, "parameter %I: matrix is singular", (LUAI_UACINT)solved + 1);
  for (size_t i = 0; wants_norms && i < p; i++) {
    lua_pushnumber(L, norms[i]);
    lua_rawseti(L, list, (lua_Integer)i + 1);
  }
}

/* system:solve(theta, thetaf) -> Matrix [N, P] */
static int l_solve (lua_State *L) {
  push_solutions(L, check_affine(L, 1), false, true);
  return 1;
}

static Affine *check_estimator (lua_State *L) {
  Affine *a = check_affine(L, 1);
  luaL_argcheck(L, a->has_residual, 1, "system was made without residual");
  return a;
}

/* system:estimate(theta, thetaf) -> list of P norms, Matrix [N, P] */
static int l_estimate (lua_State *L) {
  push_solutions(L, check_estimator(L), true, true);
  return 2;
}

/* system:norms(theta, thetaf) -> list of P norms */
static int l_norms (lua_State *L) {
  push_solutions(L, check_estimator(L), true, false);
  return 1;
}

static int l_tostring (lua_State *L) {
  const Affine *a = luaL_checkudata(L, 1, AFFINE_TNAME);
  lua_pushfstring(L, "AffineSystem of dimension %I, %I operators", (LUAI_UACINT)a->n,
                  (LUAI_UACINT)a->q);
  return 1;
}

void affine_open (lua_State *L) {
  static const luaL_Reg methods[] = {{"solve", l_solve},
                                     {"estimate", l_estimate},
                                     {"norms", l_norms},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__tostring", l_tostring}, {NULL, NULL}};
  luaL_newmetatable(L, AFFINE_TNAME); /* also where memory has failed half-way before */
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, l_affine);
}
