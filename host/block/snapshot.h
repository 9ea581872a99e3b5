/* snapshot.h - what a range of a block held at one time: it never changes, and can be sent. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include "block/block.h"
#include "block/segment.h"

/* Counted. It is a range of a segment, or of a block on the heap, which the next write to that
   block leaves to the snapshot. Pages that had been written since the block came to its segment
   stand in a snapshot of their own, the patch. */
typedef struct Snapshot Snapshot;

/* The len > 0 bytes of b from offset on. No large range is copied, but for the written pages of
   a block that has been sent or received. 0 or UV_ENOMEM. */
int snapshot_new (Snapshot **s, Block *b, size_t offset, size_t len);
Snapshot *snapshot_retain (Snapshot *s);
void snapshot_release (Snapshot *s); /* NULL is allowed */
size_t snapshot_len (const Snapshot *s);

/* Are the bytes the same? False where only a comparison of large ones would tell. */
bool snapshot_is_same (const Snapshot *a, const Snapshot *b);

/* A block that reads as the snapshot from *offset on, to be written like any other. 0; UV_ENOMEM;
   UV_EPROTO: a patch that came from another process is malformed; UV_EMFILE: there was no
   descriptor left to receive it with. */
int snapshot_open (Snapshot *s, Block **b, size_t *offset);

/* Has it been lost on the way, for want of descriptors? */
bool snapshot_is_lost (const Snapshot *s);

/* Its bytes, to be read as long as the snapshot lives. 0, or what snapshot_open returns. */
int snapshot_bytes (Snapshot *s, const void **bytes);

/* For transports. The segment that it is a range of, and where the range begins; NULL where its
   bytes have to be sent themselves. */
Segment *snapshot_segment (const Snapshot *s, size_t *origin);
Snapshot *snapshot_patch (const Snapshot *s); /* or NULL */

/* What has come from another process. Each takes its references over, also when it fails: 0 or
   UV_ENOMEM; UV_EPROTO: there is no such range. segment may be NULL: it was lost on the way, for
   want of descriptors. */
int snapshot_of_block (Snapshot **s, Block *b);
int snapshot_of_segment (Snapshot **s, Segment *segment, uint64_t origin, uint64_t len);
void snapshot_set_patch (Snapshot *s, Snapshot *patch);

/* Where descriptors are short, maps what has come as a whole, so that it needs none any more; it
   can then be sent on as bytes only. */
void snapshot_spare_descriptor (Snapshot *s);

#endif
