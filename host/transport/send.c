/* send.c - messages to worker processes: descriptors first, then the frame, always in order. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include "transport/descriptors.h"
#include "transport/local.h"
#include "wire/outgoing.h"

/* When descriptors are on the way to too many, somebody takes them up soon. */
enum { RETRY_MS = 5 };

/* A message whose descriptors the socket pair has not taken yet. */
typedef struct Waiting {
  struct Waiting *next;
  Message message; /* owns a reference to its parcel */
  unsigned n_sent; /* descriptors that have gone */
} Waiting;

/* A frame that the pipe has not taken yet. */
typedef struct Write {
  uv_write_t req;
  Message message; /* owns a reference to its parcel */
  Outgoing out;
} Write;

static void on_written (uv_write_t *req, int status) {
  (void)status; /* a worker that cannot be written to is dying, which its exit tells */
  Write *w = req->data;
  outgoing_fini(&w->out);
  message_fini(&w->message);
  free(w);
}

static void on_bytes_written (uv_write_t *req, int status) {
  (void)status;
  free(req->data);
}

static const uv_buf_t *as_bufs (const struct iovec *pieces) {
  static_assert(offsetof(uv_buf_t, base) == offsetof(struct iovec, iov_base) &&
                  offsetof(uv_buf_t, len) == offsetof(struct iovec, iov_len) &&
                  sizeof(uv_buf_t) == sizeof(struct iovec),
                "libuv promises it");
  return (const void *)pieces;
}

/* Leaves of the pieces what has not been written. */
static void advance (Outgoing *o, size_t done) {
  unsigned first = 0, left;
  while (first < o->n_pieces && done >= o->pieces[first].iov_len) {
    done -= o->pieces[first++].iov_len;
  }
  left = o->n_pieces - first;
  for (unsigned i = 0; i < left; i++) o->pieces[i] = o->pieces[first + i];
  o->n_pieces = left;
  if (left > 0) {
    o->pieces[0].iov_base = (char *)o->pieces[0].iov_base + done;
    o->pieces[0].iov_len -= done;
  }
}

static Message copy_message (const Message *m) {
  Message copy = *m;
  if (copy.parcel != NULL) parcel_retain(copy.parcel);
  return copy;
}

/* Queues what is left of a frame, of which done bytes have been written. */
static int write_rest (Peer *peer, const Message *m, size_t done) {
  Write *w = malloc(sizeof *w);
  if (w == NULL) return UV_ENOMEM;
  int rc = outgoing_init(&w->out, m, true);
  if (rc < 0) {
    free(w);
    return rc;
  }
  w->req.data = w;
  w->message = copy_message(m);
  advance(&w->out, done);
  rc = uv_write(&w->req, (uv_stream_t *)&peer->pipe, as_bufs(w->out.pieces), w->out.n_pieces,
                on_written);
  if (rc < 0) on_written(&w->req, rc); /* libuv will not call it */
  return rc;
}

/* Bytes between frames, which are copied. */
static int write_bytes (Peer *peer, const uint8_t *bytes, size_t len) {
  uv_write_t *req = malloc(sizeof *req + len);
  if (req == NULL) return UV_ENOMEM;
  char *copy = (char *)(req + 1);
  memcpy(copy, bytes, len);
  req->data = req;
  uv_buf_t buf = {.base = copy, .len = len};
  int rc = uv_write(req, (uv_stream_t *)&peer->pipe, &buf, 1, on_bytes_written);
  if (rc < 0) free(req);
  return rc;
}

/* Writes the frames that are held, and with them a frame of few pieces. */
static int write_with_held (Peer *peer, const Message *m, const Outgoing *o) {
  size_t held = peer->held_len;
  uv_buf_t bufs[OUTGOING_FEW + 3] = {{.base = (char *)peer->held, .len = held}};
  memcpy(bufs + 1, as_bufs(o->pieces), o->n_pieces * sizeof *bufs);
  peer->held_len = 0;
  mailbox_count_written(&peer->mailbox, held + o->len);
  int rc = uv_try_write((uv_stream_t *)&peer->pipe, bufs, o->n_pieces + 1);
  if (rc == UV_EAGAIN) rc = 0;
  if (rc < 0 || (size_t)rc == held + o->len) return rc < 0 ? rc : 0;
  size_t done = (size_t)rc, of_frame = done > held ? done - held : 0;
  rc = done < held ? write_bytes(peer, peer->held + done, held - done) : 0;
  return rc < 0 ? rc : write_rest(peer, m, of_frame);
}

static int write_held (Peer *peer) {
  size_t held = peer->held_len;
  if (held == 0) return 0;
  peer->held_len = 0;
  mailbox_count_written(&peer->mailbox, held);
  return write_bytes(peer, peer->held, held);
}

static int write_frame (Peer *peer, const Message *m, const Outgoing *o) {
  bool goes_along = peer->held_len > 0 && o->n_pieces <= OUTGOING_FEW + 2;
  if (goes_along) return write_with_held(peer, m, o);
  int rc = write_held(peer);
  if (rc < 0) return rc;
  if (o->n_segments == 0 && mailbox_send(&peer->mailbox, o->pieces, o->n_pieces, o->len)) {
    return 0;
  }
  mailbox_count_written(&peer->mailbox, o->len);
  rc = uv_try_write((uv_stream_t *)&peer->pipe, as_bufs(o->pieces), o->n_pieces);
  if (rc == UV_EAGAIN) rc = 0; /* nothing written: the pipe is full, or others wait */
  return rc < 0 || (size_t)rc == o->len ? (rc < 0 ? rc : 0) : write_rest(peer, m, (size_t)rc);
}

