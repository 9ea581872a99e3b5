/* holds.h - remote objects that a map keeps while it runs, whatever becomes of their handles. */
#ifndef HOLDS_H
#define HOLDS_H

#include "pool/pool.h"

/* A userdata of Lua, which lets go of all when it is closed. */
typedef struct Holds {
  Pool *pool;    /* one reference */
  uint64_t *ids; /* owned; each stands for one count of its object */
  size_t n, size;
} Holds;

Holds *holds_push (lua_State *L, Pool *p); /* holds nothing */
Holds *holds_check (lua_State *L, int arg);
void holds_add (lua_State *L, Holds *h, uint64_t id); /* raises, where the object is gone too */
void holds_take (Holds *h, Holds *from); /* all that from holds, which is of its pool */
bool holds_has (const Holds *h, uint64_t id);
void holds_let_go (Holds *h); /* of all; may be called any number of times */

#endif
