/* outgoing.h - a message as what is to be written: descriptors, and pieces of memory. */
#ifndef OUTGOING_H
#define OUTGOING_H

#include <sys/uio.h>
#include "wire/frame.h"

enum { OUTGOING_FEW = 4 };

/* The pieces point into the message's parcel and into this struct: neither may move. */
typedef struct Outgoing {
  struct iovec *pieces; /* the frame: head, table, bytes, slices */
  unsigned n_pieces;
  size_t len;         /* of all of them */
  Segment **segments; /* whose descriptors go before the frame, in this order; the parcel's */
  unsigned n_segments;
  uint8_t *head; /* head and table */
  uint8_t few_heads[FRAME_HEAD + OUTGOING_FEW * FRAME_ENTRY];
  struct iovec few_pieces[OUTGOING_FEW + 2];
  Segment *few_segments[OUTGOING_FEW];
} Outgoing;

void outgoing_clear (Outgoing *o); /* holds nothing */
/* 0, or a negative UV_E* and nothing held. Without descriptors, segments are written as bytes. */
int outgoing_init (Outgoing *o, const Message *m, bool descriptors);
void outgoing_fini (Outgoing *o); /* may be called any number of times */

/* How many of the n descriptors that are left go with the next frame: all, or else as many as a
   frame can announce, which is then the head that is put here. */
unsigned outgoing_batch (uint8_t head[FRAME_HEAD], unsigned n);

#endif
