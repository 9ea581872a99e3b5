/* vectorarray.c - storage of VectorArrays: bases, views, write access, growth. */
#include "array/vectorarray_store.h"

#include <assert.h>
#include <string.h>
#include <lauxlib.h>
#include "array/args.h"
#include "array/kernelsz.h"
#include "array/memory.h"

const ArgsKind vectorarray_kind = {"neap.VectorArray"};

bool vectorarray_is_open (const VectorArray *U) {
  return U->is_view ? U->base != NULL && U->base->block != NULL : U->block != NULL;
}

VectorArray *vectorarray_check (lua_State *L, int arg) {
  VectorArray *U = args_check(L, arg, &vectorarray_kind);
  if (!vectorarray_is_open(U)) args_fail(L, arg, "VectorArray is closed");
  return U;
}

VectorArray *vectorarray_check_real (lua_State *L, int arg) {
  VectorArray *U = vectorarray_check(L, arg);
  if (vectorarray_is_complex(U)) {
    args_fail(L, arg, "VectorArray of real numbers expected, got complex ones");
  }
  return U;
}

VectorArray *vectorarray_test (lua_State *L, int index) {
  VectorArray *U = args_test(L, index, &vectorarray_kind);
  return U != NULL && vectorarray_is_open(U) ? U : NULL;
}

size_t vectorarray_dim (const VectorArray *U) {
  return U->dim;
}

bool vectorarray_is_complex (const VectorArray *U) {
  return vectorarray_root(U)->is_complex;
}

size_t vectorarray_len (const VectorArray *U) {
  return U->len;
}

static VectorArray *push_closed (lua_State *L, int user_values) {
  VectorArray *U = args_push(L, &vectorarray_kind, sizeof *U, user_values);
  *U = (VectorArray){.mark = U->mark}; /* closed: __gc is right whatever follows */
  return U;
}

VectorArray *vectorarray_push_closed (lua_State *L) {
  return push_closed(L, 0);
}

VectorArray *vectorarray_push_undecided (lua_State *L) {
  return push_closed(L, 2);
}

void vectorarray_adopt (VectorArray *U, Block *block, size_t offset, size_t dim, size_t len,
                        bool is_complex) {
  assert(U->block == NULL && !U->is_view);
  /* Bytes of one vector; cannot overflow: the block exists. */
  size_t bytes = dim * (is_complex ? 2 : 1) * sizeof(double);
  U->block = block;
  U->offset = offset;
  U->dim = dim;
  U->len = len;
  U->is_complex = is_complex;
  U->capacity = bytes == 0 ? len : (block_len(block) - offset) / bytes;
  assert(U->capacity >= len);
}

VectorArray *vectorarray_push_kind (lua_State *L, size_t dim, size_t len, bool is_complex,
                                    bool zero) {
  size_t bytes = memory_size(L, dim, len, is_complex);
  memory_size(L, dim, 1,
              is_complex); /* an empty array that cannot get a vector is refused as well */
  VectorArray *U = vectorarray_push_closed(L);
  vectorarray_adopt(U, memory_block(L, bytes, zero), 0, dim, len, is_complex);
  return U;
}

VectorArray *vectorarray_push (lua_State *L, size_t dim, size_t len) {
  return vectorarray_push_kind(L, dim, len, false, true);
}

VectorArray *vectorarray_push_raw (lua_State *L, size_t dim, size_t len) {
  return vectorarray_push_kind(L, dim, len, false, false);
}

VectorArray *vectorarray_push_view (lua_State *L, int index, size_t n, size_t first,
                                    ptrdiff_t step, const size_t *indices) {
  VectorArray *U = lua_touserdata(L, index);
  index = lua_absindex(L, index);
  size_t extra;
  if (!memory_multiply(indices == NULL ? 0 : n, sizeof *indices, &extra) ||
      extra > PTRDIFF_MAX - sizeof(VectorArray)) {
    luaL_error(L, "not enough memory");
  }
  VectorArray *view = args_push(L, &vectorarray_kind, sizeof *view + extra, 1);
  *view = (VectorArray){.mark = view->mark,
                        .is_view = true,
                        .dim = U->dim,
                        .len = n,
                        .first = first,
                        .step = step};
  if (U->is_view) lua_getiuservalue(L, index, 1);
  else lua_pushvalue(L, index);
  lua_setiuservalue(L, -2, 1);
  if (extra > 0) {
    view->indices = (size_t *)(view + 1);
    memcpy(view->indices, indices, extra);
  }
  view->base = vectorarray_root(U);
  view->base->views++;
  return view;
}

