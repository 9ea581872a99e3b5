/* stop.c - ends a call before it is done: asks its workers, then replaces them. */
#include <signal.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "worker/protocol.h"

/* How long a worker may take to stop when it is asked to. */
static const double ASK_SECONDS = 1.0;

static bool serves (const WorkerSlot *w, const Call *c) {
  return w->first != NULL && w->first->call == c;
}

static void interrupt_workers (Pool *p, const Call *c) {
  for (int w = 0; w < p->n; w++) {
    if (!serves(&p->workers[w], c)) continue;
    p->transport->ops->interrupt(p->transport, w, p->workers[w].first->message.request);
  }
}

static void kill_workers (Pool *p, const Call *c) {
  for (int w = 0; w < p->n; w++) {
    if (serves(&p->workers[w], c)) p->transport->ops->kill(p->transport, w, SIGKILL);
  }
}

/* What waits for a worker behind something else is over now: that may take as long as it likes.
   An inline worker has begun nothing that it has not answered. */
static void abandon (lua_State *L, Pool *p, const Call *c) {
  for (int w = 0; w < p->n; w++) {
    for (Request *r = p->workers[w].first; r != NULL; r = r->next) {
      bool has_begun = r == p->workers[w].first && p->session == NULL;
      if (r->call == c && !has_begun) pool_abandon_request(L, p, w, r);
    }
  }
}

/* Waits for the call; false when time is over or the user has pressed Ctrl-C again. */
static bool wait_until (lua_State *L, Call *c, uint64_t until) {
  Pool *p = c->pool;
  pool_dispatch(L, p);
  while (!c->is_done && p->transport != NULL) {
    uint64_t now = uv_hrtime();
    if (now >= until || p->host->interrupts) return false;
    pool_poll(L, p, (int)((until - now) / 1000000u) + 1, false);
    pool_dispatch(L, p);
  }
  return true;
}

/* pool:stop(call) -> "interrupted" or "timeout", depending on whether the user has interrupted.
   The call is done afterwards, and the pool as good as new. */
int pool_stop (lua_State *L) {
  Pool *p = pool_check(L, 1);
  Call *c = luaL_checkudata(L, 2, CALL_TNAME);
  pool_watch(p);
  bool interrupted = p->host->interrupts != 0;
  p->host->interrupts = 0;
  c->is_stopped = true;
  p->stopping = c->number;
  if (c->map != NULL) map_cancel(L, c);
  Message m = {.type = REQUEST_CANCEL, .request = c->number};
  for (int w = 0; w < p->n; w++) pool_send(L, p, w, &m);
  pool_take_floating(L, p, c, &(Failure){.kind = "interrupted", .message = "not begun"});
  if (p->session != NULL) pool_dispatch(L, p);
  abandon(L, p, c);
  uint64_t until = uv_hrtime() + (uint64_t)(ASK_SECONDS * 1e9);
  interrupt_workers(p, c);
  bool done = wait_until(L, c, until);
  while (!done) {
    p->host->interrupts = 0;
    kill_workers(p, c);
    done = wait_until(L, c, uv_hrtime() + 100000000u);
  }
  p->stopping = 0;
  p->host->interrupts = 0; /* pressed while this was done, it was meant for this */
  pool_unwatch(p);
  lua_pushstring(L, interrupted ? "interrupted" : "timeout");
  return 1;
}
