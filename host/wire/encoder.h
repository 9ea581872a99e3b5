/* encoder.h - the encoder from inside: its state, and what its files call of one another. */
#ifndef ENCODER_H
#define ENCODER_H

#include <lua.h>
#include "array/image.h"
#include "wire/addressmap.h"
#include "wire/bytes.h"
#include "wire/format.h"
#include "wire/wire.h"

/* Where the encoder stands in a value that has parts. Its object stays in the Lua stack at
   index object, the key of the part that is being encoded above it. */
enum { FRAME_TABLE, FRAME_METATABLE, FRAME_FUNCTION, FRAME_SLICE };
enum {
  FRAME_HAS_META = 1,
  FRAME_HAS_ENTRY = 2, /* stack: key, value, both still to be encoded */
  FRAME_HAS_VALUE = 4, /* stack: key, value; the key has been encoded */
  FRAME_IMMUTABLE = 8, /* the proxy lies below the object, its contents */
  FRAME_AT_END = 16    /* nothing is left to do */
};

typedef struct EncoderFrame {
  uint8_t kind, flags;
  uint8_t n_upvalues, upvalue; /* of a function: how many, and which one is under way */
  int object;
  size_t op;           /* offset of the op, whose counts come after */
  lua_Integer bound;   /* items may go up to here; 0 after the last one */
  lua_Integer n_items; /* in a slice: the index of the item under way */
  lua_Integer last;    /* of a slice */
  uint32_t n_fields;
} EncoderFrame;

enum { RECENT_BITS = 8, RECENT = 1 << RECENT_BITS };

/* The memory in which an encoder works. The last one used is kept for the next encoder: pages
   that have been touched before cost nothing. */
typedef struct Workspace {
  uint8_t *bytes; /* owned */
  size_t room;
  AddressMap met;      /* addresses of objects, long strings, upvalues, slices -> offset */
  AddressSlot *recent; /* owned, a cache: addresses of short strings -> offset */
  bool recent_used;
  EncoderFrame *frames; /* owned */
  size_t room_frames;
} Workspace;

void workspace_fini (Workspace *w); /* may be called any number of times */

/* Bytes at `at` name a range of a block; wire_finish turns it into a range of a slice. */
typedef struct Attachment {
  size_t at;
  BlockSlice range; /* one reference */
} Attachment;

/* What has been written of the views of one base that does not stand in the message itself. */
typedef struct SentView {
  size_t at;       /* offset of its op */
  size_t previous; /* of the same base: number from 1, 0: none */
  ArrayView view;  /* of that base */
  bool is_base;    /* crossed as an array of its own */
} SentView;

typedef struct ViewBase {
  size_t last;     /* number of the last of its views */
  uint32_t *owner; /* owned: by vector, the number of the view that it has been written for */
} ViewBase;

struct WireState;

struct Encoder {
  const WireContext *context;
  struct WireState *state; /* the Lua state's */
  Encoder *root, *parent;  /* of a class inside a value; the root's root is itself */
  int contained;
  int depth;         /* of classes */
  uint32_t number;   /* of the class that this one defines, or 0 */
  const void *class; /* its address */
  bool shares;       /* of a class: what the parent has met as well is part of it */
  bool is_wanted;    /* of a class: something besides its objects refers to it */
  Workspace w;
  size_t len; /* of w.bytes */
  size_t n_frames;
  Attachment *attachments; /* owned */
  size_t n_attachments, room_attachments;
  SentView *views; /* owned */
  size_t n_views, room_views;
  ViewBase *bases; /* owned */
  size_t n_bases, room_bases;
  AddressMap base_numbers; /* addresses of bases -> index in bases */
  ArrayImage image;        /* the one that is being written, with its references */
  uint32_t n_values;
  const void *globals;
  Parcel *result; /* a definition that is whole, until it is taken up */
  const char *label;
  int slots; /* index in the Lua stack, see below */
  /* Only in the root: */
  Definition *defs; /* owned */
  uint32_t n_defs, room_defs;
  AddressMap defined;   /* what stands in defs: addresses of classes -> number, and codes */
  uint64_t fingerprint; /* of package.loaded; 0: not looked at yet */
};

