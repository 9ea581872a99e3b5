/* addressmap.c - a hash map from addresses to offsets: open addressing, linear probing. */
#include "wire/addressmap.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BITS = 5, SMALL_ROOM = 128 };

bool addressmap_grow (AddressMap *m) {
  int bits = m->slots == NULL ? FIRST_BITS : 64 - m->shift + 1;
  if (m->room > SIZE_MAX / 4 / sizeof *m->slots) return false;
  AddressMap wider = {.room = (size_t)1 << bits, .n = m->n, .shift = 64 - bits};
  wider.slots = calloc(wider.room, sizeof *wider.slots);
  if (wider.slots == NULL) return false;
  for (size_t i = 0; i < m->room; i++) {
    if (m->slots[i].key == 0) continue;
    size_t j = addressmap_home(&wider, m->slots[i].key);
    while (wider.slots[j].key != 0) j = (j + 1) & (wider.room - 1);
    wider.slots[j] = m->slots[i];
  }
  free(m->slots);
  *m = wider;
  return true;
}

void addressmap_clear (AddressMap *m) {
  /* Clearing must not cost much more than the use did. */
  if (m->n < m->room / 16 && m->room > SMALL_ROOM) addressmap_fini(m);
  else if (m->n > 0) memset(m->slots, 0, m->room * sizeof *m->slots);
  m->n = 0;
}

void addressmap_fini (AddressMap *m) {
  free(m->slots);
  *m = (AddressMap){0};
}
