/* block.h - counted memory for the data of arrays: shared until somebody writes. */
#ifndef BLOCK_H
#define BLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* A Block has one owner per reference. Whoever holds a reference may read; who wants to write
   asks block_write first, which gives the caller memory that no other reference sees, nor any
   snapshot (see snapshot.h) of the block. */
typedef struct Block Block;

/* A run of bytes inside a block. */
typedef struct BlockSlice {
  Block *block; /* one reference */
  size_t offset, len;
} BlockSlice;

/* Blocks of at least so many bytes are memory that other processes can map. One costs a
   descriptor and some 30 us of system calls, more than the copy of anything smaller. */
#define BLOCK_SHARE_MIN ((size_t)256 << 10)

/* len may be 0: the block then has an address, but no bytes. */
int block_new (Block **b, size_t len);      /* 0 or UV_ENOMEM; contents undefined */
int block_new_zero (Block **b, size_t len); /* 0 or UV_ENOMEM; contents zero */
Block *block_retain (Block *b);             /* returns b */
void block_release (Block *b);              /* NULL is allowed */
size_t block_len (const Block *b);          /* in bytes */
const void *block_data (const Block *b); /* until the next write; aligned to 64 bytes, but for
                                               blocks that have come from elsewhere: to 8 */
bool block_is_shared (const Block *b);   /* does another reference hold it? */

/* Makes the caller's reference *b writable and returns its memory in *data: where others see the
   block too, *b is replaced by another block of the same length with the same first keep bytes
   (and the old reference is released). 0, or UV_ENOMEM and *b as it was. */
int block_write (Block **b, size_t keep, void **data);

/* The same for a caller who is about to write n bytes or so, wherever they are: where that is
   little of the block, only the pages that are written are copied, when they are. */
int block_write_part (Block **b, size_t keep, size_t n, void **data);

/* Of a block that is writable, bytes first to last, not included, are about to be written: what of
   them has no memory yet gets it now, which is quicker than page by page. block_write does so where
   it is told of more than half of the block. */
void block_populate (Block *b, size_t first, size_t last);

/* One block that reads as the n slices one after the other, where that needs no copy: all are
   parts of one block that was sent, and has come back in pieces. NULL where it would. */
Block *block_join (const BlockSlice *slices, size_t n);

/* Memory that the blocks of this process hold, for the collector and for specs: what several show
   counts once, and what was received counts here as well as where it came from. */
size_t block_total_len (void);
size_t block_total_count (void);

/* May this process map memory at all? Where not, the reason of UV_ENOMEM is how many mappings it
   has (vm.max_map_count), or how many bytes of them (ulimit -v). */
bool block_can_map (void);

/* From now on blocks of this process shall hold no more than so many bytes; 0: no limit. */
void block_set_limit (size_t len);

/* false: neither this process nor the machine could ever hold a block of len bytes. */
bool block_can_be (size_t len);

/* Memory of freed blocks is kept for the next ones, within a bound. This gives it back to the
   system; and tells how many bytes there are. */
void block_trim (void);
size_t block_idle_len (void);

#endif
