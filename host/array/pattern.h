/* pattern.h - where the entries of a sparse matrix stand. Equal patterns of one Lua state are one
   object, so that matrices share what was computed for it: unions and symbolic factorisations. */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdint.h>
#include <lua.h>
#include "block/block.h"

/* The patterns of one Lua state, and what belongs to all of them. Counted: by the state's registry
   and by each pattern, because lua_close may finalize matrices after the registry's entry. */
typedef struct PatternSet PatternSet;

struct CholmodContext;  /* cholmodfactor.c */
struct CholmodSymbolic; /* cholmodfactor.c */
struct UmfpackSymbolic; /* umfpackfactor.c */

/* Compressed columns. One block holds both arrays, so that it is one slice of a message. Indices
   count from 0; they are 64 bits wide, so that neither entries nor fill-in have a limit of their
   own. That costs nothing in a factorisation, and nothing that can be measured in a product, which
   asks for them ahead. */
typedef struct Pattern {
  size_t refs;
  size_t rows, cols, nnz;
  const int64_t *starts;  /* cols + 1 of them, ascending from 0 to nnz */
  const int64_t *indices; /* nnz rows, strictly ascending in each column */
  Block *block;           /* one reference; starts, then indices, from offset on */
  size_t offset;          /* in bytes */
  uint64_t hash;
  PatternSet *set; /* one reference */
  struct Pattern *prev, *next;
  int symmetric;                      /* in structure: 0 or 1, -1 when not tested yet */
  struct CholmodSymbolic *cholmod;    /* owned, NULL until first needed */
  struct UmfpackSymbolic *umfpack[2]; /* for real and complex values; owned, as cholmod */
} Pattern;

/* How to read the entries of some patterns from their union: entry k of pattern i is entry
   maps[i][k] of the union; a map that is NULL keeps the place. */
typedef struct PatternUnion {
  Pattern *pattern; /* valid as long as all the patterns united are */
  const int64_t *const *maps;
} PatternUnion;

/* The set of the state; owned by its registry. Raises only for want of memory. */
PatternSet *pattern_set (lua_State *L);

/* The context of the set's factorisations, which cholmodfactor.c makes and pattern.c frees. */
struct CholmodContext **pattern_set_context (PatternSet *set);

/* Bytes of a pattern's block; 0 when that overflows. */
size_t pattern_len (size_t cols, size_t nnz);

/* NULL, or what is wrong with indices that come from outside. */
const char *pattern_check (size_t rows, size_t cols, size_t nnz, const int64_t *starts,
                           const int64_t *indices);

/* *p: a reference to the pattern with the content of the block from offset on, which is valid
   (pattern_check). Takes a reference of its own to the block if it is the first such pattern.
   0, or UV_ENOMEM and *p NULL. */
int pattern_new (Pattern **p, PatternSet *set, size_t rows, size_t cols, size_t nnz,
                 Block *block, size_t offset);

/* The same for fresh memory: a block with room for nnz entries; data is its starts. */
int pattern_block (Block **block, int64_t **data, size_t cols, size_t nnz);

Pattern *pattern_retain (Pattern *p);  /* returns p */
void pattern_release (Pattern *p);     /* NULL is allowed */
int pattern_is_symmetric (Pattern *p); /* 0, 1, or UV_ENOMEM */

/* patternunion.c: the union of n >= 2 different patterns of one set and of one shape, from the
   set's cache or computed now. *u is valid until the next call. 0 or UV_ENOMEM. */
int pattern_union (PatternSet *set, Pattern *const *patterns, size_t n, PatternUnion *u);

/* For pattern.c and patternunion.c alone. */
typedef struct UnionCache UnionCache;
UnionCache **pattern_set_unions (PatternSet *set);
void unioncache_forget (UnionCache *c, const Pattern *p); /* unions of p; releases patterns */
void unioncache_free (UnionCache *c);                     /* NULL is allowed */

#endif
