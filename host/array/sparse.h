/* sparse.h - SparseMatrix: immutable, compressed columns, over a pattern that others share. */
#ifndef SPARSE_H
#define SPARSE_H

#include <stdbool.h>
#include <lauxlib.h>
#include "array/pattern.h"
#include "array/sparsefactor.h"

#define SPARSE_TNAME "neap.SparseMatrix"

/* A userdata: it lives as long as Lua can see it, so keep it on the stack while in use. */
typedef struct SparseMatrix {
  Pattern
    *pattern;    /* one reference; NULL while it is being made, and after the collector's end */
  Block *values; /* one reference */
  size_t offset; /* of the values in their block, in bytes */
  const double *x; /* pattern->nnz values, in the pattern's order */
  bool is_complex; /* each value has a real and an imaginary part */
  int symmetric;   /* pattern and values, exactly: 0 or 1, -1 when not tested yet */
  int hermitian;   /* the same, for a complex matrix and its adjoint */
  bool used;       /* has been applied: the next time it pays to know whether it is symmetric */
  Factor factor;   /* of the last solve; never sent */
} SparseMatrix;

SparseMatrix *sparse_check (lua_State *L, int arg);  /* raises an argument error */
SparseMatrix *sparse_test (lua_State *L, int index); /* NULL for any other value */

/* Pushes a matrix without pattern and values, which no script can see before they are there. */
SparseMatrix *sparse_push_closed (lua_State *L);

/* Gives a matrix that has its pattern memory for its values, contents undefined. Raises only for
   want of memory. */
double *sparse_alloc_values (lua_State *L, SparseMatrix *A, bool is_complex);

/* Doubles of a value, and of all values. */
static inline size_t sparse_width (const SparseMatrix *A) {
  return A->is_complex ? 2 : 1;
}
static inline size_t sparse_run (const SparseMatrix *A) {
  return A->pattern->nnz * sparse_width(A);
}

/* Pushes A, which stands at index, or a complex copy of it where it is real. */
SparseMatrix *sparse_push_complex (lua_State *L, int index, SparseMatrix *A);

/* Raises for a negative code of libuv, returns otherwise. */
void sparse_check_code (lua_State *L, int rc);

/* Is A symmetric, exactly? Is it its own adjoint? Each tests at most once. Raise only for want of
   memory. */
bool sparse_is_symmetric (lua_State *L, SparseMatrix *A);
bool sparse_is_hermitian (lua_State *L, SparseMatrix *A);

/* Pushes sum of coefficients[i] * matrices[i]; all have one shape, n >= 1. Coefficients are complex
   when is_complex says so, or one of the matrices is. Matrices with the coefficient 0 count for the
   pattern, not for the values. */
SparseMatrix *sparse_push_lincomb (lua_State *L, size_t n, const double *coefficients,
                                   SparseMatrix *const *matrices, bool is_complex);

/* Pushes the m x n_cols matrix with n triplets, indices from 0 and valid; duplicates add up in the
   order in which they come. */
SparseMatrix *sparse_push_triplets (lua_State *L, size_t m, size_t n_cols, size_t n,
                                    const size_t *rows, const size_t *cols,
                                    const double *values, bool is_complex);

/* Writes all entries, column-major, the number of rows apart, real or complex as A is. */
void sparse_fill_dense (const SparseMatrix *A, double *entries);

void sparse_push_dense (lua_State *L, const SparseMatrix *A); /* as a Matrix */

int sparse_l_lincomb (lua_State *L); /* SparseMatrix.lincomb, sparseops.c */

/* Methods and metamethods of other files. */
extern const luaL_Reg sparse_entry_methods[], sparse_apply_methods[], sparse_operations[];
extern const luaL_Reg sparse_solves[], sparse_metamethods[];

/* Registers the kind in a fresh Lua state and pushes the table of its constructors. */
void sparse_open (lua_State *L);

#endif
