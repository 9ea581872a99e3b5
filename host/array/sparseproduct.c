/* sparseproduct.c - the product of two sparse matrices, column by column. */
#include "array/sparseproduct.h"

#include <stdlib.h>
#include <string.h>
#include "array/args.h"

static int compare (const void *a, const void *b) {
  int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
  return (i > j) - (i < j);
}

/* The rows of column j of A B, unsorted, into out unless it is NULL; returns how many. mark[i] is
   j + 1 where row i has been seen. */
static size_t product_column (const Pattern *a, const Pattern *b, size_t j, int64_t *mark,
                              int64_t *out) {
  size_t n = 0;
  for (int64_t k = b->starts[j]; k < b->starts[j + 1]; k++) {
    int64_t inner = b->indices[k];
    for (int64_t m = a->starts[inner]; m < a->starts[inner + 1]; m++) {
      int64_t i = a->indices[m];
      if (mark[i] == (int64_t)j + 1) continue;
      mark[i] = (int64_t)j + 1;
      if (out != NULL) out[n] = i;
      n++;
    }
  }
  return n;
}

static void fill_indices (const Pattern *a, const Pattern *b, int64_t *mark, int64_t *starts) {
  int64_t *indices = starts + b->cols + 1;
  memset(mark, 0, a->rows * sizeof *mark);
  starts[0] = 0;
  for (size_t j = 0; j < b->cols; j++) {
    size_t n = product_column(a, b, j, mark, indices + starts[j]);
    qsort(indices + starts[j], n, sizeof *indices, compare);
    starts[j + 1] = starts[j] + (int64_t)n;
  }
}

static void fill_values_complex (const SparseMatrix *A, const SparseMatrix *B, const Pattern *c,
                                 double *sums, double *z) {
  const Pattern *a = A->pattern, *b = B->pattern;
  for (size_t j = 0; j < c->cols; j++) {
    for (int64_t k = c->starts[j]; k < c->starts[j + 1]; k++) {
      memset(sums + 2 * c->indices[k], 0, 2 * sizeof *sums);
    }
    for (int64_t k = b->starts[j]; k < b->starts[j + 1]; k++) {
      int64_t inner = b->indices[k];
      double re = B->x[2 * k], im = B->x[2 * k + 1];
      for (int64_t m = a->starts[inner]; m < a->starts[inner + 1]; m++) {
        double *sum = sums + 2 * a->indices[m];
        sum[0] += A->x[2 * m] * re - A->x[2 * m + 1] * im;
        sum[1] += A->x[2 * m] * im + A->x[2 * m + 1] * re;
      }
    }
    for (int64_t k = c->starts[j]; k < c->starts[j + 1]; k++) {
      memcpy(z + 2 * k, sums + 2 * c->indices[k], 2 * sizeof *z);
    }
  }
}

static void fill_values (const SparseMatrix *A, const SparseMatrix *B, const Pattern *c,
                         double *sums, double *z) {
  const Pattern *a = A->pattern, *b = B->pattern;
  for (size_t j = 0; j < c->cols; j++) {
    for (int64_t k = c->starts[j]; k < c->starts[j + 1]; k++) sums[c->indices[k]] = 0;
    for (int64_t k = b->starts[j]; k < b->starts[j + 1]; k++) {
      int64_t inner = b->indices[k];
      for (int64_t m = a->starts[inner]; m < a->starts[inner + 1]; m++) {
        sums[a->indices[m]] += A->x[m] * B->x[k];
      }
    }
    for (int64_t k = c->starts[j]; k < c->starts[j + 1]; k++) z[k] = sums[c->indices[k]];
  }
}

SparseMatrix *sparse_push_product (lua_State *L, SparseMatrix *A, SparseMatrix *B) {
  bool is_complex = A->is_complex || B->is_complex;
  if (is_complex) {
    A = sparse_push_complex(L, 1, A);
    B = sparse_push_complex(L, 2, B);
  }
  const Pattern *a = A->pattern, *b = B->pattern;
  SparseMatrix *C = sparse_push_closed(L);
  int64_t *mark = args_scratch(L, 2 * a->rows + 1, sizeof *mark);
  memset(mark, 0, a->rows * sizeof *mark);
  size_t nnz = 0;
  for (size_t j = 0; j < b->cols; j++) nnz += product_column(a, b, j, mark, NULL);
  Block *block;
  int64_t *starts;
  sparse_check_code(L, pattern_block(&block, &starts, b->cols, nnz));
  fill_indices(a, b, mark, starts);
  int rc = pattern_new(&C->pattern, a->set, a->rows, b->cols, nnz, block, 0);
  block_release(block);
  sparse_check_code(L, rc);
  double *z = sparse_alloc_values(L, C, is_complex), *sums = (double *)(void *)mark;
  if (is_complex) fill_values_complex(A, B, C->pattern, sums, z);
  else fill_values(A, B, C->pattern, sums, z);
  lua_pop(L, 1);
  return C;
}
