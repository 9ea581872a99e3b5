/* link.c - a worker's end of the pipe, the channel and the mailbox to its driver. */
#include "worker/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#include "transport/descriptors.h"
#include "wire/outgoing.h"
#include "worker/protocol.h"

enum { DRIVER_FD = 3, CHANNEL_FD = 4, MAILBOX_FD = 5, BELL_FD = 6 }; /* the driver left them */
enum { RETRY_NS = 2000000 };

typedef struct LinkNode {
  struct LinkNode *next;
  Message message;
} LinkNode;

static int fetch (void *user, int *fds, int n) {
  (void)user;
  return descriptors_receive(CHANNEL_FD, fds, n);
}

int link_open (Link *l) {
  *l = (Link){.reader = frame_reader_new(UINT64_MAX / 2)};
  l->last = &l->first;
  mailbox_attach(&l->mailbox, MAILBOX_FD, BELL_FD);
  close_range(BELL_FD + 1, ~0u, 0); /* files that the driver has open are none of ours */
  int mode = fcntl(DRIVER_FD, F_GETFL);
  if (mode < 0) return -errno;
  fcntl(DRIVER_FD, F_SETFL, mode & ~O_NONBLOCK);
  fcntl(DRIVER_FD, F_SETFD, FD_CLOEXEC);
  fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC);
  if (l->reader == NULL) return UV_ENOMEM;
  frame_reader_set_fetch(l->reader, fetch, NULL);
  return 0;
}

void link_close (Link *l) {
  Message m;
  while (link_next(l, &m)) message_fini(&m);
  frame_reader_free(l->reader);
  mailbox_close(&l->mailbox);
}

/* Takes the message, unless there is no memory for that. */
static int enqueue (Link *l, Message *m) {
  LinkNode *node = malloc(sizeof *node);
  if (node == NULL) return UV_ENOMEM;
  *node = (LinkNode){.message = *m};
  *l->last = node;
  l->last = &node->next;
  return 0;
}

/* Takes the node that *link points to out of the queue. */
static void take (Link *l, LinkNode **link, Message *m) {
  LinkNode *node = *link;
  *m = node->message;
  *link = node->next;
  if (l->last == &node->next) l->last = link;
  free(node);
}

bool link_next (Link *l, Message *m) {
  if (l->first == NULL) return false;
  take(l, &l->first, m);
  return true;
}

bool link_next_answer (Link *l, Message *m) {
  for (LinkNode **link = &l->first; *link != NULL; link = &(*link)->next) {
    int type = (*link)->message.type;
    if (type != REQUEST_DEFINE && type != REQUEST_GLOBAL) continue;
    take(l, link, m);
    return true;
  }
  return false;
}

bool link_has_cancelled (const Link *l, uint64_t call) {
  for (const LinkNode *node = l->first; node != NULL; node = node->next) {
    if (node->message.type == REQUEST_CANCEL && node->message.request == call) return true;
  }
  return false;
}

bool link_begin (Link *l, uint64_t request) {
  return mailbox_begin(&l->mailbox, request);
}

int link_look (Link *l) {
  uint8_t bytes[MAILBOX_MAX];
  size_t len = mailbox_take(&l->mailbox, bytes);
  if (len == 0) return 0;
  Message m;
  int rc = len <= sizeof bytes ? frame_read(bytes, len, &m) : UV_EPROTO;
  if (rc == 0) {
    rc = enqueue(l, &m);
    if (rc < 0) message_fini(&m);
  }
  return rc < 0 ? rc : 1;
}

/* Reads what is in the pipe. */
static int receive (Link *l) {
  uint8_t *where;
  size_t room;
  frame_reader_space(l->reader, &where, &room);
  ssize_t n = recv(DRIVER_FD, where, room, MSG_DONTWAIT);
  if (n == 0) return UV_EOF;
  if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  int rc = link_look(l); /* what is in the mailbox was sent before what we have just read */
  if (rc < 0) return rc;
  rc = frame_reader_feed(l->reader, (size_t)n);
  if (rc < 0) return rc;
  Message m;
  while (frame_reader_next(l->reader, &m)) {
    rc = enqueue(l, &m);
    if (rc < 0) return rc;
  }
  mailbox_count_read(&l->mailbox, (size_t)n);
  return 1;
}

int link_receive (Link *l, bool wait) {
  int rc = link_look(l);
  if (rc != 0) return rc;
  if (wait) {
    mailbox_sleep(&l->mailbox, DRIVER_FD, -1);
    rc = link_look(l);
    if (rc != 0) return rc;
    if (l->mailbox.has_rung) return 1; /* woken beforehand */
  }
  return receive(l);
}

bool link_wait (Link *l, int timeout_ms) {
  return mailbox_sleep(&l->mailbox, DRIVER_FD, timeout_ms);
}

/* Writes all of the pieces, however many calls that takes. */
static int write_all (Link *l, struct iovec *v, size_t n, size_t len) {
  mailbox_count_written(&l->mailbox, len);
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

int link_send (Link *l, Message *m) {
  Outgoing o;
  int rc = outgoing_init(&o, m, true);
  for (unsigned sent = 0; rc == 0 && sent < o.n_segments;) {
    uint8_t head[FRAME_HEAD];
    unsigned left = o.n_segments - sent, n = outgoing_batch(head, left);
    rc = send_batch(o.segments + sent, n);
    sent += n;
    if (rc == 0 && n < left) {
      struct iovec piece = {.iov_base = head, .iov_len = FRAME_HEAD};
      rc = write_all(l, &piece, 1, FRAME_HEAD);
    }
  }
  bool small = rc == 0 && o.n_segments == 0;
  if (small) small = mailbox_send(&l->mailbox, o.pieces, o.n_pieces, o.len);
  if (rc == 0 && !small) rc = write_all(l, o.pieces, o.n_pieces, o.len);
  outgoing_fini(&o);
  message_fini(m);
  return rc;
}
