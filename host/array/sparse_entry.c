/* sparse_entry.c - a SparseMatrix transposed, and its entries in other shapes. */
#include "array/sparse.h"

#include <limits.h>
#include <string.h>
#include "array/args.h"
#include "array/kernelsz.h"
#include "array/matrix.h"
#include "array/memory.h"
#include "array/scalar.h"
#include "array/sparsekernel.h"

/* Pushes the transposed matrix. */
static SparseMatrix *push_transposed (lua_State *L, const SparseMatrix *A) {
  const Pattern *p = A->pattern;
  SparseMatrix *T = sparse_push_closed(L);
  double *y = args_scratch(L, sparse_run(A) + 1, sizeof *y);
  int64_t *next = args_scratch(L, p->rows + 1, sizeof *next), *starts;
  Block *block;
  sparse_check_code(L, pattern_block(&block, &starts, p->rows, p->nnz));
  memset(starts, 0, (p->rows + 1) * sizeof *starts);
  for (size_t k = 0; k < p->nnz; k++) starts[p->indices[k] + 1]++;
  for (size_t i = 0; i < p->rows; i++) starts[i + 1] += starts[i];
  sparsekernel_transpose(p, A->x, sparse_width(A), starts, starts + p->rows + 1, y, next);
  int rc = pattern_new(&T->pattern, p->set, p->cols, p->rows, p->nnz, block, 0);
  block_release(block);
  sparse_check_code(L, rc);
  memcpy(sparse_alloc_values(L, T, A->is_complex), y, sparse_run(A) * sizeof *y);
  lua_pop(L, 2);
  return T;
}

/* A:T() -> SparseMatrix; A itself when it is symmetric */
static int l_transpose (lua_State *L) {
  SparseMatrix *A = sparse_check(L, 1);
  lua_settop(L, 1);
  if (!sparse_is_symmetric(L, A)) push_transposed(L, A);
  return 1;
}

/* A:H() -> SparseMatrix, the adjoint; A itself when it is Hermitian */
static int l_adjoint (lua_State *L) {
  SparseMatrix *A = sparse_check(L, 1);
  if (!A->is_complex) return l_transpose(L);
  lua_settop(L, 1);
  if (sparse_is_hermitian(L, A)) return 1;
  SparseMatrix *T = push_transposed(L, A);
  double *t = memory_own(T->values); /* fresh: nobody else has it */
  kernelz_conj(t, t, A->pattern->nnz);
  return 1;
}

/* Pushes a matrix of the same pattern and other values, which are to be filled. */
static double *push_alike (lua_State *L, const SparseMatrix *A, bool is_complex) {
  SparseMatrix *B = sparse_push_closed(L);
  B->pattern = pattern_retain(A->pattern);
  return sparse_alloc_values(L, B, is_complex);
}

static int push_part (lua_State *L, bool imaginary) {
  const SparseMatrix *A = sparse_check(L, 1);
  size_t nnz = A->pattern->nnz;
  lua_settop(L, 1);
  if (A->is_complex) {
    kernelz_part(push_alike(L, A, false), A->x, nnz, imaginary);
  } else if (imaginary) {
    memset(push_alike(L, A, false), 0, nnz * sizeof(double));
  }
  return 1;
}

/* A:real() -> real SparseMatrix */
static int l_real (lua_State *L) {
  return push_part(L, false);
}

/* A:imag() -> real SparseMatrix of the same pattern */
static int l_imag (lua_State *L) {
  return push_part(L, true);
}

/* A:conj() -> SparseMatrix; A itself when it is real */
static int l_conj (lua_State *L) {
  const SparseMatrix *A = sparse_check(L, 1);
  if (!A->is_complex) return push_part(L, false);
  kernelz_conj(push_alike(L, A, true), A->x, A->pattern->nnz);
  return 1;
}

