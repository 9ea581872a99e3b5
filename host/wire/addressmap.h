/* addressmap.h - a hash map from addresses to offsets, for what an encoder has met. */
#ifndef ADDRESSMAP_H
#define ADDRESSMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AddressSlot {
  uintptr_t key; /* 0: free */
  size_t value;
} AddressSlot;

typedef struct AddressMap {
  AddressSlot *slots; /* owned; room of them, a power of two, at most three quarters used */
  size_t room, n;
  int shift;
} AddressMap;

bool addressmap_grow (AddressMap *m);

static inline size_t addressmap_home (const AddressMap *m, uintptr_t key) {
  return (size_t)(((uint64_t)key * 0x9e3779b97f4a7c15u) >> m->shift);
}

/* The value of key, which must not be NULL; *is_new tells that it was added just now, with an
   undefined value. The pointer holds until the next call. NULL without memory, and nothing
   changed. */
static inline size_t *addressmap_at (AddressMap *m, const void *key, bool *is_new) {
  if (m->n >= m->room / 4 * 3 && !addressmap_grow(m)) return NULL;
  size_t i = addressmap_home(m, (uintptr_t)key);
  while (m->slots[i].key != (uintptr_t)key && m->slots[i].key != 0) i = (i + 1) & (m->room - 1);
  *is_new = m->slots[i].key == 0;
  if (*is_new) {
    m->slots[i].key = (uintptr_t)key;
    m->n++;
  }
  return &m->slots[i].value;
}

static inline bool addressmap_find (const AddressMap *m, const void *key, size_t *value) {
  if (m->n == 0) return false;
  size_t i = addressmap_home(m, (uintptr_t)key);
  while (m->slots[i].key != (uintptr_t)key) {
    if (m->slots[i].key == 0) return false;
    i = (i + 1) & (m->room - 1);
  }
  *value = m->slots[i].value;
  return true;
}

void addressmap_clear (AddressMap *m); /* empty, for another use; keeps memory of that size */
void addressmap_fini (AddressMap *m);  /* may be called any number of times */

#endif
