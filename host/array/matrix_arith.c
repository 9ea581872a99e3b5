/* matrix_arith.c - the operators +, -, * of matrices. */
#include "array/matrix_store.h"

#include "array/kernels.h"
#include "array/memory.h"

static int refuse (lua_State *L, const char *verb) {
  const Matrix *M = matrix_test(L, 1), *N = matrix_test(L, 2);
  if (M != NULL && N != NULL) {
    return luaL_error(L, "cannot %s matrices of %I x %I and %I x %I", verb,
                      (lua_Integer)M->rows, (lua_Integer)M->cols, (lua_Integer)N->rows,
                      (lua_Integer)N->cols);
  }
  if (M == NULL && N == NULL) return luaL_error(L, "Matrix is closed");
  const char *other = luaL_tolstring(L, M == NULL ? 1 : 2, NULL);
  return luaL_error(L, "cannot %s a Matrix and %s", verb, other);
}

static int add_scaled (lua_State *L, double alpha, const char *verb) {
  const Matrix *M = matrix_test(L, 1), *N = matrix_test(L, 2);
  if (M == NULL || N == NULL || M->rows != N->rows || M->cols != N->cols)
    return refuse(L, verb);
  Matrix *S = matrix_push_raw(L, M->rows, M->cols);
  kernel_sum(memory_own(S->block), matrix_read(M), alpha, matrix_read(N), M->rows * M->cols);
  return 1;
}

static int l_add (lua_State *L) {
  return add_scaled(L, 1, "add");
}

static int l_sub (lua_State *L) {
  return add_scaled(L, -1, "subtract");
}

static int push_scaled (lua_State *L, double alpha, const Matrix *M) {
  Matrix *S = matrix_push_raw(L, M->rows, M->cols);
  kernel_scaled(memory_own(S->block), alpha, matrix_read(M), M->rows * M->cols);
  return 1;
}

/* M * N, a * M, M * a */
static int l_mul (lua_State *L) {
  const Matrix *M = matrix_test(L, 1), *N = matrix_test(L, 2);
  if (M != NULL && lua_type(L, 2) == LUA_TNUMBER) return push_scaled(L, lua_tonumber(L, 2), M);
  if (N != NULL && lua_type(L, 1) == LUA_TNUMBER) return push_scaled(L, lua_tonumber(L, 1), N);
  if (M == NULL || N == NULL || M->cols != N->rows) return refuse(L, "multiply");
  Matrix *P = matrix_push_raw(L, M->rows, N->cols);
  kernel_gemm(false, false, M->rows, N->cols, M->cols, matrix_read(M), matrix_ld(M->rows),
              matrix_read(N), matrix_ld(N->rows), memory_own(P->block), matrix_ld(M->rows));
  return 1;
}

static int l_unm (lua_State *L) {
  return push_scaled(L, -1, matrix_check(L, 1));
}

const luaL_Reg matrix_arith_metamethods[] = {
  {"__add", l_add}, {"__sub", l_sub}, {"__mul", l_mul}, {"__unm", l_unm}, {NULL, NULL},
};
