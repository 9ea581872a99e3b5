/* sparseimage.c - a SparseMatrix taken apart for a journey and put together again. */
#include "array/sparseimage.h"

void sparse_export (const SparseMatrix *A, ArrayImage *image) {
  const Pattern *p = A->pattern;
  *image = (ArrayImage){.kind = ARRAY_SPARSE,
                        .flags = ARRAY_FROZEN,
                        .n_slices = 2,
                        .shape = {p->rows, p->cols, p->nnz}};
  image->slices[0] = (BlockSlice){.block = block_retain(p->block),
                                  .offset = p->offset,
                                  .len = pattern_len(p->cols, p->nnz)};
  image->slices[1] = (BlockSlice){.block = block_retain(A->values),
                                  .offset = A->offset,
                                  .len = sparse_run(A) * sizeof(double)};
  if (A->is_complex) image->flags |= ARRAY_COMPLEX;
}

static const char *check_slice (const BlockSlice *slice, size_t len) {
  if (slice->len != len) return "sparse matrix whose data do not fit its shape";
  if (slice->offset % sizeof(double) != 0) return "sparse matrix at an odd offset";
  if (slice->block == NULL || slice->offset > block_len(slice->block) ||
      len > block_len(slice->block) - slice->offset) {
    return "sparse matrix whose data do not fit their block";
  }
  return NULL;
}

static const void *data_of (const BlockSlice *slice) {
  return (const char *)block_data(slice->block) + slice->offset;
}

static const char *check (const ArrayImage *image) {
  const uint64_t *shape = image->shape;
  size_t width = (image->flags & ARRAY_COMPLEX) != 0 ? 2 * sizeof(double) : sizeof(double);
  if (image->flags & ~(ARRAY_FROZEN | ARRAY_COMPLEX)) return "sparse matrix with unknown flags";
  if (image->n_slices != 2) return "sparse matrix with a wrong number of slices";
  if (shape[0] > INT64_MAX / 16 || shape[1] > INT64_MAX / 16 || shape[2] > INT64_MAX / 32) {
    return "sparse matrix of too large a shape";
  }
  size_t cols = (size_t)shape[1], nnz = (size_t)shape[2], len = pattern_len(cols, nnz);
  if (len == 0) return "sparse matrix of too large a shape";
  const char *wrong = check_slice(&image->slices[0], len);
  if (wrong == NULL) wrong = check_slice(&image->slices[1], nnz * width);
  if (wrong != NULL) return wrong;
  const int64_t *starts = data_of(&image->slices[0]);
  return pattern_check((size_t)shape[0], cols, nnz, starts, starts + cols + 1);
}

const char *sparse_import (lua_State *L, const ArrayImage *image) {
  const char *wrong = check(image);
  if (wrong != NULL) return wrong;
  PatternSet *set = pattern_set(L);
  SparseMatrix *A = sparse_push_closed(L);
  int rc = pattern_new(&A->pattern, set, (size_t)image->shape[0], (size_t)image->shape[1],
                       (size_t)image->shape[2], image->slices[0].block,
                       image->slices[0].offset);
  sparse_check_code(L, rc);
  A->values = block_retain(image->slices[1].block);
  A->offset = image->slices[1].offset;
  A->x = data_of(&image->slices[1]);
  A->is_complex = (image->flags & ARRAY_COMPLEX) != 0;
  return NULL;
}
