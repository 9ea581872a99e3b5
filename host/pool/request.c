/* request.c - calls that ask each worker, or one, for one thing: apply, keep, push, scatter, get. */
#include "pool/request.h"

#include <stdio.h>
#include <lauxlib.h>
#include "metatable.h"
#include "pool/call.h"
#include "worker/protocol.h"

/* Who is asked: a worker, from 0, or one of these. */
enum { ALL = -1, ANY = -2 };

/* Encodes call number, keep id, and the function, which messages call what, and its arguments from
   index first to last. */
static void encode_apply (lua_State *L, Call *c, const char *what, uint64_t keep, int first,
                          int last) {
  Pool *p = c->pool;
  int top = lua_gettop(L);
  pool_follow_environment(L, p);
  Encoder *e = pool_encoder(L, p);
  lua_pushinteger(L, (lua_Integer)c->number);
  wire_encode(L, e, -1, "call");
  lua_pushinteger(L, (lua_Integer)keep);
  wire_encode(L, e, -1, "keep");
  wire_encode(L, e, first, what);
  for (int i = first + 1; i <= last; i++) {
    char label[32];
    snprintf(label, sizeof label, "argument %d", i - first);
    wire_encode(L, e, i, label);
  }
  c->parcel = wire_finish(L, e);
  p->heavy = c->parcel->len > POOL_HEAVY ? c->parcel->len : 0;
  if (c->takes_globals) globals_take(L, p, c->parcel, &c->globals);
  lua_settop(L, top);
}

typedef struct Asking {
  Call *call;
  uint8_t type;
  int worker;
} Asking;

/* Asks one worker for what the call's parcel says. */
static void ask (lua_State *L, Call *c, int worker, uint8_t type) {
  Message m = {.type = type, .parcel = parcel_retain(c->parcel)};
  if (c->globals != NULL) globals_give(L, c, worker);
  request_put(L, c->pool, worker, request_make(L, c->pool, &m, c));
}

static int l_ask (lua_State *L) {
  const Asking *a = lua_touserdata(L, 1);
  Call *c = a->call;
  if (a->worker == ANY) {
    Message m = {.type = a->type,
                 .flags = REQUEST_ANYWHERE,
                 .parcel = parcel_retain(c->parcel)};
    pool_float(L, c->pool, &m, c);
  } else if (a->worker == ALL) {
    for (int w = 0; w < c->pool->n; w++) ask(L, c, w, a->type);
  } else {
    ask(L, c, a->worker, a->type);
  }
  return 0;
}

/* The call, which is on top, is anchored while it waits for answers: not if nothing could be asked.
   The requests have the parcel afterwards. */
static void ask_for (lua_State *L, Call *c, int worker, uint8_t type) {
  Asking a = {.call = c, .type = type, .worker = worker};
  call_anchor(L, c);
  lua_pushcfunction(L, l_ask);
  lua_pushlightuserdata(L, &a);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    call_forsake(L, c);
    lua_error(L);
  }
  parcel_release(c->parcel);
  c->parcel = NULL;
}

static int apply (lua_State *L, bool is_async) {
  Pool *p = pool_check(L, 1);
  pool_wake(p, ALL);
  int last = lua_gettop(L);
  pool_enter(L, p);
  Call *c = call_push(L, p, p->n);
  c->takes_globals = is_async;
  encode_apply(L, c, "function", 0, 2, last);
  ask_for(L, c, ALL, REQUEST_APPLY);
  return 1;
}

int request_apply (lua_State *L) {
  return apply(L, false);
}

int request_apply_async (lua_State *L) {
  return apply(L, true);
}

int request_apply_only (lua_State *L) {
  Pool *p = pool_check(L, 1);
  lua_Integer w = luaL_checkinteger(L, 2);
  luaL_argcheck(L, (lua_Unsigned)w - 1u < (lua_Unsigned)p->n, 2, "no such worker");
  pool_wake(p, (int)w - 1);
  int last = lua_gettop(L);
  pool_enter(L, p);
  Call *c = call_push(L, p, 0);
  encode_apply(L, c, "function", 0, 3, last);
  ask_for(L, c, (int)w - 1, REQUEST_APPLY);
  return 1;
}

int request_submit (lua_State *L) {
  Pool *p = pool_check(L, 1);
  int last = lua_gettop(L);
  pool_dispatch(L, p); /* some may have become free */
  pool_enter(L, p);
  Call *c = call_push(L, p, 0);
  c->takes_globals = true;
  encode_apply(L, c, "function", 0, 2, last);
  ask_for(L, c, ANY, REQUEST_APPLY);
  return 1;
}

int request_keep (lua_State *L) {
  Pool *p = pool_check(L, 1);
  pool_wake(p, ALL);
  int last = lua_gettop(L) + 1;
  uint64_t id = remote_new(L, p);
  lua_insert(L, 2);
  pool_enter(L, p);
  Call *c = call_push(L, p, p->n);
  encode_apply(L, c, "function", id, 3, last);
  remote_touch(L, p, id);
  ask_for(L, c, ALL, REQUEST_APPLY);
  lua_pushvalue(L, 2);
  return 2;
}

