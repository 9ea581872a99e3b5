/* define.c - whole parcels: values, and the definitions that go before or with them.

   The table of definitions holds what one sender has defined: number -> the code as a string,
   or the class. Under the negated number: the function that was made of the code last; the
   version of the class, or false when it was known here before and is not the sender's to
   change. */
#include "wire/decoder.h"

#include <string.h>
#include <lauxlib.h>
#include "wire/state.h"

enum { PLAIN_MAX = FRAME_SLOTS }; /* values that are decoded without a decoder on the stack */

/* The bytes and slices of a parcel or of one inside it. */
typedef struct Part {
  const uint8_t *bytes;
  size_t len;
  Snapshot *const *slices;
  uint32_t n_slices;
} Part;

static void set_part (Decoder *d, const Part *part) {
  decoder_close_slices(d);
  d->bytes = part->bytes;
  d->at = 0;
  d->end = part->len;
  d->slices = part->slices;
  d->n_slices = part->n_slices;
  d->promised = 0;
  d->n_frames = 0;
  memset(d->recent, 0, sizeof d->recent);
}

static void define_code (lua_State *L, Decoder *d, uint32_t number) {
  uint64_t hash = get_le64(decoder_take(L, d, 8));
  size_t len = d->end - d->at;
  const uint8_t *code = decoder_take(L, d, len);
  /* Lua does not check code: what got broken on the way must not get that far. */
  if (hash_bytes(code, len) != hash)
    decoder_malformed(L, d, "code that does not match its hash");
  lua_pushlstring(L, (const char *)code, len);
  lua_rawseti(L, d->definitions, number);
  lua_pushnil(L);
  lua_rawseti(L, d->definitions, -(lua_Integer)number);
}

/* Empties the table at `to` and gives it the fields and the metatable of the table on top. */
static void replace_contents (lua_State *L, int to) {
  lua_pushnil(L);
  while (lua_next(L, to)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, to);
  }
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, to);
  }
  if (!lua_getmetatable(L, -1)) lua_pushnil(L);
  lua_setmetatable(L, to);
}

static void set_definition (lua_State *L, const Decoder *d, uint32_t number, int class) {
  lua_pushvalue(L, class);
  lua_rawseti(L, d->definitions, number);
}

/* Pushes the class under number, a new one where there is none; false: it is not the sender's
   to fill, or is filled already. */
static bool push_class (lua_State *L, Decoder *d, uint32_t number, uint32_t version,
                        const char *uid) {
  int type = lua_rawgeti(L, d->definitions, -(lua_Integer)number);
  lua_Integer known = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (lua_rawgeti(L, d->definitions, number) == LUA_TTABLE && type == LUA_TNUMBER) {
    return version > known;
  }
  lua_pop(L, 1);
  if (type == LUA_TBOOLEAN) return false;
  state_table(L, STATE_OBJECTS);
  lua_pushlstring(L, uid, UID_LEN);
  bool is_here = lua_rawget(L, -2) == LUA_TTABLE;
  lua_remove(L, -2);
  if (!is_here) {
    lua_pop(L, 1);
    lua_newtable(L);
    state_set_uid(L, lua_gettop(L), uid);
  }
  set_definition(L, d, number, lua_gettop(L));
  lua_pushboolean(L, 0);
  if (!is_here) {
    lua_pop(L, 1);
    lua_pushinteger(L, 0);
  }
  lua_rawseti(L, d->definitions, -(lua_Integer)number);
  return !is_here;
}

static void define_class (lua_State *L, Decoder *d, uint32_t number, uint32_t version) {
  int top = lua_gettop(L);
  const char *uid = (const char *)decoder_take(L, d, UID_LEN);
  if (push_class(L, d, number, version, uid)) {
    d->class = lua_gettop(L);
    d->may_await = true;
    decoder_values(L, d, 1);
    if (!lua_istable(L, -1)) decoder_malformed(L, d, "a class that is no table");
    if (d->at != d->end) decoder_malformed(L, d, "bytes after the end");
    replace_contents(L, d->class);
    lua_pushinteger(L, version);
    lua_rawseti(L, d->definitions, -(lua_Integer)number);
    d->class = 0;
    d->may_await = false;
  }
  lua_settop(L, top);
}

