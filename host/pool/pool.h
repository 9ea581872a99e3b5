/* pool.h - a pool of workers as the driver sees it: queues of requests, calls, remote objects. */
#ifndef POOL_H
#define POOL_H

#include <lua.h>
#include <sys/types.h>
#include "host.h"
#include "pool/objects.h"
#include "transport/transport.h"
#include "wire/wire.h"

#define POOL_TNAME "neap.core.Pool"
#define CALL_TNAME "neap.core.Call"
#define REMOTE_TNAME "neap.RemoteObject"

typedef struct Pool Pool;

/* More bytes beside blocks than this in one call are worth a word. */
enum { POOL_HEAVY = 1000000 };

/* How often a request is asked again after it has killed its worker. */
enum { DEFAULT_RETRIES = 1 };
typedef struct Call Call;

/* A global of the driver that was told to workers, as it was then. */
typedef struct Global {
  struct Global *next;
  Parcel *answer; /* see globals.c */
  char name[];
} Global;

/* Items of a map that were asked and are to be asked again. */
typedef struct Range {
  struct Range *next;
  int64_t first, count;
  int64_t piece;     /* so many items go out at a time */
  unsigned attempts; /* workers that died of it */
} Range;

/* Room for what a chunk of several items can fall into: those before the one that has ended a
   worker, that one, and those after it. */
enum { CHUNK_RANGES = 3 };

/* One thing asked of one worker: it stays in the worker's queue, with all that is needed to
   ask again, until it is answered. */
typedef struct Request {
  struct Request *next;
  Message message; /* owns a reference to its parcel */
  Call *call;      /* who waits for it; NULL: nobody */
  int64_t first;   /* of a chunk: its first item and how many */
  int64_t count;
  Range *room;       /* owned, of a chunk: so that giving its items back needs no memory */
  unsigned attempts; /* workers that died of it */
  Global *globals;   /* what it was told; told again when it is replayed */
  uint64_t *touched; /* ids of the remote objects that it may have changed or made */
  size_t n_touched;
  bool is_revoked;   /* a chunk that was taken back before it began: others do it */
  bool is_replay;    /* of a journal: nobody waits for it, it holds no objects */
  bool is_setup;     /* the replay of the setup function */
  bool is_abandoned; /* its call was stopped before it began: it is not to be done */
  bool is_void;      /* it was not done, or not to its end: what it did is not to be repeated */
  bool is_in_the_way; /* it was stopped, since what waits behind it may take no longer */
  uint64_t overdue;   /* when its worker was asked to stop, since it took too long; 0: not */
  double seconds;     /* that it was the oldest of its worker, until it was answered */
} Request;

typedef struct WorkerSlot {
  WireContext context;    /* of what comes from this worker */
  Known known;            /* definitions that it has */
  Request *first, **last; /* asked and not yet answered, oldest first */
  size_t n_requests;
  Request *journal, **journal_last; /* what a new process must do to be this worker */
  size_t n_journal;
  Request *journal_newest; /* the newest call in it, or NULL */
  double journal_seconds;  /* that its calls would take again */
  double look_at;          /* seconds from which on it may be worth to cut it short */
  double patience;         /* the more, the longer a journal is put up with; at least 1 */
  bool is_copying;         /* what a part of the journal has made has been asked for */
  uint64_t since;          /* when the oldest request became that, by uv_hrtime */
  uint64_t stop_check;     /* when to look whether it has been stopped; 0: not known yet */
  uint64_t stopped;        /* since when it has been, as far as seen; 0: it runs */
  Parcel *configuration;   /* what a new process is told first */
  unsigned deaths;         /* since it was last all that it had been before */
  bool lacks_definition;   /* of what comes from it: it is about to be replaced */
  bool is_ready;
  bool is_lost;   /* could not be started again, */
  int lost_error; /* for this reason, a UV_E*, or 0 */
  bool is_unfit; /* its setup function has failed on the last process; what that says counts for
                     nothing */
  int setup_error; /* registry reference: what setup has raised there, or LUA_NOREF */
  unsigned restarts;
  uint64_t bytes_sent, bytes_received;
} WorkerSlot;

/* The worker's oldest request is another. */
static inline void slot_begin (WorkerSlot *w) {
  w->since = uv_hrtime();
  w->stop_check = w->stopped = 0;
}

