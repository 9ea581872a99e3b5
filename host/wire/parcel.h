/* parcel.h - an encoded list of Lua values: bytes, blocks beside them, definitions it needs. */
#ifndef PARCEL_H
#define PARCEL_H

#include <stddef.h>
#include <stdint.h>
#include "block/snapshot.h"

struct Parcel;

/* What the bytes refer to by number and the receiver must know before it decodes them: the
   code of a function, or a class. A higher version of the same number replaces the lower. */
typedef struct Definition {
  uint32_t number, version;
  struct Parcel *parcel; /* what defines it; the list that holds this owns one reference */
} Definition;

/* Counted; read-only once encoded, so that one parcel is sent to all workers. */
typedef struct Parcel {
  size_t refs;
  uint8_t *bytes;    /* owned, from malloc */
  size_t len;        /* of bytes */
  Snapshot **slices; /* owned array; one reference each */
  uint32_t n_slices;
  Definition *defs; /* owned array, in the order to send; all that is needed, none of its
                          own in a definition. Not sent, but read by the sender */
  uint32_t n_defs;
} Parcel;

Parcel *parcel_new (void); /* empty, one reference; NULL without memory */
Parcel *parcel_retain (Parcel *p);
void parcel_release (Parcel *p); /* NULL is allowed */
bool parcel_is_whole (
  const Parcel *p); /* no slice was lost on the way, for want of descriptors */
size_t parcel_total_len (const Parcel *p); /* bytes and slices */

#endif
