/* chunk_answer.h - what a chunk of a map has come to, on its way to the driver. */
#ifndef CHUNK_ANSWER_H
#define CHUNK_ANSWER_H

#include "worker/column.h"
#include "worker/session.h"

typedef struct ChunkAnswer {
  Session *session;
  uint64_t request;
  lua_Integer first, done; /* the first item's position, and how many have been done */
  double seconds;
  int error;       /* stack index of what has ended it; 0: nothing */
  int failures;    /* stack index of the errors by item; 0: they are not collected */
  int order;       /* of the items' numbers; 0: they are consecutive */
  Column *columns; /* their values */
  int n_columns;
} ChunkAnswer;

/* Sends it. An item with a value that cannot be sent is one that has failed: its error stands
   with the collected ones, or ends the chunk. */
void chunk_answer (lua_State *L, ChunkAnswer *a);

/* The error on top has ended the chunk at the item of the session: sends that, and the values of the
   items before as far as they can be sent. */
void chunk_answer_error (lua_State *L, ChunkAnswer *a);

/* The number of item i of a chunk, as the caller of map counts. */
static inline lua_Integer chunk_item (lua_State *L, lua_Integer first, int order,
                                      lua_Integer i) {
  if (order == 0) return first + i - 1;
  lua_rawgeti(L, order, i);
  lua_Integer item = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return item;
}

#endif