static void define (lua_State *L, Decoder *d, const Part *part) {
  set_part(d, part);
  const uint8_t *head = decoder_take(L, d, HEAD_DEFINITION);
  uint32_t number = get_le32(head + 4), version = get_le32(head + 8);
  if (number == 0) decoder_malformed(L, d, "a definition without a number");
  if (head[0] == PARCEL_CODE) define_code(L, d, number);
  else if (head[0] == PARCEL_CLASS) define_class(L, d, number, version);
  else decoder_malformed(L, d, "an unknown definition");
  /* What was met in one parcel is nothing in the next. */
  lua_newtable(L);
  lua_replace(L, d->shared);
}

/* The definitions that stand behind the values from byte `at` on; *n_slices: how many of the
   parcel's slices belong to the values. */
static void define_contained (lua_State *L, Decoder *d, const Parcel *p, size_t at,
                              uint32_t *n_slices) {
  Decoder list = {.bytes = p->bytes, .at = at, .end = p->len};
  uint32_t n = get_le32(decoder_take(L, &list, 4));
  uint64_t total = 0;
  size_t first = list.at;
  for (uint32_t i = 0; i < n; i++) { /* first the slices: theirs come last in the parcel */
    const uint8_t *head = decoder_take(L, &list, 12);
    uint64_t len = get_le64(head);
    total += get_le32(head + 8);
    if (len > list.end - list.at || total > p->n_slices) {
      decoder_malformed(L, &list, "a definition beyond the end");
    }
    list.at += (size_t)len;
  }
  if (list.at != list.end) decoder_malformed(L, &list, "bytes after the end");
  uint32_t slice = *n_slices = p->n_slices - (uint32_t)total;
  list.at = first;
  for (uint32_t i = 0; i < n; i++) {
    const uint8_t *head = decoder_take(L, &list, 12);
    Part part = {.len = (size_t)get_le64(head), .n_slices = get_le32(head + 8)};
    part.bytes = decoder_take(L, &list, part.len);
    part.slices = p->slices + slice;
    slice += part.n_slices;
    define(L, d, &part);
  }
}

/* Pushes the table of definitions of the context, or a new one. */
static int push_definitions (lua_State *L, const WireContext *context) {
  if (context == NULL || context->definitions == LUA_NOREF ||
      context->definitions == LUA_REFNIL ||
      lua_rawgeti(L, LUA_REGISTRYINDEX, context->definitions) != LUA_TTABLE) {
    if (context != NULL && context->definitions >= 0) lua_pop(L, 1);
    lua_newtable(L);
  }
  return lua_gettop(L);
}

/* Neither refers to anything, nor is referred to, nor has parts. */
static bool is_plain (int op) {
  return op <= OP_STRING || (op >= OP_SHORT && op < OP_SHARED);
}

/* Pushes where a string stands, see wire_bytes. */
static void push_place (lua_State *L, Decoder *d) {
  lua_pushlightuserdata(L, (void *)(uintptr_t)(d->bytes + d->at++));
  decoder_take(L, d, decoder_length(L, d));
}

/* Decodes values of which all are plain, as most answers are, with little ado. Returns how many;
   -1, and nothing is left on the stack: some are not, or the parcel is malformed. */
