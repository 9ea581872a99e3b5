/* idset.c - a small set of ids. */
#include "pool/idset.h"

#include <stdlib.h>

bool idset_has (const IdSet *s, uint64_t id) {
  for (size_t i = 0; i < s->n; i++) {
    if (s->ids[i] == id) return true;
  }
  return false;
}

bool idset_add (IdSet *s, uint64_t id) {
  if (idset_has(s, id)) return true;
  if (s->n == s->size) {
    size_t size = s->size != 0 ? 2 * s->size : 16;
    uint64_t *ids = realloc(s->ids, size * sizeof *ids);
    if (ids == NULL) return false;
    s->ids = ids;
    s->size = size;
  }
  s->ids[s->n++] = id;
  return true;
}

void idset_fini (IdSet *s) {
  free(s->ids);
  *s = (IdSet){0};
}