/* What wire_encode keeps in the Lua stack while it runs, from e->slots on: the strings
   "__index" and "__name", the cache (object -> number or name), the WireState. */
enum { SLOT_INDEX, SLOT_NAME, SLOT_CACHE, SLOT_STATE, N_SLOTS };

/* encoder.c */
Encoder *encoder_push (lua_State *L, Encoder *parent);
void encoder_grow (lua_State *L, Encoder *e, size_t n);
void encoder_append (lua_State *L, Encoder *e, const void *data, size_t len);
void encoder_define (lua_State *L, Encoder *e, const void *key, Definition d);
Parcel *encoder_parcel (lua_State *L, Encoder *e); /* ends e; the caller's reference */
int encoder_no_memory (lua_State *L);
void encoder_close (lua_State *L, Encoder *e); /* frees all that e holds; may be repeated */

/* Room for n more bytes, where they go. The caller adds to e->len what it wrote. */
static inline uint8_t *encoder_room (lua_State *L, Encoder *e, size_t n) {
  if (e->w.room - e->len < n) encoder_grow(L, e, n);
  return e->w.bytes + e->len;
}

static inline void encoder_put (lua_State *L, Encoder *e, uint8_t byte) {
  *encoder_room(L, e, 1) = byte;
  e->len++;
}

static inline void encoder_varint (lua_State *L, Encoder *e, uint64_t x) {
  uint8_t *p = encoder_room(L, e, VARINT_MAX);
  e->len += put_varint(p, x);
}

static inline void encoder_ref (lua_State *L, Encoder *e, size_t offset) {
  e->w.bytes[offset] |= OP_SHARED;
  encoder_put(L, e, OP_REF);
  encoder_varint(L, e, offset);
}

/* Has key been met? If so its reference has been written. Else it has been noted as standing
   at the present offset. */
static inline bool encoder_met (lua_State *L, Encoder *e, const void *key) {
  bool is_new;
  size_t *at = addressmap_at(&e->w.met, key, &is_new);
  if (at == NULL) encoder_no_memory(L);
  if (is_new) *at = e->len;
  else encoder_ref(L, e, *at);
  return !is_new;
}

/* Each of these takes the value on top of the stack, writes it and pops it, or leaves it there
   under a new frame. encode.c: */
void encode_value (lua_State *L, Encoder *e);
void encode_anchor (lua_State *L, const Encoder *e);      /* keeps the top alive as long as e */
bool encode_atom (lua_State *L, Encoder *e, int index);   /* pops nothing; false: has parts */
void encode_string (lua_State *L, Encoder *e, int index); /* pops nothing */
EncoderFrame *encode_open (lua_State *L, Encoder *e, uint8_t kind); /* a frame for the top */
void encode_run (lua_State *L, Encoder *e); /* until all frames are done */
/* encode_fields.c */
void encode_fields (lua_State *L, Encoder *e, int flags); /* a table as it lies there */
void encode_step_fields (lua_State *L, Encoder *e);       /* goes on with the last frame */
void encode_step_metatable (lua_State *L, Encoder *e);
void encode_step_slice (lua_State *L, Encoder *e);
/* encode_object.c */
void encode_table (lua_State *L, Encoder *e, bool look); /* look: classes stand here often */
void encode_function (lua_State *L, Encoder *e);
void encode_step_function (lua_State *L, Encoder *e);
/* encode_array.c */
void encode_userdata (lua_State *L, Encoder *e);
void encode_array (lua_State *L, Encoder *e);    /* as it is; pops nothing */
int encode_remote (lua_State *L, Encoder *e);    /* as a remote object: 1, and popped; or 0 */
bool encode_attachments (Encoder *e, Parcel *p); /* become slices of p; false: no memory */
/* encode_view.c: where views and their bases stand in one message they stay that. */
bool encode_view (lua_State *L, Encoder *e); /* the top, noted; false: it goes as an array */
void encode_base (lua_State *L, Encoder *e); /* the top, noted, with what it takes over */
void encode_views_fini (Encoder *e);

/* refuse.c: raises an error about the value that is being encoded. */
int encode_refuse (lua_State *L, Encoder *e, const char *what, const char *advice);
int encode_refuse_kind (lua_State *L, Encoder *e); /* by the kind of what is on top */

#endif
