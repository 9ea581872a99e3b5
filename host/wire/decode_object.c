/* decode_object.c - what is known by a name, a number or an id. */
#include "wire/decoder.h"

#include <lauxlib.h>
#include "wire/names.h"
#include "wire/state.h"

void decode_named (lua_State *L, Decoder *d) {
  /* Looked at before it is read: a name of a name of a name would be recursion in C. */
  int op = d->at < d->end ? d->bytes[d->at] & ~OP_SHARED : OP_NIL;
  bool may_be = op == OP_REF || op == OP_STRING || (op >= OP_SHORT && op < OP_SMALL);
  if (may_be) decode_read(L, d);
  if (!may_be || lua_type(L, -1) != LUA_TSTRING) {
    decoder_malformed(L, d, "a name that is no string");
  }
  uint64_t hash = get_le64(decoder_take(L, d, 8));
  names_resolve(L, -1, hash);
  lua_remove(L, -2);
}

void decode_remote (lua_State *L, Decoder *d) {
  uint64_t id = decoder_varint(L, d);
  int top = lua_gettop(L);
  if (d->context == NULL || d->context->remote_push == NULL ||
      d->context->remote_push(L, id, d->context->user) == 0 || lua_gettop(L) == top) {
    luaL_error(L, "remote object %I is not here", (lua_Integer)id);
  }
}

void decode_class (lua_State *L, Decoder *d) {
  uint64_t number = decoder_varint(L, d);
  const char *uid = (const char *)decoder_take(L, d, UID_LEN);
  if (number == 0) {
    if (d->class == 0) decoder_malformed(L, d, "a class outside of its definition");
    lua_pushvalue(L, d->class);
    return;
  }
  if (number > UINT32_MAX) decoder_malformed(L, d, "number too long");
  if (lua_rawgeti(L, d->definitions, (lua_Integer)number) == LUA_TTABLE) return;
  lua_pop(L, 1);
  if (!d->may_await) decoder_malformed(L, d, "a class that has not been defined");
  /* Classes refer to one another: this one comes later, or is known from elsewhere. */
  state_table(L, STATE_OBJECTS);
  lua_pushlstring(L, uid, UID_LEN);
  if (lua_rawget(L, -2) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    state_set_uid(L, lua_gettop(L), uid);
    lua_pushinteger(L, 0); /* its version: nothing of it is here */
    lua_rawseti(L, d->definitions, -(lua_Integer)number);
  }
  lua_remove(L, -2);
  lua_pushvalue(L, -1);
  lua_rawseti(L, d->definitions, (lua_Integer)number);
}
