/* matrix_entry.c - entries and life of a Matrix. */
#include "array/matrix_store.h"

#include <limits.h>
#include "array/args.h"
#include "array/memory.h"

/* M:get(i, j) */
static int l_get (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  size_t i = args_index(L, 2, M->rows), j = args_index(L, 3, M->cols);
  lua_pushnumber(L, matrix_read(M)[i + j * M->rows]);
  return 1;
}

/* M:set(i, j, x) */
static int l_set (lua_State *L) {
  Matrix *M = matrix_check(L, 1);
  size_t i = args_index(L, 2, M->rows), j = args_index(L, 3, M->cols);
  double x = luaL_checknumber(L, 4);
  matrix_write_part(L, M, 1)[i + j * M->rows] = x;
  lua_settop(L, 1);
  return 1;
}

/* M:row(i) -> list */
static int l_row (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  size_t i = args_index(L, 2, M->rows);
  matrix_push_list(L, matrix_read(M) + i, M->cols, M->rows);
  return 1;
}

/* M:col(j) -> list */
static int l_col (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  size_t j = args_index(L, 2, M->cols);
  matrix_push_list(L, matrix_read(M) + j * M->rows, M->rows, 1);
  return 1;
}

/* M:to_table() -> list of rows */
static int l_to_table (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  lua_createtable(L, M->rows > INT_MAX ? 0 : (int)M->rows, 0);
  for (size_t i = 0; i < M->rows; i++) {
    matrix_push_list(L, matrix_read(M) + i, M->cols, M->rows);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* M:T() */
static int l_transpose (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  const double *m = matrix_read(M);
  Matrix *T = matrix_push_raw(L, M->cols, M->rows);
  double *t = memory_own(T->block);
  for (size_t j = 0; j < M->cols; j++) {
    for (size_t i = 0; i < M->rows; i++) t[j + i * M->cols] = m[i + j * M->rows];
  }
  return 1;
}

/* M:copy(): the same block until one of the two is written */
static int l_copy (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  Matrix *copy = matrix_push_closed(L);
  matrix_adopt(copy, block_retain(M->block), M->offset, M->rows, M->cols);
  return 1;
}

/* M:freeze() */
static int l_freeze (lua_State *L) {
  matrix_check(L, 1)->frozen = true;
  lua_settop(L, 1);
  return 1;
}

static int l_close (lua_State *L) {
  matrix_close(luaL_checkudata(L, 1, MATRIX_TNAME));
  return 0;
}

const luaL_Reg matrix_entry_methods[] = {
  {"get", l_get},           {"set", l_set},     {"row", l_row},   {"col", l_col},
  {"to_table", l_to_table}, {"T", l_transpose}, {"copy", l_copy}, {"freeze", l_freeze},
  {"close", l_close},       {NULL, NULL},
};
