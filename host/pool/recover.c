/* recover.c - a worker that has ended is replaced, and made what it was before. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "pool/ranges.h"
#include "worker/protocol.h"

/* So many ends in a row, none after it had become what it was before, mean that it will not. */
enum { MAX_DEATHS = 20 };

/* Answers request r of a worker that has ended, which is out of its queue, with an error. */
static void fail (lua_State *L, Pool *p, const TransportEvent *e, Request *r) {
  char text[160];
  const WorkerSlot *w = &p->workers[e->worker];
  died_describe(e->end, e->worker, text, sizeof text);
  if (w->is_lost && w->lost_error < 0) {
    size_t len = strlen(text);
    snprintf(text + len, sizeof text - len, " and cannot be started again: %s",
             uv_strerror(w->lost_error));
  }
  Failure f = {.kind = "died", .message = text, .end = e->end};
  if (w->is_unfit) f = setup_failure(w);
  if (r->overdue != 0 && r->call != NULL) f = limits_failure(r, text, sizeof text);
  pool_fail_request(L, p, e->worker, r, &f);
}

/* Is the request not to be asked once more? A chunk of several items is, in pieces. */
static bool is_given_up (const Request *r) {
  unsigned retries = r->call != NULL ? r->call->retries : DEFAULT_RETRIES;
  return (r->attempts > retries && r->count <= 1) || r->overdue != 0 ||
         (r->call != NULL && r->call->is_stopped);
}

static bool was_at_item (const Request *r, const Obituary *o) {
  return r->message.type == REQUEST_CHUNK && r->call != NULL && !r->is_revoked &&
         o->position >= r->first && o->position - r->first < r->count;
}

/* Takes the queue of a worker that has ended apart: chunks go back to their maps, replays are
   dropped, the others stay in the queue. The oldest request is what it ended with, unless it never
   came to it: has_begun. */
static void sort_queue (lua_State *L, Pool *p, const TransportEvent *e, bool has_begun) {
  WorkerSlot *w = &p->workers[e->worker];
  Request *r = w->first;
  w->first = NULL;
  w->last = &w->first;
  w->n_requests = 0;
  for (bool oldest = has_begun; r != NULL; oldest = false) {
    Request *next = r->next;
    r->next = NULL;
    if (oldest) {
      r->attempts++;
      if (was_at_item(r, e->end)) ranges_isolate(r->call, r, e->end->position);
    }
    if (r->message.type == REQUEST_COPY) {
      w->is_copying = false;
      pool_settle(p, e->worker, r);
    } else if (r->is_replay) {
      request_free(r);
    } else if (r->is_abandoned) {
      r->is_void = true;
      pool_settle(p, e->worker, r);
    } else if (r->call == NULL && r->message.type == REQUEST_CHUNK) {
      pool_settle(p, e->worker, r);
    } else if (r->is_revoked) {
      ranges_take_back(r->call, e->worker, r, false);
      pool_settle(p, e->worker, r);
    } else if (is_given_up(r)) {
      w->deaths = 0; /* it is clear what they came of */
      fail(L, p, e, r);
    } else if (r->message.type == REQUEST_CHUNK) {
      ranges_take_back(r->call, e->worker, r, oldest);
      pool_settle(p, e->worker, r);
    } else {
      *w->last = r;
      w->last = &r->next;
      w->n_requests++;
    }
    r = next;
  }
}

/* Appends a request of the journal, to be done once more; nobody waits for its answer. */
static bool replay (Pool *p, WorkerSlot *w, const Request *entry) {
  Request *r = calloc(1, sizeof *r);
  if (r == NULL) return false;
  r->message = entry->message;
  parcel_retain(r->message.parcel);
  r->message.flags |= REQUEST_REPLAY;
  r->message.request = ++p->next_request;
  r->is_replay = true;
  r->globals = globals_copy(entry->globals);
  *w->last = r;
  w->last = &r->next;
  w->n_requests++;
  return true;
}

/* Puts what makes a new process the worker that was lost before what waits for it. */
static bool queue_replays (Pool *p, WorkerSlot *w) {
  Request *waiting = w->first;
  w->first = NULL;
  w->last = &w->first;
  bool ok = true;
  if (p->setup != NULL) {
    Request setup = {.message = {.type = REQUEST_APPLY, .parcel = p->setup}};
    ok = replay(p, w, &setup);
    if (ok) w->first->is_setup = true;
  }
  for (const Request *r = w->journal; r != NULL && ok; r = r->next) ok = replay(p, w, r);
  for (*w->last = waiting; *w->last != NULL; w->last = &(*w->last)->next) {}
  return ok;
}

static int l_free_dead (lua_State *L) {
  Pool *p = lua_touserdata(L, 1);
  int worker = (int)lua_tointeger(L, 2);
  Encoder *e = wire_encoder(L, &p->context, 0);
  size_t n = 0;
  for (const Request *r = p->workers[worker].journal; r != NULL; r = r->next) {
    for (size_t i = 0; i < r->n_touched; i++) {
      if (objects_is_live(&p->objects, r->touched[i])) continue;
      lua_pushinteger(L, (lua_Integer)r->touched[i]);
      wire_encode(L, e, -1, "id");
      lua_pop(L, 1);
      n++;
    }
  }
  if (n == 0) return 0;
  Message m = {.type = REQUEST_FREE, .parcel = wire_finish(L, e)};
  pool_send(L, p, worker, &m);
  message_fini(&m);
  return 0;
}