bool vectorarray_become_view (lua_State *L, int index, int base, size_t first, ptrdiff_t step,
                              const size_t *indices) {
  VectorArray *U = lua_touserdata(L, index), *root = lua_touserdata(L, base);
  assert(!root->is_view && U != root && (U->is_view || U->views == 0));
  size_t *own = NULL, len = U->len;
  index = lua_absindex(L, index);
  base = lua_absindex(L, base);
  if (indices != NULL && U->is_view && U->indices != NULL) {
    own = U->indices;
  } else if (indices != NULL && len > 0) {
    own = lua_newuserdatauv(L, len * sizeof *own, 0); /* cannot overflow: indices exists */
    if (!lua_setiuservalue(L, index, 2)) return false;
  }
  lua_pushvalue(L, base);
  if (!lua_setiuservalue(L, index, 1)) return false;
  if (own != NULL) memcpy(own, indices, len * sizeof *own);
  vectorarray_close(U);
  *U = (VectorArray){.mark = U->mark,
                     .is_view = true,
                     .dim = root->dim,
                     .len = len,
                     .base = root,
                     .first = first,
                     .step = step,
                     .indices = own};
  root->views++;
  return true;
}

void vectorarray_close (VectorArray *U) {
  if (U->is_view) {
    if (U->base != NULL) U->base->views--;
    U->base = NULL;
  } else {
    Block *block = U->block;
    U->block = NULL;
    block_release(block);
  }
}

static const double *root_data (const VectorArray *root) {
  return (const double *)((const char *)block_data(root->block) + root->offset);
}

const double *vectorarray_vector (const VectorArray *U, size_t j) {
  assert(j < U->len);
  return root_data(vectorarray_root(U)) + vectorarray_place(U, j) * vectorarray_run(U);
}

static size_t distance (size_t dim) {
  return dim == 0 ? 1 : dim;
}

bool vectorarray_is_panel (const VectorArray *U, size_t *ld) {
  *ld = distance(U->dim);
  if (!U->is_view || U->len <= 1) return true;
  if (U->indices != NULL || U->step < 1) return false;
  *ld = distance(U->dim * (size_t)U->step); /* lies inside the base, so it does not overflow */
  return true;
}

void vectorarray_gather (const VectorArray *U, double *target) {
  size_t ld, run = vectorarray_run(U);
  if (run == 0 || U->len == 0) return;
  if (vectorarray_is_panel(U, &ld) && ld == U->dim) {
    memcpy(target, vectorarray_vector(U, 0), U->len * run * sizeof(double));
    return;
  }
  for (size_t j = 0; j < U->len; j++) {
    memcpy(target + j * run, vectorarray_vector(U, j), run * sizeof(double));
  }
}

const double *vectorarray_panel (lua_State *L, const VectorArray *U, size_t *ld) {
  if (vectorarray_is_panel(U, ld)) {
    lua_pushnil(L);
    return U->len == 0 ? root_data(vectorarray_root(U)) : vectorarray_vector(U, 0);
  }
  VectorArray *copy = vectorarray_push_kind(L, U->dim, U->len, vectorarray_is_complex(U),
                                            false);
  *ld = distance(U->dim);
  vectorarray_gather(U, memory_own(copy->block));
  return root_data(copy);
}

VectorArray *vectorarray_push_parts (lua_State *L, const VectorArray *U) {
  VectorArray *parts = vectorarray_push_raw(L, U->dim, 2 * U->len);
  double *x = memory_own(parts->block);
  for (size_t j = 0; j < U->len; j++) {
    kernelz_part(x + j * U->dim, vectorarray_vector(U, j), U->dim, false);
    kernelz_part(x + (U->len + j) * U->dim, vectorarray_vector(U, j), U->dim, true);
  }
  return parts;
}

VectorArray *vectorarray_push_merged (lua_State *L, const VectorArray *parts) {
  size_t len = parts->len / 2, n = parts->dim * len;
  VectorArray *U = vectorarray_push_kind(L, parts->dim, len, true, false);
  const double *x = root_data(parts);
  kernelz_merge(memory_own(U->block), x, x + n, n);
  return U;
}

/* The block of a root, writable, n numbers in which are about to be written; where the root is a
   part of a larger shared block, only the part is copied. */
static double *write_root (lua_State *L, VectorArray *root, size_t n) {
  size_t used = root->len * vectorarray_run(root) * sizeof(double);
  bool is_part = root->offset > 0 || used < block_len(root->block) / 2;
  if (is_part && block_is_shared(root->block)) {
    Block *own = memory_block(L, used, false);
    if (used > 0) memcpy(memory_own(own), root_data(root), used);
    block_release(root->block);
    root->block = own;
    root->offset = 0;
    root->capacity = root->len;
  }
  char *data = memory_write(L, &root->block, root->offset + used, n * sizeof(double));
  return (double *)(data + root->offset);
}

static void check_not_frozen (lua_State *L, const VectorArray *root) {
  if (root->frozen) luaL_error(L, "VectorArray is frozen and cannot be changed");
}

static double *check_write (lua_State *L, VectorArray *U, size_t n) {
  VectorArray *root = vectorarray_root(U);
  check_not_frozen(L, root);
  size_t most = root->len * vectorarray_run(root); /* a view may repeat vectors */
  return write_root(L, root, n < most ? n : most);
}

