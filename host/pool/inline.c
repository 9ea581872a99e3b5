/* inline.c - the worker of an inline pool: a session in this process, reached by messages. */
#include <cblas.h>
#include "pool/alarm.h"
#include "pool/call.h"
#include "worker/protocol.h"
#include "worker/session.h"

static void interrupt (void *user) {
  Pool *p = user;
  session_interrupt(p->session);
}

/* Needs no memory: there was none for any other. */
static void answer_without_words (Pool *p, const Message *m, uint8_t flags) {
  transport_inline_reply_last(p->transport, &(Message){.type = ANSWER_ERROR,
                                                       .flags = flags,
                                                       .request = m->request});
}

/* Does a request, r where it is one that is answered. Ends it when it may take no longer, or what is
   waited for may not: that cannot be had before. */
static void handle (Pool *p, const Message *m, Request *r) {
  Alarm alarm = {.is_set = false};
  uint64_t limit = r != NULL ? limits_due(r, uv_hrtime()) : UINT64_MAX;
  uint64_t until = p->waiting != NULL && p->waiting->until != 0 ? p->waiting->until
                                                                : UINT64_MAX;
  if (until > limit) until = limit;
  if (until != UINT64_MAX) alarm_start(&alarm, until, interrupt, p);
  int rc = session_handle(p->session, m);
  bool is_stopped = alarm_stop(&alarm) || p->host->interrupts != 0;
  if (is_stopped && r != NULL && uv_hrtime() >= limit) r->overdue = limit;
  else if (is_stopped && r != NULL) r->is_in_the_way = r->call != p->waiting;
  if (rc < 0) known_fini(&p->workers[0].known); /* it is told again */
  if (rc < 0 && r != NULL) answer_without_words(p, m, 0);
}

static void serve (void *user, const Message *m) {
  Pool *p = user;
  Request *r = p->workers[0].first;
  if (r != NULL && r->message.request != m->request) r = NULL; /* it needs no answer */
  if (r != NULL && r->is_abandoned) {
    answer_without_words(p, m, ANSWER_NOT_BEGUN);
    return;
  }
  int threads = openblas_get_num_threads();
  openblas_set_num_threads(1); /* as on a worker process, for the same bits */
  handle(p, m, r);
  openblas_set_num_threads(threads);
}

/* A question is answered at once: the driver is right here. */
static int inline_send (void *user, Message *m) {
  Pool *p = user;
  if (m->type != ANSWER_GLOBAL) return transport_inline_reply(p->transport, m);
  p->is_asking = true;
  pool_answer_global(p->L, p, 0, m);
  p->is_asking = false;
  message_fini(m);
  return 0;
}

static bool inline_begin (void *user, uint64_t request) {
  (void)user, (void)request;
  return true;
}

static void inline_write (void *user, int fd, const char *bytes, size_t n) {
  const Pool *p = user;
  if (p->transport != NULL) transport_inline_write(p->transport, fd, bytes, n);
}

static int inline_answer (void *user, Message *m) {
  Pool *p = user;
  TransportEvent e;
  if (!event_queue_pop(&p->inline_answers, &e)) return UV_ENOMEM; /* it did not fit there */
  *m = e.message;
  return 0;
}

/* Nobody is there to send a message meanwhile: who has pressed Ctrl-C waits for all of it. */
static bool inline_is_cancelled (void *user, uint64_t call, bool look) {
  const Pool *p = user;
  (void)look;
  return p->stopping == call || p->host->interrupts != 0;
}

int pool_open_inline (Pool *p) {
  SessionIo io = {.user = p,
                  .send = inline_send,
                  .answer = inline_answer,
                  .is_cancelled = inline_is_cancelled,
                  .begin = inline_begin,
                  .write = inline_write};
  p->session = session_new(p->host, &io);
  if (p->session == NULL) return UV_ENOMEM;
  session_stay(p->session);
  int rc;
  p->transport = transport_inline(serve, p, &rc);
  if (rc < 0) {
    session_free(p->session);
    p->session = NULL;
  }
  return rc;
}
