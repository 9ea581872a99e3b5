/* heap.c - lists of free memory, one for each of 96 sizes; they belong to the store. */
#include "block/heap.h"

#include <stdlib.h>
#include <string.h>
#include "block/store.h"

/* No more than so much is kept: what the collector leaves at once. Nothing under a sanitizer, which
   has to see what is free (NEAP_SANITIZE). */
#ifdef HEAP_KEEPS_NOTHING
static const size_t most = 0;
#else
static const size_t most = (size_t)4 << 20;
#endif

enum { GRAIN = 64 };

/* The number of a size: whole grains up to 16 of them, then 8 steps for each doubling. *size becomes
   what memory of that number has; it is at most STORE_HEAP_MAX. */
static size_t number_of (size_t *size) {
  size_t grains = *size / GRAIN + (*size % GRAIN != 0), doublings = 0;
  while (grains > 16) {
    grains = (grains + 1) / 2;
    doublings++;
  }
  *size = (grains << doublings) * GRAIN;
  return 8 * doublings + grains - 1;
}

void *heap_alloc (size_t size, bool zero) {
  BlockStore *store = store_get();
  if (size > STORE_HEAP_MAX) return zero ? calloc(1, size) : malloc(size);
  size_t k = number_of(&size);
  HeapFree *p = store->heaps[k];
  if (p == NULL) return zero ? calloc(1, size) : malloc(size);
  store->heaps[k] = p->next;
  store->heap_len -= size;
  return zero ? memset(p, 0, size) : p;
}

void heap_free (void *p, size_t size) {
  BlockStore *store = store_get();
  size_t k = size > STORE_HEAP_MAX ? 0 : number_of(&size);
  if (size > STORE_HEAP_MAX || size > most - store->heap_len) {
    free(p);
    return;
  }
  HeapFree *head = p;
  head->next = store->heaps[k];
  store->heaps[k] = head;
  store->heap_len += size;
}

void heap_trim (void) {
  BlockStore *store = store_get();
  for (size_t k = 0; k < STORE_HEAPS; k++) {
    while (store->heaps[k] != NULL) {
      HeapFree *p = store->heaps[k];
      store->heaps[k] = p->next;
      free(p);
    }
  }
  store->heap_len = 0;
}

size_t heap_idle_len (void) {
  return store_get()->heap_len;
}