struct Pool {
  size_t refs; /* the pool's userdata, calls and handles */
  Host *host;
  Transport *transport; /* NULL once closed */
  int n;
  WorkerSlot *workers;
  WireContext context; /* of what goes to the workers */
  Objects objects;
  Request *floating, **last_floating; /* for any worker: the next that has nothing to do */
  uint64_t next_request, next_call;
  int64_t seed;
  int64_t memory_limit; /* of a worker process, in bytes; 0: none */
  int blas_threads;
  size_t heavy;    /* bytes beside blocks of the last call, where they are many; else 0 */
  int calls;       /* registry reference: calls under way, which keeps them alive */
  int environment; /* registry reference: package.path and cpath as workers know them */
  uint64_t directory_version; /* when it was last looked at; 0: never */
  ino_t directory_inode;      /* of the folder that workers are in */
  dev_t directory_device;
  int immutables;    /* registry reference: weak table, see pushed.c */
  uint64_t *touched; /* remote objects met by the encoding under way */
  size_t n_touched, size_touched;
  lua_State *L;              /* of the wait under way, for an inline worker's questions */
  Parcel *setup;             /* REQUEST_APPLY of the setup function, or NULL */
  struct Session *session;   /* of an inline pool; else NULL */
  EventQueue inline_answers; /* to questions of the inline worker */
  bool is_asking;            /* the inline worker waits for those */
  const Call *waiting;       /* what is waited for, or NULL */
  bool is_answering;         /* a worker waits for a global, whose metamethods may call us */
  uint64_t stopping;         /* number of the call that is being stopped, or 0 */
  bool is_busy;              /* see pool_enter */
  int guard;                 /* registry reference: what ends that */
};

/* pool.c */
/* Raises when it is none, closed, or busy. */
Pool *pool_check (lua_State *L, int arg);
/* From here on the pool is busy, until the C function returns or raises, or what is pushed here leaves
   the stack: metamethods and finalizers, which may run in the midst of an encoding, must not call it. */
void pool_enter (lua_State *L, Pool *p);
void pool_check_idle (lua_State *L, const Pool *p); /* raises when it is busy */
/* Raises with the position of what has called the pool's Lua. Format as for lua_pushfstring. */
int pool_error (lua_State *L, const char *format, ...);
Pool *pool_retain (Pool *p);
void pool_release (Pool *p);
void pool_close (Pool *p); /* ends the workers; may be repeated */

int pool_open (lua_State *L);
int pool_close_method (lua_State *L);
void pool_open_metatable (lua_State *L); /* leaves the metatable on the stack */
/* Tells the workers when package.path, cpath or the directory have changed. */
void pool_follow_environment (lua_State *L, Pool *p);

/* send.c */

/* Sends a message to a worker: definitions it lacks first, then the message (whose parcel stays
   the caller's). 0 or a negative UV_E*; UV_ESRCH when the worker does not run. Raises nothing. */
int pool_send (lua_State *L, Pool *p, int worker, const Message *m);

/* A worker, or all (-1), will be asked for something as soon as that is encoded: who sleeps wakes up
   meanwhile. */
void pool_wake (Pool *p, int worker);

/* Makes a request, which the call has outstanding from now on; the caller's until it is in a
   queue. Takes the parcel of m, also when it raises. The touched objects of the last encoding go
   with it. */
Request *request_make (lua_State *L, Pool *p, Message *m, Call *call);
/* Puts a request at the end of the worker's queue and sends it; or fails it, where the worker
   cannot run. */
void request_put (lua_State *L, Pool *p, int worker, Request *r);
void request_free (Request *r);

/* Starts an encoding for the workers: tells them what was freed, pushes the encoder and forgets
   the touched objects. */
Encoder *pool_encoder (lua_State *L, Pool *p);
/* The same with a context made of the pool's, which is no longer needed when the encoder has been used
   or something has raised. */
Encoder *pool_encoder_for (lua_State *L, Pool *p, const WireContext *context);

/* events.c */

/* Takes up what has come from the workers: answers go to their calls. Does not wait. */
void pool_dispatch (lua_State *L, Pool *p);
/* Waits for events, at most timeout_ms. Raises nothing. */
void pool_poll (lua_State *L, Pool *p, int timeout_ms, bool spin);
/* From watch to unwatch an interrupt ends a poll, and what an inline worker runs; it is counted,
   and raises nothing. False: somebody watches already, who is to unwatch. */
bool pool_watch (Pool *p);
void pool_unwatch (Pool *p);
/* What came meanwhile, and nobody has taken, stops the Lua code that goes on now. */
void pool_leave_interrupt (Pool *p);

/* Why a request has no answer. */
typedef struct Failure {
  const char *kind, *message;
  const Obituary *end; /* of the worker that should have given it, or NULL */
  int error; /* registry reference: a table of more fields, message among them; 0: none */
} Failure;
/* Gives a request that is out of its queue an error for an answer, and frees it. */
void pool_fail_request (lua_State *L, Pool *p, int worker, Request *r, const Failure *f);
/* Gives a request that waits in its worker's queue an error for an answer. It stays there until the
   worker has answered, but nobody waits for that. */
void pool_abandon_request (lua_State *L, Pool *p, int worker, Request *r);
/* Fails maps whose items no worker is left to do. */
void pool_fail_stranded (lua_State *L, Pool *p);

/* globals.c */

/* Answers a worker's question for a global of the driver. */
void pool_answer_global (lua_State *L, Pool *p, int worker, const Message *question);
/* Adds to the list what the functions of the parcel name, and what those name in turn. What is
   touched is added to the objects of the encoding. Raises; the list is the caller's. */
