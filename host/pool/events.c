/* events.c - what comes from the workers: answers go to their calls, questions are answered. */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "worker/protocol.h"
#include "worker/session.h"

void pool_poll (lua_State *L, Pool *p, int timeout_ms, bool spin) {
  if (p->transport == NULL) return;
  p->L = L;
  p->transport->ops->poll(p->transport, timeout_ms, spin);
}

/* Presses after which a script ends whose inline worker does not come to stop. */
enum { PATIENCE = 3 };

static void on_interrupt (void *user) {
  Pool *p = user;
  host_wake(p->host);
  if (p->session == NULL) return;
  session_interrupt(p->session);
  if (p->host->interrupts < PATIENCE || p->host->interactive) return;
  signal(SIGINT, SIG_DFL); /* some C function is at it, which is in this process */
  raise(SIGINT);
}

bool pool_watch (Pool *p) {
  Host *host = p->host;
  if (host->on_interrupt != NULL) return false;
  host->interrupt_user = p;
  host->on_interrupt = on_interrupt;
  /* One that came before is ours too: a hook would raise in the midst of what we do. */
  lua_State *hooked = host->hooked;
  if (host->interrupts != 0 && hooked != NULL) {
    lua_sethook(hooked, NULL, 0, 0);
    host->hooked = NULL;
  }
  return true;
}

void pool_unwatch (Pool *p) {
  p->host->on_interrupt = NULL;
}

void pool_leave_interrupt (Pool *p) {
  if (p->host->interrupts == 0) return;
  p->host->interrupts = 0;
  raise(SIGINT); /* as if it came now */
}

/* Takes the oldest request out of the worker's queue. */
static Request *take_request (WorkerSlot *w, uint64_t id) {
  Request *r = w->first;
  if (r == NULL || r->message.request != id) return NULL;
  w->first = r->next;
  if (w->first == NULL) w->last = &w->first;
  w->n_requests--;
  uint64_t begun = w->since;
  slot_begin(w);
  r->seconds = (double)(w->since - begun) * 1e-9;
  r->next = NULL;
  return r;
}

typedef struct Answer {
  Pool *pool;
  int worker;
  const Message *message;
  Request *request;
  const Failure *failure; /* instead of a message */
} Answer;

/* Has Ctrl-C come while an inline worker did what it answers now? */
static bool was_interrupted (const Pool *p) {
  return p->session != NULL && p->host->interrupts != 0;
}

static void push_worker_error (lua_State *L, const Answer *a) {
  if (lua_type(L, -1) != LUA_TTABLE) { /* an answer without words: the worker had no memory */
    lua_createtable(L, 0, 4);
    lua_pushliteral(L, "not enough memory on the worker");
    lua_setfield(L, -2, "message");
  }
  lua_pushliteral(L, "error");
  lua_setfield(L, -2, "kind");
  lua_pushinteger(L, a->worker + 1);
  lua_setfield(L, -2, "worker");
  const Request *r = a->request;
  if (r->message.type == REQUEST_CHUNK) map_note_arguments(L, r->call, r);
  bool is_stopped = a->request->call->is_stopped || was_interrupted(a->pool);
  if (is_stopped) { /* it was asked to end: what it says of that is no news */
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "stopped");
  }
}

/* An error ends a map, unless it is to stand in the place of its item. */
static void end_map (lua_State *L, Call *c, bool is_of_item) {
  if (c->map != NULL && !(c->map->collect && is_of_item)) map_cancel(L, c);
}

/* What was done of a chunk before the error that stands above index at; cuts it off. */
static void take_part (lua_State *L, const Answer *a, int at) {
  Call *c = a->request->call;
  bool is_chunk = a->request->message.type == REQUEST_CHUNK && c->map != NULL;
  if (is_chunk && lua_gettop(L) > at + 1) {
    call_answered(L, c, a->worker, a->request, at + 1);
  }
  if (lua_gettop(L) > at + 1) lua_settop(L, at + 1);
}

/* Keeps the part of an answer whose error is not what the call is told. stack: Answer */
static int l_take_part (lua_State *L) {
  const Answer *a = lua_touserdata(L, 1);
  const Message *m = a->message;
  if (m->parcel == NULL || a->pool->workers[a->worker].lacks_definition) return 0;
  wire_decode(L, m->parcel, &a->pool->workers[a->worker].context);
  take_part(L, a, 1);
  return 0;
}

