/* descriptors.h - descriptors of segments between two processes, on a socket pair beside the
   pipe: the pipe tells how many, the pair brings them, in the same order. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stdbool.h>
#include "block/segment.h"
#include "wire/frame.h"

/* Two ends, closed on exec; the first one never blocks, the second does. 0 or a negative UV_E*. */
int descriptors_open (int ends[2]);

/* Sends those of n segments, at most FRAME_DESCRIPTORS, as one batch: all or none. 0; UV_EAGAIN: the pair is full,
   try again when it can be written; UV_ENOBUFS: this user has too many on the way, try again
   when some have arrived; another negative UV_E*. */
int descriptors_send (int end, Segment *const *segments, unsigned n);

/* Receives a batch of n; returns how many there are, fewer where this process cannot hold more. A
   negative UV_E* where it has not come, or is another. */
int descriptors_receive (int end, int *fds, int n);

#endif
