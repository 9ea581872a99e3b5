/* column.h - one value of each item of a chunk: packed numbers as long as that goes. */
#ifndef COLUMN_H
#define COLUMN_H

#include <lua.h>
#include "wire/bytes.h"
#include "wire/wire.h"

/* Its items lie in the userdata or the table at a stack index of the caller's, and in a table of
   the caller's as well, where they outlast an error. */
typedef struct Column {
  int index;
  int anchor, place; /* the stack index of that table, and where in it */
  int kind;          /* SEQUENCE_LIST, _INTEGERS or _FLOATS; 0: nothing has come */
  lua_Integer count; /* items that there may be */
  lua_Integer n;     /* items that have come, without gaps, while they are packed */
  unsigned char *bytes;
} Column;

/* An empty column for count items, pushed as a slot of the stack; the table at index anchor keeps
   it at a place. */
void column_push (lua_State *L, Column *c, lua_Integer count, int anchor, int place);
/* Takes the value on top as item i, later ones never before earlier ones; pops it. */
void column_put_any (lua_State *L, Column *c, lua_Integer i);

static inline void column_put (lua_State *L, Column *c, lua_Integer i) {
  if (c->kind == WIRE_INTEGERS && i == c->n + 1 && lua_isinteger(L, -1)) { /* the quick way */
    put_le64(c->bytes + 8 * (i - 1), (uint64_t)lua_tointeger(L, -1));
    c->n = i;
    lua_pop(L, 1);
  } else {
    column_put_any(L, c, i);
  }
}
/* Takes item i back: it is nil from now on. */
void column_clear (lua_State *L, Column *c, lua_Integer i);
/* Appends two values: the kind, and the items 1..n. */
void column_encode (lua_State *L, const Column *c, Encoder *e, lua_Integer n,
                    const char *label);

#endif
