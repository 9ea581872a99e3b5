/* chunk_answer.c - encodes the results of a chunk, and finds the items that it cannot encode. */
#include "worker/chunk_answer.h"

#include <stdio.h>
#include <lauxlib.h>
#include "worker/protocol.h"
#include "worker/session_internal.h"

static void make_label (char *label, size_t size, int k) {
  snprintf(label, size, "result %d", k + 1);
}

/* Answer: [the error that has ended the chunk, where one has,] first, count done, seconds, failures
   or nil, kind and items of each value
   stack: the answer, failures or nil or the error, the columns */
static int l_send (lua_State *L) {
  const ChunkAnswer *a = lua_touserdata(L, 1);
  Session *s = a->session;
  Encoder *e = wire_encoder(L, &s->context, 0);
  int at = lua_gettop(L);
  if (a->error != 0) {
    wire_encode(L, e, 2, "error");
    lua_pushnil(L);
    lua_replace(L, 2);
  }
  lua_pushinteger(L, a->first);
  wire_encode(L, e, -1, "first");
  lua_pushinteger(L, a->done);
  wire_encode(L, e, -1, "count");
  lua_pushnumber(L, a->seconds);
  wire_encode(L, e, -1, "seconds");
  wire_encode(L, e, 2, "error");
  lua_settop(L, at);
  for (int k = 0; k < a->n_columns; k++) {
    char label[32];
    make_label(label, sizeof label, k);
    Column column = a->columns[k];
    column.index = 3 + k; /* as it stands here */
    column_encode(L, &column, e, a->done, label);
  }
  session_answer(L, s, e, a->error != 0 ? ANSWER_ERROR : ANSWER_RESULT, a->request);
  return 0;
}

/* Leaves what it raised on the stack, where it does. */
static int try_to_send (lua_State *L, ChunkAnswer *a) {
  luaL_checkstack(L, 8 + a->n_columns, "too many results");
  lua_pushcfunction(L, l_send);
  lua_pushlightuserdata(L, a);
  if (a->error != 0) lua_pushvalue(L, a->error);
  else if (a->failures != 0) lua_pushvalue(L, a->failures);
  else lua_pushnil(L);
  for (int k = 0; k < a->n_columns; k++) lua_pushvalue(L, a->columns[k].index);
  int status = lua_pcall(L, 2 + a->n_columns, 0, 0);
  session_out_of_memory(L, status);
  return status;
}

/* stack: the session, a label, a value */
static int l_encode (lua_State *L) {
  Session *s = lua_touserdata(L, 1);
  wire_encode(L, wire_encoder(L, &s->context, 0), 3, lua_tostring(L, 2));
  return 0;
}

/* Can the value on top be sent? Replaces it by what is raised otherwise, pops it where it can. */
static bool can_send (lua_State *L, Session *s, const char *label) {
  lua_pushcfunction(L, l_encode);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, s);
  lua_insert(L, -2);
  lua_pushstring(L, label);
  lua_insert(L, -2);
  int status = lua_pcall(L, 3, 0, 0);
  if (status != LUA_OK && status != LUA_ERRRUN)
    lua_error(L); /* that is no fault of the value */
  return status == LUA_OK;
}

/* What was raised for an item need not be sent, as long as its text is. */
static bool cut_failures (lua_State *L, const ChunkAnswer *a) {
  bool found = false;
  lua_pushnil(L);
  while (lua_next(L, a->failures) != 0) {
    lua_getfield(L, -1, "value");
    if (!can_send(L, a->session, "error")) {
      session_leave_out(L, lua_gettop(L) - 1);
      found = true;
    }
    lua_pop(L, 1);
  }
  return found;
}

/* Makes an error of the value on top. */
static void push_error (lua_State *L) {
  lua_pushcfunction(L, session_traceback);
  lua_insert(L, -2);
  lua_call(L, 1, 1);
}

/* Makes item i, for which the value on top was raised, one that has failed; pops that. */
static void fail (lua_State *L, ChunkAnswer *a, lua_Integer i) {
  push_error(L);
  lua_rawseti(L, a->failures, chunk_item(L, a->first, a->order, i));
  for (int k = 0; k < a->n_columns; k++) column_clear(L, &a->columns[k], i);
}

/* Item i, if not all of its values can be sent, fails; false leaves what that raised on the stack,
   where no failures are collected. */
static bool look_at (lua_State *L, ChunkAnswer *a, lua_Integer i, bool *found) {
  for (int k = 0; k < a->n_columns; k++) {
    if (a->columns[k].kind != SEQUENCE_LIST) continue;
    char label[32];
    make_label(label, sizeof label, k);
    lua_rawgeti(L, a->columns[k].index, i);
    if (can_send(L, a->session, label)) continue;
    if (a->failures == 0) return false;
    fail(L, a, i);
    *found = true;
    return true;
  }
  return true;
}

void chunk_answer_error (lua_State *L, ChunkAnswer *a) {
  a->error = lua_gettop(L);
  a->failures = 0;
  lua_pushinteger(L, a->session->item);
  lua_setfield(L, a->error, "item");
  session_output_flush(a->session);
  if (try_to_send(L, a) == LUA_OK) return;
  lua_getfield(L, a->error, "value");
  if (!can_send(L, a->session, "error")) {
    session_leave_out(L, a->error);
    if (try_to_send(L, a) == LUA_OK) return;
  }
  a->done = 0; /* it is one of the values that cannot */
  a->n_columns = 0;
  if (try_to_send(L, a) != LUA_OK) lua_error(L);
}

void chunk_answer (lua_State *L, ChunkAnswer *a) {
  session_output_flush(a->session);
  int status = try_to_send(L, a);
  if (status == LUA_OK) return;
  if (status != LUA_ERRRUN) lua_error(L);
  bool found = a->failures != 0 && cut_failures(L, a);
  for (lua_Integer i = 1; i <= a->done; i++) {
    if (look_at(L, a, i, &found)) continue;
    push_error(L);
    a->session->item = chunk_item(L, a->first, a->order, i);
    a->done = i - 1;
    chunk_answer_error(L, a);
    return;
  }
  if (!found || try_to_send(L, a) != LUA_OK) lua_error(L);
}
