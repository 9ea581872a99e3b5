/* ranges.h - items of a map that were asked and have come back without a result. */
#ifndef RANGES_H
#define RANGES_H

#include "pool/call.h"

/* Room for what chunk r can fall into. False: no memory; request_free frees what there is. */
bool ranges_make_room (Request *r);
void ranges_free (Range *list);

/* None of these needs memory, so that no items can get lost. */

/* A worker has ended with the item at a position of chunk r, which becomes a chunk of that item; the
   others are handed out again. */
void ranges_isolate (Call *c, Request *r, int64_t position);
/* A worker has ended with chunk r, or with r still waiting: its items are handed out again, one
   by one if it was under way, since one of them may have ended it. */
void ranges_take_back (Call *c, int worker, Request *r, bool was_under_way);
/* Chunk r has been taken back before it began: its items go out again in two halves. */
void ranges_share (Call *c, Request *r);
/* The items that go out next have been sent: so many of the first range. */
void ranges_sent (Map *m, Range *range, int64_t count);

#endif
