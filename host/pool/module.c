/* module.c - host.pool: the pool's calls as the Lua side of neap uses them. */
#include "pool/module.h"

#include <sched.h>
#include <stdio.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "worker/protocol.h"

/* Encodes call number, keep id, and the function and arguments from index first on. */
static Parcel *encode_apply (lua_State *L, Pool *p, uint64_t keep, int first) {
  int top = lua_gettop(L);
  pool_follow_environment(L, p);
  Encoder *e = pool_encoder(L, p);
  lua_pushinteger(L, (lua_Integer)p->next_call + 1);
  wire_encode(L, e, -1, "call");
  lua_pushinteger(L, (lua_Integer)keep);
  wire_encode(L, e, -1, "keep");
  lua_pop(L, 2);
  wire_encode(L, e, first, "function");
  for (int i = first + 1; i <= top; i++) {
    char label[32];
    snprintf(label, sizeof label, "argument %d", i - first);
    wire_encode(L, e, i, label);
  }
  Parcel *parcel = wire_finish(L, e);
  lua_settop(L, top);
  return parcel;
}

/* Asks workers first to last the same. Takes the parcel, which the call holds as long as a
   request can raise. */
static void ask (lua_State *L, Pool *p, Call *c, int first, int last, uint8_t type,
                 Parcel *parcel) {
  c->asking = parcel;
  for (int w = first; w <= last; w++) {
    Message m = {.type = type, .parcel = parcel_retain(parcel)};
    pool_request(L, p, w, &m, c);
    c->outstanding++;
  }
  c->asking = NULL;
  parcel_release(parcel);
}

static void ask_all (lua_State *L, Pool *p, Call *c, uint8_t type, Parcel *parcel) {
  ask(L, p, c, 0, p->n - 1, type, parcel);
}

/* pool:apply(f, ...) -> call */
static int l_apply (lua_State *L) {
  Pool *p = pool_check(L, 1);
  Parcel *parcel = encode_apply(L, p, 0, 2);
  ask_all(L, p, call_push(L, 1, p->n), REQUEST_APPLY, parcel);
  return 1;
}

/* pool:keep(f, ...) -> call, remote */
static int l_keep (lua_State *L) {
  Pool *p = pool_check(L, 1);
  uint64_t id;
  if (objects_add(&p->objects, &id) < 0) return luaL_error(L, "not enough memory");
  remote_push(L, p, id);
  lua_insert(L, 2);
  Parcel *parcel = encode_apply(L, p, id, 3);
  remote_touch(L, p, id);
  ask_all(L, p, call_push(L, 1, p->n), REQUEST_APPLY, parcel);
  lua_pushvalue(L, 2);
  return 2;
}

/* pool:apply_only(worker, f, ...) -> call */
static int l_apply_only (lua_State *L) {
  Pool *p = pool_check(L, 1);
  lua_Integer w = luaL_checkinteger(L, 2);
  luaL_argcheck(L, (lua_Unsigned)w - 1u < (lua_Unsigned)p->n, 2, "no such worker");
  Parcel *parcel = encode_apply(L, p, 0, 3);
  Call *c = call_push(L, 1, 0);
  ask(L, p, c, (int)w - 1, (int)w - 1, REQUEST_APPLY, parcel);
  return 1;
}

/* Encodes [id, object at index] */
static Parcel *encode_push (lua_State *L, Pool *p, uint64_t id, int index, const char *label) {
  Encoder *e = pool_encoder(L, p);
  lua_pushinteger(L, (lua_Integer)id);
  wire_encode(L, e, -1, "id");
  wire_encode(L, e, index, label);
  Parcel *parcel = wire_finish(L, e);
  lua_pop(L, 2);
  remote_touch(L, p, id);
  return parcel;
}

/* pool:push(object, is_immutable) -> call or nil, remote. An immutable that is on the workers
   already is not sent again. */
static int l_push (lua_State *L) {
  Pool *p = pool_check(L, 1);
  luaL_checkany(L, 2);
  int is_immutable = lua_toboolean(L, 3);
  lua_settop(L, 2);
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
  if (objects_add(&p->objects, &id) < 0) return luaL_error(L, "not enough memory");
  remote_push(L, p, id); /* index 3 */
  pool_follow_environment(L, p);
  Parcel *parcel = encode_push(L, p, id, 2, "object");
  ask_all(L, p, call_push(L, 1, p->n), REQUEST_PUSH, parcel);
  if (is_immutable) pushed_note(L, p, 2, id);
  lua_pushvalue(L, 3);
  return 2;
}

