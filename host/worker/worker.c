/* worker.c - the life of a worker process: reads requests from descriptor 3, answers them. */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "transport/descriptors.h"
#include "wire/outgoing.h"
#include "worker/crash.h"
#include "worker/protocol.h"
#include "worker/session.h"

enum { DRIVER_FD = 3, CHANNEL_FD = 4 }; /* messages; descriptors */

/* How long a worker that has just answered looks for the next request before it sleeps: about
   what waking it would cost. */
enum { SPIN_NS = 60000 };

enum { RETRY_NS = 2000000, TRIM_MS = 10000 };

typedef struct Node {
  struct Node *next;
  Message message;
} Node;

/* Requests that have come and are not yet begun, oldest first. */
typedef struct Worker {
  FrameReader *reader;
  Node *first, **last;
  bool spin; /* the last request came soon after the answer before it */
} Worker;

static int enqueue (Worker *w, const Message *m) {
  Node *node = malloc(sizeof *node);
  if (node == NULL) return UV_ENOMEM;
  *node = (Node){.message = *m};
  *w->last = node;
  w->last = &node->next;
  return 0;
}

static bool dequeue (Worker *w, Message *m) {
  Node *node = w->first;
  if (node == NULL) return false;
  *m = node->message;
  w->first = node->next;
  if (w->first == NULL) w->last = &w->first;
  free(node);
  return true;
}

static int fetch (void *user, int *fds, int n) {
  (void)user;
  return descriptors_receive(CHANNEL_FD, fds, n);
}

/* Reads what is there. 1: something came; 0: nothing; negative: the driver is gone, or what it
   sends is malformed. */
static int receive (Worker *w, int flags) {
  uint8_t *where;
  size_t room;
  frame_reader_space(w->reader, &where, &room);
  ssize_t n = recv(DRIVER_FD, where, room, flags);
  if (n == 0) return UV_EOF;
  if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  int rc = frame_reader_feed(w->reader, (size_t)n);
  if (rc < 0) return rc;
  Message m;
  while (frame_reader_next(w->reader, &m)) {
    rc = enqueue(w, &m);
    if (rc < 0) return rc;
  }
  return 1;
}

/* A worker that has nothing to do lets go of arrays that nobody refers to any more: their memory
   may be the driver's. If that lasts, it gives its own idle memory back. */
static void rest (Session *s) {
  session_rest(s);
  if (block_idle_len() == 0) return;
  struct pollfd fd = {.fd = DRIVER_FD, .events = POLLIN};
  if (poll(&fd, 1, TRIM_MS) == 0) block_trim();
}

/* Waits for the next message. 0, or negative when the driver is gone. */
static int next_message (Worker *w, Session *s, Message *m) {
  if (w->first != NULL) { /* it may have been taken back */
    int rc;
    while ((rc = receive(w, MSG_DONTWAIT)) > 0) {}
    if (rc < 0) return rc;
  }
  uint64_t start = uv_hrtime();
  bool rested = false;
  while (!dequeue(w, m)) {
    bool spins = w->spin && !rested && uv_hrtime() - start <= SPIN_NS;
    if (!spins && !rested) {
      rest(s);
      rested = true;
    }
    int rc = receive(w, spins ? MSG_DONTWAIT : 0);
    if (rc < 0) return rc;
    if (spins && rc == 0) sched_yield();
  }
  w->spin = uv_hrtime() - start < 4 * SPIN_NS;
  return 0;
}

