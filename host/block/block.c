/* block.c - blocks: small ones on the heap, large ones in segments that can be sent. */
#include "block/block.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <uv.h>
#include "block/heap.h"
#include "block/hugepages.h"
#include "block/layout.h"
#include "block/objects.h"
#include "block/pages.h"
#include "block/snapshot.h"
#include "block/store.h"

enum { ALIGNMENT = 64 }; /* a cache line, and the widest vector register */

/* Bytes of a block on the heap, whose data are aligned wherever it begins. */
static const size_t heap_extra = sizeof(Block) + ALIGNMENT - 1;

static int new_heap (Block **b, size_t len, bool zero) {
  if (len > PTRDIFF_MAX - heap_extra) return UV_ENOMEM;
  Block *fresh = heap_alloc(len + heap_extra, zero);
  if (fresh == NULL) return UV_ENOMEM;
  size_t misfit = ((uintptr_t)fresh + sizeof(Block)) % ALIGNMENT;
  char *data = (char *)(fresh + 1) + (misfit == 0 ? 0 : ALIGNMENT - misfit);
  *fresh = (Block){.refs = 1, .len = len, .data = data, .kind = BLOCK_HEAP};
  *b = fresh;
  return 0;
}

static int new_anonymous (Block **b, size_t len) {
  Block *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL) return UV_ENOMEM;
  size_t size = pages_size(), mapped = len + (size - len % size) % size;
  void *base = mapped < len ? MAP_FAILED
                            : mmap(NULL, mapped, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) {
    free(fresh);
    return UV_ENOMEM;
  }
  madvise(base, mapped, MADV_HUGEPAGE); /* where it cannot be, the pages are small ones */
  *fresh = (Block){.refs = 1,
                   .len = len,
                   .data = base,
                   .kind = BLOCK_ANONYMOUS,
                   .base = base,
                   .mapped = mapped};
  *b = fresh;
  return 0;
}

static int new_shared (Block **b, size_t len, bool zero) {
  Block *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL) return UV_ENOMEM;
  Segment *s;
  bool is_fresh;
  int rc = segment_new(&s, len, &is_fresh);
  if (rc < 0) {
    free(fresh);
    return rc;
  }
  if (zero && !is_fresh) memset(s->map, 0, len);
  *fresh = (Block){.refs = 1, .len = len, .data = s->map, .kind = BLOCK_SHARED, .segment = s};
  *b = fresh;
  return 0;
}

/* The block holds len bytes of its own. */
static void hold (Block *b, size_t len) {
  store_let_go(b->held);
  store_hold(len);
  b->held = len;
}

static void begin (Block *b) {
  store_get()->count++;
  bool owns = b->kind == BLOCK_HEAP || b->kind == BLOCK_ANONYMOUS;
  hold(b, owns ? b->len : 0);
}

/* Makes room within the limit of this process, if it has one. */
static bool is_within_limit (size_t len) {
  const BlockStore *s = store_get();
  if (s->limit == 0) return true;
  if (s->len > s->limit || len > s->limit - s->len) return false;
  if (s->idle_len > s->limit - s->len - len) store_trim(s->limit - s->len - len);
  return true;
}

void block_set_limit (size_t len) {
  store_get()->limit = len;
}

bool block_can_be (size_t len) {
  const BlockStore *s = store_get();
  return (s->limit == 0 || len <= s->limit) && store_can_fill(len);
}

static int new_block (Block **b, size_t len, bool zero) {
  int rc;
  if (!block_can_be(len) || !is_within_limit(len)) return UV_ENOMEM;
  if (len < BLOCK_SHARE_MIN) {
    rc = new_heap(b, len, zero);
  } else {
    rc = new_shared(b, len, zero);
    if (rc < 0) rc = new_anonymous(b, len); /* it can still be sent by copying */
  }
  if (rc == 0) begin(*b);
  return rc;
}

int block_new (Block **b, size_t len) {
  return new_block(b, len, false);
}

int block_new_zero (Block **b, size_t len) {
  return new_block(b, len, true);
}

int block_map (Block **b, Segment *s, size_t origin, size_t len) {
  assert(origin <= s->len && len <= s->len - origin && len > 0 && s->fd >= 0);
  Block *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL) return UV_ENOMEM;
  size_t misfit = origin % pages_size(), mapped = misfit + len;
  void *base = hugepages_map(mapped, MAP_PRIVATE | MAP_NORESERVE, s->fd, origin - misfit);
  if (base == MAP_FAILED) {
    free(fresh);
    return UV_ENOMEM;
  }
  *fresh = (Block){.refs = 1,
                   .len = len,
                   .data = (char *)base + misfit,
                   .kind = BLOCK_PRIVATE,
                   .base = base,
                   .mapped = mapped,
                   .segment = segment_retain(s),
                   .origin = origin};
  begin(fresh);
  *b = fresh;
  return 0;
}

