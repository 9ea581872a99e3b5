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
  int symmetric;   /* pattern and values, exactly: 0 or 1, -1 when not tested yet */
  bool used;       /* has been applied: the next time it pays to know whether it is symmetric */
  Factor factor;   /* of the last solve; never sent */
} SparseMatrix;

SparseMatrix *sparse_check (lua_State *L, int arg);  /* raises an argument error */
SparseMatrix *sparse_test (lua_State *L, int index); /* NULL for any other value */

/* Pushes a matrix without pattern and values, which no script can see before they are there. */
SparseMatrix *sparse_push_closed (lua_State *L);

/* Gives a matrix that has its pattern memory for its values, contents undefined. Raises only for
   want of memory. */
double *sparse_alloc_values (lua_State *L, SparseMatrix *A);

/* Raises for a negative code of libuv, returns otherwise. */
void sparse_check_code (lua_State *L, int rc);

/* Is A symmetric, exactly? Tests at most once. Raises only for want of memory. */
bool sparse_is_symmetric (lua_State *L, SparseMatrix *A);

/* Pushes sum of coefficients[i] * matrices[i]; all have one shape, n >= 1. Matrices with the
   coefficient 0 count for the pattern, not for the values. */
SparseMatrix *sparse_push_lincomb (lua_State *L, size_t n, const double *coefficients,
                                   SparseMatrix *const *matrices);

/* Pushes the m x n_cols matrix with n triplets, indices from 0 and valid; duplicates add up in the
   order in which they come. */
SparseMatrix *sparse_push_triplets (lua_State *L, size_t m, size_t n_cols, size_t n,
                                    const size_t *rows, const size_t *cols,
                                    const double *values);

/* Writes all entries, column-major, the number of rows apart. */
void sparse_fill_dense (const SparseMatrix *A, double *entries);

int sparse_l_lincomb (lua_State *L); /* SparseMatrix.lincomb, sparseops.c */

/* Methods and metamethods of other files. */
extern const luaL_Reg sparse_operations[], sparse_solves[], sparse_metamethods[];

/* Registers the kind in a fresh Lua state and pushes the table of its constructors. */
void sparse_open (lua_State *L);

#endif
