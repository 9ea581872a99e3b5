/* sides.c - right-hand sides of linear systems. */
#include "array/sides.h"

#include <string.h>
#include <lauxlib.h>
#include "array/args.h"
#include "array/matrix_store.h"
#include "array/memory.h"
#include "array/vectorarray_store.h"

SidesKind sides_check (lua_State *L, int arg, size_t rows, size_t *n) {
  const Matrix *M = matrix_test(L, arg);
  if (M != NULL) {
    if (M->rows != rows) {
      args_fail(L, arg, "Matrix of %I rows expected, got %I", (lua_Integer)rows,
                (lua_Integer)M->rows);
    }
    *n = M->cols;
    return SIDES_MATRIX;
  }
  const VectorArray *U = vectorarray_test(L, arg);
  if (U != NULL) {
    args_check_dim(L, arg, rows, U->dim);
    *n = U->len;
    return SIDES_ARRAY;
  }
  if (!lua_istable(L, arg)) luaL_typeerror(L, arg, "Matrix, VectorArray or list of numbers");
  size_t got = args_list_len(L, arg);
  if (got != rows) {
    args_fail(L, arg, "list of %I numbers expected, got %I", (lua_Integer)rows,
              (lua_Integer)got);
  }
  *n = 1;
  return SIDES_LIST;
}

void sides_copy (lua_State *L, int arg, SidesKind kind, size_t rows, double *x, size_t ld) {
  size_t n = 1;
  if (kind == SIDES_LIST) {
    for (size_t i = 0; i < rows; i++) {
      lua_geti(L, arg, (lua_Integer)i + 1);
      x[i] = args_pop_number(L, arg, "entry %zu", i + 1);
    }
  } else if (kind == SIDES_MATRIX) {
    const Matrix *M = matrix_test(L, arg);
    n = M->cols;
    for (size_t j = 0; j < n; j++) {
      memcpy(x + j * ld, matrix_read(M) + j * rows, rows * sizeof *x);
    }
  } else {
    const VectorArray *U = vectorarray_test(L, arg);
    n = U->len;
    for (size_t j = 0; j < n; j++) {
      memcpy(x + j * ld, vectorarray_vector(U, j), rows * sizeof *x);
    }
  }
}

double *sides_push (lua_State *L, SidesKind kind, size_t rows, size_t n) {
  switch (kind) {
    case SIDES_MATRIX: return memory_own(matrix_push_raw(L, rows, n)->block);
    case SIDES_ARRAY: return memory_own(vectorarray_push_raw(L, rows, n)->block);
    default: return args_scratch(L, rows, sizeof(double));
  }
}

void sides_finish (lua_State *L, SidesKind kind, size_t rows) {
  if (kind != SIDES_LIST) return;
  matrix_push_list(L, lua_touserdata(L, -1), rows, 1);
  lua_remove(L, -2);
}
