/* layout.h - how a Block lies in memory; for host/block only. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "block/block.h"
#include "block/segment.h"

struct Snapshot;

typedef enum BlockKind {
  BLOCK_HEAP,      /* header and data in one allocation */
  BLOCK_ANONYMOUS, /* pages of this process: large, but there were no descriptors left */
  BLOCK_SHARED,    /* the segment's own pages, through its mapping */
  BLOCK_PRIVATE    /* a mapping of the segment in which written pages become this block's own */
} BlockKind;

struct Block {
  size_t refs, len;
  char *data;
  BlockKind kind;
  bool is_frozen;   /* shared: the segment's pages are seen by others and must not be written */
  bool is_written;  /* private: pages may differ from the segment's */
  char *base;       /* private, anonymous: the mapping that this block owns */
  size_t mapped;    /* its length */
  size_t held;      /* memory of this block alone, as the store counts it */
  Segment *segment; /* shared, private: one reference */
  size_t origin;    /* of data in the segment */
  size_t copied;    /* private: bytes of written pages copied so far, to be sent */
  struct Snapshot
    *last;            /* what was sent last, while it is still true; one reference, or NULL */
  size_t last_offset; /* where that begins in the data */
};

/* A block of len bytes that shows the segment from origin on, privately. Takes no reference over:
   the block has one of its own. 0 or UV_ENOMEM. */
int block_map (Block **b, Segment *s, size_t origin, size_t len);

/* About n bytes of a private block are, or are about to be, in pages of its own. */
void block_mark_written (Block *b, size_t n);

/* Moves the data of a private block to a segment of its own, where it is frozen. 0 or negative. */
int block_settle (Block *b);

#endif
