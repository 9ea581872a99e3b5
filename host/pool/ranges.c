/* ranges.c - gives items of a map back that were asked in vain, without any need for memory. */
#include "pool/ranges.h"

#include <assert.h>
#include <stdlib.h>

bool ranges_make_room (Request *r) {
  for (int i = r->count > 1 ? CHUNK_RANGES : 1; i > 0; i--) {
    Range *range = malloc(sizeof *range);
    if (range == NULL) return false;
    range->next = r->room;
    r->room = range;
  }
  return true;
}

void ranges_free (Range *list) {
  while (list != NULL) {
    Range *next = list->next;
    free(list);
    list = next;
  }
}

/* Uses one of the ranges that r brings along. */
static void give_back (Map *m, Request *r, Range range) {
  if (range.count == 0) return;
  Range *node = r->room;
  assert(node != NULL);
  r->room = node->next;
  *node = range;
  node->next = m->returned;
  m->returned = node;
}

void ranges_isolate (Call *c, Request *r, int64_t position) {
  int64_t before = position - r->first, after = r->count - before - 1;
  unsigned attempts = r->attempts - 1; /* it was none of the others */
  give_back(c->map, r,
            (Range){.first = position + 1,
                    .count = after,
                    .piece = after,
                    .attempts = attempts});
  give_back(c->map, r,
            (Range){.first = r->first, .count = before, .piece = before, .attempts = attempts});
  r->first = position;
  r->count = 1;
}

void ranges_take_back (Call *c, int worker, Request *r, bool was_under_way) {
  c->outstanding--;
  c->map->in_flight[worker]--;
  if (r->is_revoked) return; /* ranges_share has given it back */
  Range range = {.first = r->first,
                 .count = r->count,
                 .piece = r->count,
                 .attempts = r->attempts};
  if (was_under_way && r->count > 1) {
    range.piece = 1;
    range.attempts = 0;
  }
  give_back(c->map, r, range);
}

void ranges_share (Call *c, Request *r) {
  r->is_revoked = true;
  give_back(c->map, r,
            (Range){.first = r->first,
                    .count = r->count,
                    .piece = r->count - r->count / 2,
                    .attempts = r->attempts});
}

void ranges_sent (Map *m, Range *range, int64_t count) {
  range->first += count;
  range->count -= count;
  if (range->count > 0) return;
  Range **at = &m->returned; /* it need not be the first any more */
  while (*at != range) at = &(*at)->next;
  *at = range->next;
  free(range);
}
