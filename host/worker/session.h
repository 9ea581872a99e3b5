/* session.h - the Lua side of a worker: takes requests, gives answers; knows no pipe. */
#ifndef SESSION_H
#define SESSION_H

#include "host.h"
#include "wire/frame.h"

/* How a session speaks with its driver. None of these may enter the session's Lua state. */
typedef struct SessionIo {
  void *user;
  /* Takes an answer (the parcel is the callee's afterwards); 0 or a negative UV_E*. */
  int (*send)(void *user, Message *m);
  /* Waits for the next definition or answer to a question (REQUEST_DEFINE, REQUEST_GLOBAL),
     whatever else has come before it; to be finied. 0 or a negative UV_E*. */
  int (*answer)(void *user, Message *m);
  /* Has the driver taken back the chunks of this call? With look set, takes up first what has
     come meanwhile; waits not. */
  bool (*is_cancelled)(void *user, uint64_t call, bool look);
  /* May a request that may be taken back be begun? Else it is answered without being done. */
  bool (*begin)(void *user, uint64_t request);
  /* Where the position of a map's item is noted while it is under way, else 0; NULL: nowhere. */
  volatile int64_t *position;
  /* The number of the request that an interrupt is meant for; 0: whatever runs, as if NULL. */
  volatile uint64_t *stop;
  /* Takes what Lua code writes to fd 1 or 2; NULL: it goes to the process's own. */
  void (*write)(void *user, int fd, const char *bytes, size_t n);
} SessionIo;

typedef struct Session Session;

Session *session_new (Host *host, const SessionIo *io); /* NULL without memory */
/* os.exit in it raises an error: the process is not its own. */
void session_stay (Session *s);

void session_free (Session *s); /* NULL is allowed */

/* Stops the Lua function that runs, at its next instruction; what has caught that error is stopped
   for good when it is called again. For signal handlers. */
void session_interrupt (Session *s);

/* To be called when there is nothing to do: collects garbage that blocks hang on. */
void session_rest (Session *s);

/* Does one request and sends its answer, if it has one. 0, or a negative UV_E* when the answer
   could not be sent, or the session cannot get over it that it has no memory. */
int session_handle (Session *s, const Message *m);

/* The driver has lost definitions: they are sent again. */
void session_forget (Session *s);

#endif