double *vectorarray_write (lua_State *L, VectorArray *U) {
  size_t n = U->len > vectorarray_root(U)->len ? SIZE_MAX : U->len * vectorarray_run(U);
  return check_write(L, U, n);
}

double *vectorarray_vector_write (lua_State *L, VectorArray *U, size_t j) {
  assert(j < U->len);
  size_t run = vectorarray_run(U);
  return check_write(L, U, run) + vectorarray_place(U, j) * run;
}

double *vectorarray_entry_write (lua_State *L, VectorArray *U, size_t i, size_t j) {
  assert(i < U->dim && j < U->len);
  size_t width = vectorarray_is_complex(U) ? 2 : 1;
  return check_write(L, U, width) + (vectorarray_place(U, j) * U->dim + i) * width;
}

void vectorarray_promote (lua_State *L, VectorArray *U) {
  VectorArray *root = vectorarray_root(U);
  if (root->is_complex) return;
  check_not_frozen(L, root);
  size_t n = root->len * root->dim;
  Block *block = memory_block(L, memory_size(L, root->dim, root->len, true), false);
  kernelz_promote(memory_own(block), root_data(root), n);
  block_release(root->block);
  root->block = NULL;
  vectorarray_adopt(root, block, 0, root->dim, root->len, true);
}

VectorArray *vectorarray_push_complex (lua_State *L, int index, const VectorArray *U) {
  if (vectorarray_is_complex(U)) {
    lua_pushvalue(L, index);
    return lua_touserdata(L, -1);
  }
  VectorArray *Z = vectorarray_push_kind(L, U->dim, U->len, true, false);
  double *z = memory_own(Z->block);
  for (size_t j = 0; j < U->len; j++) {
    kernelz_promote(z + 2 * j * U->dim, vectorarray_vector(U, j), U->dim);
  }
  return Z;
}

VectorArray *vectorarray_check_resizable (lua_State *L, int arg) {
  VectorArray *U = vectorarray_check(L, arg);
  if (U->is_view) args_fail(L, arg, "VectorArray is a view, its length is fixed");
  if (U->frozen) args_fail(L, arg, "VectorArray is frozen and cannot be changed");
  if (U->views > 0) lua_gc(L, LUA_GCCOLLECT); /* most are only waiting for the collector */
  if (U->views > 0) {
    args_fail(L, arg,
              "VectorArray has views (%I alive), its length is fixed while they exist; "
              "copy what they show, or close them",
              (lua_Integer)U->views);
  }
  return U;
}

double *vectorarray_reserve (lua_State *L, VectorArray *U, size_t capacity) {
  size_t run = vectorarray_run(U), width = run * sizeof(double), used = U->len * width;
  if (capacity < U->len) capacity = U->len;
  size_t wanted = capacity;
  if (capacity <= U->capacity && !block_is_shared(U->block)) {
    double *data = write_root(L, U, (capacity - U->len) * run);
    block_populate(U->block, U->offset + used, U->offset + wanted * width);
    return data;
  }
  if (capacity > U->capacity) { /* at least so many vectors more, few more than there are */
    enum { LEAST = 4096 }; /* bytes of vectors: what is appended to is seldom left with one */
    if (width > 0 && capacity < LEAST / width) capacity = LEAST / width;
    size_t more = U->len < 8 ? U->len : U->len / 2;
    if (U->dim <= 16384 && more < 4) more = 4; /* no more than half a megabyte */
    if (U->len > 0 && capacity - U->len < more) capacity = U->len + more;
  }
  Block *own = memory_block(L, memory_size(L, U->dim, capacity, U->is_complex), false);
  double *data = memory_write(L, &own, 0, 0);
  block_populate(own, 0, wanted * width);
  if (used > 0) memcpy(data, root_data(U), used);
  block_release(U->block);
  U->block = own;
  U->offset = 0;
  U->capacity = capacity;
  return data;
}

void vectorarray_check_distinct (lua_State *L, int arg, const VectorArray *U) {
  if (U->indices == NULL) return; /* a step is never 0 */
  size_t n = vectorarray_root(U)->len;
  bool *seen = args_scratch(L, n, sizeof *seen);
  memset(seen, 0, n * sizeof *seen);
  for (size_t j = 0; j < U->len; j++) {
    size_t i = U->indices[j];
    if (seen[i]) {
      args_fail(L, arg, "vector %I occurs twice in the view", (lua_Integer)i + 1);
    }
    seen[i] = true;
  }
  lua_pop(L, 1);
}

void vectorarray_clear (lua_State *L, int arg) {
  VectorArray *U = vectorarray_check_resizable(L, arg);
  Block *empty = memory_block(L, 0, false);
  block_release(U->block);
  U->block = NULL;
  vectorarray_adopt(U, empty, 0, U->dim, 0, U->is_complex);
}
