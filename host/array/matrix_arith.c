/* matrix_arith.c - the operators +, -, * of matrices. */
#include "array/matrix_store.h"

#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/memory.h"
#include "array/scalar.h"
#include "array/sparse.h"
#include "array/vectorarray.h"

/* An Operator in Lua knows better what event means, and so does a SparseMatrix at the right; what
   nobody knows is refused. */
static int refuse (lua_State *L, const char *event, const char *verb) {
  const Matrix *M = matrix_test(L, 1), *N = matrix_test(L, 2);
  int other = lua_istable(L, 1) ? 1 : lua_istable(L, 2) || sparse_test(L, 2) != NULL ? 2 : 0;
  if (other > 0 && luaL_getmetafield(L, other, event) != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return 1;
  }
  if (M != NULL && N != NULL) {
    return args_raise(L, "cannot %s matrices of %I x %I and %I x %I", verb,
                      (lua_Integer)M->rows, (lua_Integer)M->cols, (lua_Integer)N->rows,
                      (lua_Integer)N->cols);
  }
  if (M == NULL && N == NULL) return args_raise(L, "Matrix is closed");
  const char *operand = args_operand(L, M == NULL ? 1 : 2);
  if (M == NULL) M = N;
  return args_raise(L, "cannot %s a Matrix %I x %I and %s", verb, (lua_Integer)M->rows,
                    (lua_Integer)M->cols, operand);
}

/* Makes both complex when one is; pushes up to two values. */
static void promote_either (lua_State *L, const Matrix **M, const Matrix **N) {
  if (!(*M)->is_complex && !(*N)->is_complex) return;
  *M = matrix_push_complex(L, 1, *M);
  *N = matrix_push_complex(L, 2, *N);
}

static int add_scaled (lua_State *L, double alpha, const char *event, const char *verb) {
  const Matrix *M = matrix_test(L, 1), *N = matrix_test(L, 2);
  if (M == NULL || N == NULL || M->rows != N->rows || M->cols != N->cols)
    return refuse(L, event, verb);
  promote_either(L, &M, &N);
  Matrix *S = matrix_push_kind(L, M->rows, M->cols, M->is_complex, false);
  kernel_sum(memory_own(S->block), matrix_read(M), alpha, matrix_read(N), matrix_run(M));
  return 1;
}

static int l_add (lua_State *L) {
  return add_scaled(L, 1, "__add", "add");
}

static int l_sub (lua_State *L) {
  return add_scaled(L, -1, "__sub", "subtract");
}

static int push_scaled (lua_State *L, Scalar alpha, int index, const Matrix *M) {
  if (alpha.is_complex) M = matrix_push_complex(L, index, M);
  Matrix *S = matrix_push_kind(L, M->rows, M->cols, M->is_complex, false);
  double *s = memory_own(S->block);
  if (alpha.is_complex) kernelz_scaled(s, alpha.value, matrix_read(M), M->rows * M->cols);
  else kernel_scaled(s, creal(alpha.value), matrix_read(M), matrix_run(M));
  return 1;
}

/* M * N, M * U, a * M, M * a */
static int l_mul (lua_State *L) {
  const Matrix *M = matrix_test(L, 1), *N = matrix_test(L, 2);
  Scalar alpha;
  if (M != NULL && scalar_test(L, 2, &alpha)) return push_scaled(L, alpha, 1, M);
  if (N != NULL && scalar_test(L, 1, &alpha)) return push_scaled(L, alpha, 2, N);
  const VectorArray *U = vectorarray_test(L, 2);
  if (M != NULL && U != NULL && M->cols == vectorarray_dim(U)) {
    matrix_push_applied(L, M, 2, U);
    return 1;
  }
  if (M == NULL || N == NULL || M->cols != N->rows) return refuse(L, "__mul", "multiply");
  promote_either(L, &M, &N);
  Matrix *P = matrix_push_kind(L, M->rows, N->cols, M->is_complex, false);
  (M->is_complex ? kernelz_gemm : kernel_gemm)(false, false, M->rows, N->cols, M->cols,
                                               matrix_read(M), matrix_ld(M->rows),
                                               matrix_read(N), matrix_ld(N->rows),
                                               memory_own(P->block), matrix_ld(M->rows));
  return 1;
}

static int l_unm (lua_State *L) {
  return push_scaled(L, (Scalar){.value = -1}, 1, matrix_check(L, 1));
}

const luaL_Reg matrix_arith_metamethods[] = {
  {"__add", l_add}, {"__sub", l_sub}, {"__mul", l_mul}, {"__unm", l_unm}, {NULL, NULL},
};
