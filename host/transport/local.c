/* local.c - the transport to worker processes of this machine, over libuv pipes. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include "transport/local.h"

/* How long workers have to end by themselves, and after SIGTERM, when the pool closes. */
enum { GRACE_MS = 2000, TERM_MS = 500 };

void local_give_up (Peer *peer, int rc) {
  peer->is_given_up = true;
  peer->end.by_driver = true;
  if (rc == UV_ENOMEM) peer->end.driver_was_short = true;
  if (!peer->exited) uv_process_kill(&peer->process, SIGKILL);
}

/* The exit needs no memory, so that it is told in any case. */
static void push_event (Peer *peer, const TransportEvent *e) {
  Local *self = peer->local;
  self->has_looked = false;
  self->host->loop->data = self; /* tells host_poll that something came */
  if (!peer->is_given_up && event_queue_push(&self->events, e) == 0) return;
  TransportEvent lost = *e;
  message_fini(&lost.message);
  local_give_up(peer, UV_ENOMEM);
}

static void refuse (Peer *peer, int rc, const char *why) {
  if (rc != UV_ENOMEM && !peer->is_given_up) {
    fprintf(stderr, "neap: worker %d sent what is no message (%s) and is ended\n",
            peer->worker + 1, why);
  }
  local_give_up(peer, rc);
}

/* What is in the mailbox becomes an event. */
static bool take_mail (Peer *peer) {
  uint8_t bytes[MAILBOX_MAX];
  if (peer->is_given_up) return false;
  size_t len = mailbox_take(&peer->mailbox, bytes);
  if (len == 0) return false;
  TransportEvent e = {.kind = TRANSPORT_MESSAGE, .worker = peer->worker};
  int rc = len <= sizeof bytes ? frame_read(bytes, len, &e.message) : UV_EPROTO;
  if (rc < 0) refuse(peer, rc, "in its mailbox");
  else push_event(peer, &e);
  return true;
}

/* What has been read goes to the reader; whole messages become events. */
static int feed (Peer *peer, size_t n) {
  take_mail(peer); /* it was sent earlier */
  int rc = frame_reader_feed(peer->reader, n);
  TransportEvent e = {.kind = TRANSPORT_MESSAGE, .worker = peer->worker};
  while (frame_reader_next(peer->reader, &e.message)) push_event(peer, &e);
  mailbox_count_read(&peer->mailbox, n);
  return rc;
}

static void on_alloc (uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  (void)suggested;
  Peer *peer = handle->data;
  uint8_t *where;
  size_t room;
  frame_reader_space(peer->reader, &where, &room);
  *buf = uv_buf_init((char *)where, room < 1u << 30 ? (unsigned)room : 1u << 30);
}

static void on_read (uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  (void)buf;
  Peer *peer = stream->data;
  if (peer->local == NULL) return;
  if (peer->is_given_up) {
    uv_read_stop(stream);
  } else if (n > 0) {
    int rc = feed(peer, (size_t)n);
    if (rc < 0) refuse(peer, rc, frame_reader_error(peer->reader));
  } else if (n < 0) {
    /* A worker that has closed its end can no longer answer: its exit will be told. */
    uv_read_stop(stream);
    if (!peer->exited) uv_process_kill(&peer->process, SIGKILL);
  }
}

static void on_alloc_output (uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  (void)suggested;
  Peer *peer = handle->data;
  *buf = uv_buf_init(peer->scratch, sizeof peer->scratch);
}

static void add_output (Peer *peer, int i, size_t n) {
  lines_add(&peer->lines[i], peer->scratch, n);
  if (i == 1) obituary_add(&peer->end, peer->scratch, n);
}

static void on_output (uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  Peer *peer = stream->data;
  int i = stream == (uv_stream_t *)&peer->out[1];
  (void)buf; /* the peer's scratch */
  if (n > 0) {
    add_output(peer, i, (size_t)n);
  } else if (n < 0) {
    uv_read_stop(stream);
    lines_flush(&peer->lines[i]);
  }
}

/* Reads and shows what the worker has written so far, without waiting. */
static void drain_output (Peer *peer, bool unfinished) {
  for (int i = 0; i < 2; i++) {
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&peer->out[i], &fd) < 0) continue;
    ssize_t n;
    int times = 0; /* a child of the worker may go on writing for ever */
    do {
      n = read(fd, peer->scratch, sizeof peer->scratch);
      if (n > 0) add_output(peer, i, (size_t)n);
    } while (n == sizeof peer->scratch && ++times < 64);
    if (unfinished) lines_flush(&peer->lines[i]);
  }
}

