/* decoder.h - the decoder from inside: its state, and what its files call of one another. */
#ifndef DECODER_H
#define DECODER_H

#include <lua.h>
#include "array/image.h"
#include "wire/parcel.h"
#include "wire/bytes.h"
#include "wire/format.h"
#include "wire/wire.h"

/* A value with parts that is being built. It stays in the Lua stack at index object. */
enum { BUILD_TABLE, BUILD_FUNCTION };
enum {
  BUILD_HAS_META = 1, /* and it has not come yet */
  BUILD_HAS_KEY = 2,  /* the key of the next value is on top */
  BUILD_IMMUTABLE = 4
};

enum { RECENT_REF_BITS = 4, RECENT_REFS = 1 << RECENT_REF_BITS };

typedef struct DecoderFrame {
  uint8_t kind, flags;
  uint8_t n_upvalues, upvalue;
  int object;
  uint32_t item, n_items; /* how many have come, how many will have */
  uint32_t n_fields;      /* left */
} DecoderFrame;

/* A userdata: when anything raises, the collector frees what it holds. */
typedef struct Decoder {
  const WireContext *context;
  const uint8_t *bytes;    /* of the parcel; offsets count from here */
  size_t at, end;          /* what is left of the values */
  Snapshot *const *slices; /* those that the bytes may refer to */
  uint32_t n_slices;
  BlockSlice *opened;   /* owned: the blocks of the slices, once they are referred to */
  size_t promised;      /* values that open tables still want: at least a byte each */
  DecoderFrame *frames; /* owned */
  size_t n_frames, room_frames;
  Block *held[ARRAY_SLICES]; /* references of the array that is being made */
  size_t
    recent[RECENT_REFS]; /* offsets of what lies in the stack from recent_slots on; 0: none */
  int recent_slots;      /* what is referred to often (names of fields) is at hand there */
  int shared;            /* stack index of a table: offset -> object met there */
  int definitions;       /* stack index of a table, see define.c */
  int class;             /* stack index of the class being defined, or 0 */
  bool has_arrays;       /* the module that makes them is loaded */
  bool may_await;        /* classes that have not been defined yet may be referred to */
  uint64_t upvalue_at;   /* where the upvalue that is under way began; 0: not shared */
} Decoder;

/* Pushes a decoder and what it needs in the stack, DECODER_SLOTS in all; the table of definitions
   lies at index definitions. The bytes must outlive it. */
enum { DECODER_SLOTS = 2 + RECENT_REFS };
Decoder *decoder_push (lua_State *L, const WireContext *context, int definitions);
int decoder_malformed (lua_State *L, const Decoder *d, const char *what);

/* Each reads at d->at, within d->end, and raises where too little is left. */
static inline const uint8_t *decoder_take (lua_State *L, Decoder *d, size_t n) {
  if (d->end - d->at < n) decoder_malformed(L, d, "cut short");
  const uint8_t *p = d->bytes + d->at;
  d->at += n;
  return p;
}

uint64_t decoder_varint (lua_State *L, Decoder *d);
size_t decoder_length (lua_State *L, Decoder *d); /* a varint, at most what is left */
static inline uint8_t decoder_byte (lua_State *L, Decoder *d) {
  return *decoder_take(L, d, 1);
}

DecoderFrame *decoder_open (lua_State *L, Decoder *d, uint8_t kind); /* for what is on top */
void decoder_share (lua_State *L, Decoder *d,
                    size_t offset);                          /* the value on top stands there */
void decoder_ref (lua_State *L, Decoder *d, size_t *offset); /* pushes what is referred to */
void decoder_values (lua_State *L, Decoder *d, uint32_t n);  /* pushes n whole values */

/* decode_function.c: push a value, or leave one on top under a new frame. */
void decode_function (lua_State *L, Decoder *d);
void decode_upvalue (lua_State *L, Decoder *d);      /* reads the next one of the last frame */
void decode_upvalue_done (lua_State *L, Decoder *d); /* its value is on top: sets and pops it */
/* decode_object.c */
void decode_class (lua_State *L, Decoder *d);
void decode_named (lua_State *L, Decoder *d);
void decode_remote (lua_State *L, Decoder *d);
/* decode_array.c */
void decode_array (lua_State *L, Decoder *d);
/* decode_view.c */
void decode_base (lua_State *L, Decoder *d);
void decode_view (lua_State *L, Decoder *d);
void decoder_close_slices (Decoder *d); /* the blocks of the slices are the arrays' now */
/* All is decoded: not left to the collector, since a finalizer for which there is no memory is never
   called. */
void decoder_close (Decoder *d);
bool decode_read (lua_State *L,
                  Decoder *d); /* one value or its beginning; true: a frame opened */

#endif
