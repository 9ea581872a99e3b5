/* mailbox.h - shared memory through which driver and worker pass small messages; what is large, and
   what comes while the driver sleeps, goes through the pipe. A worker that sleeps is woken by a bell:
   that is quicker than a message through the pipe.

   Each way has one slot, for one frame. Messages arrive in the order they were sent: a frame goes
   into the slot only when the receiver has taken all that was written into the pipe before it, and
   the receiver empties the slot before it looks at what it has just read from the pipe. */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { MAILBOX_SLOT = 8192, MAILBOX_MAX = MAILBOX_SLOT - 128 }; /* bytes of a frame at most */

/* One end. Without a page all of it does nothing: the pipe serves alone. */
typedef struct Mailbox {
  struct MailboxPage *page;     /* mapped; NULL: none */
  struct MailboxSlot *in, *out; /* in it */
  uint64_t written, read;       /* bytes through the pipe, to and from the other end */
  int bell;                     /* owned; an eventfd that both ends have; negative: none */
  bool has_rung;                /* the worker's: it rings until it is read */
} Mailbox;

/* The driver's end: 0 and *fd, which the worker is to inherit and the caller to close; or a
   negative UV_E*, and a mailbox without a page. */
int mailbox_create (Mailbox *m, int *fd);
/* The worker's end, of what it has inherited, the page and the bell; closes fd. Without a page, and
   the bell closed, where that is no such. */
void mailbox_attach (Mailbox *m, int fd, int bell);
void mailbox_close (Mailbox *m); /* may be called any number of times */

/* Puts a frame into the other end's slot. False: it is to go through the pipe. */
bool mailbox_send (Mailbox *m, const struct iovec *pieces, unsigned n, size_t len);
/* Wakes the worker, if it sleeps and nobody has done so yet. */
void mailbox_ring (const Mailbox *m);
/* So much has been given to the pipe, so much has come from it and been looked at. */
void mailbox_count_written (Mailbox *m, size_t len);
void mailbox_count_read (Mailbox *m, size_t len);

/* Copies a frame out of the own slot, to MAILBOX_MAX bytes. Returns its length, 0: there is none,
   SIZE_MAX: what is there is broken. */
size_t mailbox_take (Mailbox *m, uint8_t *bytes);

/* The driver takes a request back that the worker has not begun. False: it has, or cannot say.
   Requests are numbered upwards; the worker begins them in that order. */
bool mailbox_revoke (Mailbox *m, uint64_t request);
/* The worker begins a request. False: it has been taken back. */
bool mailbox_begin (Mailbox *m, uint64_t request);

/* Where a worker notes the position of the map's item that is under way, else 0, for the driver to
   read when the worker has ended. NULL without a page. */
volatile int64_t *mailbox_position (const Mailbox *m);

/* Where the driver notes the number of the request that an interrupt is meant for, before it
   interrupts: what runs by then may be the next one. NULL without a page. */
volatile uint64_t *mailbox_stop (const Mailbox *m);

/* The driver is about to sleep, or has woken: while it sleeps all comes through the pipe. False:
   something has come, and it is awake still. */
bool mailbox_doze (Mailbox *m);
void mailbox_wake (Mailbox *m);
/* The worker sleeps until something has come into the mailbox or can be read from fd, or the bell
   rings. False: timeout_ms have passed. */
bool mailbox_sleep (Mailbox *m, int fd, int timeout_ms);

#endif
