/* session_internal.h - what the files of a session share. */
#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

#include <stdio.h>
#include <lua.h>
#include "wire/wire.h"
#include "worker/session.h"

/* What needs no answer, and could not be done for want of memory, is done later. */
enum { SESSION_OWED = 32 };

struct Session {
  Host host;    /* a copy: whatever runs here is on a worker */
  lua_State *L; /* owned */
  SessionIo io;
  FILE *out, *err;     /* owned: what goes to io.write; NULL where the process has its own */
  WireContext context; /* of all parcels that come in or go out */
  Known known;         /* definitions that the driver has from here */
  int objects;         /* registry reference: remote objects by id */
  int maps;      /* registry reference: what the chunks of a map have in common, by call */
  uint64_t seed; /* of the pool */
  int worker;    /* from 1 */
  /* What runs now. */
  volatile bool running;     /* a function from the driver runs */
  volatile bool is_stopping; /* and has been interrupted */
  volatile uint64_t request; /* the number of what is being done */
  uint8_t answer_flags;      /* of its answer */
  uint64_t
    globals_call; /* the call whose globals are looked into; 0: of one that was told nothing */
  bool has_fetched; /* and that one has asked for some */
  uint64_t call;    /* its call, and */
  lua_Integer item; /* its item (or worker), which random numbers depend on */
  bool is_map;
  bool seeded;                /* math.random has been seeded for this item */
  volatile int64_t *position; /* as SessionIo has it, or &no_position */
  int64_t no_position;
  Message owed[SESSION_OWED]; /* in the order they came; each with a reference */
  int n_owed;
};

/* Lets interrupts stop the function that is about to run; raises where one has come already. */
void session_run (lua_State *L, Session *s);

/* To be called when that function has returned: interrupts come too late from here on. */
void session_ran (lua_State *L, Session *s);

/* Sends an answer made of the values that the encoder holds, definitions first. Raises. */
void session_answer (lua_State *L, Session *s, Encoder *e, uint8_t type, uint64_t request);

/* Takes the value on top of the stack as the remote object id. */
void session_set_object (lua_State *L, Session *s, lua_Integer id);

/* Takes what was raised out of the error at index at, since it cannot be sent: its text can, and that
   of a table says why. The reason is on top of the stack, and popped. Raises not. */
void session_leave_out (lua_State *L, int at);

/* To be called with what a protected call of the driver's function has returned: where memory was
   short, what that function has left is collected now, since others need memory as well. */
void session_out_of_memory (lua_State *L, int status);

/* Does a request in a protected call; what that raises stays on the stack. Returns its status. */
int session_serve (Session *s, const Message *m);

/* session_owed.c */
bool session_may_owe (const Message *m); /* does nobody wait for its answer? */
/* Was it memory that the error on top of the stack tells of? Needs none. */
bool session_lacked_memory (lua_State *L, int status);
/* Owes the request, which stays the caller's, and tries to pay. 0 or UV_ENOMEM. */
int session_owe (Session *s, const Message *m);
/* Does what is owed, in order; but not one definition before another. Empties the stack. */
void session_pay (Session *s);
void session_drop_owed (Session *s);

/* session_apply.c, session_map.c: each does one request in a protected call. */
void session_apply (lua_State *L, Session *s, const Message *m);
void session_map_begin (lua_State *L, Session *s, const Message *m);
void session_chunk (lua_State *L, Session *s, const Message *m);
void session_map_end (lua_State *L, Session *s, const Message *m);
/* Beginning a map has failed: its chunks raise the error at index 2. */
void session_map_fail (lua_State *L, Session *s, const Message *m);

/* Message handler: turns the error value on the stack into a table { message, value,
   traceback, item }. */
int session_traceback (lua_State *L);

/* session_globals.c: globals that a worker lacks come from the driver, for one call. */
void session_globals_open (lua_State *L, Session *s);
void session_globals_give (lua_State *L, Session *s, const Message *m);
/* The call runs from now on; it is over, and what it knew of the driver's globals is forgotten. */
void session_globals_enter (lua_State *L, Session *s, uint64_t call, bool is_map);
void session_globals_end (lua_State *L, Session *s, uint64_t call);

/* session_output.c */
void session_output_open (lua_State *L, Session *s);
void session_output_flush (const Session *s); /* before an answer goes out */
void session_output_close (Session *s);

/* session_random.c: math.random depends on seed, call and item only. */
void session_random_open (lua_State *L, Session *s);

#endif
