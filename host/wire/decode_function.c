/* decode_function.c - functions from their code, and their upvalues. */
#include "wire/decoder.h"

#include <lauxlib.h>

typedef struct Code {
  const char *bytes;
  size_t len;
} Code;

static const char *read_code (lua_State *L, void *user, size_t *len) {
  Code *code = user;
  const char *bytes = code->bytes;
  (void)L;
  *len = code->len;
  code->len = 0;
  return *len > 0 ? bytes : NULL;
}

static int count_upvalues (lua_State *L) { /* of the function on top */
  lua_Debug ar;
  lua_pushvalue(L, -1);
  lua_getinfo(L, ">u", &ar);
  return ar.nups;
}

static bool has_globals (lua_State *L) { /* the function on top, as its only upvalue */
  bool has = lua_getupvalue(L, -1, 1) != NULL;
  if (!has) return true;
  lua_pushglobaltable(L);
  has = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return has;
}

/* Pushes a function without upvalues but the globals: the one that was made last time, since
   nothing tells the two apart. But not twice in one parcel: there they are two keys of a table. */
static bool push_again (lua_State *L, const Decoder *d, lua_Integer number) {
  const lua_Integer used = -((lua_Integer)1 << 56) - number; /* no offset, nor negated offset */
  bool is_used = lua_rawgeti(L, d->shared, used) != LUA_TNIL;
  lua_pop(L, 1);
  lua_pushboolean(L, 1);
  lua_rawseti(L, d->shared, used);
  if (is_used) return false;
  if (lua_rawgeti(L, d->definitions, -number) == LUA_TFUNCTION && has_globals(L)) return true;
  lua_pop(L, 1);
  return false;
}

/* stack: ..., code -> ..., function */
static void load (lua_State *L, Decoder *d) {
  Code code;
  code.bytes = lua_tolstring(L, -1, &code.len);
  if (lua_load(L, read_code, &code, "=wire", "b") != LUA_OK) {
    decoder_malformed(L, d, lua_tostring(L, -1));
  }
  lua_remove(L, -2);
}

void decode_function (lua_State *L, Decoder *d) {
  uint64_t number = decoder_varint(L, d);
  int n = decoder_byte(L, d);
  if (number == 0 || number > UINT32_MAX ||
      lua_rawgeti(L, d->definitions, (lua_Integer)number) != LUA_TSTRING) {
    decoder_malformed(L, d, "a function of unknown code");
  }
  bool is_plain = n == 0 || (n == 1 && d->at < d->end && d->bytes[d->at] == OP_GLOBALS);
  if (is_plain && push_again(L, d, (lua_Integer)number)) {
    lua_remove(L, -2);
    if (count_upvalues(L) != n) decoder_malformed(L, d, "wrong number of upvalues");
    d->at += (size_t)n; /* each is that one byte */
    return;
  }
  load(L, d);
  if (count_upvalues(L) != n) decoder_malformed(L, d, "wrong number of upvalues");
  if (is_plain) {
    lua_pushvalue(L, -1);
    lua_rawseti(L, d->definitions, -(lua_Integer)number);
  }
  DecoderFrame *f = decoder_open(L, d, BUILD_FUNCTION);
  f->n_upvalues = (uint8_t)n;
}

/* An upvalue that others share is known by the function that had it first, under its offset,
   and by its index there, under the offset negated. */
static void join (lua_State *L, Decoder *d, DecoderFrame *f) {
  size_t offset;
  decoder_ref(L, d, &offset);
  lua_rawgeti(L, d->shared, -(lua_Integer)offset);
  if (!lua_isinteger(L, -1) || lua_iscfunction(L, -2) || !lua_isfunction(L, -2)) {
    decoder_malformed(L, d, "reference to no upvalue");
  }
  lua_upvaluejoin(L, f->object, ++f->upvalue, -2, (int)lua_tointeger(L, -1));
  lua_pop(L, 2);
}

static void share_upvalue (lua_State *L, Decoder *d, const DecoderFrame *f, size_t offset) {
  lua_pushvalue(L, f->object);
  lua_rawseti(L, d->shared, (lua_Integer)offset);
  lua_pushinteger(L, f->upvalue + 1);
  lua_rawseti(L, d->shared, -(lua_Integer)offset);
}

void decode_upvalue (lua_State *L, Decoder *d) {
  DecoderFrame *f = &d->frames[d->n_frames - 1];
  size_t start = d->at;
  int byte = decoder_byte(L, d);
  switch (byte & ~OP_SHARED) {
    case OP_REF: join(L, d, f); break;
    case OP_GLOBALS:
      lua_pushglobaltable(L);
      decode_upvalue_done(L, d);
      break;
    case OP_UPVALUE:
      if (byte & OP_SHARED) share_upvalue(L, d, f, start);
      if (!decode_read(L, d)) decode_upvalue_done(L, d);
      break;
    default: d->at = start; decoder_malformed(L, d, "no upvalue");
  }
}

void decode_upvalue_done (lua_State *L, Decoder *d) {
  DecoderFrame *f = &d->frames[d->n_frames - 1];
  lua_setupvalue(L, f->object, ++f->upvalue);
}