/* Stores the answer in its call. stack: Answer */
static int l_take_answer (lua_State *L) {
  Answer *a = lua_touserdata(L, 1);
  WorkerSlot *w = &a->pool->workers[a->worker];
  const Message *m = a->message;
  Call *c = a->request->call;
  if (a->request->is_revoked) return 0; /* others do it */
  if (w->lacks_definition) return luaL_error(L, "not enough memory for what it returned");
  bool is_chunk = m->type == ANSWER_RESULT && c->map != NULL;
  if (m->parcel != NULL) {
    (is_chunk ? wire_decode_numbers : wire_decode)(L, m->parcel, &w->context);
  }
  if (m->type == ANSWER_RESULT) {
    call_answered(L, c, a->worker, a->request, 1);
  } else {
    take_part(L, a, 1);
    push_worker_error(L, a);
    call_failed(L, c);
    end_map(L, c, false);
  }
  return 0;
}

static int l_proceed (lua_State *L) {
  Answer *a = lua_touserdata(L, 1);
  call_proceed(L, a->request->call, a->worker);
  return 0;
}

static int l_hand_out (lua_State *L) {
  const Answer *a = lua_touserdata(L, 1);
  pool_hand_out(L, a->pool, a->worker);
  return 0;
}

/* The request's call has one less to wait for. */
static void conclude (lua_State *L, Answer *a, lua_CFunction take) {
  Call *c = a->request->call;
  if (c == NULL) return; /* it answers a replay, or nobody waits any more */
  c->outstanding--;
  if (c->map != NULL && a->request->message.type == REQUEST_CHUNK) {
    c->map->in_flight[a->worker]--;
  } else {
    c->n_done++;
  }
  call_attempt(L, c, a->worker, take, a);
  call_attempt(L, c, a->worker, l_proceed, a);
  if (c->outstanding == 0 && !c->is_done) { /* after an error */
    call_attempt(L, c, a->worker, l_proceed, a);
  }
}

/* The request is over. */
static void finish (lua_State *L, const Answer *a) {
  pool_settle(a->pool, a->worker, a->request);
  if (a->pool->floating == NULL || a->worker < 0) return;
  lua_pushcfunction(L, l_hand_out);
  lua_pushlightuserdata(L, (void *)a);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1); /* the next answer tries again */
}

/* Function and objects are as a call has left them that was broken off: doing it again would make
   others of them. */
static bool is_broken_off (const Request *r, const Message *m) {
  return m->type == ANSWER_ERROR &&
         (r->overdue != 0 || r->is_in_the_way || (r->call != NULL && r->call->is_stopped));
}

static void take_answer (lua_State *L, Pool *p, int worker, const Message *m) {
  Answer a = {.pool = p,
              .worker = worker,
              .message = m,
              .request = take_request(&p->workers[worker], m->request)};
  if (a.request == NULL) return; /* of nothing that was asked */
  if (a.request->is_setup && m->type == ANSWER_ERROR) {
    request_free(a.request);
    setup_failed(L, p, worker, m);
    return;
  }
  pool_note_whole(&p->workers[worker]);
  if (a.request->message.type == REQUEST_COPY) base_take(p, worker, a.request, m);
  bool broken_off = false;
  if (m->flags & ANSWER_NOT_BEGUN) {
    a.request->is_void = true;
  } else if (is_broken_off(a.request, m)) {
    a.request->is_void = true;
    broken_off = a.request->n_touched > 0;
  }
  /* What was written before the answer is seen before the call returns. A line that the items
     of a map write in pieces stays in one piece until the map's end. */
  p->transport->ops->show(p->transport, worker, a.request->message.type != REQUEST_CHUNK);
  bool is_stopped = a.request->overdue != 0 || a.request->is_in_the_way;
  if (is_stopped && m->type == ANSWER_ERROR && a.request->call != NULL) {
    char text[64];
    Failure f = limits_failure(a.request, text, sizeof text);
    call_attempt(L, a.request->call, worker, l_take_part, &a);
    pool_fail_request(L, p, worker, a.request, &f);
    return;
  }
  conclude(L, &a, l_take_answer);
  if (broken_off) base_demand(L, p, worker, a.request);
  finish(L, &a);
  base_consider(L, p, worker);
}

/* Pushes the error table of a failure; worker: from 0, or -1. */
static void push_failure (lua_State *L, const Failure *f, int worker) {
  lua_createtable(L, 0, 6);
  lua_pushstring(L, f->message);
  lua_setfield(L, -2, "message");
  if (f->error != 0) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->error);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -5);
    }
    lua_pop(L, 1);
  }
  lua_pushstring(L, f->kind);
  lua_setfield(L, -2, "kind");
  if (worker < 0) return;
  lua_pushinteger(L, worker + 1);
  lua_setfield(L, -2, "worker");
}

