/* luawire.c - the module host.wire: messages as strings, for files and for specs. */
#include "wire/wire.h"

#include <limits.h>
#include <string.h>
#include <lauxlib.h>
#include <uv.h>
#include "metatable.h"
#include "wire/bytes.h"
#include "wire/frame.h"
#include "wire/outgoing.h"
#include "wire/peer.h"

#define READER_TNAME "neap.wire.reader"
#define OUTGOING_TNAME "neap.wire.outgoing"
#define MESSAGE_TNAME "neap.wire.parcel"

typedef struct Reader {
  FrameReader *r; /* NULL when closed */
} Reader;

/* Owns what a message refers to while strings are made of it. */
static Message *push_message (lua_State *L) {
  Message *m = lua_newuserdatauv(L, sizeof *m, 0);
  *m = (Message){0};
  luaL_setmetatable(L, MESSAGE_TNAME);
  return m;
}

static int l_outgoing_gc (lua_State *L) {
  outgoing_fini(luaL_checkudata(L, 1, OUTGOING_TNAME));
  return 0;
}

/* Closed until outgoing_init. */
static Outgoing *push_outgoing (lua_State *L) {
  Outgoing *o = lua_newuserdatauv(L, sizeof *o, 0);
  outgoing_clear(o);
  static const luaL_Reg outgoing_metamethods[] = {{"__gc", l_outgoing_gc}, {NULL, NULL}};
  metatable_set(L, OUTGOING_TNAME, outgoing_metamethods);
  return o;
}

static int l_message_gc (lua_State *L) {
  message_fini(luaL_checkudata(L, 1, MESSAGE_TNAME));
  return 0;
}

/* Pushes the message as one string. */
static void push_bytes (lua_State *L, const Message *m) {
  luaL_Buffer b;
  Outgoing *o = push_outgoing(L);
  luaL_buffinit(L, &b);
  int rc = outgoing_init(o, m, false);
  if (rc < 0) luaL_error(L, "cannot encode: %s", uv_strerror(rc));
  for (unsigned i = 0; i < o->n_pieces; i++) {
    luaL_addlstring(&b, o->pieces[i].iov_base, o->pieces[i].iov_len);
  }
  outgoing_fini(o);
  luaL_pushresult(&b);
}

/* parcel:bytes() -> string, one that decode takes */
static int l_bytes (lua_State *L) {
  push_bytes(L, luaL_checkudata(L, 1, MESSAGE_TNAME));
  return 1;
}

/* #parcel: bytes, those of its blocks included */
static int l_message_len (lua_State *L) {
  const Message *m = luaL_checkudata(L, 1, MESSAGE_TNAME);
  lua_pushinteger(L, m->parcel != NULL ? (lua_Integer)parcel_total_len(m->parcel) : 0);
  return 1;
}

/* parcel(...) -> parcel: the values, encoded */
static int l_parcel (lua_State *L) {
  int n = lua_gettop(L);
  luaL_checkstack(L, 20, NULL);
  Message *m = push_message(L);
  Encoder *e = wire_encoder(L, NULL, 1);
  for (int i = 1; i <= n; i++) {
    const char *label = lua_pushfstring(L, "argument %d", i);
    wire_encode(L, e, i, label);
    lua_pop(L, 1);
  }
  m->parcel = wire_finish(L, e);
  lua_pop(L, 1);
  return 1;
}

/* encode(...) -> string */
static int l_encode (lua_State *L) {
  l_parcel(L);
  push_bytes(L, lua_touserdata(L, -1));
  return 1;
}

/* encode_slice(list, first, last) -> string */
static int l_encode_slice (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
  Message *m = push_message(L);
  Encoder *e = wire_encoder(L, NULL, 1);
  wire_encode_slice(L, e, 1, first, last, "argument 1");
  m->parcel = wire_finish(L, e);
  push_bytes(L, m);
  return 1;
}

/* reader([limit]) -> Reader; limit: bytes of one message */
static int l_reader (lua_State *L) {
  lua_Integer limit = luaL_optinteger(L, 1, LLONG_MAX);
  luaL_argcheck(L, limit >= 0, 1, "not negative expected");
  Reader *reader = lua_newuserdatauv(L, sizeof *reader, 0);
  *reader = (Reader){0};
  luaL_setmetatable(L, READER_TNAME);
  reader->r = frame_reader_new((uint64_t)limit);
  return reader->r != NULL ? 1 : luaL_error(L, "not enough memory");
}

static Reader *check_reader (lua_State *L) {
  Reader *reader = luaL_checkudata(L, 1, READER_TNAME);
  luaL_argcheck(L, reader->r != NULL, 1, "reader is closed");
  return reader;
}

