/* idset.h - a small set of ids. */
#ifndef IDSET_H
#define IDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct IdSet {
  uint64_t *ids; /* owned; each once, in the order of adding */
  size_t n, size;
} IdSet;

bool idset_has (const IdSet *s, uint64_t id);
bool idset_add (IdSet *s, uint64_t id); /* false: no memory for it */
void idset_fini (IdSet *s);             /* may be called any number of times */

#endif
