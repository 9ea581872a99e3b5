/* parcel.c - an encoded list of Lua values: bytes, blocks beside them, definitions it needs. */
#include "wire/parcel.h"

#include <stdlib.h>

Parcel *parcel_new (void) {
  Parcel *p = calloc(1, sizeof *p);
  if (p != NULL) p->refs = 1;
  return p;
}

Parcel *parcel_retain (Parcel *p) {
  p->refs++;
  return p;
}

void parcel_release (Parcel *p) {
  if (p == NULL || --p->refs > 0) return;
  for (uint32_t i = 0; i < p->n_slices; i++) snapshot_release(p->slices[i]);
  /* Definitions list none themselves, so this goes one level deep. */
  for (uint32_t i = 0; i < p->n_defs; i++) parcel_release(p->defs[i].parcel);
  free(p->bytes);
  free(p->slices);
  free(p->defs);
  free(p);
}

bool parcel_is_whole (const Parcel *p) {
  for (uint32_t i = 0; i < p->n_slices; i++) {
    if (snapshot_is_lost(p->slices[i])) return false;
  }
  return true;
}

size_t parcel_total_len (const Parcel *p) {
  size_t len = p->len;
  for (uint32_t i = 0; i < p->n_slices; i++) len += snapshot_len(p->slices[i]);
  return len;
}
