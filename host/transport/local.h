/* local.h - what the files of the local transport share: one peer per worker process. */
#ifndef LOCAL_H
#define LOCAL_H

#include "transport/lines.h"
#include "transport/mailbox.h"
#include "transport/transport.h"

typedef struct Local Local;

/* One worker process and its pipes. Freed when the last of its handles has closed; a worker
   that is started anew gets a new Peer. */
typedef struct Peer {
  Local *local; /* NULL once the transport no longer wants to hear of it */
  int worker;   /* from 0 */
  uv_process_t process;
  uv_pipe_t pipe;                          /* messages, both ways */
  uv_pipe_t out[2];                        /* its standard output and standard error */
  int channel;                             /* descriptors, both ways: see descriptors.h */
  uv_poll_t room;                          /* waits for room in it */
  uv_timer_t retry;                        /* waits without a sign */
  Mailbox mailbox;                         /* small messages, both ways */
  struct Waiting *waiting, **last_waiting; /* messages whose descriptors have not gone */
  size_t waiting_len;
  uint8_t held[1024]; /* frames that go out with the next one */
  size_t held_len;
  uv_poll_t dying; /* sees the process end */
  int dying_fd;    /* owned; negative: there is none */
  int open_handles;
  bool exited;
  bool is_given_up; /* killed: what it sends is not taken up any more */
  Obituary end;     /* what is known already */
  FrameReader *reader;
  LineBuffer lines[2];
  char scratch[65536]; /* for output */
} Peer;

struct Local {
  Transport base;
  HostPoller poller; /* looks into the mailboxes */
  Host *host;
  int blas_threads;
  char driver_pid[24];
  EventQueue events;
  Peer **peers;   /* n of them; NULL: not running */
  Obituary *ends; /* n of them: of the last process of each worker */
  bool
    *has_ended; /* n of them: and next has not told so yet. Not among the events: an end is told
                      even where there is no memory */
  bool has_looked;    /* for output, since the last event came: there was none */
  uint64_t oom_kills; /* of the system, when it was last looked at */
};

/* Starts a worker process. 0 and *peer, whose handles are open; or a negative UV_E*. */
int local_spawn (Local *self, int worker, Peer **peer);

/* As in TransportOps. */
int local_send (Transport *t, int worker, const Message *m);
int local_hold (Transport *t, int worker, const Message *m);
void local_wake (Transport *t, int worker);

/* Sends what is held for workers that have got no message since. */
void local_send_held (Local *self);

/* Ends a worker of which, or to which, a message has got lost for reason rc: another is asked
   again. What else comes from it is not taken up, since it may refer to that. */
void local_give_up (Peer *peer, int rc);

/* Forgets what waits to be sent. */
void local_drop_waiting (Peer *peer);

/* Closes the handles of a peer; the last one frees it. May be repeated until then. */
void local_close_peer (Peer *peer);

/* Called when the process has ended. */
void local_on_exit (uv_process_t *process, int64_t exit_status, int signum);

#endif
