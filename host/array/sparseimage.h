/* sparseimage.h - a SparseMatrix taken apart for a journey and put together again. */
#ifndef SPARSEIMAGE_H
#define SPARSEIMAGE_H

#include "array/image.h"
#include "array/sparse.h"

/* Fills *image; its slices hold references of their own. The pattern's slice is the same for all
   matrices of the pattern. No Lua. */
void sparse_export (const SparseMatrix *A, ArrayImage *image);

/* Pushes a SparseMatrix over the image's blocks, with references of its own, and returns NULL; or
   pushes nothing and returns what is wrong. Raises only for want of memory. A pattern that the
   state has already is used instead of the image's. */
const char *sparse_import (lua_State *L, const ArrayImage *image);

#endif
