/* snapshot.c - what a range of a block held at one time: it never changes, and can be sent. */
#include "block/snapshot.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "block/layout.h"
#include "block/patch.h"
#include "block/store.h"

/* A range below this costs less to copy than to map on the other side. */
enum { RANGE_MIN = 64 * 1024 };

struct Snapshot {
  size_t refs, len;
  Block *block;     /* one reference, where there is no segment */
  size_t offset;    /* in the block */
  Segment *segment; /* one reference */
  size_t origin;    /* in the segment */
  Snapshot *patch;  /* one reference, or NULL */
  Block *opened;    /* for snapshot_bytes */
  size_t opened_at;
  bool is_lost; /* neither block nor segment: there was no descriptor left */
};

Snapshot *snapshot_retain (Snapshot *s) {
  s->refs++;
  return s;
}

static void leave_segment (Snapshot *s) {
  if (s->segment == NULL) return;
  s->segment->promised--;
  segment_spare_descriptors(s->segment);
  segment_release(s->segment);
  s->segment = NULL;
}

void snapshot_release (Snapshot *s) {
  if (s == NULL || --s->refs > 0) return;
  block_release(s->block);
  block_release(s->opened);
  leave_segment(s);
  snapshot_release(s->patch);
  free(s);
}

size_t snapshot_len (const Snapshot *s) {
  return s->len;
}

/* Takes the reference of the block over. */
static int over_block (Snapshot **result, Block *b, size_t offset, size_t len) {
  Snapshot *s = calloc(1, sizeof *s);
  if (s == NULL) {
    block_release(b);
    return UV_ENOMEM;
  }
  *s = (Snapshot){.refs = 1, .len = len, .block = b, .offset = offset};
  *result = s;
  return 0;
}

/* Takes the reference of the segment over. */
static int over_segment (Snapshot **result, Segment *segment, size_t origin, size_t len) {
  Snapshot *s = calloc(1, sizeof *s);
  if (s == NULL) {
    segment_release(segment);
    return UV_ENOMEM;
  }
  *s = (Snapshot){.refs = 1, .len = len, .segment = segment, .origin = origin};
  if (segment != NULL) segment->promised++;
  *result = s;
  return 0;
}

static int copy_range (Snapshot **s, const Block *b, size_t offset, size_t len) {
  Block *copy;
  int rc = block_new(&copy, len);
  if (rc < 0) return rc;
  memcpy(copy->data, b->data + offset, len);
  return over_block(s, copy, 0, len);
}

/* A copy in a segment of its own; without one the bytes are sent, from this block. */
static int copy_to_segment (Snapshot **s, Block *b, size_t offset, size_t len) {
  Segment *segment;
  bool is_fresh;
  int rc = segment_new(&segment, len, &is_fresh);
  if (rc == 0) {
    rc = segment_fill(segment, is_fresh, b->data + offset, len);
    if (rc == 0) rc = segment_seal(segment);
    if (rc == 0) return over_segment(s, segment, 0, len);
    segment_release(segment);
  }
  return over_block(s, block_retain(b), offset, len);
}

/* The range of the block's segment, whose written pages have been dealt with. */
static int range_of_segment (Snapshot **s, Block *b, size_t offset, size_t len) {
  if (b->segment->fd < 0 || segment_seal(b->segment) < 0) {
    /* It cannot be sent as it is: its bytes are, from this block. */
    return over_block(s, block_retain(b), offset, len);
  }
  if (b->kind == BLOCK_SHARED) b->is_frozen = true;
  return over_segment(s, segment_retain(b->segment), b->origin + offset, len);
}

/* Of a block that was written all over: it goes to a segment of its own, or a copy of the range
   does. */
static int renew (Snapshot **s, Block *b, size_t offset, size_t len) {
  bool is_all = offset == 0 && len == b->len;
  if (is_all && block_settle(b) == 0) return range_of_segment(s, b, offset, len);
  return copy_to_segment(s, b, offset, len);
}

/* What was sent last of a block is kept with it until it is written, and sent again. */
static int remember (Block *b, Snapshot *s, size_t offset) {
  if (s->block != NULL) return 0; /* that would hold the block itself */
  snapshot_release(b->last);
  b->last = snapshot_retain(s);
  b->last_offset = offset;
  return 0;
}

static bool recall (Snapshot **s, const Block *b, size_t offset, size_t len) {
  if (b->last == NULL || b->last->len != len || b->last_offset != offset) return false;
  *s = snapshot_retain(b->last);
  return true;
}

static int of_anonymous (Snapshot **s, Block *b, size_t offset, size_t len) {
  if (recall(s, b, offset, len)) return 0;
  int rc = copy_to_segment(s, b, offset, len);
  return rc < 0 ? rc : remember(b, *s, offset);
}