/* A frame that only announces descriptors. */
static int write_head (Peer *peer, const uint8_t head[FRAME_HEAD]) {
  int rc = write_held(peer);
  mailbox_count_written(&peer->mailbox, FRAME_HEAD);
  return rc < 0 ? rc : write_bytes(peer, head, FRAME_HEAD);
}

/* Sends the descriptors from *n_sent on, then the frame. UV_EAGAIN and UV_ENOBUFS: to be
   called again. */
static int send_message (Peer *peer, const Message *m, unsigned *n_sent) {
  Outgoing o;
  int rc = outgoing_init(&o, m, true);
  if (rc < 0) return rc;
  while (rc == 0 && *n_sent < o.n_segments) {
    uint8_t head[FRAME_HEAD];
    unsigned left = o.n_segments - *n_sent, n = outgoing_batch(head, left);
    rc = descriptors_send(peer->channel, o.segments + *n_sent, n);
    if (rc < 0) break;
    if (n < left) rc = write_head(peer, head);
    *n_sent += n;
  }
  if (rc == 0) rc = write_frame(peer, m, &o);
  outgoing_fini(&o);
  return rc;
}

static bool is_to_wait (int rc) {
  return rc == UV_EAGAIN || rc == UV_ENOBUFS;
}

static void flush (Peer *peer);

static void on_room (uv_poll_t *poll, int status, int events) {
  (void)status, (void)events;
  flush(poll->data);
}

static void on_retry (uv_timer_t *timer) {
  flush(timer->data);
}

static void wait_for_room (Peer *peer, int rc) {
  if (rc == UV_EAGAIN) uv_poll_start(&peer->room, UV_WRITABLE, on_room);
  else uv_timer_start(&peer->retry, on_retry, RETRY_MS, 0);
}

/* Takes the first of those that wait out of the queue. */
static void drop_first (Peer *peer) {
  Waiting *w = peer->waiting;
  peer->waiting = w->next;
  if (peer->waiting == NULL) peer->last_waiting = &peer->waiting;
  if (w->message.parcel != NULL) peer->waiting_len -= parcel_total_len(w->message.parcel);
  message_fini(&w->message);
  free(w);
}

/* Sends what waits, as far as there is room. */
static void flush (Peer *peer) {
  uv_poll_stop(&peer->room);
  while (peer->waiting != NULL) {
    Waiting *w = peer->waiting;
    int rc = send_message(peer, &w->message, &w->n_sent);
    if (is_to_wait(rc)) {
      wait_for_room(peer, rc);
      return;
    }
    drop_first(peer);
    if (rc < 0) local_give_up(peer, rc);
  }
}

static int wait (Peer *peer, const Message *m, unsigned n_sent) {
  Waiting *w = malloc(sizeof *w);
  if (w == NULL) return UV_ENOMEM;
  *w = (Waiting){.message = copy_message(m), .n_sent = n_sent};
  *peer->last_waiting = w;
  peer->last_waiting = &w->next;
  if (m->parcel != NULL) peer->waiting_len += parcel_total_len(m->parcel);
  return 0;
}

int local_send (Transport *t, int worker, const Message *m) {
  Peer *peer = ((Local *)t)->peers[worker];
  if (peer == NULL) return UV_ESRCH;
  if (peer->waiting != NULL) return wait(peer, m, 0);
  unsigned n_sent = 0;
  int rc = send_message(peer, m, &n_sent);
  if (is_to_wait(rc)) {
    int reason = rc;
    rc = wait(peer, m, n_sent);
    if (rc == 0) wait_for_room(peer, reason);
  }
  if (rc < 0) local_give_up(peer, rc);
  return rc;
}

/* Frames of few bytes, of which the next message takes care. */
int local_hold (Transport *t, int worker, const Message *m) {
  Peer *peer = ((Local *)t)->peers[worker];
  if (peer == NULL) return UV_ESRCH;
  Outgoing o;
  int rc = outgoing_init(&o, m, true);
  if (rc < 0) return rc;
  size_t room = sizeof peer->held - peer->held_len;
  bool fits = peer->waiting == NULL && o.n_segments == 0 && o.len <= room;
  for (unsigned i = 0; fits && i < o.n_pieces; i++) {
    memcpy(peer->held + peer->held_len, o.pieces[i].iov_base, o.pieces[i].iov_len);
    peer->held_len += o.pieces[i].iov_len;
  }
  outgoing_fini(&o);
  return fits ? 0 : local_send(t, worker, m);
}

void local_wake (Transport *t, int worker) {
  const Peer *peer = ((Local *)t)->peers[worker];
  if (peer != NULL) mailbox_ring(&peer->mailbox);
}

void local_send_held (Local *self) {
  for (int w = 0; w < self->base.n; w++) {
    Peer *peer = self->peers[w];
    if (peer == NULL || peer->waiting != NULL) continue;
    int rc = write_held(peer);
    if (rc < 0) local_give_up(peer, rc);
  }
}

void local_drop_waiting (Peer *peer) {
  while (peer->waiting != NULL) drop_first(peer);
}