/* pool:scatter(parts) -> call, remote: part w goes to worker w */
static int l_scatter (lua_State *L) {
  Pool *p = pool_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  uint64_t id;
  if (objects_add(&p->objects, &id) < 0) return luaL_error(L, "not enough memory");
  remote_push(L, p, id); /* index 3 */
  pool_follow_environment(L, p);
  Call *c = call_push(L, 1, p->n);
  for (int w = 0; w < p->n; w++) {
    lua_rawgeti(L, 2, w + 1);
    Parcel *parcel = encode_push(L, p, id, lua_gettop(L), "item");
    lua_pop(L, 1);
    ask(L, p, c, w, w, REQUEST_PUSH, parcel);
  }
  lua_pushvalue(L, 3);
  return 2;
}

/* pool:get(remote [, worker]) -> call: of all workers, or of one */
static int l_get (lua_State *L) {
  Pool *p = pool_check(L, 1);
  luaL_checkudata(L, 2, REMOTE_TNAME);
  lua_Integer w = luaL_optinteger(L, 3, 0);
  luaL_argcheck(L, (lua_Unsigned)w <= (lua_Unsigned)p->n, 3, "no such worker");
  uint64_t id;
  const char *why = NULL;
  p->n_touched = 0;
  if (pool_remote_id(L, 2, p, &id, &why) != 1) return luaL_argerror(L, 2, why);
  lua_settop(L, 2);
  Encoder *e = wire_encoder(L, &p->context, 0);
  lua_pushinteger(L, (lua_Integer)id);
  wire_encode(L, e, -1, "id");
  Parcel *parcel = wire_finish(L, e);
  Call *c = call_push(L, 1, w == 0 ? p->n : 0);
  if (w == 0) ask_all(L, p, c, REQUEST_GET, parcel);
  else ask(L, p, c, (int)w - 1, (int)w - 1, REQUEST_GET, parcel);
  return 1;
}

