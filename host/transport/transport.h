/* transport.h - moves messages between the driver and its workers; knows nothing of calls. */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "host.h"
#include "transport/obituary.h"
#include "wire/frame.h"

typedef enum TransportEventKind { TRANSPORT_MESSAGE, TRANSPORT_EXIT } TransportEventKind;

typedef struct TransportEvent {
  TransportEventKind kind;
  int worker;          /* from 0 */
  Message message;     /* TRANSPORT_MESSAGE: the receiver's to fini */
  const Obituary *end; /* TRANSPORT_EXIT: valid until the worker is started again */
} TransportEvent;

typedef struct TransportUsage {
  uint64_t rss; /* bytes of memory that are resident */
  double cpu;   /* seconds of processor time since the start */
} TransportUsage;

typedef struct Transport Transport;

/* None of these takes a lua_State, so none can raise; only poll may wait. */
typedef struct TransportOps {
  const char *name; /* as pool.transport shows it */
  /* Starts worker number worker, which is not running. 0 or a negative UV_E*. */
  int (*start)(Transport *t, int worker);
  /* Queues a message (with a reference of its own to the parcel) and returns at once: 0, or a
     negative UV_E*. Messages to one worker arrive in order, or the worker dies. */
  int (*send)(Transport *t, int worker, const Message *m);
  /* The same for a small message that nobody waits for: it goes out with the next one to that
     worker, or in the next poll. NULL where that saves nothing. */
  int (*hold)(Transport *t, int worker, const Message *m);
  /* Wakes a worker that sleeps, so that it is awake when the next message comes. NULL where that
     saves nothing. */
  void (*wake)(Transport *t, int worker);
  /* The oldest event that has come; false when there is none. All messages that a worker sent
     come before its exit. */
  bool (*next)(Transport *t, TransportEvent *e);
  /* Waits until next has something, at most timeout_ms (negative: no limit). */
  void (*poll)(Transport *t, int timeout_ms, bool spin);
  int (*kill)(Transport *t, int worker, int signum); /* 0 or a negative UV_E* */
  /* Has the worker stop this request, at its next instruction, or when it comes to it; but no
     other. 0 or a negative UV_E*. */
  int (*interrupt)(Transport *t, int worker, uint64_t request);
  int64_t (*pid)(const Transport *t, int worker);
  uint64_t (*pending)(const Transport *t, int worker); /* bytes queued, not yet taken */
  /* Takes back a request that the worker has not begun: it will answer it without doing it.
     False: too late. NULL where a transport cannot. */
  bool (*revoke)(Transport *t, int worker, uint64_t request);
  /* Shows all that the worker has written so far, as whole lines; with unfinished set, a last
     line without an end as well. */
  void (*show)(Transport *t, int worker, bool unfinished);
  /* Has the worker been stopped by a signal, to go on later or never? */
  bool (*is_stopped)(const Transport *t, int worker);
  /* What the worker's process uses; zeros when nobody knows. */
  void (*usage)(const Transport *t, int worker, TransportUsage *usage);
  /* Ends all workers within bounded time and frees t. */
  void (*close)(Transport *t);
} TransportOps;

struct Transport {
  const TransportOps *ops;
  int n; /* workers */
};

/* A first-in first-out queue of events, which transports keep. */
typedef struct EventQueue {
  TransportEvent *events; /* ring of size entries */
  size_t size, first, n;
} EventQueue;
int event_queue_push (EventQueue *q, const TransportEvent *e); /* 0 or UV_ENOMEM */
bool event_queue_pop (EventQueue *q, TransportEvent *e);
void event_queue_fini (EventQueue *q); /* with the messages in it */

/* Processes of this machine: `executable --worker` with a socket as descriptor 3. blas_threads
   is set in their environment. NULL and a negative UV_E* in *rc when that fails. */
Transport *transport_local (Host *host, int n, int blas_threads, int *rc);

/* No process: poll hands the oldest message to serve, in this process. What serve wants to
   answer it gives to transport_inline_reply, what it prints to transport_inline_write. */
typedef void (*InlineServe)(void *user, const Message *m);
Transport *transport_inline (InlineServe serve, void *user, int *rc);
int transport_inline_reply (Transport *t, Message *m); /* takes the parcel; 0 or UV_ENOMEM */
/* The last answer to what is being served, which has no parcel: needs no memory. */
void transport_inline_reply_last (Transport *t, const Message *m);
void transport_inline_write (Transport *t, int fd, const char *bytes,
                             size_t n); /* fd: 1 or 2 */

/* process.c: what /proc says of a process of this machine. */
bool process_is_stopped (int64_t pid);
void process_usage (int64_t pid, TransportUsage *usage);

#endif
