/* block.c - blocks on the heap: a header and its data in one allocation. */
#include "block/block.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { ALIGNMENT = 64 }; /* a cache line, and the widest vector register */

struct Block {
  size_t refs;
  size_t len; /* of the data, in bytes */
  void *data; /* inside this allocation */
};

/* What this process holds. The only state here that no argument carries: memory belongs to the
   process, not to one of its Lua states, and only one thread of it makes blocks. */
static struct { size_t len, count; } total;

static int new_block (Block **b, size_t len, bool zero) {
  const size_t extra = sizeof(Block) + ALIGNMENT - 1;
  if (len > PTRDIFF_MAX - extra) return UV_ENOMEM;
  /* calloc knows which pages come fresh from the kernel and leaves those untouched. */
  Block *fresh = zero ? calloc(1, len + extra) : malloc(len + extra);
  if (fresh == NULL) return UV_ENOMEM;
  size_t misfit = ((uintptr_t)fresh + sizeof(Block)) % ALIGNMENT;
  fresh->refs = 1;
  fresh->len = len;
  fresh->data = (char *)(fresh + 1) + (misfit == 0 ? 0 : ALIGNMENT - misfit);
  total.len += len;
  total.count++;
  *b = fresh;
  return 0;
}

int block_new (Block **b, size_t len) {
  return new_block(b, len, false);
}

int block_new_zero (Block **b, size_t len) {
  return new_block(b, len, true);
}

Block *block_retain (Block *b) {
  b->refs++;
  return b;
}

void block_release (Block *b) {
  if (b == NULL) return;
  assert(b->refs > 0);
  if (--b->refs > 0) return;
  total.len -= b->len;
  total.count--;
  free(b);
}

size_t block_len (const Block *b) {
  return b->len;
}

const void *block_data (const Block *b) {
  return b->data;
}

bool block_is_shared (const Block *b) {
  return b->refs > 1;
}

int block_write (Block **b, size_t keep, void **data) {
  assert(keep <= (*b)->len);
  if ((*b)->refs > 1) {
    Block *own;
    int rc = block_new(&own, (*b)->len);
    if (rc < 0) return rc;
    memcpy(own->data, (*b)->data, keep);
    block_release(*b);
    *b = own;
  }
  *data = (*b)->data;
  return 0;
}

size_t block_total_len (void) {
  return total.len;
}

size_t block_total_count (void) {
  return total.count;
}
