/* session_map.c - does chunks of a map: consecutive items with one function. */
#include <stdio.h>
#include <lauxlib.h>
#include <uv.h>
#include "worker/protocol.h"
#include "worker/session_internal.h"

/* stack: call, f, kw or nil */
void session_map_begin (lua_State *L, Session *s, const Message *m) {
  if (wire_decode(L, m->parcel, &s->context) != 3) luaL_error(L, "malformed request");
  session_globals_reset(L, s);
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->maps);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, 2);
  lua_rawseti(L, -2, lua_tointeger(L, 1));
}

void session_map_end (lua_State *L, Session *s, const Message *m) {
  wire_decode(L, m->parcel, &s->context);
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->maps);
  lua_pushnil(L);
  lua_rawseti(L, -2, lua_tointeger(L, 1));
}

/* A chunk under way. Stack positions: those of the decoded request, then the function, kw,
   and from results on one list for each value that f has returned so far. */
typedef struct Chunk {
  Session *s;
  lua_Integer first, count;
  int sequences; /* stack index of the first sequence's kind */
  int end;       /* behind the last sequence */
  int f, kw;
  int results; /* stack index of the first list */
  int n_results;
} Chunk;

/* Pushes item i (from 1) of each sequence; returns how many. */
static int push_item (lua_State *L, const Chunk *c, lua_Integer i) {
  int n = 0;
  for (int at = c->sequences; at < c->end; n++) {
    switch (lua_tointeger(L, at)) {
      case SEQUENCE_LIST:
        lua_rawgeti(L, at + 1, i);
        at += 2;
        break;
      case SEQUENCE_ARRAY:
        lua_geti(L, at + 1, i);
        at += 2;
        break;
      case SEQUENCE_RANGE:
        if (lua_isinteger(L, at + 1) && lua_isinteger(L, at + 2)) {
          lua_pushinteger(L, lua_tointeger(L, at + 1) + (i - 1) * lua_tointeger(L, at + 2));
        } else {
          lua_pushnumber(L, lua_tonumber(L, at + 1) +
                              (lua_Number)(c->first + i - 2) * lua_tonumber(L, at + 2));
        }
        at += 3;
        break;
      default: luaL_error(L, "malformed request");
    }
  }
  return n;
}

/* Moves the values above the lists into item i of the lists, which grow as needed. */
static void store (lua_State *L, Chunk *c, lua_Integer i) {
  int n = lua_gettop(L) - (c->results + c->n_results - 1);
  while (n > c->n_results) { /* stack: lists, values: a new list goes between them */
    lua_createtable(L, (int)(c->count < 1 << 20 ? c->count : 1 << 20), 0);
    lua_insert(L, c->results + c->n_results);
    c->n_results++;
  }
  for (; n > 0; n--) lua_rawseti(L, c->results + n - 1, i);
}

/* Pushes f and the arguments of item i; returns how many arguments. */
static int push_call (lua_State *L, Chunk *c, lua_Integer i) {
  luaL_checkstack(L, 8 + (c->end - c->sequences), "too many results");
  lua_pushvalue(L, c->f);
  int n = push_item(L, c, i);
  if (!lua_isnil(L, c->kw)) {
    lua_pushvalue(L, c->kw);
    n++;
  }
  c->s->item = c->first + i - 1;
  c->s->seeded = false;
  return n;
}

/* Calls f for item i and leaves its results on the stack; or, where failures are collected,
   stores the error there and returns false. */
static bool call_item (lua_State *L, Chunk *c, lua_Integer i, int failures) {
  if (failures == 0) {
    lua_call(L, push_call(L, c, i), LUA_MULTRET);
    return true;
  }
  lua_pushcfunction(L, session_traceback);
  int handler = lua_gettop(L);
  bool ok = lua_pcall(L, push_call(L, c, i), LUA_MULTRET, handler) == LUA_OK;
  if (!ok) lua_rawseti(L, failures, c->first + i - 1);
  lua_remove(L, handler);
  return ok;
}

/* Answer: [first, count done, seconds, failures or nil, lists...] */
static void answer (lua_State *L, Chunk *c, const Message *m, lua_Integer done, double seconds,
                    int failures) {
  Session *s = c->s;
  fflush(stdout);
  Encoder *e = wire_encoder(L, &s->context, 0);
  int at = lua_gettop(L);
  lua_pushinteger(L, c->first);
  wire_encode(L, e, -1, "first");
  lua_pushinteger(L, done);
  wire_encode(L, e, -1, "count");
  lua_pushnumber(L, seconds);
  wire_encode(L, e, -1, "seconds");
  if (failures != 0) lua_pushvalue(L, failures);
  else lua_pushnil(L);
  wire_encode(L, e, -1, "error");
  lua_settop(L, at);
  for (int k = 0; k < c->n_results; k++) {
    char label[32];
    snprintf(label, sizeof label, "result %d", k + 1);
    wire_encode_slice(L, e, c->results + k, 1, done, label);
  }
  session_answer(L, s, e, ANSWER_RESULT, m->request);
}

/* stack: call, first, count, sequences... */
void session_chunk (lua_State *L, Session *s, const Message *m) {
  int n = wire_decode(L, m->parcel, &s->context);
  if (n < 3) luaL_error(L, "malformed request");
  Chunk c = {.s = s, .sequences = 4, .end = n + 1};
  s->call = (uint64_t)lua_tointeger(L, 1);
  c.first = lua_tointeger(L, 2);
  c.count = lua_tointeger(L, 3);
  s->is_map = true;
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->maps);
  lua_Integer done = 0;
  int failures = 0;
  uint64_t start = uv_hrtime();
  bool cancelled = s->io.is_cancelled(s->io.user, s->call);
  if (lua_rawgeti(L, -1, (lua_Integer)s->call) == LUA_TTABLE && !cancelled) {
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    c.kw = lua_gettop(L);
    c.f = c.kw - 1;
    if (m->flags & CHUNK_COLLECT) {
      lua_newtable(L);
      failures = lua_gettop(L);
    }
    c.results = lua_gettop(L) + 1;
    s->running = true;
    for (; done < c.count; done++) {
      if (call_item(L, &c, done + 1, failures)) store(L, &c, done + 1);
    }
    s->running = false;
  } else if (!cancelled) {
    luaL_error(L, "a chunk of an unknown map");
  }
  answer(L, &c, m, done, (double)(uv_hrtime() - start) * 1e-9, failures);
}