/* Writes all of the pieces, however many calls that takes. */
static int write_all (struct iovec *v, size_t n) {
  while (n > 0) {
    if (v->iov_len == 0) {
      v++;
      n--;
      continue;
    }
    struct msghdr head = {.msg_iov = v, .msg_iovlen = n < 64 ? n : 64};
    ssize_t done = sendmsg(DRIVER_FD, &head, MSG_NOSIGNAL);
    if (done < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    size_t left = (size_t)done;
    while (n > 0 && left >= v->iov_len) {
      left -= v->iov_len;
      v++;
      n--;
    }
    if (n > 0) {
      v->iov_base = (char *)v->iov_base + left;
      v->iov_len -= left;
    }
  }
  return 0;
}

/* Sends a batch of descriptors, however long that takes. */
static int send_batch (Segment *const *segments, unsigned n) {
  int rc;
  while ((rc = descriptors_send(CHANNEL_FD, segments, n)) == UV_ENOBUFS) {
    nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL); /* until some have arrived */
  }
  return rc;
}

static int worker_send (void *user, Message *m) {
  (void)user;
  Outgoing o;
  int rc = outgoing_init(&o, m, true);
  for (unsigned sent = 0; rc == 0 && sent < o.n_segments;) {
    uint8_t head[FRAME_HEAD];
    unsigned left = o.n_segments - sent, n = outgoing_batch(head, left);
    rc = send_batch(o.segments + sent, n);
    sent += n;
    if (rc == 0 && n < left) {
      struct iovec piece = {.iov_base = head, .iov_len = FRAME_HEAD};
      rc = write_all(&piece, 1);
    }
  }
  if (rc == 0) rc = write_all(o.pieces, o.n_pieces);
  outgoing_fini(&o);
  message_fini(m);
  return rc;
}

/* Takes the oldest definition or answer to a question out of the queue; other requests wait. */
static bool take_answer (Worker *w, Message *m) {
  for (Node **link = &w->first; *link != NULL; link = &(*link)->next) {
    Node *node = *link;
    if (node->message.type != REQUEST_DEFINE && node->message.type != REQUEST_GLOBAL) continue;
    *m = node->message;
    *link = node->next;
    if (w->last == &node->next) w->last = link;
    free(node);
    return true;
  }
  return false;
}

static int worker_answer (void *user, Message *m) {
  Worker *w = user;
  int rc = 0;
  while (rc >= 0 && !take_answer(w, m)) rc = receive(w, 0);
  return rc < 0 ? rc : 0;
}

static bool worker_is_cancelled (void *user, uint64_t call) {
  Worker *w = user;
  for (const Node *node = w->first; node != NULL; node = node->next) {
    if (node->message.type == REQUEST_CANCEL && node->message.request == call) return true;
  }
  return false;
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
  close_range(DRIVER_FD + 2, ~0u, 0); /* files that the driver has open are none of ours */
  setpgid(0, 0);                      /* Ctrl-C at the terminal is the driver's */
  fcntl(DRIVER_FD, F_SETFD, FD_CLOEXEC);
  fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC);
  int mode = fcntl(DRIVER_FD, F_GETFL);
  if (mode < 0) return EXIT_FAILURE;
  fcntl(DRIVER_FD, F_SETFL, mode & ~O_NONBLOCK);
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  Worker w = {.reader = frame_reader_new(UINT64_MAX / 2)};
  w.last = &w.first;
  SessionIo io = {.user = &w,
                  .send = worker_send,
                  .answer = worker_answer,
                  .is_cancelled = worker_is_cancelled};
  if (w.reader != NULL) frame_reader_set_fetch(w.reader, fetch, NULL);
  Session *s = w.reader != NULL ? session_new(host, &io) : NULL;
  int rc = s != NULL ? 0 : UV_ENOMEM;
  listen_for_interrupts(s);
  if (s != NULL) crash_watch(s);
  Message m = {.type = ANSWER_READY};
  if (rc == 0) rc = worker_send(&w, &m);
  while (rc == 0 && next_message(&w, s, &m) == 0 && m.type != REQUEST_EXIT) {
    rc = handle(s, &m);
    message_fini(&m);
  }
  message_fini(&m);
  interruptible = NULL;
  crash_unwatch();
  session_free(s);
  while (dequeue(&w, &m)) message_fini(&m);
  frame_reader_free(w.reader);
  return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