static int decode_plain (lua_State *L, const Parcel *p, bool in_place) {
  if (p->len < HEAD_VALUES || p->bytes[0] != PARCEL_VALUES || p->bytes[1] != 0 ||
      p->bytes[2] != 0 || p->bytes[3] != 0) {
    return -1;
  }
  uint32_t n = get_le32(p->bytes + 4);
  if (n > PLAIN_MAX || get_le64(p->bytes + 8) != p->len) return -1;
  /* It owns nothing as long as no value has parts: whatever raises leaves nothing behind. */
  Decoder d = {.bytes = p->bytes, .at = HEAD_VALUES, .end = p->len};
  for (uint32_t i = 0; i < n; i++) {
    if (in_place && d.at < d.end && d.bytes[d.at] == OP_STRING) {
      push_place(L, &d);
    } else if (d.at < d.end && is_plain(d.bytes[d.at])) {
      decode_read(L, &d);
    } else {
      lua_pop(L, (int)i);
      return -1;
    }
  }
  if (d.at != d.end) decoder_malformed(L, &d, "bytes after the end");
  return (int)n;
}

int wire_decode (lua_State *L, const Parcel *p, const WireContext *context) {
  luaL_checkstack(L, 2 * FRAME_SLOTS, "too many values");
  int n_plain = decode_plain(L, p, false);
  if (n_plain >= 0) return n_plain;
  int top = lua_gettop(L);
  Part all = {.bytes = p->bytes, .len = p->len, .slices = p->slices, .n_slices = p->n_slices};
  bool contained = p->len >= HEAD_VALUES && (p->bytes[1] & PARCEL_CONTAINED) != 0;
  push_definitions(L, contained ? NULL : context);
  Decoder *d = decoder_push(L, context, top + 1);
  set_part(d, &all);
  const uint8_t *head = decoder_take(L, d, HEAD_VALUES);
  uint32_t n = get_le32(head + 4);
  uint64_t end = get_le64(head + 8);
  if (head[0] != PARCEL_VALUES || head[1] > PARCEL_CONTAINED || head[2] != 0 || head[3] != 0) {
    decoder_malformed(L, d, "no values");
  }
  if (end < HEAD_VALUES || end > p->len) decoder_malformed(L, d, "values beyond the end");
  if (head[1] & PARCEL_CONTAINED) define_contained(L, d, p, (size_t)end, &all.n_slices);
  else if (end != p->len) decoder_malformed(L, d, "bytes after the end");
  all.len = (size_t)end;
  set_part(d, &all);
  d->at = HEAD_VALUES;
  if (n > all.len - HEAD_VALUES) decoder_malformed(L, d, "more values than bytes");
  decoder_values(L, d, n);
  if (d->at != d->end) decoder_malformed(L, d, "bytes after the end");
  decoder_close(d);
  lua_rotate(L, top + 1, (int)n); /* what lies below the values goes */
  lua_settop(L, top + (int)n);
  return (int)n;
}

int wire_decode_numbers (lua_State *L, const Parcel *p, const WireContext *context) {
  int n_plain = decode_plain(L, p, true);
  return n_plain >= 0 ? n_plain : wire_decode(L, p, context);
}

const uint8_t *wire_bytes (lua_State *L, int index, size_t *len) {
  if (lua_type(L, index) == LUA_TSTRING) return (const uint8_t *)lua_tolstring(L, index, len);
  if (!lua_islightuserdata(L, index)) return NULL;
  Decoder d = {.bytes = lua_touserdata(L, index), .at = 1, .end = 1 + VARINT_MAX};
  *len = (size_t)decoder_varint(L, &d); /* it has been looked at: the bytes are all there */
  return d.bytes + d.at;
}

Parcel *wire_definition (lua_State *L, Definition d) {
  (void)L;
  return parcel_retain(d.parcel);
}

void wire_define (lua_State *L, const Parcel *p, const WireContext *context) {
  luaL_checkstack(L, 2 * FRAME_SLOTS, "too many values");
  int top = lua_gettop(L);
  Part part = {.bytes = p->bytes, .len = p->len, .slices = p->slices, .n_slices = p->n_slices};
  push_definitions(L, context);
  Decoder *d = decoder_push(L, context, top + 1);
  define(L, d, &part);
  decoder_close(d);
  lua_settop(L, top);
}
