/* events.c - what comes from the workers: answers go to their calls, questions are answered. */
#include <assert.h>
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

static void on_interrupt (void *user) {
  Pool *p = user;
  host_wake(p->host);
  if (p->session != NULL) session_interrupt(p->session);
}

void pool_watch (Pool *p) {
  p->host->interrupt_user = p;
  p->host->on_interrupt = on_interrupt;
}

void pool_unwatch (Pool *p) {
  p->host->on_interrupt = NULL;
}

/* Remembers what a journalled request was told, so that a replay is told the same. */
static void remember_global (Request *r, const char *name, Parcel *answer) {
  size_t len = strlen(name);
  Global *g = malloc(sizeof *g + len + 1);
  if (g == NULL) return; /* then a replay sees the driver's global of that time */
  memcpy(g->name, name, len + 1);
  g->answer = parcel_retain(answer);
  g->next = r->globals;
  r->globals = g;
}

static Parcel *remembered_global (const Request *r, const char *name) {
  for (const Global *g = r != NULL ? r->globals : NULL; g != NULL; g = g->next) {
    if (strcmp(g->name, name) == 0) return g->answer;
  }
  return NULL;
}

typedef struct Question {
  Pool *pool;
  int worker;
  const Message *message;
  Parcel *answer;
} Question;

/* Encodes [true, value] of the global that is asked for; raises when it cannot cross. */
static int l_encode_global (lua_State *L) {
  Question *q = lua_touserdata(L, 1);
  const char *name = lua_tostring(L, 2);
  Encoder *e = wire_encoder(L, &q->pool->context, 0);
  lua_pushboolean(L, 1);
  wire_encode(L, e, -1, "found");
  const char *label = lua_pushfstring(L, "global '%s'", name);
  lua_getglobal(L, name);
  wire_encode(L, e, -1, label);
  q->answer = wire_finish(L, e);
  return 0;
}

/* Encodes [nil, why not]; the reason is at index 2. */
static int l_encode_refusal (lua_State *L) {
  Question *q = lua_touserdata(L, 1);
  Encoder *e = wire_encoder(L, &q->pool->context, 0);
  lua_pushnil(L);
  wire_encode(L, e, -1, "found");
  wire_encode(L, e, 2, "reason");
  q->answer = wire_finish(L, e);
  return 0;
}

static int l_answer_global (lua_State *L) {
  Question *q = lua_touserdata(L, 1);
  Pool *p = q->pool;
  WorkerSlot *w = &p->workers[q->worker];
  if (wire_decode(L, q->message->parcel, &w->context) != 1) luaL_error(L, "malformed question");
  const char *name = luaL_checkstring(L, 2);
  Request *r = w->first; /* what the worker is doing */
  q->answer = remembered_global(r, name);
  if (q->answer != NULL) {
    parcel_retain(q->answer);
  } else {
    lua_pushcfunction(L, l_encode_global);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
      lua_pushcfunction(L, l_encode_refusal);
      lua_pushvalue(L, 1);
      luaL_tolstring(L, -3, NULL);
      lua_call(L, 2, 0);
    }
    if (r != NULL && r->n_touched > 0) remember_global(r, name, q->answer);
  }
  Message m = {.type = REQUEST_GLOBAL, .parcel = q->answer};
  pool_send(L, p, q->worker, &m);
  return 0;
}

void pool_answer_global (lua_State *L, Pool *p, int worker, const Message *question) {
  Question q = {.pool = p, .worker = worker, .message = question};
  luaL_checkstack(L, 4, NULL);
  lua_pushcfunction(L, l_answer_global);
  lua_pushlightuserdata(L, &q);
  p->is_answering = true;
  int status = lua_pcall(L, 1, 0, 0);
  p->is_answering = false;
  if (status != LUA_OK) {
    lua_pop(L, 1);
    /* No memory for an answer: one without values tells the worker so. */
    Message m = {.type = REQUEST_GLOBAL};
    if (p->transport != NULL) p->transport->ops->send(p->transport, worker, &m);
  }
  parcel_release(q.answer);
}

/* Takes the oldest request out of the worker's queue. */
static Request *take_request (WorkerSlot *w, uint64_t id) {
  Request *r = w->first;
  if (r == NULL || r->message.request != id) return NULL;
  w->first = r->next;
  if (w->first == NULL) w->last = &w->first;
  w->n_requests--;
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
}

/* Stores the answer in its call. stack: Answer */
static int l_take_answer (lua_State *L) {
  Answer *a = lua_touserdata(L, 1);
  WorkerSlot *w = &a->pool->workers[a->worker];
  const Message *m = a->message;
  Call *c = a->request->call;
  if (m->parcel != NULL) wire_decode(L, m->parcel, &w->context);
  if (m->type == ANSWER_RESULT) {
    call_answered(L, c, a->worker, a->request, 1);
  } else {
    push_worker_error(L, a);
    call_failed(L, c);
    if (c->map != NULL) map_cancel(L, c);
  }
  return 0;
}

