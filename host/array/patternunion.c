/* patternunion.c - unions of patterns, remembered, so that the next linear combination of the same
   matrices costs only the values. */
#include "array/pattern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { UNIONS = 16 }; /* remembered at once */

/* One union. The patterns it was made from are known by address and not counted: when one of them
   is freed, the union is forgotten. The union itself is counted, unless it is one of them (it
   would keep itself). As unions only grow, these references have no cycles. */
typedef struct Union {
  Pattern *pattern; /* NULL: this place is free */
  bool counted;
  size_t n;
  const Pattern **parts; /* n; owned */
  int64_t **maps;        /* n; owned, as are its elements */
  uint64_t used;         /* the cache's clock at its last use */
} Union;

struct UnionCache {
  uint64_t clock;
  Union places[UNIONS];
};

/* Empties the place first: releasing a pattern comes back to this cache. */
static void drop (Union *place) {
  Union u = *place;
  *place = (Union){0};
  for (size_t i = 0; i < u.n && u.maps != NULL; i++) free(u.maps[i]);
  free(u.maps);
  free(u.parts);
  if (u.counted) pattern_release(u.pattern);
}

void unioncache_forget (UnionCache *c, const Pattern *p) {
  for (size_t k = 0; k < UNIONS; k++) {
    for (size_t i = 0; i < c->places[k].n; i++) {
      if (c->places[k].parts[i] == p) {
        drop(&c->places[k]);
        break;
      }
    }
  }
}

void unioncache_free (UnionCache *c) {
  if (c == NULL) return;
  for (size_t k = 0; k < UNIONS; k++) drop(&c->places[k]);
  free(c);
}

static Union *find (UnionCache *c, Pattern *const *patterns, size_t n) {
  for (size_t k = 0; k < UNIONS; k++) {
    Union *u = &c->places[k];
    if (u->pattern == NULL || u->n != n) continue;
    if (memcmp(u->parts, patterns, n * sizeof *patterns) == 0) return u;
  }
  return NULL;
}

/* The rows of one column of the union of two; returns how many. out may be NULL. */
static size_t merge_column (const int64_t *a, size_t na, const int64_t *b, size_t nb,
                            int64_t *out) {
  size_t i = 0, j = 0, n = 0;
  while (i < na || j < nb) {
    int64_t row = j == nb || (i < na && a[i] <= b[j]) ? a[i] : b[j];
    if (i < na && a[i] == row) i++;
    if (j < nb && b[j] == row) j++;
    if (out != NULL) out[n] = row;
    n++;
  }
  return n;
}

/* *u: a reference to the union of two patterns. */
static int merge (Pattern **u, PatternSet *set, const Pattern *a, const Pattern *b) {
  *u = NULL;
  size_t nnz = 0;
  for (size_t j = 0; j < a->cols; j++) {
    nnz += merge_column(a->indices + a->starts[j], (size_t)(a->starts[j + 1] - a->starts[j]),
                        b->indices + b->starts[j], (size_t)(b->starts[j + 1] - b->starts[j]),
                        NULL);
  }
  Block *block;
  int64_t *starts;
  int rc = pattern_block(&block, &starts, a->cols, nnz);
  if (rc < 0) return rc;
  int64_t *indices = starts + a->cols + 1;
  starts[0] = 0;
  for (size_t j = 0; j < a->cols; j++) {
    size_t n = merge_column(a->indices + a->starts[j],
                            (size_t)(a->starts[j + 1] - a->starts[j]),
                            b->indices + b->starts[j],
                            (size_t)(b->starts[j + 1] - b->starts[j]), indices + starts[j]);
    starts[j + 1] = starts[j] + (int64_t)n;
  }
  rc = pattern_new(u, set, a->rows, a->cols, nnz, block, 0);
  block_release(block); /* the pattern has its own reference */
  return rc;
}

/* Where the entries of p stand in the union u, which has them all. */
static void fill_map (int64_t *map, const Pattern *p, const Pattern *u) {
  for (size_t j = 0; j < p->cols; j++) {
    int64_t m = u->starts[j];
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++, m++) {
      while (u->indices[m] != p->indices[k]) m++;
      map[k] = m;
    }
  }
}

/* Fills the empty place; on failure it may hold some memory, which drop frees. */
static int make (Union *place, PatternSet *set, Pattern *const *patterns, size_t n) {
  place->parts = malloc(n * sizeof *place->parts);
  place->maps = calloc(n, sizeof *place->maps);
  if (place->parts == NULL || place->maps == NULL) return UV_ENOMEM;
  memcpy(place->parts, patterns, n * sizeof *patterns);
  Pattern *sum = pattern_retain(patterns[0]);
  for (size_t i = 1; i < n; i++) {
    Pattern *next;
    int rc = merge(&next, set, sum, patterns[i]);
    pattern_release(sum);
    if (rc < 0) return rc;
    sum = next;
  }
  place->pattern = sum;
  place->counted = true;
  place->n = n;
  for (size_t i = 0; i < n; i++) {
    if (patterns[i] == sum) continue;
    place->maps[i] = malloc((patterns[i]->nnz + 1) * sizeof **place->maps);
    if (place->maps[i] == NULL) return UV_ENOMEM;
    fill_map(place->maps[i], patterns[i], sum);
  }
  for (size_t i = 0; i < n; i++) {
    if (patterns[i] == sum && place->counted) {
      place->counted = false;
      pattern_release(sum); /* the caller has it, too: it stays */
    }
  }
  return 0;
}

int pattern_union (PatternSet *set, Pattern *const *patterns, size_t n, PatternUnion *u) {
  UnionCache **cache = pattern_set_unions(set);
  if (*cache == NULL) {
    *cache = calloc(1, sizeof **cache);
    if (*cache == NULL) return UV_ENOMEM;
  }
  UnionCache *c = *cache;
  Union *place = find(c, patterns, n);
  if (place == NULL) {
    place = &c->places[0];
    for (size_t k = 1; k < UNIONS; k++) {
      if (c->places[k].used < place->used) place = &c->places[k]; /* free places have 0 */
    }
    drop(place);
    Union made = {0}; /* apart: releasing intermediate unions comes back to the cache */
    int rc = make(&made, set, patterns, n);
    if (rc < 0) {
      drop(&made);
      return rc;
    }
    *place = made;
  }
  place->used = ++c->clock;
  u->pattern = place->pattern;
  u->maps = (const int64_t *const *)place->maps;
  return 0;
}