Block *block_retain (Block *b) {
  b->refs++;
  return b;
}

static void forget_last (Block *b) {
  snapshot_release(b->last);
  b->last = NULL;
}

/* Gives back where the data lie. */
static void leave (Block *b) {
  forget_last(b);
  if (b->base != NULL) munmap(b->base, b->mapped);
  segment_release(b->segment);
  b->base = NULL;
  b->segment = NULL;
}

void block_release (Block *b) {
  if (b == NULL) return;
  assert(b->refs > 0);
  if (--b->refs > 0) return;
  hold(b, 0);
  store_get()->count--;
  leave(b);
  if (b->kind == BLOCK_HEAP) heap_free(b, b->len + heap_extra);
  else free(b);
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

int block_settle (Block *b) {
  assert(b->kind == BLOCK_PRIVATE);
  Segment *s;
  bool is_fresh;
  int rc = segment_new(&s, b->len, &is_fresh);
  if (rc < 0) return rc;
  rc = segment_fill(s, is_fresh, b->data, b->len);
  if (rc < 0) {
    segment_release(s);
    return rc;
  }
  leave(b);
  hold(b, 0);
  b->kind = BLOCK_SHARED;
  b->is_frozen = true;
  b->is_written = false;
  b->copied = b->origin = 0;
  b->segment = s;
  b->data = s->map;
  return 0;
}

void block_mark_written (Block *b, size_t n) {
  hold(b, n < b->len - b->held ? b->held + n : b->len);
  b->is_written = true;
}

/* --- writing --------------------------------------------------------------------------------- */

typedef enum Access { IN_PLACE, BY_PAGES, BY_COPY } Access;

/* A page that is copied when it is written costs several times what it costs in a copy of
   everything: from a quarter of the block on, that is cheaper. */
static bool is_little (const Block *b, size_t n) {
  return n <= b->len / 4;
}

static Access access_to (Block *b, size_t n) {
  if (b->refs > 1) {
    bool is_segment = b->kind == BLOCK_SHARED || (b->kind == BLOCK_PRIVATE && !b->is_written);
    return is_segment && b->segment->fd >= 0 && is_little(b, n) ? BY_PAGES : BY_COPY;
  }
  forget_last(b);
  if (b->kind == BLOCK_SHARED && b->is_frozen) {
    if (b->segment->refs > 1 || !segment_is_exclusive(b->segment)) {
      return is_little(b, n) ? BY_PAGES : BY_COPY;
    }
    b->is_frozen = false; /* all who had it have let go */
  }
  if (b->kind == BLOCK_PRIVATE && !b->is_written && !is_little(b, n)) return BY_COPY;
  return IN_PLACE;
}

void block_populate (Block *b, size_t first, size_t last) {
  assert(first <= last && last <= b->len);
  if (b->kind != BLOCK_SHARED || b->is_frozen) return;
  segment_populate(b->segment, first, last == b->len ? b->segment->len : last);
}

static int replace (Block **b, Access access, size_t keep) {
  Block *old = *b, *own;
  int rc;
  if (access == BY_PAGES) {
    rc = block_map(&own, old->segment, old->origin, old->len);
    if (rc == 0 && old->kind == BLOCK_SHARED) old->is_frozen = true;
  } else {
    rc = block_new(&own, old->len);
    if (rc == 0) block_populate(own, 0, own->len);
    if (rc == 0 && keep > 0) memcpy(own->data, old->data, keep);
  }
  if (rc < 0) return rc;
  block_release(old);
  *b = own;
  return 0;
}

int block_write_part (Block **b, size_t keep, size_t n, void **data) {
  assert(keep <= (*b)->len);
  Access access = access_to(*b, n);
  if (access != IN_PLACE) {
    int rc = replace(b, access, keep);
    if (rc < 0) return rc;
  }
  if ((*b)->kind == BLOCK_PRIVATE) block_mark_written(*b, n);
  if (n > (*b)->len / 2) block_populate(*b, 0, (*b)->len);
  *data = (*b)->data;
  return 0;
}

int block_write (Block **b, size_t keep, void **data) {
  return block_write_part(b, keep, (*b)->len, data);
}

bool block_can_map (void) {
  size_t len = pages_size();
  void *page = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return page != MAP_FAILED && munmap(page, len) == 0;
}

/* --- all blocks ------------------------------------------------------------------------------ */

size_t block_total_len (void) {
  return store_get()->len;
}

size_t block_total_count (void) {
  return store_get()->count;
}

void block_trim (void) {
  BlockStore *store = store_get();
  store_trim(0);
  heap_trim();
  objects_trim();
  store->high = store->len;
}

size_t block_idle_len (void) {
  return store_get()->idle_len + heap_idle_len();
}