static int of_written (Snapshot **s, Block *b, size_t offset, size_t len) {
  if (recall(s, b, offset, len)) return 0;
  PageRuns runs;
  if (b->segment->fd < 0 || pages_written(b->data + offset, len, &runs) < 0) {
    return renew(s, b, offset, len);
  }
  if (runs.len == 0) return range_of_segment(s, b, offset, len);
  /* What one sending copies is copied again by the next. Once that has come to half of the block in
     all, a copy of everything begins anew with nothing written. */
  size_t before = len == b->len ? b->copied : 0;
  if (runs.len + before > len / 2) {
    pages_fini(&runs);
    return renew(s, b, offset, len);
  }
  Snapshot *patch, *made;
  int rc = patch_new(&patch, &runs, b->data + offset, len);
  if (len == b->len) b->copied += runs.len;
  pages_fini(&runs);
  if (rc < 0) return rc;
  rc = range_of_segment(&made, b, offset, len);
  if (rc < 0 || made->segment == NULL) { /* as it is, the bytes are right without a patch */
    snapshot_release(patch);
    if (rc == 0) *s = made;
    return rc;
  }
  made->patch = patch;
  *s = made;
  return remember(b, made, offset);
}

int snapshot_new (Snapshot **s, Block *b, size_t offset, size_t len) {
  assert(len > 0 && offset <= b->len && len <= b->len - offset);
  if (b->kind == BLOCK_HEAP) return over_block(s, block_retain(b), offset, len);
  if (len < RANGE_MIN) return copy_range(s, b, offset, len);
  if (b->kind == BLOCK_PRIVATE && b->is_written) return of_written(s, b, offset, len);
  if (b->kind == BLOCK_ANONYMOUS) return of_anonymous(s, b, offset, len);
  return range_of_segment(s, b, offset, len);
}

int snapshot_open (Snapshot *s, Block **b, size_t *offset) {
  if (s->is_lost) return UV_EMFILE;
  if (s->block != NULL) {
    *b = block_retain(s->block);
    *offset = s->offset;
    return 0;
  }
  *b = NULL;
  *offset = 0;
  int rc = block_map(b, s->segment, s->origin, s->len);
  if (rc < 0 || s->patch == NULL) return rc;
  rc = patch_apply(s->patch, (*b)->data, s->len);
  block_mark_written(*b, snapshot_len(s->patch));
  if (rc < 0) {
    block_release(*b);
    *b = NULL;
  }
  return rc;
}

bool snapshot_is_lost (const Snapshot *s) {
  return s->is_lost || (s->patch != NULL && s->patch->is_lost);
}

int snapshot_bytes (Snapshot *s, const void **bytes) {
  if (s->opened == NULL) {
    int rc = snapshot_open(s, &s->opened, &s->opened_at);
    if (rc < 0) return rc;
  }
  *bytes = (const char *)block_data(s->opened) + s->opened_at;
  return 0;
}

void snapshot_spare_descriptor (Snapshot *s) {
  const void *bytes;
  if (s->segment == NULL || store_has_descriptors()) return;
  if (snapshot_bytes(s, &bytes) < 0) return; /* whoever opens it will be told */
  s->block = s->opened;
  s->offset = s->opened_at;
  s->opened = NULL;
  leave_segment(s);
  snapshot_release(s->patch); /* the block has it */
  s->patch = NULL;
}

Segment *snapshot_segment (const Snapshot *s, size_t *origin) {
  *origin = s->origin;
  return s->segment;
}

Snapshot *snapshot_patch (const Snapshot *s) {
  return s->patch;
}

bool snapshot_is_same (const Snapshot *a, const Snapshot *b) {
  if (a->len != b->len || a->is_lost || b->is_lost) return false;
  if (a->segment != NULL) {
    return a->segment == b->segment && a->origin == b->origin && a->patch == b->patch;
  }
  return b->segment == NULL &&
         memcmp(a->block->data + a->offset, b->block->data + b->offset, a->len) == 0;
}

int snapshot_of_block (Snapshot **s, Block *b) {
  return over_block(s, b, 0, b->len);
}

int snapshot_of_segment (Snapshot **s, Segment *segment, uint64_t origin, uint64_t len) {
  if (segment != NULL && (len == 0 || origin > segment->len || len > segment->len - origin)) {
    segment_release(segment);
    return UV_EPROTO;
  }
  int rc = over_segment(s, segment, (size_t)origin, (size_t)len);
  if (rc == 0) (*s)->is_lost = segment == NULL;
  return rc;
}

void snapshot_set_patch (Snapshot *s, Snapshot *patch) {
  assert(s->patch == NULL);
  s->patch = patch;
}
