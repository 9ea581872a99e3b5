/* addressmap.c - a hash map from addresses to offsets: open addressing, linear probing. */
#include "wire/addressmap.h"

#include <stdlib.h>

enum { FIRST_BITS = 6 };

static size_t home (const AddressMap *m, uintptr_t key) {
  return (size_t)(((uint64_t)key * 0x9e3779b97f4a7c15u) >> m->shift);
}

static bool grow (AddressMap *m) {
  int bits = m->slots == NULL ? FIRST_BITS : 64 - m->shift + 1;
  if (m->room > SIZE_MAX / 4 / sizeof *m->slots) return false;
  AddressMap wider = {.room = (size_t)1 << bits, .n = m->n, .shift = 64 - bits};
  wider.slots = calloc(wider.room, sizeof *wider.slots);
  if (wider.slots == NULL) return false;
  for (size_t i = 0; i < m->room; i++) {
    if (m->slots[i].key == 0) continue;
    size_t j = home(&wider, m->slots[i].key);
    while (wider.slots[j].key != 0) j = (j + 1) & (wider.room - 1);
    wider.slots[j] = m->slots[i];
  }
  free(m->slots);
  *m = wider;
  return true;
}

size_t *addressmap_at (AddressMap *m, const void *key, bool *is_new) {
  if (m->n >= m->room / 2 && !grow(m)) return NULL;
  size_t i = home(m, (uintptr_t)key);
  while (m->slots[i].key != (uintptr_t)key && m->slots[i].key != 0) {
    i = (i + 1) & (m->room - 1);
  }
  *is_new = m->slots[i].key == 0;
  if (*is_new) {
    m->slots[i].key = (uintptr_t)key;
    m->n++;
  }
  return &m->slots[i].value;
}

bool addressmap_find (const AddressMap *m, const void *key, size_t *value) {
  if (m->n == 0) return false;
  size_t i = home(m, (uintptr_t)key);
  while (m->slots[i].key != (uintptr_t)key) {
    if (m->slots[i].key == 0) return false;
    i = (i + 1) & (m->room - 1);
  }
  *value = m->slots[i].value;
  return true;
}

void addressmap_fini (AddressMap *m) {
  free(m->slots);
  *m = (AddressMap){0};
}
