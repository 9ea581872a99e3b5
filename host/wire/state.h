/* state.h - what a Lua state knows for all its encoders and decoders: the definitions that it
   has made, and which objects carry which number or name. */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <lua.h>
#include "wire/addressmap.h"
#include "wire/format.h"
#include "wire/wire.h"

struct Encoder;
struct Workspace;

/* One entry per number: the code of a function, or a class. */
typedef struct StateEntry {
  Parcel *parcel; /* one reference; NULL before the first version is whole */
  uint32_t version;
  uint8_t uid[UID_LEN]; /* of a class */
} StateEntry;

typedef struct WireState {
  StateEntry *entries; /* owned; by number - 1 */
  uint32_t n, room;
  uint64_t id; /* of this Lua state, unlike that of any other */
  uint64_t n_classes;
  struct Workspace *spare; /* owned; an unused one when has_spare */
  bool has_spare, is_closed;
  AddressMap modules; /* what package.loaded held, when it had this fingerprint: */
  uint64_t modules_fingerprint;
  uint64_t fingerprint; /* of package.loaded when the index of names was made */
  AddressMap tables;    /* addresses of the tables in it that are no classes */
} WireState;

/* User values of the state, all tables. Weak where they would keep objects alive. */
enum {
  STATE_CACHE = 1, /* weak keys: function or class -> number of its definition, or name */
  STATE_NAMES,     /* weak keys: what modules hold -> name */
  STATE_MODULES,   /* weak keys: module -> see names.c */
  STATE_CLASSES,   /* weak values: number -> class */
  STATE_OBJECTS,   /* weak values: uid -> class */
  STATE_UIDS,      /* weak keys: class -> uid */
  STATE_HASHES,    /* hash of a definition -> number */
  STATE_TABLES = STATE_HASHES
};

WireState *state_push (lua_State *L);       /* made at the first call */
WireState *state_get (lua_State *L);        /* the same, without pushing it */
void state_table (lua_State *L, int which); /* pushes one of the tables */

/* Looks through package.loaded: s->modules are its values. Returns a number that changes when
   they do. */
uint64_t state_modules (lua_State *L);

/* The definition of the code of the Lua function on top. Pops nothing. */
Definition state_code (lua_State *L, struct Encoder *e);

/* The definition of the class on top, as it is now, and of all that it needs: the encoder's
   root lists them. Pops nothing. 0, and it is not listed: it belongs to its object and
   crosses by value with that. */
enum { CLASS_FREE, CLASS_MAY_BELONG, CLASS_OF_DATA };
uint32_t state_class (lua_State *L, struct Encoder *e, int belongs);

/* The class at index has this uid. Takes five slots of the stack. */
void state_set_uid (lua_State *L, int class, const char *uid);

#endif