/* Encodes [id, object at index] with the encoder on top, which it pops. */
static Parcel *encode_push (lua_State *L, Encoder *e, uint64_t id, int index,
                            const char *label) {
  lua_pushinteger(L, (lua_Integer)id);
  wire_encode(L, e, -1, "id");
  wire_encode(L, e, index, label);
  Parcel *parcel = wire_finish(L, e);
  lua_pop(L, 2);
  return parcel;
}

int request_push (lua_State *L) {
  Pool *p = pool_check(L, 1);
  luaL_checkany(L, 2);
  bool is_immutable = lua_toboolean(L, 3);
  lua_settop(L, 2);
  pool_enter(L, p); /* index 3 */
  const char *why = NULL;
  uint64_t id = is_immutable ? pushed_id(L, p, 2, &why) : 0;
  if (why != NULL) {
    lua_pushfstring(L, "object is %s", why);
    return lua_error(L);
  }
  if (id != 0) {
    lua_pushnil(L);
    objects_retain(&p->objects, id);
    remote_push(L, p, id);
    return 2;
  }
  id = remote_new(L, p); /* index 4 */
  pool_follow_environment(L, p);
  Call *c = call_push(L, p, p->n);
  c->parcel = encode_push(L, pool_encoder(L, p), id, 2, "object");
  remote_touch(L, p, id);
  ask_for(L, c, ALL, REQUEST_PUSH);
  if (is_immutable) pushed_note(L, p, 2, id);
  lua_pushvalue(L, 4);
  return 2;
}

/* What goes to each worker: a reference each, until the call has taken it. */
typedef struct Parts {
  int n;
  Parcel *parcels[];
} Parts;

static int l_free_parts (lua_State *L) {
  Parts *parts = lua_touserdata(L, 1);
  while (parts->n > 0) parcel_release(parts->parcels[--parts->n]);
  return 0;
}

static Parts *push_parts (lua_State *L, int n) {
  Parts *parts = lua_newuserdatauv(L, sizeof *parts + (size_t)n * sizeof(Parcel *), 0);
  parts->n = 0;
  static const luaL_Reg metamethods[] = {{"__gc", l_free_parts}, {NULL, NULL}};
  metatable_set(L, "neap.core.Parts", metamethods);
  return parts;
}

int request_scatter (lua_State *L) {
  Pool *p = pool_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  uint64_t id = remote_new(L, p); /* index 3 */
  pool_enter(L, p);               /* index 4 */
  pool_follow_environment(L, p);
  Call *c = call_push(L, p, p->n);    /* index 5 */
  Parts *parts = push_parts(L, p->n); /* index 6 */
  pool_encoder(L, p);
  lua_settop(L, 6);
  for (int w = 0; w < p->n; w++) { /* all of them, before anything is sent */
    lua_rawgeti(L, 2, w + 1);
    parts->parcels[w] = encode_push(L, wire_encoder(L, &p->context, 0), id, 7, "item");
    parts->n = w + 1;
    lua_settop(L, 6);
  }
  remote_touch(L, p, id);
  lua_pushvalue(L, 5);
  for (int w = 0; w < p->n; w++) {
    c->parcel = parcel_retain(parts->parcels[w]);
    ask_for(L, c, w, REQUEST_PUSH);
  }
  lua_pushvalue(L, 3);
  return 2;
}

int request_get (lua_State *L) {
  Pool *p = pool_check(L, 1);
  luaL_checkudata(L, 2, REMOTE_TNAME);
  lua_Integer w = luaL_optinteger(L, 3, 0);
  luaL_argcheck(L, (lua_Unsigned)w <= (lua_Unsigned)p->n, 3, "no such worker");
  uint64_t id;
  const char *why = NULL;
  p->n_touched = 0;
  if (pool_remote_id(L, 2, p, &id, &why) != 1) return luaL_argerror(L, 2, why);
  lua_settop(L, 2);
  pool_enter(L, p); /* index 3 */
  Call *c = call_push(L, p, w == 0 ? p->n : 0);
  Encoder *e = wire_encoder(L, &p->context, 0);
  lua_pushinteger(L, (lua_Integer)id);
  wire_encode(L, e, -1, "id");
  c->parcel = wire_finish(L, e);
  lua_settop(L, 4);
  ask_for(L, c, w == 0 ? ALL : (int)w - 1, REQUEST_GET);
  return 1;
}

int request_set_setup (lua_State *L) {
  Pool *p = pool_check(L, 1);
  lua_settop(L, 2);
  pool_enter(L, p);
  Call *c = call_push(L, p, p->n);
  encode_apply(L, c, "option 'setup'", 0, 2, 2);
  parcel_release(p->setup);
  p->setup = parcel_retain(c->parcel);
  ask_for(L, c, ALL, REQUEST_APPLY);
  return 1;
}