static void push_value (lua_State *L, const SparseMatrix *A, int64_t k) {
  const double *x = A->x + (size_t)k * sparse_width(A);
  if (A->is_complex) scalar_push(L, scalar_of(x[0], x[1]));
  else lua_pushnumber(L, x[0]);
}

static void push_value_or_zero (lua_State *L, const SparseMatrix *A, int64_t k) {
  if (k >= 0) push_value(L, A, k);
  else if (A->is_complex) scalar_push(L, 0);
  else lua_pushnumber(L, 0);
}

/* A:triplets() -> lists of rows, columns, values; column by column, rows ascending */
static int l_triplets (lua_State *L) {
  const SparseMatrix *A = sparse_check(L, 1);
  const Pattern *p = A->pattern;
  luaL_argcheck(L, p->nnz <= INT_MAX, 1, "too many entries for a table");
  for (int i = 0; i < 3; i++) lua_createtable(L, (int)p->nnz, 0);
  for (size_t j = 0; j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      lua_pushinteger(L, p->indices[k] + 1);
      lua_rawseti(L, -4, k + 1);
      lua_pushinteger(L, (lua_Integer)j + 1);
      lua_rawseti(L, -3, k + 1);
      push_value(L, A, k);
      lua_rawseti(L, -2, k + 1);
    }
  }
  return 3;
}

/* The place of entry (i, j), or -1 where there is none. */
static int64_t find_entry (const Pattern *p, size_t i, size_t j) {
  int64_t low = p->starts[j], high = p->starts[j + 1];
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (p->indices[middle] < (int64_t)i) low = middle + 1;
    else high = middle;
  }
  return low < p->starts[j + 1] && p->indices[low] == (int64_t)i ? low : -1;
}

/* A:get(i, j) -> number; 0 where there is no entry */
static int l_get (lua_State *L) {
  const SparseMatrix *A = sparse_check(L, 1);
  size_t i = args_index(L, 2, A->pattern->rows), j = args_index(L, 3, A->pattern->cols);
  int64_t k = find_entry(A->pattern, i, j);
  push_value_or_zero(L, A, k);
  return 1;
}

/* A:diagonal() -> list of numbers */
static int l_diagonal (lua_State *L) {
  const SparseMatrix *A = sparse_check(L, 1);
  const Pattern *p = A->pattern;
  size_t n = p->rows < p->cols ? p->rows : p->cols;
  lua_createtable(L, n <= INT_MAX ? (int)n : 0, 0);
  for (size_t j = 0; j < n; j++) {
    int64_t k = find_entry(p, j, j);
    push_value_or_zero(L, A, k);
    lua_rawseti(L, -2, (lua_Integer)j + 1);
  }
  return 1;
}

void sparse_fill_dense (const SparseMatrix *A, double *entries) {
  const Pattern *p = A->pattern;
  size_t width = sparse_width(A);
  memset(entries, 0, p->rows * p->cols * width * sizeof *entries);
  for (size_t j = 0; j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      size_t place = j * p->rows + (size_t)p->indices[k];
      memcpy(entries + place * width, A->x + (size_t)k * width, width * sizeof *entries);
    }
  }
}

void sparse_push_dense (lua_State *L, const SparseMatrix *A) {
  Matrix *M = matrix_push_kind(L, A->pattern->rows, A->pattern->cols, A->is_complex, false);
  sparse_fill_dense(A, matrix_write(L, M));
}

/* A:to_matrix() -> Matrix */
static int l_to_matrix (lua_State *L) {
  sparse_push_dense(L, sparse_check(L, 1));
  return 1;
}

const luaL_Reg sparse_entry_methods[] = {
  {"T", l_transpose}, {"H", l_adjoint},         {"real", l_real},
  {"imag", l_imag},   {"conj", l_conj},         {"triplets", l_triplets},
  {"get", l_get},     {"diagonal", l_diagonal}, {"to_matrix", l_to_matrix},
  {NULL, NULL},
};
