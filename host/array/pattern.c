/* pattern.c - patterns and the set in which equal ones are found again. */
#include "array/pattern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include <uv.h>
#include "array/cholmodfactor.h"
#include "array/umfpackfactor.h"
#include "metatable.h"

#define SET_TNAME "neap.PatternSet"

struct PatternSet {
  size_t refs;
  Pattern *first;                 /* not counted: a pattern leaves the list when it is freed */
  UnionCache *unions;             /* owned */
  struct CholmodContext *context; /* owned */
};

static const char set_key; /* its address is the registry's key */

static void set_release (PatternSet *set) {
  if (set == NULL || --set->refs > 0) return;
  assert(set->first == NULL);
  unioncache_free(set->unions);
  cholmodcontext_free(set->context);
  free(set);
}

static int l_set_gc (lua_State *L) {
  PatternSet **box = luaL_checkudata(L, 1, SET_TNAME);
  PatternSet *set = *box;
  *box = NULL;
  if (set == NULL) return 0;
  unioncache_free(set->unions); /* the unions in it refer to the set, and it to them */
  set->unions = NULL;
  set_release(set);
  return 0;
}

PatternSet *pattern_set (lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &set_key) == LUA_TUSERDATA) {
    PatternSet *set = *(PatternSet **)lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (set == NULL) luaL_error(L, "this Lua state is being closed");
    return set;
  }
  lua_pop(L, 1);
  PatternSet **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  static const luaL_Reg metamethods[] = {{"__gc", l_set_gc}, {NULL, NULL}};
  metatable_set(L, SET_TNAME, metamethods);
  *box = calloc(1, sizeof **box);
  if (*box == NULL) luaL_error(L, "not enough memory");
  (*box)->refs = 1;
  PatternSet *set = *box;
  lua_rawsetp(L, LUA_REGISTRYINDEX, &set_key);
  return set;
}

struct CholmodContext **pattern_set_context (PatternSet *set) {
  return &set->context;
}

UnionCache **pattern_set_unions (PatternSet *set) {
  return &set->unions;
}

size_t pattern_len (size_t cols, size_t nnz) {
  size_t most = PTRDIFF_MAX / sizeof(int64_t) - 1;
  if (cols > most || nnz > most - cols) return 0;
  return (cols + 1 + nnz) * sizeof(int64_t);
}

const char *pattern_check (size_t rows, size_t cols, size_t nnz, const int64_t *starts,
                           const int64_t *indices) {
  if (starts[0] != 0) return "column pointers do not begin at 0";
  for (size_t j = 0; j < cols; j++) {
    if (starts[j + 1] < starts[j]) return "column pointers are not ascending";
    if ((uint64_t)starts[j + 1] > nnz) return "column pointers exceed the number of entries";
    int64_t last = -1;
    for (int64_t k = starts[j]; k < starts[j + 1]; k++) {
      if (indices[k] < 0 || (uint64_t)indices[k] >= rows) return "row index out of range";
      if (indices[k] <= last) return "row indices are not strictly ascending";
      last = indices[k];
    }
  }
  if ((uint64_t)starts[cols] != nnz)
    return "column pointers do not end at the number of entries";
  return NULL;
}

/* Four lanes, because one multiplication waits for the one before it. */
static uint64_t hash_words (const int64_t *words, size_t n, uint64_t seed) {
  const uint64_t prime = 0x9e3779b97f4a7c15u;
  uint64_t lane[4] = {seed, seed ^ 1, seed ^ 2, seed ^ 3};
  for (size_t k = 0; k < n; k++) {
    uint64_t *h = &lane[k & 3];
    *h = (*h ^ (uint64_t)words[k]) * prime;
    *h ^= *h >> 29;
  }
  return ((lane[0] * prime ^ lane[1]) * prime ^ lane[2]) * prime ^ lane[3];
}

static Pattern *find (PatternSet *set, const Pattern *p) {
  for (Pattern *q = set->first; q != NULL; q = q->next) {
    if (q->hash == p->hash && q->rows == p->rows && q->cols == p->cols && q->nnz == p->nnz &&
        memcmp(q->starts, p->starts, pattern_len(p->cols, p->nnz)) == 0) {
      return q;
    }
  }
  return NULL;
}

int pattern_new (Pattern **p, PatternSet *set, size_t rows, size_t cols, size_t nnz,
                 Block *block, size_t offset) {
  *p = NULL;
  const int64_t *starts = (const void *)((const char *)block_data(block) + offset);
  size_t n = cols + 1 + nnz;
  Pattern made = {
    .refs = 1,
    .rows = rows,
    .cols = cols,
    .nnz = nnz,
    .starts = starts,
    .indices = starts + cols + 1,
    .block = block,
    .offset = offset,
    .set = set,
    .symmetric = -1,
    .hash = hash_words(starts, n, rows ^ (uint64_t)cols << 32),
  };
  Pattern *found = find(set, &made);
  if (found != NULL) {
    *p = pattern_retain(found);
    return 0;
  }
  Pattern *fresh = malloc(sizeof *fresh);
  if (fresh == NULL) return UV_ENOMEM;
  *fresh = made;
  block_retain(block);
  set->refs++;
  fresh->next = set->first;
  if (set->first != NULL) set->first->prev = fresh;
  set->first = fresh;
  *p = fresh;
  return 0;
}

int pattern_block (Block **block, int64_t **data, size_t cols, size_t nnz) {
  *block = NULL;
  size_t len = pattern_len(cols, nnz);
  if (len == 0) return UV_ENOMEM;
  int rc = block_new(block, len);
  if (rc < 0) return rc;
  void *bytes;
  rc = block_write(block, 0, &bytes);
  if (rc < 0) {
    block_release(*block);
    *block = NULL;
    return rc;
  }
  *data = bytes;
  return 0;
}

Pattern *pattern_retain (Pattern *p) {
  p->refs++;
  return p;
}

void pattern_release (Pattern *p) {
  if (p == NULL || --p->refs > 0) return;
  PatternSet *set = p->set;
  /* Out of the list first: what is released below must not find it any more. */
  if (p->prev != NULL) p->prev->next = p->next;
  else set->first = p->next;
  if (p->next != NULL) p->next->prev = p->prev;
  cholmodsymbolic_free(p->cholmod, set->context);
  umfpacksymbolic_free(p->umfpack[0]);
  umfpacksymbolic_free(p->umfpack[1]);
  block_release(p->block);
  if (set->unions != NULL) unioncache_forget(set->unions, p);
  free(p);
  set_release(set);
}

/* Going through the columns in order, the entries (j, i) of row j are met in order of i in each
   column i: one pointer per column finds the partner of each entry. */
int pattern_is_symmetric (Pattern *p) {
  if (p->symmetric >= 0) return p->symmetric;
  if (p->rows != p->cols) return p->symmetric = 0;
  int64_t *next = malloc((p->cols + 1) * sizeof *next);
  if (next == NULL) return UV_ENOMEM;
  memcpy(next, p->starts, (p->cols + 1) * sizeof *next);
  int symmetric = 1;
  for (size_t j = 0; j < p->cols && symmetric; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      int64_t i = p->indices[k], m = next[i]++;
      if (m >= p->starts[i + 1] || p->indices[m] != (int64_t)j) {
        symmetric = 0;
        break;
      }
    }
  }
  free(next);
  return p->symmetric = symmetric;
}
