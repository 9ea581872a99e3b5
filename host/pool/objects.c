/* objects.c - the remote objects of a pool: how many handles each has, and which are to go. */
#include "pool/objects.h"

#include <assert.h>
#include <stdlib.h>
#include <uv.h>

static uint64_t id_of (uint32_t slot, uint32_t generation) {
  return (uint64_t)(generation & 0x3fffffffu) << 32 | (slot + 1u); /* positive as an integer */
}

static ObjectSlot *slot_of (const Objects *o, uint64_t id) {
  uint32_t slot = (uint32_t)id - 1u;
  if (slot >= o->n) return NULL;
  ObjectSlot *s = &o->slots[slot];
  return (s->generation & 1u) && id_of(slot, s->generation) == id ? s : NULL;
}

static int grow (Objects *o) {
  size_t size = o->size != 0 ? 2 * o->size : 16;
  if (size > UINT32_MAX / 2) return UV_ENOMEM;
  ObjectSlot *slots = realloc(o->slots, size * sizeof *slots);
  if (slots != NULL) o->slots = slots;
  uint32_t *vacant = realloc(o->vacant, size * sizeof *vacant);
  if (vacant != NULL) o->vacant = vacant;
  uint64_t *freed = realloc(o->freed, size * sizeof *freed);
  if (freed != NULL) o->freed = freed;
  if (slots == NULL || vacant == NULL || freed == NULL) return UV_ENOMEM;
  o->size = size;
  return 0;
}

int objects_add (Objects *o, uint64_t *id) {
  uint32_t slot;
  if (o->n_vacant > 0) {
    slot = o->vacant[--o->n_vacant];
  } else {
    if (o->n == o->size) {
      int rc = grow(o);
      if (rc < 0) return rc;
    }
    slot = (uint32_t)o->n++;
    o->slots[slot] = (ObjectSlot){0};
  }
  ObjectSlot *s = &o->slots[slot];
  s->generation++;
  s->handles = 1;
  o->n_live++;
  *id = id_of(slot, s->generation);
  return 0;
}

bool objects_is_live (const Objects *o, uint64_t id) {
  return slot_of(o, id) != NULL;
}

void objects_retain (Objects *o, uint64_t id) {
  ObjectSlot *s = slot_of(o, id);
  assert(s != NULL);
  s->handles++;
}

bool objects_release (Objects *o, uint64_t id) {
  ObjectSlot *s = slot_of(o, id);
  assert(s != NULL && s->handles > 0);
  if (--s->handles > 0) return false;
  s->generation++;
  o->n_live--;
  o->freed[o->n_freed++] = id; /* a slot is freed at most once before it is cleared */
  return true;
}

void objects_clear_freed (Objects *o, size_t n) {
  for (size_t i = 0; i < n; i++) o->vacant[o->n_vacant++] = (uint32_t)o->freed[i] - 1u;
  for (size_t i = n; i < o->n_freed; i++) o->freed[i - n] = o->freed[i];
  o->n_freed -= n;
}

void objects_fini (Objects *o) {
  free(o->slots);
  free(o->vacant);
  free(o->freed);
  *o = (Objects){0};
}
