/* image.h - what an array is made of, for those who move it: a kind, a shape, block slices. */
#ifndef IMAGE_H
#define IMAGE_H

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

#endif
