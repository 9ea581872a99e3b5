/* mailbox.c - one slot of shared memory for each way between a driver and a worker. */
#include "transport/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { EMPTY = 0, TAKEN = UINT32_MAX >> 1 }; /* else: the length of what is in it */

/* What the receiver does. While it is not there yet, all goes through the pipe. */
enum { AWAKE, ASLEEP, RUNG /* for: it will wake up */, ABSENT };

/* What the sender writes and what the receiver writes stand on lines of their own. */
typedef struct MailboxSlot {
  _Alignas(64) _Atomic uint32_t state;
  _Alignas(64) _Atomic uint32_t attention; /* of the receiver, see above */
  _Atomic uint64_t read;                   /* by the receiver, through the pipe */
  _Atomic uint64_t claim; /* of the worker's: the newest request that is decided, see below */
  volatile int64_t position; /* of the worker's: see mailbox_position */
  volatile uint64_t stop;    /* of the worker's: see mailbox_stop */
  _Alignas(64) uint8_t bytes[MAILBOX_MAX];
} MailboxSlot;

typedef struct MailboxPage {
  MailboxSlot slots[2]; /* to the driver, to the worker */
} MailboxPage;

static_assert(sizeof(MailboxSlot) == MAILBOX_SLOT, "a slot fills its pages");
static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "processes share them");

