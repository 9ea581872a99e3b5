/* vectorarray_store.h - how a VectorArray lies in memory; for host/array only. */
#ifndef VECTORARRAY_STORE_H
#define VECTORARRAY_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <lauxlib.h>
#include "array/vectorarray.h"
#include "block/block.h"

/* A base owns vectors; a view names vectors of a base by number, and holds no memory. A view of a
   view refers to the base itself. The numbers stay right because a base neither grows nor shrinks
   while it has views. */
struct VectorArray {
  ArgsMark mark;
  size_t dim, len; /* components of a vector, vectors */

  /* Base. */
  Block *block;    /* one reference; NULL in a view, and once closed */
  size_t offset;   /* of vector 0 in the block, in bytes; a multiple of 8 */
  size_t capacity; /* vectors that fit from there on */
  size_t views;    /* that are alive */
  bool is_complex; /* each component has a real and an imaginary part */
  bool frozen;

  /* View: vector j is the base's vector indices[j], or first + j * step without indices. */
  bool is_view;
  VectorArray *base; /* kept alive by user value 1; NULL once closed */
  size_t first;
  ptrdiff_t step;
  size_t *indices; /* behind this struct in the same userdata, or in user value 2; or NULL */
};

/* The array that owns the vectors of U: U itself or its base. U is open. */
static inline VectorArray *vectorarray_root (const VectorArray *U) {
  return U->is_view ? U->base : (VectorArray *)U;
}

/* Doubles that a vector of U takes. */
static inline size_t vectorarray_run (const VectorArray *U) {
  return vectorarray_root(U)->is_complex ? 2 * U->dim : U->dim;
}

/* The number of vector j in the root. */
static inline size_t vectorarray_place (const VectorArray *U, size_t j) {
  if (!U->is_view) return j;
  if (U->indices != NULL) return U->indices[j];
  return (size_t)((ptrdiff_t)U->first + (ptrdiff_t)j * U->step);
}

/* Does vector j + 1 of U begin where vector j ends, so that all are one run of numbers? */
static inline bool vectorarray_is_run (const VectorArray *U) {
  return !U->is_view || U->len <= 1 || (U->indices == NULL && U->step == 1);
}

/* Is the VectorArray open, its base too? */
bool vectorarray_is_open (const VectorArray *U);

/* Pushes an array without memory (closed); vectorarray_adopt gives it a block. */
VectorArray *vectorarray_push_closed (lua_State *L);

/* The same for an array that may yet become a view: it has room for the two user values. */
VectorArray *vectorarray_push_undecided (lua_State *L);

/* The base or view at index, of n vectors, becomes a view of the base at base, of the same
   dimension and kind; a base must have no views. False: it has no room for that. */
bool vectorarray_become_view (lua_State *L, int index, int base, size_t first, ptrdiff_t step,
                              const size_t *indices);

/* Takes over the caller's reference to block. */
void vectorarray_adopt (VectorArray *U, Block *block, size_t offset, size_t dim, size_t len,
                        bool is_complex);

/* Makes the root of U complex where it is real. Raises when it is frozen. */
void vectorarray_promote (lua_State *L, VectorArray *U);

/* Pushes U, which stands at index, or a complex copy of it where it is real. */
VectorArray *vectorarray_push_complex (lua_State *L, int index, const VectorArray *U);

/* Pushes a view of n vectors of the array at index: indices (copied) count in the root; without
   them first and step do. */
VectorArray *vectorarray_push_view (lua_State *L, int index, size_t n, size_t first,
                                    ptrdiff_t step, const size_t *indices);

/* Ends U: its block goes, or its base has a view less. May be repeated. No Lua. */
void vectorarray_close (VectorArray *U);

/* Asks for write access to all vectors of U and returns where those of the root begin. Raises when
   U is frozen. Read other arrays only after this: their memory may have been U's. */
double *vectorarray_write (lua_State *L, VectorArray *U);

/* Asks for write access to one entry, which copies at most the page that it is in. */
double *vectorarray_entry_write (lua_State *L, VectorArray *U, size_t i, size_t j);

/* Raises unless the array at arg may change its length: a base, not frozen, without views. */
VectorArray *vectorarray_check_resizable (lua_State *L, int arg);

/* Makes room for capacity vectors, growing by half at least, small arrays by more; afterwards U alone holds its block,
   whose vectors are returned. */
double *vectorarray_reserve (lua_State *L, VectorArray *U, size_t capacity);

/* Raises when a vector of the base occurs twice in the view at arg. */
void vectorarray_check_distinct (lua_State *L, int arg, const VectorArray *U);

/* Copies all vectors of U, one after the other, as they are, real or complex. No Lua. */
void vectorarray_gather (const VectorArray *U, double *target);

/* Push U^H V as a Matrix, or the list of the products of their pairs of vectors; U stands at u and V
   at v, of one dimension and, for pairs, of one length. */
void vectorarray_push_inner (lua_State *L, int u, const VectorArray *U, int v,
                             const VectorArray *V);
void vectorarray_push_pairwise (lua_State *L, int u, const VectorArray *U, int v,
                                const VectorArray *V);

/* Pushes the list of what number gives for each vector of U. */
void vectorarray_push_numbers (lua_State *L, const VectorArray *U,
                               double (*number)(const VectorArray *U, size_t j));

/* Pushes the real array [dim, 2 #U] of the real parts of all vectors of U, then their imaginary
   parts; and puts the vectors of such an array together again. */
VectorArray *vectorarray_push_parts (lua_State *L, const VectorArray *U);
VectorArray *vectorarray_push_merged (lua_State *L, const VectorArray *parts);

/* Is the panel of U in place, and how far apart are its vectors? */
bool vectorarray_is_panel (const VectorArray *U, size_t *ld);

/* Methods, by what they do; each list ends with {NULL, NULL}. */
extern const luaL_Reg vectorarray_edit_methods[];    /* get, set, append, delete, freeze, ... */
extern const luaL_Reg vectorarray_arith_methods[];   /* scal, axpy, real, imag, conj */
extern const luaL_Reg vectorarray_product_methods[]; /* inner, gramian, lincomb, norms, ... */
extern const luaL_Reg vectorarray_entry_methods[]; /* amax, dofs, to_table, almost_equal, ... */
extern const luaL_Reg vectorarray_arith_metamethods[];

void vectorarray_push_constructors (lua_State *L); /* the table neap.VectorArray */

#endif
