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
  AddressSlot *slots; /* owned; room of them, a power of two, at most half used */
  size_t room, n;
  int shift;
} AddressMap;

/* The value of key, which must not be NULL; *is_new tells that it was added just now, with an
   undefined value. The pointer holds until the next call. NULL without memory, and nothing
   changed. */
size_t *addressmap_at (AddressMap *m, const void *key, bool *is_new);
bool addressmap_find (const AddressMap *m, const void *key, size_t *value);
void addressmap_fini (AddressMap *m); /* may be called any number of times */

#endif