void globals_take (lua_State *L, Pool *p, const Parcel *parcel, Global **list);
void globals_give (lua_State *L, const Call *c, int worker); /* what the call has taken along */
Global *globals_copy (const Global *g);
void globals_free (Global *g);

/* submit.c */

/* As request_make and request_put, for whichever worker is free first. */
void pool_float (lua_State *L, Pool *p, Message *m, Call *call);
/* A request that was given to a worker which is lost goes back to those that wait for any. False: it
   was for that one alone, or no other is left. */
bool pool_refloat (Pool *p, Request *r);
/* The worker may have become free: it gets a request that waits for one. */
void pool_hand_out (lua_State *L, Pool *p, int worker);
/* Requests of the call, or of all calls when it is NULL, are to wait no more: they fail. */
void pool_take_floating (lua_State *L, Pool *p, const Call *call, const Failure *f);

/* limits.c */

/* Ends what takes longer than its call allows, and workers that stay stopped. Returns after how
   many milliseconds to call it again; -1: nothing is under way. */
int limits_enforce (Pool *p);
/* When a request that has begun at `since` takes too long; UINT64_MAX: never. */
uint64_t limits_due (const Request *r, uint64_t since);
/* What a request fails with that was ended, since it took too long or something behind it did. */
Failure limits_failure (const Request *r, char *text, size_t size);

/* died.c */

/* The first line of what is said of a worker that has ended: "worker 2 died (exit code 3)". */
void died_describe (const Obituary *o, int worker, char *text, size_t size);
/* Sets the fields of the error table on top that tell of it. */
void died_set_fields (lua_State *L, const Obituary *o);

/* recover.c */

/* Starts the process of a worker and makes it what it was: configuration, setup, journal; then
   what it has not answered is asked again. 0 or a negative UV_E*. */
int pool_start_worker (lua_State *L, Pool *p, int worker);
/* Starts a worker that was given up once more, now that something is asked of it. 0 or a
   negative UV_E*. */
int pool_revive (lua_State *L, Pool *p, int worker);
/* Something has come from the worker: if nothing is left to be replayed, it is itself again. */
void pool_note_whole (WorkerSlot *w);
/* A worker has ended: starts another in its place. Raises nothing. */
void pool_recover (lua_State *L, Pool *p, const TransportEvent *e);

/* setup.c */

/* The setup function has failed on the process that replaces a worker: the process is ended, and no
   other started until something is asked of the worker again. Raises nothing. */
void setup_failed (lua_State *L, Pool *p, int worker, const Message *answer);
/* Why an unfit worker gives no answers. */
Failure setup_failure (const WorkerSlot *w);
/* The worker gets a new process, which may do better; or is no more. */
void setup_forget (lua_State *L, WorkerSlot *w);

/* journal.c */

/* Moves an answered request to the journal, if it was done and touched live objects; else frees
   it. worker: who has answered, or -1: nobody. */
void pool_settle (Pool *p, int worker, Request *r);
/* Drops what no live object needs any more; everything. */
void pool_prune_journals (Pool *p);
void pool_drop_journals (Pool *p);

/* base.c */

/* The worker has answered: asks for a copy of objects that would take long to make again. Raises
   nothing. */
void base_consider (lua_State *L, Pool *p, int worker);
/* Request r was broken off on the worker: asks for a copy of the objects that it has touched, since
   nothing makes them again. Raises nothing. */
void base_demand (lua_State *L, Pool *p, int worker, const Request *r);
/* The copy that r has asked for has come, or not: whether r is an entry of the journal now, in the
   place of all that it replaces. */
bool base_take (Pool *p, int worker, Request *r, const Message *answer);
/* An entry has been added to the worker's journal, or is dropped. */
void base_journalled (WorkerSlot *w, Request *r);
void base_dropped (WorkerSlot *w, const Request *r);

/* inline.c: the worker of an inline pool */
int pool_open_inline (Pool *p);

/* remote.c */
void remote_push (lua_State *L, Pool *p, uint64_t id); /* takes one handle of id */
uint64_t remote_new (lua_State *L, Pool *p);           /* a handle of a new object; its id */
/* The encoding under way concerns the object. */
void remote_touch (lua_State *L, Pool *p, uint64_t id);
int pool_remote_id (lua_State *L, int index, void *user, uint64_t *id, const char **why);
/* The same for items of a map, whose user this is: what it holds may have been removed. */
typedef struct RemoteLender {
  Pool *pool;
  const struct Holds *held;
} RemoteLender;
int remote_lent_id (lua_State *L, int index, void *user, uint64_t *id, const char **why);
void remote_open (lua_State *L); /* pushes the table of methods */

/* pushed.c */

/* The immutable at index is on the workers, under id. */
void pushed_note (lua_State *L, const Pool *p, int index, uint64_t id);
/* The id under which the immutable at index is on the workers already, or 0. Where it is not
   any more what was pushed, *why says so, and what was pushed onto the stack stays there. */
uint64_t pushed_id (lua_State *L, const Pool *p, int index, const char **why);

#endif