/* The replays have brought back objects that are removed, where live ones depend on them. */
static void free_dead (lua_State *L, Pool *p, int worker) {
  lua_pushcfunction(L, l_free_dead);
  lua_pushlightuserdata(L, p);
  lua_pushinteger(L, worker);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK)
    lua_pop(L, 1); /* then they stay there as long as it runs */
}

void pool_note_whole (WorkerSlot *w) {
  if (w->is_ready && (w->first == NULL || !w->first->is_replay)) w->deaths = 0;
}

/* What the old process had defined is no more. Needs no memory. */
static void forget_definitions (lua_State *L, WorkerSlot *w) {
  known_fini(&w->known);
  w->lacks_definition = false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, w->context.definitions);
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, -4);
  }
  lua_pop(L, 1);
}

int pool_start_worker (lua_State *L, Pool *p, int worker) {
  WorkerSlot *w = &p->workers[worker];
  forget_definitions(L, w);
  int rc = p->transport->ops->start(p->transport, worker);
  if (rc < 0) return rc;
  if (!queue_replays(p,
                     w)) { /* it would lack something: its end is told, and another started */
    p->transport->ops->kill(p->transport, worker, SIGKILL);
    return 0;
  }
  Message m = {.type = REQUEST_CONFIGURE, .parcel = w->configuration};
  rc = pool_send(L, p, worker, &m);
  /* A send that fails means that it has ended again, which will be told. */
  const Request *r = w->first;
  for (; r != NULL && r->is_replay && rc == 0; r = r->next) {
    rc = pool_send(L, p, worker, &r->message);
  }
  free_dead(L, p, worker);
  for (; r != NULL && rc == 0; r = r->next) rc = pool_send(L, p, worker, &r->message);
  return 0;
}

int pool_revive (lua_State *L, Pool *p, int worker) {
  WorkerSlot *w = &p->workers[worker];
  if (!w->is_lost) return 0;
  int rc = pool_start_worker(L, p, worker);
  if (rc == 0) {
    setup_forget(L, w);
    w->is_lost = false;
    w->deaths = 0;
    w->restarts++;
  }
  slot_begin(w);
  return rc;
}

typedef struct Recovery {
  Pool *pool;
  const TransportEvent *event;
  unsigned patience; /* so many ends in a row, with nothing answered between, are borne */
} Recovery;

static int l_recover (lua_State *L) {
  const Recovery *v = lua_touserdata(L, 1);
  Pool *p = v->pool;
  int worker = v->event->worker;
  WorkerSlot *w = &p->workers[worker];
  if (!w->is_unfit && ++w->deaths <= v->patience) {
    int rc = pool_start_worker(L, p, worker);
    w->is_lost = rc < 0;
    w->lost_error = rc;
    w->restarts++;
  } else {
    w->is_lost = true;
  }
  return 0;
}

static int l_feed (lua_State *L) {
  Call *c = lua_touserdata(L, 1);
  for (int w = 0; w < c->pool->n; w++) map_feed(L, c, w);
  call_finish(L, c); /* it may have been cancelled, and its last chunk taken back */
  return 0;
}

static int l_finish (lua_State *L) {
  call_finish(L, lua_touserdata(L, 1));
  return 0;
}

/* Maps hand out again what they have taken back: to all, for the worker may be lost. */
static int l_feed_all (lua_State *L) {
  Pool *p = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->calls);
  lua_pushnil(L);
  while (lua_next(L, 2) != 0) {
    Call *c = luaL_checkudata(L, -1, CALL_TNAME);
    if (c->map != NULL) call_attempt(L, c, -1, l_feed, c);
    if (c->map != NULL) call_attempt(L, c, -1, l_finish, c); /* also after an error */
    lua_pop(L, 1); /* now: it may have been its last anchor */
  }
  for (int w = 0; w < p->n; w++) pool_hand_out(L, p, w);
  return 0;
}

/* More ends in a row mean that the worker will not run at all, unless calls say otherwise. */
static unsigned patience (const WorkerSlot *w) {
  unsigned most = MAX_DEATHS;
  for (const Request *r = w->first; r != NULL; r = r->next) {
    if (r->call != NULL && r->call->retries > most) most = r->call->retries;
  }
  return most;
}

void pool_recover (lua_State *L, Pool *p, const TransportEvent *e) {
  WorkerSlot *w = &p->workers[e->worker];
  Recovery v = {.pool = p, .event = e, .patience = patience(w)};
  bool has_begun = w->is_ready && !w->is_unfit;
  w->is_ready = false;
  w->is_lost = true; /* nobody feeds it meanwhile */
  w->lost_error = 0;
  map_forget_worker(L, p, e->worker);
  sort_queue(L, p, e, has_begun);
  lua_pushcfunction(L, l_recover);
  lua_pushlightuserdata(L, &v);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) { /* no memory: once more, if it has been started */
    if (p->transport->ops->kill(p->transport, e->worker, SIGKILL) < 0) {
      w->is_lost = true;
      w->lost_error = UV_ENOMEM;
    }
    lua_pop(L, 1);
  }
  while (w->is_lost && w->first != NULL) { /* nothing is waited for in vain */
    Request *r = w->first;
    w->first = r->next;
    w->n_requests--;
    if (r->is_replay) request_free(r);
    else if (!pool_refloat(p, r)) fail(L, p, e, r);
  }
  if (w->first == NULL) w->last = &w->first;
  lua_pushcfunction(L, l_feed_all);
  lua_pushlightuserdata(L, p);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  pool_fail_stranded(L, p);
}
