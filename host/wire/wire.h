/* wire.h - Lua values to parcels and back. */
#ifndef WIRE_H
#define WIRE_H

#include <lua.h>
#include "wire/parcel.h"

/* What the encoder and the decoder ask of the pool. Any function may be NULL. */
typedef struct WireContext {
  void *user;
  /* Encoder: is the value at index (an immutable table, or a userdata that is no array that can
     be written to) to cross as a remote object? 1 and *id; 0: no; -1 and *why, as in "a
     RemoteObject that was removed", when it must be refused. */
  int (*remote_id)(lua_State *L, int index, void *user, uint64_t *id, const char **why);
  /* Decoder: pushes the object that id stands for and returns 1, or pushes nothing and
     returns 0 when there is none. */
  int (*remote_push)(lua_State *L, uint64_t id, void *user);
  /* Decoder: registry reference of the table, number -> object, of what the sender has
     defined so far (wire_define fills it); LUA_NOREF where parcels are self-contained. */
  int definitions;
} WireContext;

/* An encoder is a userdata: when anything raises, the collector frees what it holds. */
typedef struct Encoder Encoder;

/* Pushes a fresh encoder. context must outlive it. self_contained: definitions are written
   into the parcel itself rather than listed in parcel->defs. */
Encoder *wire_encoder (lua_State *L, const WireContext *context, int self_contained);

/* Appends one value, which must not change before wire_finish. Shared references, cycles and
   shared upvalues are kept among all values of one encoder. What cannot cross raises "<label>:
   <path> is ... and cannot be sent to a worker"; label names the root, as in "argument 2". */
void wire_encode (lua_State *L, Encoder *e, int index, const char *label);

/* Appends items first..last of the list at index, as a list of its own. Paths name item i. */
void wire_encode_slice (lua_State *L, Encoder *e, int index, lua_Integer first,
                        lua_Integer last, const char *label);

/* How a run of items is written: as a list, or as a string of eight bytes a number. */
enum { WIRE_LIST = 1, WIRE_INTEGERS = 4, WIRE_FLOATS = 5 };

/* Appends two values: how items first..last of the list at index are written, and the items. */
void wire_encode_items (lua_State *L, Encoder *e, int index, lua_Integer first,
                        lua_Integer last, const char *label);
/* Pushes items 1..n of the list at index as a message has them, if they are all integers or all floats
   and more than one; it has no metatable. False: nothing was pushed. */
bool wire_pack_items (lua_State *L, int index, lua_Integer n);
/* Frees what that has pushed, but for the handle, before the collector does. May be repeated. */
void wire_free_packed (lua_State *L, int index);
/* Appends what wire_encode_items would, of items that have been packed at index. */
void wire_encode_packed (lua_State *L, Encoder *e, int index, lua_Integer first,
                         lua_Integer last);

/* Raises what wire_encode_items of items 1..n would, without writing them. Items that a metamethod
   would make are not looked at. */
void wire_check_items (lua_State *L, const WireContext *context, int index, lua_Integer n,
                       const char *label);

/* Appends a string of len bytes, which the caller fills in before it uses the encoder again. */
uint8_t *wire_encode_bytes (lua_State *L, Encoder *e, size_t len);

/* Ends the encoding and returns the parcel, one reference, the caller's. The encoder stays on
   the stack, empty. Raises only for want of memory. */
Parcel *wire_finish (lua_State *L, Encoder *e);

/* Pushes by what name the function at index crosses, as "neap.VectorArray.zeros"; false, and nothing
   pushed: it has none. */
bool wire_push_name (lua_State *L, int index);

/* Pushes the values of the parcel and returns how many; raises "malformed message: <what> at
   byte <offset>" on bytes that are not an encoding. */
int wire_decode (lua_State *L, const Parcel *p, const WireContext *context);

/* The same for runs of items that wire_encode_items has written: their bytes may be left where they
   are, which wire_bytes tells as long as the parcel lives. */
int wire_decode_numbers (lua_State *L, const Parcel *p, const WireContext *context);
/* The bytes of the run at index; NULL: it is no string. */
const uint8_t *wire_bytes (lua_State *L, int index, size_t *len);

/* Sender: the parcel of a definition that a parcel lists (a reference for the caller), to be
   sent before that parcel. Receiver: takes it up. */
Parcel *wire_definition (lua_State *L, Definition d);
void wire_define (lua_State *L, const Parcel *p, const WireContext *context);

/* Sender: which definitions one receiver has. Plain memory, no Lua. */
typedef struct Known {
  uint32_t *versions; /* by number - 1; 0: unknown */
  size_t n;
} Known;
int known_add (Known *k, Definition d, int *is_new); /* 0 or UV_ENOMEM */
void known_fini (Known *k);

int luaopen_host_wire (lua_State *L);

#endif