/* Gives all the bytes to the reader, in pieces as large as it takes them. */
static int feed (FrameReader *r, const char *s, size_t len) {
  while (len > 0) {
    uint8_t *where;
    size_t room;
    frame_reader_space(r, &where, &room);
    if (room > len) room = len;
    memcpy(where, s, room);
    int rc = frame_reader_feed(r, room);
    if (rc < 0) return rc;
    s += room;
    len -= room;
  }
  return 0;
}

/* reader:feed(bytes) -> true | nil, message, code */
static int l_feed (lua_State *L) {
  Reader *reader = check_reader(L);
  size_t len;
  const char *s = luaL_checklstring(L, 2, &len);
  int rc = feed(reader->r, s, len);
  if (rc < 0) {
    luaL_pushfail(L);
    lua_pushstring(L, frame_reader_error(reader->r));
    lua_pushstring(L, uv_err_name(rc));
    return 3;
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* reader:next() -> { type =, flags =, request =, bytes =, blocks = {...} } | nil */
static int l_next (lua_State *L) {
  Reader *reader = check_reader(L);
  Message *m = push_message(L);
  if (!frame_reader_next(reader->r, m)) {
    lua_pushnil(L);
    return 1;
  }
  const Parcel *p = m->parcel;
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, m->type);
  lua_setfield(L, -2, "type");
  lua_pushinteger(L, m->flags);
  lua_setfield(L, -2, "flags");
  lua_pushinteger(L, (lua_Integer)m->request);
  lua_setfield(L, -2, "request");
  if (p != NULL) lua_pushlstring(L, (const char *)p->bytes, p->len);
  else lua_pushliteral(L, "");
  lua_setfield(L, -2, "bytes");
  lua_newtable(L);
  for (uint32_t i = 0; p != NULL && i < p->n_slices; i++) {
    const void *bytes;
    if (snapshot_bytes(p->slices[i], &bytes) < 0) return luaL_error(L, "not enough memory");
    lua_pushlstring(L, bytes, snapshot_len(p->slices[i]));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "blocks");
  return 1;
}

/* reader:is_idle() -> boolean: no message has begun */
static int l_is_idle (lua_State *L) {
  lua_pushboolean(L, frame_reader_is_idle(check_reader(L)->r));
  return 1;
}

static int l_close (lua_State *L) {
  Reader *reader = luaL_checkudata(L, 1, READER_TNAME);
  frame_reader_free(reader->r);
  reader->r = NULL;
  return 0;
}

/* decode(parcel or string) -> the values that were encoded */
static int l_decode (lua_State *L) {
  const Message *given = luaL_testudata(L, 1, MESSAGE_TNAME);
  if (given != NULL) return given->parcel != NULL ? wire_decode(L, given->parcel, NULL) : 0;
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  lua_settop(L, 1);
  Message *m = push_message(L);
  lua_pushcfunction(L, l_reader);
  lua_pushinteger(L, (lua_Integer)len); /* what it announces must be there */
  lua_call(L, 1, 1);
  Reader *reader = lua_touserdata(L, -1);
  int rc = feed(reader->r, s, len);
  if (rc < 0) return luaL_error(L, "malformed message: %s", frame_reader_error(reader->r));
  if (!frame_reader_next(reader->r, m) || !frame_reader_is_idle(reader->r)) {
    return luaL_error(L, "malformed message: cut short at byte %I", (lua_Integer)len);
  }
  return m->parcel != NULL ? wire_decode(L, m->parcel, NULL) : 0;
}

static const luaL_Reg functions[] = {
  {"encode", l_encode}, {"parcel", l_parcel}, {"encode_slice", l_encode_slice},
  {"decode", l_decode}, {"reader", l_reader}, {"peer", peer_new},
  {NULL, NULL},
};
static const luaL_Reg methods[] = {
  {"feed", l_feed}, {"next", l_next}, {"is_idle", l_is_idle}, {"close", l_close}, {NULL, NULL},
};
static const luaL_Reg message_metamethods[] = {
  {"__gc", l_message_gc},
  {"__len", l_message_len},
  {NULL, NULL},
};
static const luaL_Reg metamethods[] = {{"__gc", l_close}, {"__close", l_close}, {NULL, NULL}};

int luaopen_host_wire (lua_State *L) {
  peer_open(L);
  luaL_newmetatable(L, MESSAGE_TNAME);
  luaL_setfuncs(L, message_metamethods, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_bytes);
  lua_setfield(L, -2, "bytes");
  lua_setfield(L, -2, "__index");
  luaL_newmetatable(L, READER_TNAME);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  luaL_newlib(L, functions);
  return 1;
}
