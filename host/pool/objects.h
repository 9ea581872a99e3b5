/* objects.h - the remote objects of a pool: how many handles each has, and which are to go. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An id is a slot and the slot's generation, so that an old id never names a new object. */
typedef struct ObjectSlot {
  uint32_t generation; /* odd while the object lives */
  uint32_t handles;
} ObjectSlot;

typedef struct Objects {
  ObjectSlot *slots;
  size_t n, size;
  uint32_t *vacant; /* slots that can be used again; always has room for all */
  size_t n_vacant;
  uint64_t *freed; /* ids that workers are yet to be told of; always has room for all */
  size_t n_freed;
  size_t n_live;
} Objects;

int objects_add (Objects *o, uint64_t *id); /* one handle; 0 or UV_ENOMEM */
bool objects_is_live (const Objects *o, uint64_t id);
void objects_retain (Objects *o, uint64_t id);
/* Takes a handle away; the last one puts the id among the freed. Cannot fail: finalizers call
   it. Returns whether it was the last. */
bool objects_release (Objects *o, uint64_t id);
/* All workers know of the n oldest freed ids: their slots may be used again. */
void objects_clear_freed (Objects *o, size_t n);
void objects_fini (Objects *o);

#endif
