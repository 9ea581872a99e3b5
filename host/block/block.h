/* block.h - counted memory for the data of arrays: shared until somebody writes. */
#ifndef BLOCK_H
#define BLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* A Block has one owner per reference. Whoever holds a reference may read; who wants to write
   asks block_write first, which gives the caller memory that no other reference sees. */
typedef struct Block Block;

/* A run of bytes inside a block: what crosses to another process. */
typedef struct BlockSlice {
  Block *block; /* one reference */
  size_t offset, len;
} BlockSlice;

/* len may be 0: the block then has an address, but no bytes. */
int block_new (Block **b, size_t len);      /* 0 or UV_ENOMEM; contents undefined */
int block_new_zero (Block **b, size_t len); /* 0 or UV_ENOMEM; contents zero */
Block *block_retain (Block *b);             /* returns b */
void block_release (Block *b);              /* NULL is allowed */
size_t block_len (const Block *b);          /* in bytes */
const void *block_data (const Block *b);    /* aligned to 64 bytes */
bool block_is_shared (const Block *b);      /* would block_write have to copy? */

/* Makes the caller's reference *b writable and returns its memory in *data: where others hold
   the block too, *b is replaced by another block of the same length into which the first keep
   bytes are copied (and the old reference is released). 0, or UV_ENOMEM and *b as it was. */
int block_write (Block **b, size_t keep, void **data);

/* Bytes held by all blocks of this process, for the collector and for specs. */
size_t block_total_len (void);
size_t block_total_count (void);

#endif
