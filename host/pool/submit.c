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

void pool_float (lua_State *L, Pool *p, Message *m, Call *call) {
  Request *r = request_make(L, p, m, call);
  for (int w = 0; w < p->n; w++) {
    if (!is_free(&p->workers[w])) continue;
    give(L, p, w, r);
    return;
  }
  *p->last_floating = r;
  p->last_floating = &r->next;
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
    r->next = NULL;
    if (call == NULL || r->call == call) {
      pool_fail_request(L, p, -1, r, f);
    } else {
      *p->last_floating = r;
      p->last_floating = &r->next;
    }
  }
}
