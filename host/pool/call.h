/* call.h - a call: requests to workers, and what has come of them. */
#ifndef CALL_H
#define CALL_H

#include "pool/pool.h"

/* What a map has beyond its requests. */
typedef struct Map {
  bool *begun;         /* by worker: it has been told */
  unsigned *in_flight; /* by worker: chunks asked and not answered */
  int64_t total, next; /* items; the next one to hand out, from 1 */
  int64_t chunk;       /* size on request, or 0 */
  bool is_static;      /* one balanced share for each worker */
  bool collect;        /* an item's error stands in its place */
  bool is_stream;      /* results are taken chunk by chunk, in order */
  int64_t taken;       /* items that have been */
  Range *returned;     /* before next, these are handed out */
  double item_seconds; /* measured; 0: not yet */
  int64_t largest;     /* items of the largest chunk that was answered */
  int n_sequences;
  struct Holds *held; /* the user value: remote objects of f, kw and items */
} Map;

/* User values: 1 results, a list (by value that f returns) of lists (by worker or item);
   2 errors, a list of tables; 3 the sequences of a map; 4 its order: position -> item, or nil; 5 what a map holds.
   Anchored in the registry while requests are under way. */
struct Call {
  Pool *pool; /* one reference */
  uint64_t number;
  size_t outstanding; /* requests not answered */
  bool is_done, is_cancelled;
  bool is_stopped;      /* its requests are not asked again */
  bool is_short;        /* there was no memory for an error that it has */
  bool takes_globals;   /* when it is made: the driver may compute when workers ask */
  int64_t width;        /* of a list of results: workers or items; 0: one worker's values */
  int64_t n_done;       /* workers or items that have answered */
  Parcel *parcel;       /* one reference: what is asked; of a map what its chunks have in
                           common; or NULL */
  Map *map;             /* NULL unless it is one */
  Global *globals;      /* owned: what it has taken along */
  unsigned retries;     /* times that a request is asked again after it killed its worker */
  double item_timeout;  /* seconds; 0: none */
  double stopped_grace; /* seconds that a worker may stay stopped */
  uint64_t until;       /* when it is to be over, by uv_hrtime; 0: whenever */
};

enum {
  CALL_RESULTS = 1,
  CALL_ERRORS,
  CALL_SEQUENCES,
  CALL_ORDER,
  CALL_HELD,
  CALL_VALUES = CALL_HELD
};

/* Pushes a new call of the pool. */
Call *call_push (lua_State *L, Pool *p, int64_t width);
/* The call on top, whose requests are about to go out, stays alive until it is over. */
void call_anchor (lua_State *L, const Call *c);
/* Asking for the call has failed: lets go of it, unless answers are on their way to it. */
void call_forsake (lua_State *L, const Call *c);
/* Stores the values above index values, which answer request r. */
void call_answered (lua_State *L, Call *c, int worker, const Request *r, int values);
/* Adds the error table on top of the stack, and leaves it there. */
void call_failed (lua_State *L, Call *c);
/* Runs f(argument), one of what makes the call go on. Where that raises, ends the call with that for
   an error, whatever the memory. Raises nothing. */
void call_attempt (lua_State *L, Call *c, int worker, lua_CFunction f, void *argument);
/* A request of the call has been answered by worker: asks for more, or ends the call. */
void call_proceed (lua_State *L, Call *c, int worker);
/* Ends the call when nothing is outstanding. */
void call_finish (lua_State *L, Call *c);
/* Pushes the userdata of a call under way. */
void call_push_anchor (lua_State *L, const Call *c);

void call_open (lua_State *L); /* metatable */

/* wait.c */
int pool_wait_any (lua_State *L); /* wait_any(calls, seconds) -> index or nil */

/* stop.c */
int pool_stop (lua_State *L); /* pool:stop(call) -> kind, message */

/* map.c */
/* The number of the item at a position of the map: another where they have an order. */
lua_Integer map_item (lua_State *L, const Call *c, int64_t position);
/* Sets the field "arguments" of the error table on top, which has a number in "item" where it is of
   one item of the chunk. Raises. */
void map_note_arguments (lua_State *L, const Call *c, const Request *r);
/* Pushes the list of what the function is given for it, without kw. Raises. */
void map_push_arguments (lua_State *L, const Call *c, int64_t position);
int call_map (lua_State *L); /* pool:map(f, kw, options, sequences) -> call */
void map_answered (lua_State *L, Call *c, int worker, const Request *r, int values);
/* So many items took so long. */
void map_measure (Map *m, int64_t items, double seconds);
/* Pushes the list of the next items in order that have come, and how many; or returns 0. */
int map_take (lua_State *L, Call *c);
/* Hands out chunks to a worker that has room for them. */
void map_feed (lua_State *L, Call *c, int worker);
bool map_has_more (const Map *m); /* items to hand out */
/* No map has been told to the worker any more. */
void map_forget_worker (lua_State *L, Pool *p, int worker);
/* No more chunks go out, and those that have not begun are taken back. */
void map_cancel (lua_State *L, Call *c);
/* Tells the workers that the map is over. */
void map_end (lua_State *L, Call *c);
void map_free (Map *map);

#endif
