/* matrix_entry.c - entries and life of a Matrix. */
#include "array/matrix_store.h"

#include <limits.h>
#include <string.h>
#include "array/args.h"
#include "array/kernelsz.h"
#include "array/memory.h"
#include "array/scalar.h"

/* M:get(i, j) */
static int l_get (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  size_t i = args_index(L, 2, M->rows), j = args_index(L, 3, M->cols);
  const double *m = matrix_read(M);
  size_t k = i + j * M->rows;
  if (M->is_complex) scalar_push(L, scalar_of(m[2 * k], m[2 * k + 1]));
  else lua_pushnumber(L, m[k]);
  return 1;
}

/* M:set(i, j, x): a complex x makes M complex */
static int l_set (lua_State *L) {
  Matrix *M = matrix_check(L, 1);
  size_t i = args_index(L, 2, M->rows), j = args_index(L, 3, M->cols);
  Scalar x = scalar_check(L, 4);
  if (x.is_complex) matrix_promote(L, M);
  double *m = matrix_write_part(L, M, 2);
  size_t k = i + j * M->rows;
  if (M->is_complex) memcpy(m + 2 * k, &x.value, sizeof x.value);
  else m[k] = creal(x.value);
  lua_settop(L, 1);
  return 1;
}

/* Pushes n entries from entry first on as a list. */
static void push_run (lua_State *L, const Matrix *M, size_t first, size_t n, size_t stride) {
  scalar_push_list(L, matrix_read(M) + first * (M->is_complex ? 2 : 1), M->is_complex, n,
                   stride);
}

/* M:row(i) -> list */
static int l_row (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  size_t i = args_index(L, 2, M->rows);
  push_run(L, M, i, M->cols, M->rows);
  return 1;
}

/* M:col(j) -> list */
static int l_col (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  size_t j = args_index(L, 2, M->cols);
  push_run(L, M, j * M->rows, M->rows, 1);
  return 1;
}

/* M:to_table() -> list of rows */
static int l_to_table (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  lua_createtable(L, M->rows > INT_MAX ? 0 : (int)M->rows, 0);
  for (size_t i = 0; i < M->rows; i++) {
    push_run(L, M, i, M->cols, M->rows);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int push_transposed (lua_State *L, double sign) {
  const Matrix *M = matrix_check(L, 1);
  const double *m = matrix_read(M);
  Matrix *T = matrix_push_kind(L, M->cols, M->rows, M->is_complex, false);
  double *t = memory_own(T->block);
  for (size_t j = 0; j < M->cols; j++) {
    for (size_t i = 0; i < M->rows; i++) {
      size_t from = i + j * M->rows, to = j + i * M->cols;
      if (M->is_complex) {
        t[2 * to] = m[2 * from];
        t[2 * to + 1] = sign * m[2 * from + 1];
      } else {
        t[to] = m[from];
      }
    }
  }
  return 1;
}

/* M:T(): without conjugation */
static int l_transpose (lua_State *L) {
  return push_transposed(L, 1);
}

/* M:H(): the adjoint */
static int l_adjoint (lua_State *L) {
  return push_transposed(L, -1);
}

/* Pushes another matrix over the same block, shared until one of the two is written. */
static void push_shared (lua_State *L, const Matrix *M) {
  Matrix *copy = matrix_push_closed(L);
  matrix_adopt(copy, block_retain(M->block), M->offset, M->rows, M->cols, M->is_complex);
}

static int push_part (lua_State *L, bool imaginary) {
  const Matrix *M = matrix_check(L, 1);
  if (M->is_complex) {
    Matrix *P = matrix_push_raw(L, M->rows, M->cols);
    kernelz_part(memory_own(P->block), matrix_read(M), M->rows * M->cols, imaginary);
  } else if (imaginary) {
    matrix_push(L, M->rows, M->cols);
  } else {
    push_shared(L, M);
  }
  return 1;
}

/* M:real() -> real Matrix */
static int l_real (lua_State *L) {
  return push_part(L, false);
}

/* M:imag() -> real Matrix */
static int l_imag (lua_State *L) {
  return push_part(L, true);
}

/* M:conj() -> Matrix, real or complex as M is */
static int l_conj (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  if (!M->is_complex) return push_part(L, false);
  Matrix *C = matrix_push_kind(L, M->rows, M->cols, true, false);
  kernelz_conj(memory_own(C->block), matrix_read(M), M->rows * M->cols);
  return 1;
}

/* M:copy(): the same block until one of the two is written */
static int l_copy (lua_State *L) {
  push_shared(L, matrix_check(L, 1));
  return 1;
}

/* M:freeze() */
static int l_freeze (lua_State *L) {
  matrix_check(L, 1)->frozen = true;
  lua_settop(L, 1);
  return 1;
}

static int l_close (lua_State *L) {
  matrix_close(args_check(L, 1, &matrix_kind));
  return 0;
}

const luaL_Reg matrix_entry_methods[] = {
  {"get", l_get},           {"set", l_set},     {"row", l_row},   {"col", l_col},
  {"to_table", l_to_table}, {"T", l_transpose}, {"H", l_adjoint}, {"copy", l_copy},
  {"real", l_real},         {"imag", l_imag},   {"conj", l_conj}, {"freeze", l_freeze},
  {"close", l_close},       {NULL, NULL},
};
