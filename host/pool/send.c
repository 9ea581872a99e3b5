/* send.c - requests to workers: each goes out with the definitions that it needs before it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "pool/ranges.h"
#include "worker/protocol.h"

/* The inline worker that waits for the answer to a question gets it past its queue. */
static int deliver (Pool *p, int worker, const Message *m, bool can_wait) {
  WorkerSlot *w = &p->workers[worker];
  if (p->transport == NULL) return UV_ESRCH;
  if (p->is_asking) {
    TransportEvent e = {.kind = TRANSPORT_MESSAGE, .message = *m};
    int rc = event_queue_push(&p->inline_answers, &e);
    if (rc == 0 && m->parcel != NULL) parcel_retain(m->parcel);
    return rc;
  }
  const TransportOps *ops = p->transport->ops;
  int rc = (can_wait && ops->hold != NULL ? ops->hold : ops->send)(p->transport, worker, m);
  if (rc == 0 && m->parcel != NULL) w->bytes_sent += parcel_total_len(m->parcel);
  return rc;
}

static int send_definitions (lua_State *L, Pool *p, int worker, const Parcel *parcel) {
  for (uint32_t i = 0; parcel != NULL && i < parcel->n_defs; i++) {
    int is_new = 0;
    /* wire_definition only takes a reference. */
    Message d = {.type = REQUEST_DEFINE, .parcel = wire_definition(L, parcel->defs[i])};
    int rc = known_add(&p->workers[worker].known, parcel->defs[i], &is_new);
    if (rc == 0 && is_new) rc = deliver(p, worker, &d, false);
    message_fini(&d);
    if (rc < 0) return rc;
  }
  return 0;
}

/* A worker that has not got all of it is out of step: it is ended, and what replaces it is asked
   again. */
int pool_send (lua_State *L, Pool *p, int worker, const Message *m) {
  int rc = send_definitions(L, p, worker, m->parcel);
  if (rc == 0) rc = deliver(p, worker, m, false);
  if (rc < 0 && p->transport != NULL) p->transport->ops->kill(p->transport, worker, SIGKILL);
  return rc;
}

void pool_wake (Pool *p, int worker) {
  const TransportOps *ops = p->transport->ops;
  if (ops->wake == NULL) return;
  for (int w = 0; w < p->n; w++) {
    if (worker < 0 || worker == w) ops->wake(p->transport, w);
  }
}

/* Objects whose last handle is gone are told in one message before the next encoding, never by
   a finalizer. It goes along with the request that follows: a worker wakes up once. */
static void tell_freed (lua_State *L, Pool *p) {
  Objects *o = &p->objects;
  int top = lua_gettop(L);
  Encoder *e = wire_encoder(L, &p->context, 0);
  for (size_t i = 0; i < o->n_freed; i++) {
    lua_pushinteger(L, (lua_Integer)o->freed[i]);
    wire_encode(L, e, -1, "id");
    lua_pop(L, 1);
  }
  size_t n = o->n_freed; /* more may come now, from finalizers */
  Message m = {.type = REQUEST_FREE, .parcel = wire_finish(L, e)};
  for (int w = 0; w < p->n; w++)
    deliver(p, w, &m, true); /* one that ends forgets them anyway */
  message_fini(&m);
  lua_settop(L, top);
  objects_clear_freed(o, n);
  pool_prune_journals(p);
}

Encoder *pool_encoder_for (lua_State *L, Pool *p, const WireContext *context) {
  if (p->objects.n_freed > 0) tell_freed(L, p);
  p->n_touched = 0;
  return wire_encoder(L, context, 0);
}

Encoder *pool_encoder (lua_State *L, Pool *p) {
  return pool_encoder_for(L, p, &p->context);
}

void request_free (Request *r) {
  if (r == NULL) return;
  globals_free(r->globals);
  message_fini(&r->message);
  ranges_free(r->room);
  free(r->touched);
  free(r);
}

static Request *request_new (const Pool *p) {
  Request *r = calloc(1, sizeof *r);
  uint64_t *touched = malloc((p->n_touched + 1) * sizeof *touched);
  if (r == NULL || touched == NULL) {
    free(r);
    free(touched);
    return NULL;
  }
  if (p->n_touched > 0) memcpy(touched, p->touched, p->n_touched * sizeof *touched);
  r->touched = touched;
  r->n_touched = p->n_touched;
  return r;
}

Request *request_make (lua_State *L, Pool *p, Message *m, Call *call) {
  bool is_live = true; /* a finalizer may have removed what was met */
  for (size_t i = 0; i < p->n_touched && is_live; i++) {
    is_live = objects_is_live(&p->objects, p->touched[i]);
  }
  Request *r = is_live ? request_new(p) : NULL;
  if (r == NULL) {
    message_fini(m);
    pool_error(L,
               is_live ? "not enough memory" : "a RemoteObject was removed while it was sent");
  }
  r->message = *m;
  r->message.request = ++p->next_request;
  r->call = call;
  if (call != NULL) call->outstanding++;
  if (call != NULL && r->n_touched > 0) r->globals = globals_copy(call->globals);
  for (size_t i = 0; i < r->n_touched; i++) objects_retain(&p->objects, r->touched[i]);
  return r;
}

static void append (WorkerSlot *w, Request *r) {
  *w->last = r;
  w->last = &r->next;
  w->n_requests++;
  if (w->first == r) slot_begin(w);
}

/* Takes the newest request out again. */
static void remove_newest (WorkerSlot *w) {
  Request **link = &w->first;
  while ((*link)->next != NULL) link = &(*link)->next;
  *link = NULL;
  w->last = link;
  w->n_requests--;
}

void request_put (lua_State *L, Pool *p, int worker, Request *r) {
  WorkerSlot *w = &p->workers[worker];
  int rc = pool_revive(L, p, worker);
  if (rc == 0) {
    append(w, r);
    rc = pool_send(L, p, worker, &r->message);
    if (rc == 0 || p->session == NULL) return; /* where it failed, recovery asks again */
    remove_newest(w);                          /* the inline worker is not replaced */
  }
  char text[128];
  snprintf(text, sizeof text, "worker %d cannot be %s: %s", worker + 1,
           w->is_lost ? "started" : "asked", uv_strerror(rc));
  Failure f = {.kind = p->session == NULL ? "died" : "error", .message = text};
  pool_fail_request(L, p, worker, r, &f);
}
