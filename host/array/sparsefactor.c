/* sparsefactor.c - Cholesky or LU, and the solves of a SparseMatrix in Lua. */
#include "array/sparse.h"

#include <math.h>
#include <lauxlib.h>
#include <uv.h>
#include "array/args.h"
#include "array/sides.h"
#include "array/memory.h"
#include "array/vectorarray_store.h"

int factor_new (Factor *f, Pattern *pattern, const double *values, bool is_complex,
                bool hermitian, FactorPivot *pivot) {
  *f = (Factor){0};
  if (hermitian) {
    int rc = cholmodfactor_new(&f->cholmod, pattern, values, is_complex, pivot);
    if (rc != FACTOR_INDEFINITE) return rc;
  }
  return umfpackfactor_new(&f->umfpack, pattern, values, is_complex, pivot);
}

void factor_free (Factor *f) {
  cholmodfactor_free(f->cholmod);
  umfpackfactor_free(f->umfpack);
  *f = (Factor){0};
}

bool factor_exists (const Factor *f) {
  return f->cholmod != NULL || f->umfpack != NULL;
}

size_t factor_len (const Factor *f) {
  if (f->cholmod != NULL) return cholmodfactor_len(f->cholmod);
  return f->umfpack != NULL ? umfpackfactor_len(f->umfpack) : 0;
}

int factor_solve (Factor *f, bool adjoint, double *X, size_t n, const double *B, size_t ldb) {
  if (f->cholmod != NULL) return cholmodfactor_solve(f->cholmod, X, n, B, ldb);
  return umfpackfactor_solve(f->umfpack, adjoint, X, n, B, ldb);
}

static void check_finite (lua_State *L, const SparseMatrix *A) {
  const Pattern *p = A->pattern;
  for (size_t j = 0; j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      const double *x = A->x + (size_t)k * sparse_width(A);
      double wrong = isfinite(x[0]) ? x[sparse_width(A) - 1] : x[0];
      if (isfinite(wrong)) continue;
      luaL_error(L, "entry (%I, %I) of the SparseMatrix is %s", (LUAI_UACINT)p->indices[k] + 1,
                 (LUAI_UACINT)j + 1, isnan(wrong) ? "NaN" : "infinite");
    }
  }
}

/* The collector does not see factors, so it is told: as much work as for memory of its own. */
static void tell_collector (lua_State *L, size_t len) {
  if (lua_gc(L, LUA_GCISRUNNING)) lua_gc(L, LUA_GCSTEP, (int)(len / 1024 % INT_MAX) + 1);
}

static void factorize (lua_State *L, SparseMatrix *A) {
  if (factor_exists(&A->factor)) return;
  const Pattern *p = A->pattern;
  if (p->rows != p->cols) {
    luaL_error(L, "square matrix expected, got %I x %I", (LUAI_UACINT)p->rows,
               (LUAI_UACINT)p->cols);
  }
  if (p->rows == 0) return;
  check_finite(L, A);
  FactorPivot pivot = {0};
  bool hermitian = sparse_is_hermitian(L, A);
  int rc = factor_new(&A->factor, A->pattern, A->x, A->is_complex, hermitian, &pivot);
  if (rc == FACTOR_SINGULAR) {
    luaL_error(L, "matrix is singular: the pivot of column %I is %f",
               (LUAI_UACINT)pivot.column + 1, pivot.value);
  }
  sparse_check_code(L, rc);
  tell_collector(L, factor_len(&A->factor));
}

/* A:factorize() factorises now rather than at the first solve, and returns A */
static int l_factorize (lua_State *L) {
  factorize(L, sparse_check(L, 1));
  lua_settop(L, 1);
  return 1;
}

/* Pushes the solution for V, which is of the matrix's kind. */
static VectorArray *push_solution (lua_State *L, SparseMatrix *A, bool adjoint,
                                   const VectorArray *V) {
  size_t ld;
  const double *B = vectorarray_panel(L, V, &ld);
  VectorArray *U = vectorarray_push_kind(L, V->dim, V->len, A->is_complex, false);
  if (V->len > 0 && V->dim > 0) {
    double *X = memory_own(U->block);
    sparse_check_code(L, factor_solve(&A->factor, adjoint, X, V->len, B, ld));
    sides_check_solution(L, X, V->dim, V->len, A->is_complex);
  }
  return U;
}

static int solve (lua_State *L, bool adjoint) {
  SparseMatrix *A = sparse_check(L, 1);
  const VectorArray *V = vectorarray_check(L, 2);
  Sides sides = sides_check(L, 2, adjoint ? A->pattern->cols : A->pattern->rows);
  sides_check_finite(L, &sides);
  factorize(L, A);
  if (A->is_complex) {
    push_solution(L, A, adjoint, vectorarray_push_complex(L, 2, V));
  } else if (!vectorarray_is_complex(V)) {
    push_solution(L, A, adjoint, V);
  } else { /* real and imaginary parts are right-hand sides of their own */
    const VectorArray *parts = vectorarray_push_parts(L, V);
    vectorarray_push_merged(L, push_solution(L, A, adjoint, parts));
  }
  return 1;
}

/* A:apply_inverse(V) -> U with A U = V */
static int l_apply_inverse (lua_State *L) {
  return solve(L, false);
}

/* A:apply_inverse_adjoint(U) -> V with A^H V = U */
static int l_apply_inverse_adjoint (lua_State *L) {
  return solve(L, true);
}

const luaL_Reg sparse_solves[] = {
  {"factorize", l_factorize},
  {"apply_inverse", l_apply_inverse},
  {"apply_inverse_adjoint", l_apply_inverse_adjoint},
  {NULL, NULL},
};
