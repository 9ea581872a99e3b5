/* worker.c - the life of a worker process: takes requests and answers them. */
#include "worker/worker.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "worker/crash.h"
#include "worker/link.h"
#include "worker/protocol.h"
#include "worker/session.h"

/* How long a worker that has just answered looks for the next request before it sleeps: about
   what waking it would cost. Every so many times it looks into the pipe as well, which takes a
   system call. */
enum { SPIN_NS = 60000, PIPE_EVERY = 16 };

enum { TRIM_MS = 10000 };

typedef struct Worker {
  Link link;
  bool spins; /* the last request came soon after the answer before it */
} Worker;

/* Looks again and again for the next message, for a while. 0 or negative as link_receive. */
static int spin (Link *l, uint64_t until) {
  for (unsigned i = 1; l->first == NULL && uv_hrtime() < until; i++) {
    int rc = i % PIPE_EVERY == 0 ? link_receive(l, false) : link_look(l);
    if (rc < 0) return rc;
    if (rc == 0) sched_yield();
  }
  return 0;
}

/* A worker that has nothing to do lets go of arrays that nobody refers to any more: their memory
   may be the driver's. If that lasts, it gives its own idle memory back. Has it been woken
   meanwhile? */
static bool rest (Session *s, Link *l) {
  session_rest(s);
  if (block_idle_len() == 0) return false;
  bool is_woken = link_wait(l, TRIM_MS);
  if (!is_woken) block_trim();
  return is_woken;
}

/* Waits for the next message. 0, or negative when the driver is gone. */
static int next_message (Worker *w, Session *s, Message *m) {
  Link *l = &w->link;
  int rc = 0;
  while (l->first != NULL && (rc = link_receive(l, false)) > 0) {} /* it may be taken back */
  uint64_t start = uv_hrtime();
  if (rc == 0 && w->spins) rc = spin(l, start + SPIN_NS);
  else sched_yield(); /* who waits for the answer may be on this core */
  if (rc == 0 && l->first == NULL && rest(s, l)) rc = spin(l, uv_hrtime() + SPIN_NS);
  while (rc >= 0 && l->first == NULL) {
    rc = link_receive(l, true);
    if (rc > 0 && l->first == NULL) rc = spin(l, uv_hrtime() + SPIN_NS); /* woken beforehand */
  }
  w->spins = uv_hrtime() - start < 4 * SPIN_NS;
  if (rc >= 0) link_next(l, m);
  return rc < 0 ? rc : 0;
}

static int worker_send (void *user, Message *m) {
  return link_send(user, m);
}

static int worker_answer (void *user, Message *m) {
  Link *l = user;
  int rc = 0;
  while (rc >= 0 && !link_next_answer(l, m)) rc = link_receive(l, true);
  return rc < 0 ? rc : 0;
}

static bool worker_is_cancelled (void *user, uint64_t call, bool look) {
  while (look && link_receive(user, false) > 0) {}
  return link_has_cancelled(user, call);
}

static bool worker_begin (void *user, uint64_t request) {
  return link_begin(user, request);
}

/* What a signal handler can reach: the session of this process. */
static Session *interruptible;

static void on_interrupt (int signum) {
  (void)signum;
  if (interruptible != NULL) session_interrupt(interruptible);
}

static void listen_for_interrupts (Session *s) {
  interruptible = s;
  struct sigaction act = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
  sigemptyset(&act.sa_mask);
  sigaction(SIGINT, &act, NULL);
}

/* Ends with the driver, however that ends. */
static bool follow_driver (long driver) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
  return getppid() == (pid_t)driver; /* it may have died before prctl */
}

/* What was printed when a request was done the first time is not printed again. */
typedef struct Hush {
  int saved[2]; /* copies of standard output and error; -1: none */
} Hush;

static void hush_start (Hush *h) {
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  fflush(stdout);
  for (int i = 0; i < 2; i++) {
    h->saved[i] = null >= 0 ? fcntl(1 + i, F_DUPFD_CLOEXEC, 3) : -1;
    if (h->saved[i] >= 0) dup2(null, 1 + i);
  }
  if (null >= 0) close(null);
}

static void hush_stop (Hush *h) {
  fflush(stdout);
  for (int i = 0; i < 2; i++) {
    if (h->saved[i] < 0) continue;
    dup2(h->saved[i], 1 + i);
    close(h->saved[i]);
  }
}

static int handle (Session *s, const Message *m) {
  if (!(m->flags & REQUEST_REPLAY)) return session_handle(s, m);
  Hush h;
  hush_start(&h);
  int rc = session_handle(s, m);
  hush_stop(&h);
  return rc;
}

int worker_main (Host *host, long driver) {
  if (driver <= 0 || !follow_driver(driver)) {
    fputs("neap: --worker is for neap.pool only\n", stderr);
    return EXIT_FAILURE;
  }
  setpgid(0, 0); /* Ctrl-C at the terminal is the driver's */
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  Worker w = {0};
  int rc = link_open(&w.link);
  SessionIo io = {.user = &w.link,
                  .send = worker_send,
                  .answer = worker_answer,
                  .is_cancelled = worker_is_cancelled,
                  .begin = worker_begin,
                  .position = mailbox_position(&w.link.mailbox),
                  .stop = mailbox_stop(&w.link.mailbox)};
  Session *s = rc == 0 ? session_new(host, &io) : NULL;
  if (rc == 0 && s == NULL) rc = UV_ENOMEM;
  listen_for_interrupts(s);
  if (s != NULL) crash_watch(s);
  Message m = {.type = ANSWER_READY};
  if (rc == 0) rc = link_send(&w.link, &m);
  while (rc == 0 && next_message(&w, s, &m) == 0 && m.type != REQUEST_EXIT) {
    rc = handle(s, &m);
    message_fini(&m);
  }
  message_fini(&m);
  interruptible = NULL;
  crash_unwatch();
  session_free(s);
  link_close(&w.link);
  return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
