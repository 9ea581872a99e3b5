/* mailbox.c - one slot of shared memory for each way between a driver and a worker. */
#include "transport/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { EMPTY = 0, TAKEN = UINT32_MAX >> 1 }; /* else: the length of what is in it */

/* What the sender writes and what the receiver writes stand on lines of their own. */
typedef struct MailboxSlot {
  _Alignas(64) _Atomic uint32_t state;
  _Alignas(64) _Atomic uint32_t is_asleep; /* the receiver */
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
  *m = (Mailbox){0};
  *fd = memfd_create("neap-mailbox", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (*fd < 0) return -errno;
  /* No worker can cut it short under the driver's hands. */
  bool ok = ftruncate(*fd, sizeof(MailboxPage)) == 0 &&
            fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
  int rc = ok ? map(m, *fd, true) : -errno;
  if (rc == 0) atomic_store(&m->out->is_asleep, 1); /* until the worker says otherwise */
  else close(*fd);
  return rc;
}

void mailbox_attach (Mailbox *m, int fd) {
  struct stat s;
  *m = (Mailbox){0};
  if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_size == sizeof(MailboxPage)) {
    map(m, fd, false);
  }
  close(fd);
}

void mailbox_close (Mailbox *m) {
  if (m->page != NULL) munmap(m->page, sizeof(MailboxPage));
  m->page = NULL;
}

bool mailbox_send (Mailbox *m, const struct iovec *pieces, unsigned n, size_t len) {
  if (m->page == NULL || len > MAILBOX_MAX) return false;
  MailboxSlot *out = m->out;
  if (atomic_load_explicit(&out->is_asleep, memory_order_relaxed) != 0 ||
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
  if (atomic_load(&out->is_asleep) == 0) return true;
  return !atomic_compare_exchange_strong(&out->state, &state, EMPTY); /* it has taken it */
}

bool mailbox_is_unattended (const Mailbox *m) {
  return m->page != NULL && atomic_load_explicit(&m->out->is_asleep, memory_order_relaxed) != 0;
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
  atomic_store(&m->in->is_asleep, 1);
  if (atomic_load(&m->in->state) == EMPTY) return true;
  mailbox_wake(m);
  return false;
}

void mailbox_wake (Mailbox *m) {
  if (m->page != NULL) atomic_store_explicit(&m->in->is_asleep, 0, memory_order_release);
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
