/* join.c - parts of one segment that lie side by side become one block again, without a copy. */
#include <string.h>
#include "block/layout.h"
#include "block/pages.h"

/* Does b show its segment, but for pages that it may have written? */
static bool shows_segment (const Block *b) {
  return b->kind == BLOCK_PRIVATE || (b->kind == BLOCK_SHARED && b->is_frozen);
}

static bool are_adjacent (const BlockSlice *slices, size_t n) {
  const Block *first = slices[0].block;
  if (!shows_segment(first) || first->segment->fd < 0) return false;
  size_t next = first->origin + slices[0].offset;
  for (size_t i = 0; i < n; i++) {
    const Block *b = slices[i].block;
    if (!shows_segment(b) || b->segment != first->segment) return false;
    if (b->origin + slices[i].offset != next) return false;
    next += slices[i].len;
  }
  return true;
}

/* Copies the written pages of the slice to where it stands in the new block; at most *budget
   bytes. */
static bool carry_over (Block *to, char *target, const BlockSlice *slice, size_t *budget) {
  const Block *b = slice->block;
  if (!b->is_written) return true;
  const char *data = b->data + slice->offset;
  size_t misfit = (size_t)(data - b->base) % pages_size();
  PageRuns runs;
  if (pages_written(data, slice->len, &runs) < 0) return false;
  bool fits = runs.len <= *budget;
  if (fits) *budget -= runs.len;
  for (size_t i = 0; i < runs.n && fits; i++) {
    size_t first = runs.runs[i].first < misfit ? 0 : runs.runs[i].first - misfit;
    size_t end = runs.runs[i].first + runs.runs[i].len - misfit;
    if (end > slice->len) end = slice->len;
    memcpy(target + first, data + first, end - first);
    block_mark_written(to, end - first);
  }
  pages_fini(&runs);
  return fits;
}

Block *block_join (const BlockSlice *slices, size_t n) {
  if (n == 0 || !are_adjacent(slices, n)) return NULL;
  size_t len = 0;
  for (size_t i = 0; i < n; i++) len += slices[i].len; /* inside one segment: no overflow */
  const Block *first = slices[0].block;
  Block *b;
  if (len == 0 || block_map(&b, first->segment, first->origin + slices[0].offset, len) < 0) {
    return NULL;
  }
  size_t at = 0, budget = len / 4;
  for (size_t i = 0; i < n; at += slices[i].len, i++) {
    if (carry_over(b, b->data + at, &slices[i], &budget)) continue;
    block_release(b); /* much has been written: a copy costs less */
    return NULL;
  }
  return b;
}
