/* inline.c - the transport without processes: messages are served when somebody waits. */
#include <stdlib.h>
#include <unistd.h>
#include "transport/lines.h"
#include "transport/transport.h"

typedef struct Inline {
  Transport base;
  InlineServe serve;
  void *user;
  EventQueue in;  /* messages to the worker */
  EventQueue out; /* its answers */
  Message last;   /* what comes after them, if has_last */
  bool has_last;
  LineBuffer lines[2];
} Inline;

static int inline_start (Transport *t, int worker) {
  (void)t, (void)worker;
  return 0;
}

static int inline_send (Transport *t, int worker, const Message *m) {
  Inline *self = (Inline *)t;
  TransportEvent e = {.kind = TRANSPORT_MESSAGE, .worker = worker, .message = *m};
  int rc = event_queue_push(&self->in, &e);
  if (rc == 0 && m->parcel != NULL) parcel_retain(m->parcel);
  return rc;
}

static bool inline_next (Transport *t, TransportEvent *e) {
  Inline *self = (Inline *)t;
  if (event_queue_pop(&self->out, e)) return true;
  if (!self->has_last) return false;
  *e = (TransportEvent){.kind = TRANSPORT_MESSAGE, .message = self->last};
  self->has_last = false;
  return true;
}

static void inline_poll (Transport *t, int timeout_ms, bool spin) {
  Inline *self = (Inline *)t;
  (void)timeout_ms, (void)spin;
  TransportEvent e;
  if (self->out.n != 0 || self->has_last || !event_queue_pop(&self->in, &e)) return;
  self->serve(self->user, &e.message);
  message_fini(&e.message);
}

static int inline_kill (Transport *t, int worker, int signum) {
  (void)t, (void)worker, (void)signum;
  return UV_ENOTSUP;
}

static int inline_interrupt (Transport *t, int worker, uint64_t request) {
  (void)t, (void)worker, (void)request;
  return UV_ENOTSUP;
}

static int64_t inline_pid (const Transport *t, int worker) {
  (void)t, (void)worker;
  return getpid();
}

static uint64_t inline_pending (const Transport *t, int worker) {
  (void)t, (void)worker;
  return 0;
}

static void inline_show (Transport *t, int worker, bool unfinished) {
  Inline *self = (Inline *)t;
  (void)worker;
  for (int i = 0; i < 2 && unfinished; i++) lines_flush(&self->lines[i]);
}

static bool inline_is_stopped (const Transport *t, int worker) {
  (void)t, (void)worker;
  return false;
}

static void inline_usage (const Transport *t, int worker, TransportUsage *usage) {
  (void)t, (void)worker;
  process_usage(getpid(), usage);
}

static void inline_close (Transport *t) {
  Inline *self = (Inline *)t;
  event_queue_fini(&self->in);
  event_queue_fini(&self->out);
  for (int i = 0; i < 2; i++) lines_fini(&self->lines[i]);
  free(self);
}

static const TransportOps inline_ops = {
  .name = "inline",
  .start = inline_start,
  .send = inline_send,
  .next = inline_next,
  .poll = inline_poll,
  .kill = inline_kill,
  .interrupt = inline_interrupt,
  .pid = inline_pid,
  .pending = inline_pending,
  .show = inline_show,
  .is_stopped = inline_is_stopped,
  .usage = inline_usage,
  .close = inline_close,
};

Transport *transport_inline (InlineServe serve, void *user, int *rc) {
  Inline *self = calloc(1, sizeof *self);
  *rc = self != NULL ? 0 : UV_ENOMEM;
  if (self == NULL) return NULL;
  self->base = (Transport){.ops = &inline_ops, .n = 1};
  self->serve = serve;
  self->user = user;
  for (int i = 0; i < 2; i++) self->lines[i].fd = i + 1;
  return &self->base;
}

int transport_inline_reply (Transport *t, Message *m) {
  TransportEvent e = {.kind = TRANSPORT_MESSAGE, .worker = 0, .message = *m};
  int rc = event_queue_push(&((Inline *)t)->out, &e);
  if (rc < 0) message_fini(m);
  return rc;
}

void transport_inline_reply_last (Transport *t, const Message *m) {
  Inline *self = (Inline *)t;
  self->last = *m;
  self->has_last = true;
}

void transport_inline_write (Transport *t, int fd, const char *bytes, size_t n) {
  lines_add(&((Inline *)t)->lines[fd - 1], bytes, n);
}