static int map (Mailbox *m, int fd, bool is_driver) {
  void *page = mmap(NULL, sizeof(MailboxPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) return -errno;
  m->page = page;
  m->in = &m->page->slots[is_driver ? 0 : 1];
  m->out = &m->page->slots[is_driver ? 1 : 0];
  return 0;
}

int mailbox_create (Mailbox *m, int *fd) {
  *m = (Mailbox){.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (m->bell < 0) return -errno;
  *fd = memfd_create("neap-mailbox", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  int rc = *fd < 0 ? -errno : 0;
  /* No worker can cut it short under the driver's hands. */
  if (rc == 0 && (ftruncate(*fd, sizeof(MailboxPage)) != 0 ||
                  fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)) {
    rc = -errno;
  }
  if (rc == 0) rc = map(m, *fd, true);
  if (rc == 0) {
    atomic_store(&m->out->attention, ABSENT);
    return 0;
  }
  if (*fd >= 0) close(*fd);
  mailbox_close(m);
  return rc;
}

void mailbox_attach (Mailbox *m, int fd, int bell) {
  struct stat s;
  *m = (Mailbox){.bell = bell};
  if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_size == sizeof(MailboxPage)) {
    map(m, fd, false);
  }
  close(fd);
  if (m->page != NULL) fcntl(bell, F_SETFD, FD_CLOEXEC);
  else mailbox_close(m);
}

void mailbox_close (Mailbox *m) {
  if (m->page != NULL) munmap(m->page, sizeof(MailboxPage));
  if (m->bell >= 0) close(m->bell);
  m->page = NULL;
  m->bell = -1;
}

/* The worker waits at the bell; the driver at its loop, to which the pipe leads. */
static bool rings (const Mailbox *m) {
  return m->in == &m->page->slots[0];
}

void mailbox_ring (const Mailbox *m) {
  if (m->page == NULL) return;
  uint32_t asleep = ASLEEP;
  const uint64_t once = 1;
  if (!atomic_compare_exchange_strong(&m->out->attention, &asleep, RUNG)) return;
  ssize_t n = write(m->bell, &once, sizeof once);
  (void)n; /* a bell that cannot count any further rings all the same */
}

bool mailbox_send (Mailbox *m, const struct iovec *pieces, unsigned n, size_t len) {
  if (m->page == NULL || len > MAILBOX_MAX) return false;
  MailboxSlot *out = m->out;
  uint32_t attention = atomic_load_explicit(&out->attention, memory_order_relaxed);
  if (attention == ABSENT || (attention == ASLEEP && !rings(m)) ||
      atomic_load_explicit(&out->state, memory_order_acquire) != EMPTY ||
      atomic_load_explicit(&out->read, memory_order_acquire) != m->written) {
    return false;
  }
  uint8_t *to = out->bytes;
  for (unsigned i = 0; i < n; i++) {
    memcpy(to, pieces[i].iov_base, pieces[i].iov_len);
    to += pieces[i].iov_len;
  }
  /* Either we see here that the receiver has gone to sleep, or it sees before it sleeps that
     something has come: both look after they have written. */
  uint32_t state = (uint32_t)len;
  atomic_store(&out->state, state);
  if (rings(m)) {
    mailbox_ring(m);
    return true;
  }
  if (atomic_load(&out->attention) == AWAKE) return true;
  return !atomic_compare_exchange_strong(&out->state, &state, EMPTY); /* it has taken it */
}

void mailbox_count_written (Mailbox *m, size_t len) {
  m->written += len;
}

void mailbox_count_read (Mailbox *m, size_t len) {
  m->read += len;
  if (m->page != NULL) atomic_store_explicit(&m->in->read, m->read, memory_order_release);
}

size_t mailbox_take (Mailbox *m, uint8_t *bytes) {
  if (m->page == NULL) return 0;
  uint32_t len = atomic_load_explicit(&m->in->state, memory_order_acquire);
  if (len == EMPTY) return 0;
  if (len > MAILBOX_MAX) return SIZE_MAX;
  if (!atomic_compare_exchange_strong(&m->in->state, &len, TAKEN)) return 0; /* taken back */
  memcpy(bytes, m->in->bytes, len);
  atomic_store_explicit(&m->in->state, EMPTY, memory_order_release);
  return len;
}

volatile int64_t *mailbox_position (const Mailbox *m) {
  return m->page != NULL ? &m->page->slots[1].position : NULL;
}

volatile uint64_t *mailbox_stop (const Mailbox *m) {
  return m->page != NULL ? &m->page->slots[1].stop : NULL;
}

bool mailbox_doze (Mailbox *m) {
  if (m->page == NULL) return true;
  atomic_store(&m->in->attention, ASLEEP);
  if (atomic_load(&m->in->state) == EMPTY) return true;
  mailbox_wake(m);
  return false;
}

void mailbox_wake (Mailbox *m) {
  if (m->page != NULL) atomic_store(&m->in->attention, AWAKE);
}

bool mailbox_sleep (Mailbox *m, int fd, int timeout_ms) {
  struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = m->bell, .events = POLLIN}};
  int rc = 1;
  if (m->has_rung) {
    uint64_t times;
    ssize_t n = read(m->bell, &times, sizeof times);
    (void)n; /* it is silent now */
    m->has_rung = false;
  }
  if (mailbox_doze(m)) {
    rc = poll(fds, 2, timeout_ms);
    m->has_rung = rc > 0 && fds[1].revents != 0;
  }
  mailbox_wake(m);
  return rc != 0;
}

/* A claim is twice the number of a request that has begun, or one more when it was taken back:
   whoever writes it first decides. Older requests than the newest decided are begun. */
static uint64_t taken_back (uint64_t request) {
  return 2 * request + 1;
}

bool mailbox_revoke (Mailbox *m, uint64_t request) {
  if (m->page == NULL) return false;
  uint64_t claim = atomic_load(&m->out->claim);
  while (claim / 2 < request) {
    if (atomic_compare_exchange_weak(&m->out->claim, &claim, taken_back(request))) return true;
  }
  return false;
}

bool mailbox_begin (Mailbox *m, uint64_t request) {
  if (m->page == NULL) return true;
  uint64_t claim = atomic_load(&m->in->claim);
  while (claim / 2 < request) {
    if (atomic_compare_exchange_weak(&m->in->claim, &claim, 2 * request)) return true;
  }
  return claim != taken_back(request);
}
