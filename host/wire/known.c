/* known.c - which definitions one receiver has. */
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

int known_add (Known *k, Definition d, int *is_new) {
  if (d.number > k->n) {
    size_t n = k->n + k->n / 2 + 16;
    if (n < d.number) n = d.number;
    uint32_t *versions = realloc(k->versions, n * sizeof *versions);
    if (versions == NULL) return UV_ENOMEM;
    memset(versions + k->n, 0, (n - k->n) * sizeof *versions);
    *k = (Known){.versions = versions, .n = n};
  }
  uint32_t *version = &k->versions[d.number - 1];
  *is_new = d.version > *version;
  if (*is_new) *version = d.version;
  return 0;
}

void known_fini (Known *k) {
  free(k->versions);
  *k = (Known){0};
}