/* pool:set_setup(f) -> call: runs f on each worker, and on each that replaces one */
static int l_set_setup (lua_State *L) {
  Pool *p = pool_check(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  Parcel *parcel = encode_apply(L, p, 0, 2);
  parcel_release(p->setup);
  p->setup = parcel_retain(parcel);
  ask_all(L, p, call_push(L, 1, p->n), REQUEST_APPLY, parcel);
  return 1;
}

/* pool:wait_ready(seconds) -> nil, or the number of a worker that is not ready */
static int l_wait_ready (lua_State *L) {
  Pool *p = pool_check(L, 1);
  lua_Number seconds = luaL_checknumber(L, 2);
  uint64_t until = uv_hrtime() + (uint64_t)(seconds * 1e9);
  for (int w = 0; w < p->n;) {
    if (p->workers[w].is_ready) {
      w++;
      continue;
    }
    uint64_t now = uv_hrtime();
    if (now >= until || p->workers[w].is_lost) {
      lua_pushinteger(L, w + 1);
      return 1;
    }
    pool_poll(L, p, (int)((until - now) / 1000000u) + 1, false);
    pool_dispatch(L, p);
  }
  return 0;
}

static const char *state_of (const WorkerSlot *w) {
  if (w->is_lost) return "lost";
  if (!w->is_ready) return "starting";
  return w->first != NULL ? "busy" : "idle";
}

/* pool:status() -> list of tables */
static int l_status (lua_State *L) {
  Pool *p = pool_check(L, 1);
  if (p->session == NULL) pool_poll(L, p, 0, false);
  pool_dispatch(L, p);
  lua_createtable(L, p->n, 0);
  for (int i = 0; i < p->n; i++) {
    const WorkerSlot *w = &p->workers[i];
    lua_createtable(L, 0, 12);
    lua_pushinteger(L, i + 1);
    lua_setfield(L, -2, "worker");
    lua_pushinteger(L, (lua_Integer)p->transport->ops->pid(p->transport, i));
    lua_setfield(L, -2, "pid");
    lua_pushstring(L, state_of(w));
    lua_setfield(L, -2, "state");
    lua_pushinteger(L, (lua_Integer)p->objects.n_live);
    lua_setfield(L, -2, "objects");
    lua_pushinteger(L, (lua_Integer)w->bytes_sent);
    lua_setfield(L, -2, "bytes_sent");
    lua_pushinteger(L, (lua_Integer)w->bytes_received);
    lua_setfield(L, -2, "bytes_received");
    lua_pushinteger(L, w->restarts);
    lua_setfield(L, -2, "restarts");
    if (w->first != NULL && w->first->message.type == REQUEST_CHUNK) {
      lua_pushinteger(L, w->first->first);
      lua_setfield(L, -2, "item");
    }
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* pool:least_busy() -> number of a worker */
static int l_least_busy (lua_State *L) {
  Pool *p = pool_check(L, 1);
  pool_dispatch(L, p);
  int best = 0;
  for (int w = 1; w < p->n; w++) {
    const WorkerSlot *a = &p->workers[best], *b = &p->workers[w];
    if (a->is_lost || (!b->is_lost && b->n_requests < a->n_requests)) best = w;
  }
  lua_pushinteger(L, best + 1);
  return 1;
}

/* pool:kill(worker, signal) */
static int l_kill (lua_State *L) {
  Pool *p = pool_check(L, 1);
  lua_Integer w = luaL_checkinteger(L, 2), signum = luaL_checkinteger(L, 3);
  luaL_argcheck(L, (lua_Unsigned)w - 1u < (lua_Unsigned)p->n, 2, "no such worker");
  luaL_argcheck(L, signum > 0 && signum < 65, 3, "signal number expected");
  int rc = p->transport->ops->kill(p->transport, (int)w - 1, (int)signum);
  if (rc < 0) return luaL_error(L, "worker %d: %s", (int)w, uv_strerror(rc));
  return 0;
}

static int l_transport (lua_State *L) {
  lua_pushstring(L, pool_check(L, 1)->transport->ops->name);
  return 1;
}

static int l_len (lua_State *L) {
  lua_pushinteger(L, pool_check(L, 1)->n);
  return 1;
}

static int l_is_closed (lua_State *L) {
  Pool **box = luaL_checkudata(L, 1, POOL_TNAME);
  lua_pushboolean(L, *box == NULL || (*box)->transport == NULL);
  return 1;
}

/* pool:close(): calls under way are over */
static int l_close (lua_State *L) {
  Pool **box = luaL_checkudata(L, 1, POOL_TNAME);
  if (*box == NULL) return 0;
  if ((*box)->is_answering) { /* what answers, and an inline session, runs below us */
    return luaL_error(L, "the pool cannot be closed while a worker waits for a global");
  }
  pool_close(*box);
  return 0;
}

/* pool:set_retries(n) */
static int l_set_retries (lua_State *L) {
  Pool *p = pool_check(L, 1);
  lua_Number n = luaL_checknumber(L, 2);
  luaL_argcheck(L, n >= 0, 2, "0 or more expected");
  p->retries = n < 1e9 ? (unsigned)n : 1000000000u;
  return 0;
}

/* is_worker() -> is this a worker's Lua state? */
static int l_is_worker (lua_State *L) {
  lua_pushboolean(L, host_get(L)->is_worker);
  return 1;
}

/* default_workers() -> --workers N, or nil */
static int l_default_workers (lua_State *L) {
  int n = host_get(L)->default_workers;
  if (n >= 0) lua_pushinteger(L, n);
  else lua_pushnil(L);
  return 1;
}

/* available_cores() -> what this process may run on */
static int l_available_cores (lua_State *L) {
  cpu_set_t set;
  CPU_ZERO(&set);
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  lua_pushinteger(L, n > 0 ? n : 1);
  return 1;
}

static const luaL_Reg methods[] = {
  {"apply", l_apply},
  {"apply_only", l_apply_only},
  {"keep", l_keep},
  {"push", l_push},
  {"scatter", l_scatter},
  {"get", l_get},
  {"map", call_map},
  {"set_setup", l_set_setup},
  {"wait_ready", l_wait_ready},
  {"status", l_status},
  {"kill", l_kill},
  {"transport", l_transport},
  {"workers", l_len},
  {"is_closed", l_is_closed},
  {"close", l_close},
  {"set_retries", l_set_retries},
  {"stop", pool_stop},
  {"least_busy", l_least_busy},
  {NULL, NULL},
};

static const luaL_Reg functions[] = {
  {"open", pool_open},
  {"is_worker", l_is_worker},
  {"default_workers", l_default_workers},
  {"available_cores", l_available_cores},
  {"wait_any", pool_wait_any},
  {NULL, NULL},
};

/* host.pool: functions, and remote_methods: the table of methods of RemoteObject */
int luaopen_host_pool (lua_State *L) {
  pool_open_metatable(L);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  call_open(L);
  luaL_newlib(L, functions);
  remote_open(L);
  lua_setfield(L, -2, "remote_methods");
  return 1;
}