/* Reads what is still in the pipes of a process that has ended, without waiting. */
static void drain (Peer *peer) {
  uv_os_fd_t fd;
  if (uv_fileno((uv_handle_t *)&peer->pipe, &fd) == 0) {
    while (!peer->is_given_up) {
      uint8_t *where;
      size_t room;
      frame_reader_space(peer->reader, &where, &room);
      ssize_t n = read(fd, where, room);
      if (n <= 0) break;
      int rc = feed(peer, (size_t)n);
      if (rc < 0) local_give_up(peer, rc);
    }
  }
  take_mail(peer);
  drain_output(peer, true);
}

void local_on_exit (uv_process_t *process, int64_t exit_status, int signum) {
  Peer *peer = process->data;
  Local *self = peer->local;
  peer->exited = true;
  if (signum != 0) kill(-peer->process.pid, SIGKILL); /* what it had started goes with it */
  if (self != NULL) {
    drain(peer);
    peer->end.exit_status = exit_status;
    peer->end.signal = signum;
    const volatile int64_t *position = mailbox_position(&peer->mailbox);
    if (position != NULL) peer->end.position = *position;
    obituary_judge(&peer->end, self->oom_kills);
    if (signum == SIGKILL) self->oom_kills = obituary_oom_kills();
    self->ends[peer->worker] = peer->end;
    self->has_ended[peer->worker] = true;
    self->host->loop->data = self;
    self->peers[peer->worker] = NULL;
  }
  local_close_peer(peer);
}

static int local_start (Transport *t, int worker) {
  Local *self = (Local *)t;
  Peer *peer;
  int rc = local_spawn(self, worker, &peer);
  if (rc < 0) return rc;
  self->peers[worker] = peer;
  uv_read_start((uv_stream_t *)&peer->pipe, on_alloc, on_read);
  for (int i = 0; i < 2; i++) {
    uv_read_start((uv_stream_t *)&peer->out[i], on_alloc_output, on_output);
  }
  return 0;
}

/* The number of a worker whose end has not been told, or -1. */
static int find_ended (const Local *self) {
  for (int w = 0; w < self->base.n; w++) {
    if (self->has_ended[w]) return w;
  }
  return -1;
}

static Local *local_of (HostPoller *poller) {
  return (Local *)((char *)poller - offsetof(Local, poller));
}

static bool look (HostPoller *poller) {
  Local *self = local_of(poller);
  bool found = false;
  for (int w = 0; w < self->base.n; w++) {
    if (self->peers[w] != NULL && take_mail(self->peers[w])) found = true;
  }
  return found;
}

static bool doze (HostPoller *poller) {
  Local *self = local_of(poller);
  for (int w = 0; w < self->base.n; w++) {
    if (self->peers[w] != NULL && !mailbox_doze(&self->peers[w]->mailbox)) return false;
  }
  return true;
}

static void wake (HostPoller *poller) {
  Local *self = local_of(poller);
  for (int w = 0; w < self->base.n; w++) {
    if (self->peers[w] != NULL) mailbox_wake(&self->peers[w]->mailbox);
  }
}

static bool local_next (Transport *t, TransportEvent *e) {
  Local *self = (Local *)t;
  if (event_queue_pop(&self->events, e)) return true;
  int w = find_ended(self);
  if (w < 0) return false;
  self->has_ended[w] = false;
  *e = (TransportEvent){.kind = TRANSPORT_EXIT, .worker = w, .end = &self->ends[w]};
  return true;
}

static void local_poll (Transport *t, int timeout_ms, bool spin) {
  Local *self = (Local *)t;
  local_send_held(self);
  if (self->events.n == 0 && find_ended(self) < 0) host_poll(self->host, timeout_ms, spin);
}

static int local_kill (Transport *t, int worker, int signum) {
  Peer *peer = ((Local *)t)->peers[worker];
  if (peer == NULL) return UV_ESRCH;
  if (signum == SIGKILL) peer->end.by_driver = true;
  return uv_process_kill(&peer->process, signum);
}

static int local_interrupt (Transport *t, int worker, uint64_t request) {
  Peer *peer = ((Local *)t)->peers[worker];
  if (peer == NULL) return UV_ESRCH;
  volatile uint64_t *stop = mailbox_stop(&peer->mailbox);
  if (stop != NULL) *stop = request;
  return uv_process_kill(&peer->process, SIGINT);
}

static int64_t local_pid (const Transport *t, int worker) {
  const Peer *peer = ((const Local *)t)->peers[worker];
  return peer != NULL ? peer->process.pid : -1;
}

static uint64_t local_pending (const Transport *t, int worker) {
  const Peer *peer = ((const Local *)t)->peers[worker];
  if (peer == NULL) return 0;
  return uv_stream_get_write_queue_size((const uv_stream_t *)&peer->pipe) + peer->waiting_len;
}

/* Has anything come that the loop would take up? One system call for all that it watches, and for
   all answers that came before. */
static bool has_something (Local *self) {
  if (self->has_looked) return false;
  struct pollfd fd = {.fd = uv_backend_fd(self->host->loop), .events = POLLIN};
  self->has_looked = poll(&fd, 1, 0) == 0;
  return !self->has_looked;
}

