/* base.c - cuts a journal short: where replaying calls would cost more than fetching the objects
   that they have changed, a copy of these becomes what a new process begins with.

   Objects may share parts on their worker, so that all which calls have seen together are fetched
   together, in one message; what the worker sends is kept as it is, and pushed as it is. */
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "pool/idset.h"
#include "worker/protocol.h"

/* So long a replay is never worth a copy; beyond that, one that costs a tenth of it. A call takes at
   least so long, whatever was measured; bytes go at this rate, with what they cause later, such as
   pages that are copied when they are written again. */
static const double REPLAY_SECONDS = 0.1, COST_RATIO = 10, CALL_SECONDS = 50e-6,
                    BYTES_PER_SECOND = 1e9;

/* More than this in one copy is not kept: the driver's memory is not the workers'. */
static const uint64_t BASE_MAX = (uint64_t)2 << 30;

static double seconds_of (const Request *r) {
  if (r->message.type != REQUEST_APPLY) return 0;
  return r->seconds > CALL_SECONDS ? r->seconds : CALL_SECONDS;
}

static bool meets (const IdSet *s, const Request *r) {
  for (size_t i = 0; i < r->n_touched; i++) {
    if (idset_has(s, r->touched[i])) return true;
  }
  return false;
}

/* Adds what the requests of the list have touched together with ids of the set. -1: no memory; 1:
   the set has grown; 0. */
static int spread (IdSet *s, const Request *list) {
  int grown = 0;
  for (const Request *r = list; r != NULL; r = r->next) {
    if (r->is_replay || !meets(s, r)) continue;
    for (size_t i = 0; i < r->n_touched; i++) {
      if (idset_has(s, r->touched[i])) continue;
      if (!idset_add(s, r->touched[i])) return -1;
      grown = 1;
    }
  }
  return grown;
}

/* All that is connected with what r has touched, by calls that were answered, and by those of the
   queue, if any: NULL. */
static bool gather (IdSet *s, const WorkerSlot *w, const Request *r, const Request *queue) {
  for (size_t i = 0; i < r->n_touched; i++) {
    if (!idset_add(s, r->touched[i])) return false;
  }
  int grown = 1;
  while (grown > 0) {
    grown = spread(s, w->journal);
    if (grown >= 0) {
      int more = spread(s, queue);
      grown = more < 0 ? more : grown + more;
    }
  }
  return grown == 0;
}

/* Is a copy of the objects cheaper than the calls that made them what they are? */
static bool is_worth (const WorkerSlot *w, const IdSet *s) {
  double replay = 0, bytes = 0;
  for (const Request *r = w->journal; r != NULL; r = r->next) {
    if (!meets(s, r)) continue;
    replay += seconds_of(r);
    if (r->message.type == REQUEST_PUSH) bytes += (double)parcel_total_len(r->message.parcel);
  }
  return replay > w->patience * (REPLAY_SECONDS + COST_RATIO * bytes / BYTES_PER_SECOND);
}

/* A copy of one set of objects is to be fetched. */
typedef struct Fetch {
  Pool *pool;
  int worker;
  const IdSet *ids;
} Fetch;

static int l_fetch (lua_State *L) {
  const Fetch *f = lua_touserdata(L, 1);
  Pool *p = f->pool;
  Encoder *e = wire_encoder(L, &p->context, 0);
  p->n_touched = 0;
  for (size_t i = 0; i < f->ids->n; i++) {
    if (!objects_is_live(&p->objects, f->ids->ids[i])) continue;
    remote_touch(L, p, f->ids->ids[i]);
    lua_pushinteger(L, (lua_Integer)f->ids->ids[i]);
    wire_encode(L, e, -1, "id");
    lua_pop(L, 1);
  }
  Message m = {.type = REQUEST_COPY, .parcel = wire_finish(L, e)};
  request_put(L, p, f->worker, request_make(L, p, &m, NULL));
  return 0;
}

static void fetch (lua_State *L, Pool *p, int worker, const IdSet *ids) {
  Fetch f = {.pool = p, .worker = worker, .ids = ids};
  lua_pushcfunction(L, l_fetch);
  lua_pushlightuserdata(L, &f);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK) p->workers[worker].is_copying = true;
  else lua_pop(L, 1); /* the journal stays as it is */
}

void base_consider (lua_State *L, Pool *p, int worker) {
  WorkerSlot *w = &p->workers[worker];
  if (w->is_copying || w->journal == NULL || p->transport == NULL) return;
  const Request *newest = w->journal_newest;
  if (newest == NULL || w->journal_seconds < w->look_at) return;
  w->look_at = w->journal_seconds * 1.2 + REPLAY_SECONDS; /* looking takes time as well */
  IdSet ids = {0};
  if (gather(&ids, w, newest, w->first) && is_worth(w, &ids)) fetch(L, p, worker, &ids);
  idset_fini(&ids);
}

void base_demand (lua_State *L, Pool *p, int worker, const Request *r) {
  WorkerSlot *w = &p->workers[worker];
  if (p->transport == NULL || p->session != NULL) return;
  IdSet ids = {0};
  if (gather(&ids, w, r, w->first)) fetch(L, p, worker, &ids);
  idset_fini(&ids);
}

/* Frees the entries that have touched ids of the set. */
static void drop (WorkerSlot *w, const IdSet *s) {
  Request **link = &w->journal;
  while (*link != NULL) {
    Request *r = *link;
    if (meets(s, r)) {
      *link = r->next;
      w->n_journal--;
      w->journal_seconds -= seconds_of(r);
      request_free(r);
    } else {
      link = &r->next;
    }
  }
  w->journal_last = link;
  w->journal_newest = NULL;
  w->look_at = w->journal_seconds + REPLAY_SECONDS;
}

/* Does the copy hold all that is in the set, and still needed? A call that was on its way when the
   copy was asked for may have connected its objects with others, which a global has brought it. */
static bool holds (const Pool *p, const Request *copy, const IdSet *s) {
  for (size_t i = 0; i < s->n; i++) {
    bool found = !objects_is_live(&p->objects, s->ids[i]);
    for (size_t k = 0; k < copy->n_touched && !found; k++)
      found = copy->touched[k] == s->ids[i];
    if (!found) return false;
  }
  return true;
}

/* What waits behind the copy may connect its objects with others, which it does not hold: calls in
   the journal alone came before it. */
bool base_take (Pool *p, int worker, Request *r, const Message *answer) {
  WorkerSlot *w = &p->workers[worker];
  w->is_copying = false;
  IdSet ids = {0};
  bool ok = answer->type == ANSWER_RESULT && answer->parcel != NULL &&
            parcel_is_whole(answer->parcel) && parcel_total_len(answer->parcel) <= BASE_MAX &&
            gather(&ids, w, r, NULL) && holds(p, r, &ids);
  if (ok) {
    drop(w, &ids);
    parcel_release(r->message.parcel);
    r->message = (Message){.type = REQUEST_PUSH, .parcel = parcel_retain(answer->parcel)};
    w->patience = 1;
  } else {
    w->patience *= 2; /* what cannot be copied now is tried again, but less and less often */
  }
  idset_fini(&ids);
  return ok;
}

void base_journalled (WorkerSlot *w, Request *r) {
  w->journal_seconds += seconds_of(r);
  if (r->message.type == REQUEST_APPLY) w->journal_newest = r;
}

void base_dropped (WorkerSlot *w, const Request *r) {
  w->journal_seconds -= seconds_of(r);
  if (w->journal_newest == r) w->journal_newest = NULL;
}
