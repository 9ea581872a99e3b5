/* image.c - arrays of every kind taken apart for a journey and put together again. */
#include "array/image.h"

#include <assert.h>
#include <stdint.h>
#include <lauxlib.h>
#include "array/matrix_store.h"
#include "array/memory.h"
#include "array/sparseimage.h"
#include "array/vectorarray_store.h"

int array_kind (lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA) return 0;
  if (vectorarray_test(L, index) != NULL) return ARRAY_VECTORARRAY;
  if (matrix_test(L, index) != NULL) return ARRAY_MATRIX;
  if (sparse_test(L, index) != NULL) return ARRAY_SPARSE;
  return 0;
}

/* The one slice of a dense array: n doubles from offset on. */
static void set_slice (ArrayImage *image, Block *block, size_t offset, size_t n) {
  image->n_slices = 1;
  image->slices[0] = (BlockSlice){.block = block, .offset = offset, .len = n * sizeof(double)};
}

static void export_vectorarray (lua_State *L, const VectorArray *U, ArrayImage *image) {
  const VectorArray *root = vectorarray_root(U);
  size_t ld, run = vectorarray_run(U);
  size_t n = run * U->len; /* checked when a view with repeats is gathered */
  *image = (ArrayImage){.kind = ARRAY_VECTORARRAY, .shape = {U->dim, U->len}};
  if (root->frozen && !U->is_view) image->flags = ARRAY_FROZEN;
  if (root->is_complex) image->flags |= ARRAY_COMPLEX;
  if (vectorarray_is_panel(U, &ld) && (U->len <= 1 || ld == U->dim || U->dim == 0)) {
    size_t before = U->len == 0 ? 0 : vectorarray_place(U, 0) * run * sizeof(double);
    set_slice(image, block_retain(root->block), root->offset + before, n);
    return;
  }
  Block *block = memory_block(L, memory_size(L, U->dim, U->len, root->is_complex), false);
  vectorarray_gather(U, memory_own(block));
  set_slice(image, block, 0, n);
}

static void export_matrix (const Matrix *M, ArrayImage *image) {
  *image = (ArrayImage){.kind = ARRAY_MATRIX, .shape = {M->rows, M->cols}};
  if (M->frozen) image->flags = ARRAY_FROZEN;
  if (M->is_complex) image->flags |= ARRAY_COMPLEX;
  set_slice(image, block_retain(M->block), M->offset, matrix_run(M));
}

void array_export (lua_State *L, int index, ArrayImage *image) {
  const VectorArray *U = vectorarray_test(L, index);
  const SparseMatrix *A = sparse_test(L, index);
  if (U != NULL) {
    export_vectorarray(L, U, image);
  } else if (A != NULL) {
    sparse_export(A, image);
  } else {
    const Matrix *M = matrix_test(L, index);
    assert(M != NULL); /* the caller has asked array_kind */
    export_matrix(M, image);
  }
}

/* NULL when the one slice of the image is the rows x cols numbers that its shape promises. */
static const char *check_dense (const ArrayImage *image) {
  const BlockSlice *slice = &image->slices[0];
  size_t n, width = (image->flags & ARRAY_COMPLEX) != 0 ? 2 * sizeof(double) : sizeof(double);
  if (image->flags & ~(ARRAY_FROZEN | ARRAY_COMPLEX)) return "array with unknown flags";
  if (image->n_slices != 1) return "array with a wrong number of slices";
  if (image->shape[0] > INT64_MAX / (2 * sizeof(double)) || image->shape[1] > INT64_MAX ||
      !memory_multiply((size_t)image->shape[0], (size_t)image->shape[1], &n) ||
      n > PTRDIFF_MAX / (2 * sizeof(double))) {
    return "array of too large a shape";
  }
  if (slice->len != n * width) return "array whose data do not fit its shape";
  if (slice->offset % sizeof(double) != 0) return "array at an odd offset";
  if (slice->block == NULL || slice->offset > block_len(slice->block) ||
      slice->len > block_len(slice->block) - slice->offset) {
    return "array whose data do not fit their block";
  }
  return NULL;
}

const char *array_import (lua_State *L, const ArrayImage *image) {
  if (image->kind == ARRAY_SPARSE) return sparse_import(L, image);
  if (image->kind != ARRAY_VECTORARRAY && image->kind != ARRAY_MATRIX) {
    return "array of unknown kind";
  }
  const char *wrong = check_dense(image);
  if (wrong != NULL) return wrong;
  const BlockSlice *slice = &image->slices[0];
  bool frozen = (image->flags & ARRAY_FROZEN) != 0;
  bool is_complex = (image->flags & ARRAY_COMPLEX) != 0;
  if (image->kind == ARRAY_VECTORARRAY) {
    VectorArray *U = vectorarray_push_undecided(L);
    vectorarray_adopt(U, block_retain(slice->block), slice->offset, (size_t)image->shape[0],
                      (size_t)image->shape[1], is_complex);
    U->frozen = frozen;
  } else {
    Matrix *M = matrix_push_closed(L);
    matrix_adopt(M, block_retain(slice->block), slice->offset, (size_t)image->shape[0],
                 (size_t)image->shape[1], is_complex);
    M->frozen = frozen;
  }
  return NULL;
}

bool array_view (lua_State *L, int index, ArrayView *view) {
  const VectorArray *U = vectorarray_test(L, index);
  if (U == NULL || !U->is_view || U->base->frozen) return false;
  *view = (ArrayView){.base = U->base,
                      .base_len = U->base->len,
                      .n = U->len,
                      .first = U->first,
                      .step = U->step,
                      .indices = U->indices};
  return true;
}

void array_push_base (lua_State *L, int index) {
  lua_getiuservalue(L, index, 1);
}

/* NULL when the view shows vectors of the array at base, which can have views. */
static const char *check_view (lua_State *L, int base, const ArrayView *view) {
  const VectorArray *U = vectorarray_test(L, base);
  if (U == NULL || U->is_view) return "view of what is no base";
  if (view->n > INT64_MAX / sizeof(size_t)) return "view of too many vectors";
  if (view->n == 0) return NULL;
  if (view->indices != NULL) {
    for (size_t j = 0; j < view->n; j++) {
      if (view->indices[j] >= U->len) return "view beyond its base";
    }
    return NULL;
  }
  if (view->first >= U->len || view->n > U->len) return "view beyond its base";
  if (view->n == 1) return NULL;
  size_t room = view->step > 0 ? U->len - 1 - view->first : view->first;
  size_t step = view->step > 0 ? (size_t)view->step : -(size_t)view->step;
  return step == 0 || room / (view->n - 1) < step ? "view beyond its base" : NULL;
}

const char *array_push_view (lua_State *L, int base, const ArrayView *view) {
  const char *wrong = check_view(L, base, view);
  if (wrong != NULL) return wrong;
  vectorarray_push_view(L, base, view->n, view->first, view->step, view->indices);
  return NULL;
}

const char *array_make_view (lua_State *L, int index, int base, const ArrayView *view) {
  const VectorArray *U = vectorarray_test(L, index), *root = lua_touserdata(L, base);
  const char *wrong = check_view(L, base, view);
  if (wrong != NULL) return wrong;
  if (U == NULL || U == root || (!U->is_view && (U->views > 0 || U->frozen)) ||
      U->len != view->n || U->dim != root->dim ||
      vectorarray_is_complex(U) != root->is_complex ||
      !vectorarray_become_view(L, index, base, view->first, view->step, view->indices)) {
    return "view in the place of something else";
  }
  return NULL;
}