static void local_show (Transport *t, int worker, bool unfinished) {
  Local *self = (Local *)t;
  Peer *peer = self->peers[worker];
  if (peer == NULL) return;
  if (has_something(self)) {
    drain_output(peer, unfinished);
  } else {
    for (int i = 0; i < 2 && unfinished; i++) lines_flush(&peer->lines[i]);
  }
}

static bool local_revoke (Transport *t, int worker, uint64_t request) {
  Peer *peer = ((Local *)t)->peers[worker];
  return peer != NULL && mailbox_revoke(&peer->mailbox, request);
}

static bool local_is_stopped (const Transport *t, int worker) {
  return process_is_stopped(local_pid(t, worker));
}

static void local_usage (const Transport *t, int worker, TransportUsage *usage) {
  process_usage(local_pid(t, worker), usage);
}

static bool any_running (const Local *self) {
  for (int w = 0; w < self->base.n; w++) {
    if (self->peers[w] != NULL) return true;
  }
  return false;
}

/* Waits no longer than until the user presses Ctrl-C. */
static void wait_for_exits (Local *self, int limit_ms) {
  uint64_t until = uv_hrtime() + (uint64_t)limit_ms * 1000000u;
  while (any_running(self) && self->host->interrupts == 0) {
    uint64_t now = uv_hrtime();
    if (now >= until) break;
    host_poll(self->host, (int)((until - now) / 1000000u) + 1, false);
  }
}

/* The same after SIGKILL, where there is nothing to be gained by not waiting. */
static void wait_for_killed (Local *self) {
  sig_atomic_t interrupts = self->host->interrupts;
  uint64_t until = uv_hrtime() + (uint64_t)GRACE_MS * 1000000u;
  while (any_running(self) && uv_hrtime() < until) {
    self->host->interrupts = 0;
    wait_for_exits(self, GRACE_MS);
    if (self->host->interrupts != 0) interrupts = self->host->interrupts;
  }
  self->host->interrupts = interrupts;
}

static void local_close (Transport *t) {
  Local *self = (Local *)t;
  for (int w = 0; w < t->n; w++) { /* at the end of its pipe a worker ends */
    if (self->peers[w] == NULL) continue;
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&self->peers[w]->pipe, &fd) == 0) shutdown(fd, SHUT_WR);
    local_kill(t, w, SIGCONT); /* one that somebody has stopped would be waited for in vain */
  }
  wait_for_exits(self, GRACE_MS);
  for (int w = 0; w < t->n; w++) local_kill(t, w, SIGTERM);
  wait_for_exits(self, TERM_MS);
  for (int w = 0; w < t->n; w++) local_kill(t, w, SIGKILL);
  wait_for_killed(self);
  for (int w = 0; w < t->n; w++) { /* not even SIGKILL: let it close when it can */
    if (self->peers[w] != NULL) self->peers[w]->local = NULL;
  }
  uv_run(self->host->loop, UV_RUN_NOWAIT); /* close callbacks */
  host_remove_poller(self->host, &self->poller);
  event_queue_fini(&self->events);
  free(self->peers);
  free(self->ends);
  free(self->has_ended);
  free(self);
}

static const TransportOps local_ops = {
  .name = "local",
  .start = local_start,
  .send = local_send,
  .hold = local_hold,
  .wake = local_wake,
  .next = local_next,
  .poll = local_poll,
  .kill = local_kill,
  .interrupt = local_interrupt,
  .pid = local_pid,
  .pending = local_pending,
  .revoke = local_revoke,
  .show = local_show,
  .is_stopped = local_is_stopped,
  .usage = local_usage,
  .close = local_close,
};

Transport *transport_local (Host *host, int n, int blas_threads, int *rc) {
  *rc = host_open_loop(host);
  if (*rc < 0) return NULL;
  Local *self = calloc(1, sizeof *self);
  Peer **peers = calloc((size_t)n, sizeof *peers);
  Obituary *ends = calloc((size_t)n, sizeof *ends);
  bool *has_ended = calloc((size_t)n, sizeof *has_ended);
  if (self == NULL || peers == NULL || ends == NULL || has_ended == NULL) {
    free(self);
    free(peers);
    free(ends);
    free(has_ended);
    *rc = UV_ENOMEM;
    return NULL;
  }
  self->base = (Transport){.ops = &local_ops, .n = n};
  self->host = host;
  self->blas_threads = blas_threads;
  self->peers = peers;
  self->ends = ends;
  self->has_ended = has_ended;
  self->oom_kills = obituary_oom_kills();
  self->poller = (HostPoller){.look = look, .doze = doze, .wake = wake};
  host_add_poller(host, &self->poller);
  snprintf(self->driver_pid, sizeof self->driver_pid, "%d", (int)getpid());
  return &self->base;
}
