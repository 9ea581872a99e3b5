/* session_globals.c - a global that a worker lacks comes from the driver, for one call. */
#include <lauxlib.h>
#include "worker/protocol.h"
#include "worker/session_internal.h"

#define MESSAGE_TNAME "neap.Message"

/* Registry keys: what has been fetched in this call, and what the driver lacks as well. */
static const char fetched_key, absent_key;

/* Waits for the answer to a question, takes up the definitions that come before it, and pushes
   its values; returns how many. */
static int await_answer (lua_State *L, Session *s) {
  Message *m = lua_newuserdatauv(L, sizeof *m, 0); /* finied by the collector if this raises */
  *m = (Message){0};
  luaL_setmetatable(L, MESSAGE_TNAME);
  for (;;) {
    int rc = s->io.answer(s->io.user, m);
    if (rc < 0) return luaL_error(L, "no answer from the driver: %s", uv_strerror(rc));
    if (m->type == REQUEST_GLOBAL) break;
    wire_define(L, m->parcel, &s->context);
    message_fini(m);
  }
  int n = wire_decode(L, m->parcel, &s->context);
  message_fini(m);
  return n;
}

/* Pushes the driver's global of the name at index 2. */
static void fetch (lua_State *L, Session *s) {
  int top = lua_gettop(L);
  Encoder *e = wire_encoder(L, &s->context, 0);
  wire_encode(L, e, 2, "name");
  session_answer(L, s, e, ANSWER_GLOBAL, 0);
  if (await_answer(L, s) != 2) luaL_error(L, "malformed answer from the driver");
  if (lua_isnil(L, -2)) luaL_error(L, "%s", lua_tostring(L, -1)); /* why it cannot be sent */
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
}

/* __index of the globals and of what has been fetched: fetched values are found first. */
static int l_index (lua_State *L) {
  Session *s = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 2);
  if (!s->running || lua_type(L, 2) != LUA_TSTRING) return 0;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &absent_key);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, 3) != LUA_TNIL) return 0;
  lua_settop(L, 3);
  fetch(L, s);
  lua_pushvalue(L, 2);
  if (lua_isnil(L, 4)) {
    lua_pushboolean(L, 1);
    lua_rawset(L, 3);
  } else {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &fetched_key);
    lua_insert(L, -2);
    lua_pushvalue(L, 4);
    lua_rawset(L, -3);
  }
  lua_settop(L, 4);
  return 1;
}

static void clear (lua_State *L, const void *key) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  for (;;) {
    lua_pushnil(L);
    if (lua_next(L, -2) == 0) break;
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
}

/* Both tables stay the same objects, so that _G's metatable need not change. */
void session_globals_reset (lua_State *L, Session *s) {
  (void)s;
  clear(L, &fetched_key);
  clear(L, &absent_key);
}

static int l_message_gc (lua_State *L) {
  message_fini(luaL_checkudata(L, 1, MESSAGE_TNAME));
  return 0;
}

void session_globals_open (lua_State *L, Session *s) {
  luaL_newmetatable(L, MESSAGE_TNAME);
  lua_pushcfunction(L, l_message_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &absent_key);
  lua_newtable(L); /* fetched: _G -> fetched -> driver */
  lua_newtable(L);
  lua_pushlightuserdata(L, s);
  lua_pushcclosure(L, l_index, 1);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &fetched_key);
  lua_pushglobaltable(L);
  lua_newtable(L);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pop(L, 2);
}
