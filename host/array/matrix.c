/* matrix.c - storage of matrices. */
#include "array/matrix_store.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/memory.h"

const ArgsKind matrix_kind = {"neap.Matrix"};

Matrix *matrix_check (lua_State *L, int arg) {
  Matrix *M = args_check(L, arg, &matrix_kind);
  if (M->block == NULL) args_fail(L, arg, "Matrix is closed");
  return M;
}

Matrix *matrix_test (lua_State *L, int index) {
  Matrix *M = args_test(L, index, &matrix_kind);
  return M != NULL && M->block != NULL ? M : NULL;
}

Matrix *matrix_check_real (lua_State *L, int arg) {
  Matrix *M = matrix_check(L, arg);
  if (M->is_complex) args_fail(L, arg, "Matrix of real numbers expected, got complex ones");
  return M;
}

Matrix *matrix_push_closed (lua_State *L) {
  Matrix *M = args_push(L, &matrix_kind, sizeof *M, 0);
  *M = (Matrix){.mark = M->mark}; /* closed: __gc is right whatever follows */
  return M;
}

void matrix_adopt (Matrix *M, Block *block, size_t offset, size_t rows, size_t cols,
                   bool is_complex) {
  assert(M->block == NULL);
  M->block = block;
  M->offset = offset;
  M->rows = rows;
  M->cols = cols;
  M->is_complex = is_complex;
}

Matrix *matrix_push_kind (lua_State *L, size_t rows, size_t cols, bool is_complex, bool zero) {
  size_t len = memory_size(L, rows, cols, is_complex);
  Matrix *M = matrix_push_closed(L);
  matrix_adopt(M, memory_block(L, len, zero), 0, rows, cols, is_complex);
  return M;
}

Matrix *matrix_push (lua_State *L, size_t rows, size_t cols) {
  return matrix_push_kind(L, rows, cols, false, true);
}

Matrix *matrix_push_raw (lua_State *L, size_t rows, size_t cols) {
  return matrix_push_kind(L, rows, cols, false, false);
}

void matrix_close (Matrix *M) {
  Block *block = M->block;
  M->block = NULL;
  block_release(block);
}

size_t matrix_rows (const Matrix *M) {
  return M->rows;
}

bool matrix_is_complex (const Matrix *M) {
  return M->is_complex;
}

size_t matrix_cols (const Matrix *M) {
  return M->cols;
}

const double *matrix_read (const Matrix *M) {
  return (const double *)((const char *)block_data(M->block) + M->offset);
}

double *matrix_own (Matrix *M) {
  assert(M->offset == 0);
  return memory_own(M->block);
}

static void check_not_frozen (lua_State *L, const Matrix *M) {
  if (M->frozen) luaL_error(L, "Matrix is frozen and cannot be changed");
}

void matrix_promote (lua_State *L, Matrix *M) {
  if (M->is_complex) return;
  check_not_frozen(L, M);
  Block *block = memory_block(L, memory_size(L, M->rows, M->cols, true), false);
  kernelz_promote(memory_own(block), matrix_read(M), M->rows * M->cols);
  block_release(M->block);
  M->block = NULL;
  matrix_adopt(M, block, 0, M->rows, M->cols, true);
}

Matrix *matrix_push_complex (lua_State *L, int index, const Matrix *M) {
  if (M->is_complex) {
    lua_pushvalue(L, index);
    return lua_touserdata(L, -1);
  }
  return matrix_push_copy(L, M, true);
}

Matrix *matrix_push_finite_copy (lua_State *L, int arg) {
  const Matrix *M = matrix_check(L, arg);
  Matrix *copy = matrix_push_kind(L, M->rows, M->cols, M->is_complex, false);
  if (!kernel_copy_finite(matrix_own(copy), matrix_read(M), matrix_run(M)))
    matrix_check_finite(L, arg); /* it raises */
  return copy;
}

double *matrix_write_part (lua_State *L, Matrix *M, size_t n) {
  check_not_frozen(L, M);
  size_t used = matrix_run(M) * sizeof(double);
  if (M->offset > 0 && block_is_shared(M->block)) { /* a part of something larger */
    Block *own = memory_block(L, used, false);
    if (used > 0) memcpy(memory_own(own), matrix_read(M), used);
    block_release(M->block);
    M->block = own;
    M->offset = 0;
  }
  char *data = memory_write(L, &M->block, M->offset + used, n * sizeof(double));
  return (double *)(data + M->offset);
}

double *matrix_write (lua_State *L, Matrix *M) {
  return matrix_write_part(L, M, matrix_run(M));
}

int matrix_lapack_size (lua_State *L, size_t n) {
  if (n > INT_MAX) luaL_error(L, "a size of %I is too large for LAPACK", (lua_Integer)n);
  return (int)n;
}

Matrix *matrix_check_square (lua_State *L, int arg) {
  Matrix *M = matrix_check(L, arg);
  if (M->rows != M->cols) {
    args_fail(L, arg, "square Matrix expected, got %I x %I", (lua_Integer)M->rows,
              (lua_Integer)M->cols);
  }
  return M;
}

Matrix *matrix_check_finite (lua_State *L, int arg) {
  Matrix *M = matrix_check(L, arg);
  const double *m = matrix_read(M);
  size_t k = kernel_finite(m, matrix_run(M));
  if (k < matrix_run(M)) {
    size_t entry = M->is_complex ? k / 2 : k;
    args_fail(L, arg, "entry (%I, %I) of the Matrix is %s", (lua_Integer)(entry % M->rows) + 1,
              (lua_Integer)(entry / M->rows) + 1, isnan(m[k]) ? "NaN" : "infinite");
  }
  return M;
}

Matrix *matrix_push_copy (lua_State *L, const Matrix *M, bool is_complex) {
  is_complex = is_complex || M->is_complex;
  Matrix *copy = matrix_push_kind(L, M->rows, M->cols, is_complex, false);
  double *x = matrix_own(copy);
  if (is_complex && !M->is_complex) kernelz_promote(x, matrix_read(M), M->rows * M->cols);
  else memcpy(x, matrix_read(M), matrix_run(M) * sizeof *x);
  return copy;
}