/* The answer could not be taken up: that is the call's error. stack: Answer, reason */
static int l_fail_answer (lua_State *L) {
  Answer *a = lua_touserdata(L, 1);
  Call *c = a->request->call;
  lua_createtable(L, 0, 4);
  luaL_tolstring(L, 2, NULL);
  lua_setfield(L, -2, "message");
  push_worker_error(L, a);
  call_failed(L, c);
  if (c->map != NULL) map_cancel(L, c);
  return 0;
}

static int l_proceed (lua_State *L) {
  Answer *a = lua_touserdata(L, 1);
  call_proceed(L, a->request->call, a->worker);
  return 0;
}

/* Runs f(a) and, where that raises, makes the reason an error of the call. */
static void attempt (lua_State *L, lua_CFunction f, Answer *a) {
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, a);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK) return;
  lua_pushcfunction(L, l_fail_answer);
  lua_pushlightuserdata(L, a);
  lua_pushvalue(L, -3);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1); /* not even memory for an error */
  lua_pop(L, 1);
}

/* The request's call has one less to wait for. */
static void conclude (lua_State *L, Answer *a, lua_CFunction take) {
  Call *c = a->request->call;
  if (c != NULL) { /* else it answers a replay, or nobody waits any more */
    c->outstanding--;
    if (c->map != NULL && a->request->message.type == REQUEST_CHUNK) {
      c->map->in_flight[a->worker]--;
    }
    attempt(L, take, a);
    attempt(L, l_proceed, a);
    if (c->outstanding == 0 && !c->is_done) attempt(L, l_proceed, a); /* after an error */
  }
  pool_settle(a->pool, a->worker, a->request);
}

static void take_answer (lua_State *L, Pool *p, int worker, const Message *m) {
  Answer a = {.pool = p,
              .worker = worker,
              .message = m,
              .request = take_request(&p->workers[worker], m->request)};
  if (a.request == NULL) return; /* of nothing that was asked */
  WorkerSlot *w = &p->workers[worker];
  uint64_t now = uv_hrtime();
  uint64_t begun = a.request->asked > w->answered ? a.request->asked : w->answered;
  a.request->seconds = (double)(now - begun) * 1e-9;
  w->answered = now;
  pool_note_whole(&p->workers[worker]);
  if (a.request->message.type == REQUEST_COPY) base_take(p, worker, a.request, m);
  conclude(L, &a, l_take_answer);
  base_consider(L, p, worker);
}

static int l_take_failure (lua_State *L) {
  const Answer *a = lua_touserdata(L, 1);
  const Failure *f = a->failure;
  lua_createtable(L, 0, 6);
  lua_pushstring(L, f->message);
  lua_setfield(L, -2, "message");
  lua_pushstring(L, f->kind);
  lua_setfield(L, -2, "kind");
  lua_pushinteger(L, a->worker + 1);
  lua_setfield(L, -2, "worker");
  if (f->signal != 0) {
    lua_pushinteger(L, f->signal);
    lua_setfield(L, -2, "signal");
  }
  if (f->item != 0) {
    lua_pushinteger(L, f->item);
    lua_setfield(L, -2, "item");
  }
  call_failed(L, a->request->call);
  if (a->request->call->map != NULL) map_cancel(L, a->request->call);
  return 0;
}

void pool_fail_request (lua_State *L, Pool *p, int worker, Request *r, const Failure *f) {
  Answer a = {.pool = p, .worker = worker, .request = r, .failure = f};
  luaL_checkstack(L, 8, NULL);
  conclude(L, &a, l_take_failure);
}

static int l_fail_stranded (lua_State *L) {
  Pool *p = lua_touserdata(L, 1);
  for (int w = 0; w < p->n; w++) {
    if (!p->workers[w].is_lost) return 0;
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->calls);
  lua_pushnil(L);
  while (lua_next(L, 2) != 0) {
    Call *c = luaL_checkudata(L, -1, CALL_TNAME);
    lua_pop(L, 1);
    if (c->outstanding > 0) continue;
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "no worker is left");
    lua_setfield(L, -2, "message");
    lua_pushliteral(L, "died");
    lua_setfield(L, -2, "kind");
    call_failed(L, c);
    lua_pop(L, 1);
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

static void take_message (lua_State *L, Pool *p, int worker, const Message *m) {
  WorkerSlot *w = &p->workers[worker];
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
      if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1); /* then decoding says what lacks */
      break;
    }
    case ANSWER_GLOBAL: pool_answer_global(L, p, worker, m); break;
    default: take_answer(L, p, worker, m);
  }
}

void pool_dispatch (lua_State *L, Pool *p) {
  luaL_checkstack(L, 8, NULL);
  TransportEvent e;
  while (p->transport != NULL && p->transport->ops->next(p->transport, &e)) {
    if (e.kind == TRANSPORT_MESSAGE) {
      take_message(L, p, e.worker, &e.message);
      message_fini(&e.message);
    } else {
      pool_recover(L, p, &e);
    }
  }
}
