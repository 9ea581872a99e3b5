/* limits.c - items that take too long, and workers that have been stopped: both are ended. */
#include <signal.h>
#include <stdio.h>
#include "pool/call.h"
#include "worker/protocol.h"

/* How long a worker may take to stop when it is asked to; how often, at the longest, to look
   whether one has been stopped. */
static const uint64_t ASK_NS = 1000000000u, LOOK_NS = 1000000000u;

static uint64_t to_ns (double seconds) {
  return seconds < 1e9 ? (uint64_t)(seconds * 1e9) : (uint64_t)1e18;
}

static uint64_t earlier (uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

uint64_t limits_due (const Request *r, uint64_t since) {
  bool is_item = r->message.type == REQUEST_CHUNK || r->message.type == REQUEST_APPLY;
  if (!is_item || r->call == NULL || r->call->item_timeout <= 0) return UINT64_MAX;
  return since + to_ns(r->call->item_timeout);
}

/* Asks a worker to stop what takes too long, or nobody waits for any more; then kills it. Returns
   when to look again. */
static uint64_t end_request (Pool *p, int worker, Request *r, uint64_t now) {
  const TransportOps *ops = p->transport->ops;
  if (r->overdue == 0) {
    r->overdue = now;
    ops->interrupt(p->transport, worker, r->message.request);
  } else if (now - r->overdue >= ASK_NS) {
    ops->kill(p->transport, worker, SIGKILL);
  }
  return now + ASK_NS;
}

static uint64_t check_item (Pool *p, int worker, uint64_t now) {
  WorkerSlot *w = &p->workers[worker];
  Request *r = w->first;
  uint64_t due = limits_due(r, w->since);
  if (now < due) return due;
  return end_request(p, worker, r, now);
}

/* Kills a worker that has been stopped for longer than it may. Returns when to look again. */
static uint64_t check_stopped (Pool *p, int worker, uint64_t now) {
  WorkerSlot *w = &p->workers[worker];
  uint64_t grace = to_ns(w->first->call->stopped_grace);
  uint64_t interval = earlier(LOOK_NS, grace / 4 + 1000000u);
  if (w->stop_check == 0) w->stop_check = w->since + interval;
  if (now < w->stop_check) return w->stop_check;
  if (!p->transport->ops->is_stopped(p->transport, worker)) {
    w->stopped = 0;
  } else if (w->stopped == 0) {
    w->stopped = now;
  } else if (now - w->stopped >= grace) {
    p->transport->ops->kill(p->transport, worker, SIGKILL);
  }
  return w->stop_check = now + interval;
}

int limits_enforce (Pool *p) {
  if (p->transport == NULL || p->session != NULL) return -1; /* inline.c sees to it */
  uint64_t now = uv_hrtime(), next = UINT64_MAX;
  for (int i = 0; i < p->n; i++) {
    Request *r = p->workers[i].first;
    if (r != NULL && r->is_abandoned) next = earlier(next, end_request(p, i, r, now));
    if (r == NULL || r->call == NULL) continue; /* nobody waits for it */
    next = earlier(next, check_item(p, i, now));
    next = earlier(next, check_stopped(p, i, now));
  }
  if (next == UINT64_MAX) return -1;
  return next <= now ? 0 : (int)((next - now) / 1000000u) + 1;
}

Failure limits_failure (const Request *r, char *text, size_t size) {
  if (r->is_in_the_way) {
    return (Failure){.kind = "interrupted",
                     .message = "interrupted, since a call that waited behind it was"};
  }
  snprintf(text, size, "%s took longer than %g s",
           r->message.type == REQUEST_CHUNK ? "item" : "call", r->call->item_timeout);
  return (Failure){.kind = "timeout", .message = text};
}