static int l_take_failure (lua_State *L) {
  const Answer *a = lua_touserdata(L, 1);
  const Failure *f = a->failure;
  Call *c = a->request->call;
  push_failure(L, f, a->worker);
  if (c->is_stopped && strcmp(f->kind, "interrupted") != 0) { /* it was under way */
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "stopped");
  }
  if (f->end != NULL) died_set_fields(L, f->end);
  bool is_of_item = a->request->message.type == REQUEST_CHUNK && a->request->count == 1;
  if (is_of_item) {
    lua_pushinteger(L, map_item(L, c, a->request->first));
    lua_setfield(L, -2, "item");
    map_push_arguments(L, c, a->request->first);
    lua_setfield(L, -2, "arguments");
  }
  call_failed(L, c);
  end_map(L, c, is_of_item);
  return 0;
}

void pool_fail_request (lua_State *L, Pool *p, int worker, Request *r, const Failure *f) {
  Answer a = {.pool = p, .worker = worker, .request = r, .failure = f};
  r->is_void = true;
  conclude(L, &a, l_take_failure);
  finish(L, &a);
}

void pool_abandon_request (lua_State *L, Pool *p, int worker, Request *r) {
  Failure f = {.kind = "interrupted", .message = "not begun"};
  Answer a = {.pool = p, .worker = worker, .request = r, .failure = &f};
  conclude(L, &a, l_take_failure);
  r->call = NULL;
  r->is_abandoned = true;
}

typedef struct Stranded {
  Call *call;
  const Failure *failure;
  int worker;
} Stranded;

static int l_strand (lua_State *L) {
  const Stranded *s = lua_touserdata(L, 1);
  push_failure(L, s->failure, s->worker);
  call_failed(L, s->call);
  return 0;
}

static int l_fail_stranded (lua_State *L) {
  Pool *p = lua_touserdata(L, 1);
  Failure f = {.kind = "died", .message = "no worker is left"};
  int worker = -1;
  for (int w = 0; w < p->n; w++) {
    if (!p->workers[w].is_lost) return 0;
    if (worker >= 0 || !p->workers[w].is_unfit) continue;
    f = setup_failure(&p->workers[w]);
    worker = w;
  }
  pool_take_floating(L, p, NULL, &f);
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->calls);
  lua_pushnil(L);
  while (lua_next(L, 2) != 0) {
    Call *c = luaL_checkudata(L, -1, CALL_TNAME);
    lua_pop(L, 1);
    if (c->outstanding > 0) continue;
    Stranded s = {.call = c, .failure = &f, .worker = worker};
    call_attempt(L, c, -1, l_strand, &s);
    c->is_cancelled = true;
    call_finish(L, c);
  }
  return 0;
}

void pool_fail_stranded (lua_State *L, Pool *p) {
  lua_pushcfunction(L, l_fail_stranded);
  lua_pushlightuserdata(L, p);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

static int l_define (lua_State *L) {
  const Answer *a = lua_touserdata(L, 1);
  wire_define(L, a->message->parcel, &a->pool->workers[a->worker].context);
  return 0;
}

/* The worker thinks that the driver has a definition, for which there was no memory: another, that
   starts anew, takes its place. */
static void lose_definition (Pool *p, int worker) {
  p->workers[worker].lacks_definition = true;
  if (p->session != NULL) session_forget(p->session);
  else p->transport->ops->kill(p->transport, worker, SIGKILL);
}

static void take_message (lua_State *L, Pool *p, int worker, const Message *m) {
  WorkerSlot *w = &p->workers[worker];
  if (w->is_unfit) return; /* it is being ended */
  if (m->parcel != NULL) w->bytes_received += parcel_total_len(m->parcel);
  switch (m->type) {
    case ANSWER_READY:
      w->is_ready = true;
      pool_note_whole(w);
      break;
    case ANSWER_DEFINE: {
      Answer a = {.pool = p, .worker = worker, .message = m};
      lua_pushcfunction(L, l_define);
      lua_pushlightuserdata(L, &a);
      if (lua_pcall(L, 1, 0, 0) == LUA_OK) break;
      lua_pop(L, 1);
      lose_definition(p, worker);
      break;
    }
    case ANSWER_GLOBAL: pool_answer_global(L, p, worker, m); break;
    default: take_answer(L, p, worker, m);
  }
}

static void dispatch (lua_State *L, Pool *p) {
  TransportEvent e;
  p->is_busy = true; /* finalizers may run while we are at it */
  while (p->transport != NULL && p->transport->ops->next(p->transport, &e)) {
    if (e.kind == TRANSPORT_MESSAGE) {
      take_message(L, p, e.worker, &e.message);
      message_fini(&e.message);
    } else {
      pool_recover(L, p, &e);
    }
  }
  p->is_busy = false;
}

void pool_dispatch (lua_State *L, Pool *p) {
  luaL_checkstack(L, LUA_MINSTACK, NULL); /* nothing below raises: what has come is not lost */
  bool watches = pool_watch(p);
  dispatch(L, p);
  if (!watches) return;
  pool_unwatch(p);
  pool_leave_interrupt(p);
}
