/* vectorarray.h - VectorArray: vectors of one length, each contiguous, one after the other in a
   block. For C code that reads, makes or fills arrays; indices count from 0 here. A complex array
   has two doubles for each component, the real and the imaginary part. */
#ifndef VECTORARRAY_H
#define VECTORARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <lua.h>
#include "array/args.h"

extern const ArgsKind vectorarray_kind; /* "neap.VectorArray" */

/* A userdata: it lives as long as Lua can see it, so keep it on the stack while in use. */
typedef struct VectorArray VectorArray;

/* The open VectorArray at arg; raises an argument error when there is none. */
VectorArray *vectorarray_check (lua_State *L, int arg);

/* The same for an array of real numbers. */
VectorArray *vectorarray_check_real (lua_State *L, int arg);

/* The same, but NULL for any other value, and for a closed array. */
VectorArray *vectorarray_test (lua_State *L, int index);

/* Pushes a new real array of len vectors of length dim, zero or with undefined contents. Raises when
   the size overflows or there is no memory. */
VectorArray *vectorarray_push (lua_State *L, size_t dim, size_t len);
VectorArray *vectorarray_push_raw (lua_State *L, size_t dim, size_t len);

/* The same, real or complex. */
VectorArray *vectorarray_push_kind (lua_State *L, size_t dim, size_t len, bool is_complex,
                                    bool zero);

bool vectorarray_is_complex (const VectorArray *U);
size_t vectorarray_dim (const VectorArray *U);
size_t vectorarray_len (const VectorArray *U);

/* Memory of vector j, to be read until the next write to U or to what U is a view of. */
const double *vectorarray_vector (const VectorArray *U, size_t j);

/* All vectors as one column-major panel, to be read; they begin *ld >= 1 components apart. Always pushes
   one value, which keeps the memory alive: a gathered copy when U is a view that is not evenly
   spaced, or else nil. */
const double *vectorarray_panel (lua_State *L, const VectorArray *U, size_t *ld);

/* Writable memory of vector j; valid until the next call into Lua. Raises when U is frozen, or
   when there is no memory for the copy that a shared block needs. */
double *vectorarray_vector_write (lua_State *L, VectorArray *U, size_t j);

/* Takes all vectors away from the array at arg, and gives their memory back. Raises where the array
   has views, is one, or is frozen. */
void vectorarray_clear (lua_State *L, int arg);

#endif
