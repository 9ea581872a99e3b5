/* descriptors.c - descriptors of segments between two processes. */
#include "transport/descriptors.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* Aligned for its header, as the socket calls want it. */
typedef union Control {
  char bytes[CMSG_SPACE(FRAME_DESCRIPTORS * sizeof(int))];
  struct cmsghdr align;
} Control;

int descriptors_open (int ends[2]) {
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -errno;
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) return 0;
  int rc = -errno;
  close(ends[0]);
  close(ends[1]);
  return rc;
}

static int send_all (int end, const int *fds, unsigned n) {
  Control control = {0};
  char byte = 0; /* a message without data would look like the end */
  struct iovec data = {.iov_base = &byte, .iov_len = 1};
  struct msghdr head = {.msg_iov = &data,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = CMSG_SPACE(n * sizeof *fds)};
  struct cmsghdr *c = CMSG_FIRSTHDR(&head);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(n * sizeof *fds);
  memcpy(CMSG_DATA(c), fds, n * sizeof *fds);
  ssize_t done;
  do {
    done = sendmsg(end, &head, MSG_NOSIGNAL);
  } while (done < 0 && errno == EINTR);
  if (done < 0) return errno == ETOOMANYREFS ? UV_ENOBUFS : -errno;
  return 0;
}

int descriptors_send (int end, Segment *const *segments, unsigned n) {
  int fds[FRAME_DESCRIPTORS];
  assert(n > 0 && n <= FRAME_DESCRIPTORS);
  for (unsigned i = 0; i < n; i++) fds[i] = segment_descriptor(segments[i]);
  int rc = send_all(end, fds, n);
  for (unsigned i = 0; i < n; i++) segment_spare_descriptors(segments[i]);
  return rc;
}

int descriptors_receive (int end, int *fds, int n) {
  Control control;
  char byte;
  struct iovec data = {.iov_base = &byte, .iov_len = 1};
  struct msghdr head = {.msg_iov = &data,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof control};
  ssize_t done;
  do {
    done = recvmsg(end, &head, MSG_CMSG_CLOEXEC);
  } while (done < 0 && errno == EINTR);
  if (done <= 0) return done < 0 ? -errno : UV_EOF;
  int got = 0;
  struct cmsghdr *c = CMSG_FIRSTHDR(&head);
  if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
    got = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    int all[FRAME_DESCRIPTORS];
    memcpy(all, CMSG_DATA(c), (size_t)got * sizeof(int));
    for (int i = 0; i < got; i++) {
      if (i < n) fds[i] = all[i];
      else close(all[i]);
    }
  }
  if (got > n || (got < n && (head.msg_flags & MSG_CTRUNC) == 0)) {
    for (int i = 0; i < got && i < n; i++) close(fds[i]);
    return UV_EPROTO;
  }
  return got;
}
