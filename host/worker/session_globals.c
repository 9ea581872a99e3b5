/* session_globals.c - a global that a worker lacks comes from the driver, for one call.

   What one call knows of the driver's globals is a table, fetched: name -> value, and under
   absent_key a table of the others: name -> true where the driver lacks it as well, or why it
   could not be sent. _G looks into that of the call that runs, and that asks the driver. */
#include <lauxlib.h>
#include "worker/protocol.h"
#include "worker/session_internal.h"

#define MESSAGE_TNAME "neap.Message"

/* Keys by their addresses, in the registry: the metatable of _G; that of every fetched table;
   call -> fetched; the one of calls that were told nothing yet. In a fetched table: absent. */
static const char globals_meta_key, fetched_meta_key, calls_key, fresh_key, absent_key;

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
  if (m->parcel == NULL) return luaL_error(L, "not enough memory in the driver");
  int n = wire_decode(L, m->parcel, &s->context);
  message_fini(m);
  return n;
}

/* Notes what the driver has told, [name, found, value or why not] on top, in the table at
   index fetched; pops the three. */
static void note (lua_State *L, int fetched) {
  int name = lua_gettop(L) - 2;
  bool is_there = lua_toboolean(L, name + 1) && !lua_isnil(L, name + 2);
  if (!is_there) lua_rawgetp(L, fetched, &absent_key);
  lua_pushvalue(L, name);
  if (is_there) lua_pushvalue(L, name + 2);
  else if (lua_toboolean(L, name + 1)) lua_pushboolean(L, 1);
  else lua_pushvalue(L, name + 2); /* a string */
  lua_rawset(L, is_there ? fetched : name + 3);
  lua_settop(L, name - 1);
}

/* Pushes what is noted of the global of the name at index 2; false, and nothing pushed: nothing.
   Raises when it could not be sent. */
static bool push_noted (lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, 1) != LUA_TNIL) return true;
  lua_rawgetp(L, 1, &absent_key);
  lua_pushvalue(L, 2);
  int type = lua_rawget(L, -2);
  if (type == LUA_TSTRING) luaL_error(L, "%s", lua_tostring(L, -1));
  lua_settop(L, type == LUA_TNIL ? 2 : 3); /* stack: fetched, name [, nil] */
  return type != LUA_TNIL;
}

/* __index of what a call knows. Upvalue: the session. stack: fetched, name */
static int l_index (lua_State *L) {
  Session *s = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 2);
  if (!s->running || lua_type(L, 2) != LUA_TSTRING) return 0;
  if (push_noted(L)) return 1;
  Encoder *e = wire_encoder(L, &s->context, 0);
  wire_encode(L, e, 2, "name");
  session_answer(L, s, e, ANSWER_GLOBAL, 0);
  lua_settop(L, 2);
  if (await_answer(L, s) != 3) luaL_error(L, "malformed answer from the driver");
  note(L, 1);
  lua_settop(L, 2);
  s->has_fetched = true;
  return push_noted(L) ? 1 : 0;
}

static void push_fetched (lua_State *L) {
  lua_newtable(L);
  lua_newtable(L);
  lua_rawsetp(L, -2, &absent_key);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &fetched_meta_key);
  lua_setmetatable(L, -2);
}

/* Pushes what the call knows; false, and nothing pushed: nothing was told yet. */
static bool push_call (lua_State *L, uint64_t call) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &calls_key);
  bool is = lua_rawgeti(L, -1, (lua_Integer)call) == LUA_TTABLE;
  if (!is) lua_pop(L, 1);
  else lua_remove(L, -2);
  if (!is) lua_pop(L, 1);
  return is;
}

/* Pushes a new table of what the call knows. */
static void push_new_call (lua_State *L, uint64_t call) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &calls_key);
  push_fetched(L);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, (lua_Integer)call);
  lua_remove(L, -2);
}

/* _G looks into the table on top from now on; pops it. */
static void look_into (lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &globals_meta_key);
  lua_insert(L, -2);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void session_globals_enter (lua_State *L, Session *s, uint64_t call, bool is_map) {
  luaL_checkstack(L, 6, NULL);
  if (is_map && s->globals_call == call) return;
  bool is_told = push_call(L, call);
  if (!is_told && is_map) push_new_call(L, call);
  if (is_told || is_map) {
    look_into(L);
    s->globals_call = call;
  } else if (s->globals_call != 0) { /* most calls: nothing has to be made for them */
    lua_rawgetp(L, LUA_REGISTRYINDEX, &fresh_key);
    look_into(L);
    s->globals_call = 0;
  }
}

void session_globals_end (lua_State *L, Session *s, uint64_t call) {
  luaL_checkstack(L, 6, NULL);
  if (s->has_fetched && s->globals_call == 0) {
    s->has_fetched = false;
    push_fetched(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &fresh_key);
    look_into(L);
  } else if (push_call(L, call)) {
    lua_pop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &calls_key);
    lua_pushnil(L);
    lua_rawseti(L, -2, (lua_Integer)call);
    lua_pop(L, 1);
  }
}

/* What the driver tells beforehand. */
void session_globals_give (lua_State *L, Session *s, const Message *m) {
  if (!push_call(L, m->request)) push_new_call(L, m->request);
  int fetched = lua_gettop(L);
  if (wire_decode(L, m->parcel, &s->context) != 3) luaL_error(L, "malformed request");
  note(L, fetched);
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
  lua_rawsetp(L, LUA_REGISTRYINDEX, &calls_key);
  lua_newtable(L);
  lua_pushlightuserdata(L, s);
  lua_pushcclosure(L, l_index, 1);
  lua_setfield(L, -2, "__index");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &fetched_meta_key);
  lua_pushglobaltable(L);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &globals_meta_key);
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
  push_fetched(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &fresh_key);
  look_into(L);
}
