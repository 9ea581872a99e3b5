/* submit.c - requests that any worker may do: they wait in the pool until one is free. */
#include <stdlib.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "worker/protocol.h"

static bool is_free (const WorkerSlot *w) {
  return w->first == NULL && !w->is_lost;
}

static void give (lua_State *L, Pool *p, int worker, Request *r) {
  globals_give(L, r->call, worker);
  request_put(L, p, worker, r);
}

static void float_last (Pool *p, Request *r) {
  r->next = NULL;
  *p->last_floating = r;
  p->last_floating = &r->next;
}

static bool is_any_left (const Pool *p) {
  for (int w = 0; w < p->n; w++) {
    if (!p->workers[w].is_lost) return true;
  }
  return false;
}

/* A worker that has nothing to do, one that was lost and runs again included; -1: there is none. */
static int find_free (lua_State *L, Pool *p) {
  for (int w = 0; w < p->n; w++) {
    if (is_free(&p->workers[w])) return w;
  }
  for (int w = 0; w < p->n; w++) {
    if (p->workers[w].is_lost && pool_revive(L, p, w) == 0) return w;
  }
  return -1;
}

void pool_float (lua_State *L, Pool *p, Message *m, Call *call) {
  Request *r = request_make(L, p, m, call);
  int worker = find_free(L, p);
  if (worker >= 0) give(L, p, worker, r);
  else if (is_any_left(p)) float_last(p, r);
  else give(L, p, 0, r); /* asking tells why nobody is there */
}

bool pool_refloat (Pool *p, Request *r) {
  if ((r->message.flags & REQUEST_ANYWHERE) == 0 || !is_any_left(p)) return false;
  float_last(p, r);
  return true;
}

static Request *take_first (Pool *p) {
  Request *r = p->floating;
  p->floating = r->next;
  if (p->floating == NULL) p->last_floating = &p->floating;
  r->next = NULL;
  return r;
}

void pool_hand_out (lua_State *L, Pool *p, int worker) {
  if (p->floating != NULL && is_free(&p->workers[worker])) give(L, p, worker, take_first(p));
}

void pool_take_floating (lua_State *L, Pool *p, const Call *call, const Failure *f) {
  Request *left = p->floating;
  p->floating = NULL;
  p->last_floating = &p->floating;
  while (left != NULL) {
    Request *r = left;
    left = r->next;
    r->next = NULL; /* nobody's, until it is told what becomes of it */
    if (call == NULL || r->call == call) {
      pool_fail_request(L, p, -1, r, f);
    } else {
      float_last(p, r);
    }
  }
}
