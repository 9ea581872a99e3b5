/* matrix_store.h - how a Matrix lies in memory, and the parts of its interface; for host/array. */
#ifndef MATRIX_STORE_H
#define MATRIX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <lauxlib.h>
#include "array/matrix.h"
#include "array/vectorarray.h"
#include "block/block.h"

struct Matrix {
  ArgsMark mark;
  size_t rows, cols;
  Block *block;  /* one reference; NULL once closed */
  size_t offset; /* of entry (1, 1) in the block, in bytes; a multiple of 8 */
  bool frozen;
  bool is_complex;
};

/* Doubles of all entries. */
static inline size_t matrix_run (const Matrix *M) {
  return M->rows * M->cols * (M->is_complex ? 2 : 1);
}

/* Pushes a matrix without memory (closed), to be given a block. */
Matrix *matrix_push_closed (lua_State *L);

/* matrix_write where n entries or so are about to be written: see block_write_part. */
double *matrix_write_part (lua_State *L, Matrix *M, size_t n);

/* Takes over the caller's reference to block. */
void matrix_adopt (Matrix *M, Block *block, size_t offset, size_t rows, size_t cols,
                   bool is_complex);

/* Makes a real M complex. Raises when it is frozen. */
void matrix_promote (lua_State *L, Matrix *M);

void matrix_close (Matrix *M); /* may be repeated; no Lua */

/* The leading dimension as the BLAS wants it: at least 1. */
static inline size_t matrix_ld (size_t rows) {
  return rows == 0 ? 1 : rows;
}

/* A size for LAPACK, which counts in int; raises when it does not fit. */
int matrix_lapack_size (lua_State *L, size_t n);

Matrix *matrix_check_square (lua_State *L, int arg);
Matrix *matrix_check_finite (lua_State *L, int arg); /* NaN would pass unseen */

/* Pushes a copy of M, which may be made complex, for LAPACK to work in. Who does not return it closes
   it after use: then the next one gets the same memory, which is in the caches and in pages that
   exist, while what waits for the collector has cost new ones meanwhile. */
Matrix *matrix_push_copy (lua_State *L, const Matrix *M, bool is_complex);
Matrix *matrix_push_finite_copy (lua_State *L, int arg); /* matrix_check_finite at once */

/* The entries of a Matrix that was just pushed, to be filled. No Lua. */
double *matrix_own (Matrix *M);

/* Pushes M U, and something below it. U stands at index and fits. */
void matrix_push_applied (lua_State *L, const Matrix *M, int index, const VectorArray *U);

/* Methods, by what they do; each list ends with {NULL, NULL}. */
extern const luaL_Reg matrix_entry_methods[]; /* get, set, row, col, T, copy, to_table, ... */
extern const luaL_Reg matrix_solve_methods[]; /* solve, lu, cholesky, det, ... */
extern const luaL_Reg matrix_decompose_methods[]; /* qr, svd, eigh, eig */
extern const luaL_Reg matrix_norm_methods[];      /* norm, cond, pinv, lstsq */
extern const luaL_Reg matrix_apply_methods[];     /* what an operator has */
extern const luaL_Reg matrix_arith_metamethods[];

void matrix_push_constructors (lua_State *L); /* the table neap.Matrix */
void matrix_open_factor (lua_State *L);       /* registers factorisations */

#endif
