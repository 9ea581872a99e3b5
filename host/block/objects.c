/* objects.c - lists of free memory for small objects; they belong to the store. */
#include "block/objects.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include "block/store.h"

/* No more than so much is kept. Nothing under a sanitizer, which has to see what is free
   (NEAP_SANITIZE). */
#ifdef HEAP_KEEPS_NOTHING
static const size_t most = 0;
#else
static const size_t most = (size_t)1 << 20;
#endif

/* Memory on list k has so many bytes, or more: as malloc of the GNU library has them anyway. */
static size_t room (size_t k) {
  return k * 16 + 8;
}

static size_t list_of (size_t size) {
  return (size + 7) / 16;
}

static void *take (size_t size) {
  BlockStore *store = store_get();
  size_t k = list_of(size);
  if (k >= STORE_OBJECTS) return malloc(size);
  HeapFree *p = store->objects[k];
  if (p == NULL) return malloc(room(k));
  store->objects[k] = p->next;
  store->objects_len -= room(k);
  return p;
}

static void give (void *p, size_t size) {
  BlockStore *store = store_get();
  size_t k = STORE_OBJECTS;
  /* Of what malloc gave for size bytes only malloc knows how much it is. */
  if (list_of(size) < STORE_OBJECTS) k = (malloc_usable_size(p) - 8) / 16;
  if (k >= STORE_OBJECTS || room(k) > most - store->objects_len) {
    free(p);
    return;
  }
  HeapFree *head = p;
  head->next = store->objects[k];
  store->objects[k] = head;
  store->objects_len += room(k);
}

void *objects_resize (void *old, size_t old_size, size_t size) {
  if (old == NULL) return size == 0 ? NULL : take(size);
  if (size == 0) {
    give(old, old_size);
    return NULL;
  }
  if (list_of(size) >= STORE_OBJECTS) return realloc(old, size);
  if (list_of(size) == list_of(old_size) && size <= malloc_usable_size(old)) return old;
  void *p = take(size);
  if (p == NULL) return size <= old_size ? old : NULL;
  memcpy(p, old, size < old_size ? size : old_size);
  give(old, old_size);
  return p;
}

void objects_trim (void) {
  BlockStore *store = store_get();
  for (size_t k = 0; k < STORE_OBJECTS; k++) {
    while (store->objects[k] != NULL) {
      HeapFree *p = store->objects[k];
      store->objects[k] = p->next;
      free(p);
    }
  }
  store->objects_len = 0;
}
