/* image.h - what an array is made of, for those who move it: a kind, a shape, block slices. */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lua.h>
#include "block/block.h"

enum { ARRAY_VECTORARRAY = 1, ARRAY_MATRIX = 2, ARRAY_SPARSE = 3 };
enum { ARRAY_COMPLEX = 1, ARRAY_FROZEN = 2 }; /* flags */
enum { ARRAY_SLICES = 2 };

/* VectorArray: shape {dim, len}, slices {components}; Matrix: shape {rows, cols}, slices
   {column-major entries}; SparseMatrix: shape {rows, cols, nnz}, slices {pattern, values}. The
   pattern of a SparseMatrix is one block however many matrices have it. */
typedef struct ArrayImage {
  uint8_t kind, flags;
  uint64_t shape[3];
  unsigned n_slices;
  BlockSlice slices[ARRAY_SLICES];
} ArrayImage;

/* The kind of the value at index, or 0 when it is no array. */
int array_kind (lua_State *L, int index);

/* Fills *image from the array at index; each slice holds a reference of its own, which the
   caller releases. A view that is contiguous in its base refers to the base's block; others
   are gathered first. Raises only for want of memory, with nothing held. */
void array_export (lua_State *L, int index, ArrayImage *image);

/* Pushes a new array over the image's blocks, with references of its own, and returns NULL; or
   pushes nothing and returns what is wrong. Nothing in *image is trusted: lengths are compared
   with the shape, and the indices of a pattern with its bounds. */
const char *array_import (lua_State *L, const ArrayImage *image);

/* What a view shows of its base: n vectors, number indices[j] of it, or first + j * step without
   indices. */
typedef struct ArrayView {
  const void *base; /* lua_topointer of it; unused on import */
  size_t base_len, n, first;
  ptrdiff_t step;
  const size_t *indices; /* live as long as the view */
} ArrayView;

/* Is the value at index a view of an array that can be written to? Fills *view. */
bool array_view (lua_State *L, int index, ArrayView *view);

void array_push_base (lua_State *L, int index); /* of the view at index */

/* Pushes a view of the array at base and returns NULL; or pushes nothing and returns what is
   wrong. Nothing in *view is trusted. */
const char *array_push_view (lua_State *L, int base, const ArrayView *view);

/* The array at index, which array_import or array_push_view has made, becomes a view of the one
   at base: its own data go. Returns NULL, or what is wrong, and nothing has changed. */
const char *array_make_view (lua_State *L, int index, int base, const ArrayView *view);

#endif
