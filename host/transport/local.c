/* local.c - the transport to worker processes of this machine, over libuv pipes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include "transport/local.h"

/* How long workers have to end by themselves, and after SIGTERM, when the pool closes. */
enum { GRACE_MS = 2000, TERM_MS = 500 };

static void push_event (Peer *peer, const TransportEvent *e) {
  Local *self = peer->local;
  self->host->loop->data = self; /* tells host_poll that something came */
  if (event_queue_push(&self->events, e) < 0) {
    /* Without memory for its answers the worker is as good as dead; its exit is told once
       memory is there again. */
    TransportEvent lost = *e;
    message_fini(&lost.message);
    uv_process_kill(&peer->process, SIGKILL);
  }
}

/* What has been read goes to the reader; whole messages become events. */
static void feed (Peer *peer, size_t n) {
  int rc = frame_reader_feed(peer->reader, n);
  TransportEvent e = {.kind = TRANSPORT_MESSAGE, .worker = peer->worker};
  while (frame_reader_next(peer->reader, &e.message)) push_event(peer, &e);
  if (rc < 0) {
    fprintf(stderr, "neap: worker %d sent what is no message (%s) and is ended\n",
            peer->worker + 1,
            rc == UV_ENOMEM ? "or too large" : frame_reader_error(peer->reader));
    uv_read_stop((uv_stream_t *)&peer->pipe);
    uv_process_kill(&peer->process, SIGKILL);
  }
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
  if (n > 0) {
    feed(peer, (size_t)n);
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

static void on_output (uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  Peer *peer = stream->data;
  int i = stream == (uv_stream_t *)&peer->out[1];
  if (n > 0) {
    local_lines_add(peer, i, buf->base, (size_t)n);
  } else if (n < 0) {
    uv_read_stop(stream);
    local_lines_flush(peer, i);
  }
}

/* Reads what is still in a pipe of a process that has ended, without waiting. */
static void drain (Peer *peer) {
  uv_os_fd_t fd;
  if (uv_fileno((uv_handle_t *)&peer->pipe, &fd) == 0) {
    for (;;) {
      uint8_t *where;
      size_t room;
      frame_reader_space(peer->reader, &where, &room);
      ssize_t n = read(fd, where, room);
      if (n <= 0) break;
      int rc = frame_reader_feed(peer->reader, (size_t)n);
      TransportEvent e = {.kind = TRANSPORT_MESSAGE, .worker = peer->worker};
      while (frame_reader_next(peer->reader, &e.message)) push_event(peer, &e);
      if (rc < 0) break;
    }
  }
  for (int i = 0; i < 2; i++) {
    if (uv_fileno((uv_handle_t *)&peer->out[i], &fd) < 0) continue;
    ssize_t n;
    while ((n = read(fd, peer->scratch, sizeof peer->scratch)) > 0) {
      local_lines_add(peer, i, peer->scratch, (size_t)n);
    }
    local_lines_flush(peer, i);
  }
}

void local_on_exit (uv_process_t *process, int64_t exit_status, int signum) {
  Peer *peer = process->data;
  Local *self = peer->local;
  peer->exited = true;
  if (self != NULL) {
    drain(peer);
    TransportEvent e = {.kind = TRANSPORT_EXIT,
                        .worker = peer->worker,
                        .exit_status = exit_status,
                        .signal = signum};
    push_event(peer, &e);
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

/* One message on its way: owns a reference to the parcel until it is written. */
typedef struct Send {
  uv_write_t req;
  Parcel *parcel;
  uint8_t head[]; /* the frame's head and the lengths of the slices */
} Send;

static void on_sent (uv_write_t *req, int status) {
  (void)status; /* a worker that cannot be written to is dying, which its exit tells */
  Send *s = req->data;
  parcel_release(s->parcel);
  free(s);
}

/* What is to be written of a message: its head, then the parcel's bytes and slices. uv_buf_init
   takes an unsigned length, but uv_buf_t itself holds a size_t. */
static unsigned gather (uv_buf_t *bufs, const uint8_t *head, size_t head_len, const Parcel *p) {
  unsigned n = 0;
  bufs[n++] = (uv_buf_t){.base = (char *)(uintptr_t)head, .len = head_len};
  if (p == NULL) return n;
  if (p->len != 0) bufs[n++] = (uv_buf_t){.base = (char *)p->bytes, .len = p->len};
  for (size_t i = 0; i < p->n_slices; i++) {
    const BlockSlice *b = &p->slices[i];
    const char *data = (const char *)block_data(b->block) + b->offset;
    if (b->len != 0) bufs[n++] = (uv_buf_t){.base = (char *)(uintptr_t)data, .len = b->len};
  }
  return n;
}

/* Leaves of the buffers what has not been written. */
static unsigned advance (uv_buf_t *bufs, unsigned n, size_t done) {
  unsigned first = 0;
  while (first < n && done >= bufs[first].len) done -= bufs[first++].len;
  for (unsigned i = first; i < n; i++) bufs[i - first] = bufs[i];
  if (first < n) {
    bufs[0].base += done;
    bufs[0].len -= done;
  }
  return n - first;
}

/* Queues what could not be written at once; the head moves to memory that lasts as long. */
static int queue (Peer *peer, const Message *m, const uint8_t *head, size_t head_len,
                  uv_buf_t *bufs, size_t done) {
  Send *s = malloc(sizeof *s + head_len);
  if (s == NULL) return UV_ENOMEM;
  s->req.data = s;
  memcpy(s->head, head, head_len);
  s->parcel = m->parcel != NULL ? parcel_retain(m->parcel) : NULL;
  unsigned n = advance(bufs, gather(bufs, s->head, head_len, m->parcel), done);
  int rc = uv_write(&s->req, (uv_stream_t *)&peer->pipe, bufs, n, on_sent);
  if (rc < 0) on_sent(&s->req, rc); /* libuv will not call it */
  return rc;
}

static int local_send (Transport *t, int worker, const Message *m) {
  Local *self = (Local *)t;
  Peer *peer = self->peers[worker];
  if (peer == NULL) return UV_ESRCH;
  const Parcel *p = m->parcel;
  size_t n_slices = p != NULL ? p->n_slices : 0;
  size_t head_len = FRAME_HEAD + 8 * n_slices;
  uint8_t few_heads[FRAME_HEAD + 8 * 6], *head = few_heads;
  uv_buf_t few_bufs[8], *bufs = few_bufs;
  int rc = UV_ENOMEM;
  if (n_slices > 6) {
    head = malloc(head_len);
    bufs = malloc((n_slices + 2) * sizeof *bufs);
    if (head == NULL || bufs == NULL) goto exit;
  }
  frame_put_head(head, m);
  if (n_slices != 0) frame_put_table(head + FRAME_HEAD, p);
  unsigned n = gather(bufs, head, head_len, p);
  size_t total = 0;
  for (unsigned i = 0; i < n; i++) total += bufs[i].len;
  rc = uv_try_write((uv_stream_t *)&peer->pipe, bufs, n);
  if (rc == UV_EAGAIN) rc = 0; /* nothing written: the pipe is full, or others wait */
  if (rc >= 0) rc = (size_t)rc == total ? 0 : queue(peer, m, head, head_len, bufs, (size_t)rc);
exit:
  if (n_slices > 6) {
    free(head);
    free(bufs);
  }
  return rc;
}

static bool local_next (Transport *t, TransportEvent *e) {
  return event_queue_pop(&((Local *)t)->events, e);
}

static void local_poll (Transport *t, int timeout_ms, bool spin) {
  Local *self = (Local *)t;
  if (self->events.n == 0) host_poll(self->host, timeout_ms, spin);
}

static int local_kill (Transport *t, int worker, int signum) {
  Peer *peer = ((Local *)t)->peers[worker];
  return peer != NULL ? uv_process_kill(&peer->process, signum) : UV_ESRCH;
}

static int64_t local_pid (const Transport *t, int worker) {
  const Peer *peer = ((const Local *)t)->peers[worker];
  return peer != NULL ? peer->process.pid : -1;
}

static uint64_t local_pending (const Transport *t, int worker) {
  const Peer *peer = ((const Local *)t)->peers[worker];
  return peer != NULL ? uv_stream_get_write_queue_size((const uv_stream_t *)&peer->pipe) : 0;
}

static bool any_running (const Local *self) {
  for (int w = 0; w < self->base.n; w++) {
    if (self->peers[w] != NULL) return true;
  }
  return false;
}

static void wait_for_exits (Local *self, int limit_ms) {
  uint64_t until = uv_hrtime() + (uint64_t)limit_ms * 1000000u;
  while (any_running(self)) {
    uint64_t now = uv_hrtime();
    if (now >= until) break;
    host_poll(self->host, (int)((until - now) / 1000000u) + 1, false);
    self->host->interrupts = 0; /* closing is under way and bounded already */
  }
}

static void local_close (Transport *t) {
  Local *self = (Local *)t;
  for (int w = 0; w < t->n; w++) { /* at the end of its pipe a worker ends */
    if (self->peers[w] == NULL) continue;
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&self->peers[w]->pipe, &fd) == 0) shutdown(fd, SHUT_WR);
  }
  wait_for_exits(self, GRACE_MS);
  for (int w = 0; w < t->n; w++) local_kill(t, w, SIGTERM);
  wait_for_exits(self, TERM_MS);
  for (int w = 0; w < t->n; w++) local_kill(t, w, SIGKILL);
  wait_for_exits(self, GRACE_MS);
  for (int w = 0; w < t->n; w++) { /* not even SIGKILL: let it close when it can */
    if (self->peers[w] != NULL) self->peers[w]->local = NULL;
  }
  uv_run(self->host->loop, UV_RUN_NOWAIT); /* close callbacks */
  event_queue_fini(&self->events);
  free(self->peers);
  free(self);
}

static const TransportOps local_ops = {
  .name = "local",
  .start = local_start,
  .send = local_send,
  .next = local_next,
  .poll = local_poll,
  .kill = local_kill,
  .pid = local_pid,
  .pending = local_pending,
  .close = local_close,
};

Transport *transport_local (Host *host, int n, int blas_threads, int *rc) {
  *rc = host_open_loop(host);
  if (*rc < 0) return NULL;
  Local *self = calloc(1, sizeof *self);
  Peer **peers = calloc((size_t)n, sizeof *peers);
  if (self == NULL || peers == NULL) {
    free(self);
    free(peers);
    *rc = UV_ENOMEM;
    return NULL;
  }
  self->base = (Transport){.ops = &local_ops, .n = n};
  self->host = host;
  self->blas_threads = blas_threads;
  self->peers = peers;
  snprintf(self->driver_pid, sizeof self->driver_pid, "%d", (int)getpid());
  return &self->base;
}
