/* session_apply.c - calls one function for the driver and sends what it returns. */
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include "worker/protocol.h"
#include "worker/session_internal.h"

/* Cuts the frames of this worker's own C functions off the end of a traceback. */
static void trim (luaL_Buffer *b, const char *text) {
  static const char runtime[] = "\n\t[C]: in ?";
  size_t len = strlen(text), cut = sizeof runtime - 1;
  while (len >= cut && memcmp(text + len - cut, runtime, cut) == 0) len -= cut;
  luaL_addlstring(b, text, len);
}

/* Lua finds names for C functions in what is loaded here, and neap itself may not be. The text at
   index gets the names that users know. */
static void make_names_public (lua_State *L, int index) {
  luaL_gsub(L, lua_tostring(L, index), "'host.array.", "'neap.");
  lua_replace(L, index);
}

/* Lua names a function after the code that calls it. One that a call is for is called by no such
   code: "bad argument #1 to '?'" gets the name by which it has come. */
static void name_function (lua_State *L) {
  lua_Debug ar;
  if (lua_type(L, 1) != LUA_TSTRING || strstr(lua_tostring(L, 1), "bad argument #") == NULL)
    return;
  make_names_public(L, 1);
  const char *text = lua_tostring(L, 1);
  if (strstr(text, "to '?' (") == NULL) return;
  if (!lua_getstack(L, 1, &ar) || !lua_getinfo(L, "f", &ar)) return;
  if (lua_iscfunction(L, -1) && wire_push_name(L, -1)) {
    const char *name = lua_pushfstring(L, "to '%s' (", lua_tostring(L, -1));
    luaL_gsub(L, text, "to '?' (", name);
    lua_replace(L, 1);
  }
  lua_settop(L, 1);
}

static int l_tostring (lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Pushes the text of what was raised at 1: its own __tostring may fail. */
static void push_text (lua_State *L) {
  if (luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL) {
    luaL_tolstring(L, 1, NULL);
    return;
  }
  lua_settop(L, 2);
  lua_pushcfunction(L, l_tostring);
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return;
  const char *why = lua_tostring(L, -1);
  lua_pushfstring(L, "%s whose __tostring fails: %s", luaL_typename(L, 1),
                  why != NULL ? why : luaL_typename(L, -1));
  lua_replace(L, 3);
}

int session_traceback (lua_State *L) {
  lua_settop(L, 1);
  name_function(L);
  lua_createtable(L, 0, 4);
  push_text(L);
  lua_setfield(L, 2, "message");
  lua_pushvalue(L, 1);
  lua_setfield(L, 2, "value");
  lua_pushboolean(L, 0);
  lua_setfield(L, 2, "item"); /* makes room for it */
  luaL_traceback(L, L, NULL, 1);
  make_names_public(L, 3);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  trim(&b, lua_tostring(L, 3));
  luaL_pushresult(&b);
  if (strchr(lua_tostring(L, -1), '\n') != NULL) lua_setfield(L, 2, "traceback");
  lua_settop(L, 2);
  return 1;
}

/* stack: error, reason */
static int l_leave_out (lua_State *L) {
  lua_getfield(L, 1, "message");
  if (lua_getfield(L, 1, "value") == LUA_TTABLE && lua_type(L, 2) == LUA_TSTRING) {
    lua_pushfstring(L, "%s (%s)", lua_tostring(L, 3), lua_tostring(L, 2));
    lua_setfield(L, 1, "message");
  }
  return 0;
}

void session_leave_out (lua_State *L, int at) {
  lua_pushcfunction(L, l_leave_out);
  lua_insert(L, -2);
  lua_pushvalue(L, at);
  lua_insert(L, -2);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1); /* no memory for the reason */
  lua_pushnil(L);
  lua_setfield(L, at, "value");
}

/* stack: call, keep id, f, arguments... */
void session_apply (lua_State *L, Session *s, const Message *m) {
  int n = wire_decode(L, m->parcel, &s->context);
  if (n < 3) luaL_error(L, "malformed request");
  s->call = (uint64_t)lua_tointeger(L, 1);
  if (s->io.is_cancelled(s->io.user, s->call, false)) {
    s->answer_flags = ANSWER_NOT_BEGUN;
    luaL_error(L, "cancelled");
  }
  lua_Integer keep = lua_tointeger(L, 2);
  s->item = (m->flags & REQUEST_ANYWHERE) != 0 ? 0 : s->worker;
  s->is_map = false;
  s->seeded = false;
  session_globals_enter(L, s, s->call, false);
  session_run(L, s);
  lua_call(L, n - 3, LUA_MULTRET);
  session_ran(L, s);
  int n_results = lua_gettop(L) - 2;
  session_output_flush(s);
  if (keep != 0) {
    lua_settop(L, 3); /* the first result, or nil */
    session_set_object(L, s, keep);
    n_results = 0;
  }
  Encoder *e = wire_encoder(L, &s->context, 0);
  for (int i = 1; i <= n_results; i++) {
    char label[32];
    snprintf(label, sizeof label, "result %d", i);
    wire_encode(L, e, 2 + i, label);
  }
  session_answer(L, s, e, ANSWER_RESULT, m->request);
}
