/* call.c - a call: what its requests have brought, and the wait for them. */
#include "pool/call.h"

#include <lauxlib.h>
#include "worker/protocol.h"

static const double STOPPED_GRACE = 10; /* seconds */

Call *call_push (lua_State *L, Pool *p, int64_t width) {
  Call *c = lua_newuserdatauv(L, sizeof *c, CALL_VALUES);
  *c = (Call){.retries = DEFAULT_RETRIES, .stopped_grace = STOPPED_GRACE};
  luaL_setmetatable(L, CALL_TNAME);
  lua_newtable(L);
  lua_setiuservalue(L, -2, CALL_RESULTS);
  c->pool = pool_retain(p);
  c->number = ++p->next_call;
  c->width = width;
  return c;
}

void call_anchor (lua_State *L, const Call *c) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->pool->calls);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, c);
  lua_pop(L, 1);
}

void call_forsake (lua_State *L, const Call *c) {
  if (c->outstanding > 0) return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->pool->calls);
  lua_pushnil(L);
  lua_rawsetp(L, -2, c);
  lua_pop(L, 1);
}

void call_push_anchor (lua_State *L, const Call *c) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->pool->calls);
  lua_rawgetp(L, -1, c);
  lua_remove(L, -2);
}

void call_finish (lua_State *L, Call *c) {
  if (c->is_done || c->outstanding > 0) return;
  if (c->map != NULL) {
    if (!c->is_cancelled && map_has_more(c->map)) return;
    map_end(L, c);
  }
  c->is_done = true;
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->pool->calls);
  lua_pushnil(L);
  lua_rawsetp(L, -2, c);
  lua_pop(L, 1);
}

/* Stores the values above index values as entry `at` of the lists of results. */
static void store (lua_State *L, int results, int values, lua_Integer at, int64_t width) {
  int n = lua_gettop(L) - values;
  for (int k = 1; k <= n; k++) {
    if (lua_rawgeti(L, results, k) != LUA_TTABLE) {
      lua_pop(L, 1);
      lua_createtable(L, width < 1 << 20 ? (int)width : 1 << 20, 1);
      lua_pushvalue(L, -1);
      lua_rawseti(L, results, k);
    }
    lua_pushvalue(L, values + k);
    lua_rawseti(L, -2, at);
    lua_pop(L, 1);
  }
}

void call_answered (lua_State *L, Call *c, int worker, const Request *r, int values) {
  if (c->map != NULL) {
    map_answered(L, c, worker, r, values);
    return;
  }
  int n = lua_gettop(L);
  call_push_anchor(L, c);
  lua_getiuservalue(L, -1, CALL_RESULTS);
  lua_insert(L, values + 1); /* stack: results, values... */
  lua_settop(L, n + 1);
  store(L, values + 1, values + 1, c->width != 0 ? worker + 1 : 1, c->width);
}

void call_failed (lua_State *L, Call *c) {
  int error = lua_gettop(L);
  call_push_anchor(L, c);
  if (lua_getiuservalue(L, -1, CALL_ERRORS) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, -3, CALL_ERRORS);
  }
  lua_pushvalue(L, error);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_settop(L, error);
}

typedef struct Trouble {
  Call *call;
  int worker;
} Trouble;

/* (Trouble, reason) */
static int l_trouble (lua_State *L) {
  const Trouble *t = lua_touserdata(L, 1);
  lua_createtable(L, 0, 4);
  luaL_tolstring(L, 2, NULL);
  lua_setfield(L, -2, "message");
  lua_pushliteral(L, "error");
  lua_setfield(L, -2, "kind");
  if (t->worker >= 0) {
    lua_pushinteger(L, t->worker + 1);
    lua_setfield(L, -2, "worker");
  }
  call_failed(L, t->call);
  return 0;
}

void call_attempt (lua_State *L, Call *c, int worker, lua_CFunction f, void *argument) {
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, argument);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK) return;
  Trouble t = {.call = c, .worker = worker};
  lua_pushcfunction(L, l_trouble);
  lua_pushlightuserdata(L, &t);
  lua_pushvalue(L, -3);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    lua_pop(L, 1);
    c->is_short = true;
  }
  lua_pop(L, 1);
  if (c->map != NULL) map_cancel(L, c);
}

void call_proceed (lua_State *L, Call *c, int worker) {
  if (c->map != NULL) map_feed(L, c, worker);
  call_finish(L, c);
}

static Call *checkcall (lua_State *L, int arg) {
  return luaL_checkudata(L, arg, CALL_TNAME);
}

static bool is_over (const Call *c) {
  return c->is_done || c->pool->transport == NULL;
}

/* An inline worker has been interrupted for it: what that has answered counts once the call is
   stopped. */
static bool is_to_be_stopped (const Call *c) {
  if (c->pool->session == NULL) return false;
  return c->pool->host->interrupts != 0 || (c->until != 0 && uv_hrtime() >= c->until);
}

/* call:wait([seconds [, done]]) -> is it over? Waits no longer than until more than done workers
   or items have answered. Interrupted: raises nothing, returns false. */
static int l_wait (lua_State *L) {
  Call *c = checkcall(L, 1);
  lua_Number seconds = luaL_optnumber(L, 2, -1);
  lua_Integer enough = luaL_optinteger(L, 3, INT64_MAX);
  lua_settop(L, 1);
  Pool *p = c->pool;
  pool_check_idle(L, p);
  uint64_t until = seconds >= 0 && seconds < 1e9 ? uv_hrtime() + (uint64_t)(seconds * 1e9) : 0;
  p->waiting = c;
  pool_watch(p);
  if (!c->is_done && !is_to_be_stopped(c)) pool_dispatch(L, p);
  while (!is_over(c) && c->n_done <= enough && p->host->interrupts == 0) {
    int timeout_ms = limits_enforce(p);
    if (until != 0) {
      uint64_t now = uv_hrtime();
      if (now >= until) break;
      uint64_t left_ms = (until - now) / 1000000u + 1;
      if (timeout_ms < 0 || left_ms < (uint64_t)timeout_ms) {
        timeout_ms = left_ms < 1000000 ? (int)left_ms : 1000000;
      }
    }
    pool_poll(L, p, timeout_ms, true);
    if (is_to_be_stopped(c)) break;
    pool_dispatch(L, p);
  }
  pool_unwatch(p);
  p->waiting = NULL;
  if (is_over(c)) pool_leave_interrupt(p); /* else the caller takes it */
  lua_pushboolean(L, is_over(c));
  return 1;
}

/* call:limit(retries, item_timeout, stopped_grace, timeout): nil leaves what there is; the last
   counts from now */
static int l_limit (lua_State *L) {
  Call *c = checkcall(L, 1);
  lua_Number retries = luaL_optnumber(L, 2, c->retries);
  c->retries = retries < 1e9 ? (unsigned)retries : 1000000000u;
  c->item_timeout = luaL_optnumber(L, 3, c->item_timeout);
  c->stopped_grace = luaL_optnumber(L, 4, c->stopped_grace);
  lua_Number timeout = luaL_optnumber(L, 5, 1e9);
  if (timeout < 1e9) c->until = uv_hrtime() + (uint64_t)(timeout * 1e9);
  return 0;
}

/* call:progress() -> how many workers or items have answered, of how many, how many workers are
   busy with it */
static int l_progress (lua_State *L) {
  const Call *c = checkcall(L, 1);
  const Pool *p = c->pool;
  lua_Integer busy = 0;
  for (int w = 0; p->transport != NULL && w < p->n; w++) {
    if (p->workers[w].first != NULL && p->workers[w].first->call == c) busy++;
  }
  lua_pushinteger(L, c->n_done);
  lua_pushinteger(L, c->width > 0 || c->map != NULL ? c->width : 1);
  lua_pushinteger(L, busy);
  return 3;
}

/* What is handed out is the call's no more, once that is over: what a finalizer hangs on lives
   through one cycle of the collector more, and lists may be long. */
static void let_go (lua_State *L, const Call *c) {
  if (!c->is_done) return;
  lua_newtable(L);
  lua_setiuservalue(L, 1, CALL_RESULTS);
  lua_pushnil(L);
  lua_setiuservalue(L, 1, CALL_SEQUENCES);
}

/* call:unpack() -> the lists of results, each with its n; or the values of one worker. To be asked
   once. */
static int l_unpack (lua_State *L) {
  Call *c = checkcall(L, 1);
  lua_getiuservalue(L, 1, CALL_RESULTS);
  int results = lua_gettop(L);
  int n = (int)lua_rawlen(L, results);
  luaL_checkstack(L, n + 4, "too many results");
  let_go(L, c);
  if (c->width == 0 && c->map == NULL) {
    for (int k = 1; k <= n; k++) {
      lua_rawgeti(L, results, k);
      lua_rawgeti(L, -1, 1);
      lua_remove(L, -2);
    }
    return n;
  }
  if (n == 0) {
    lua_newtable(L);
    lua_rawseti(L, results, 1);
    n = 1;
  }
  for (int k = 1; k <= n; k++) {
    lua_rawgeti(L, results, k);
    lua_pushinteger(L, c->width);
    lua_setfield(L, -2, "n");
  }
  return n;
}

/* call:errors() -> list of error tables, or nil */
static int l_errors (lua_State *L) {
  Call *c = checkcall(L, 1);
  if (c->is_short) { /* of what has gone wrong nothing else is known */
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "not enough memory");
    lua_setfield(L, -2, "message");
    lua_pushliteral(L, "error");
    lua_setfield(L, -2, "kind");
    if (lua_getiuservalue(L, 1, CALL_ERRORS) != LUA_TTABLE) {
      lua_newtable(L);
      lua_pushvalue(L, -1);
      lua_setiuservalue(L, 1, CALL_ERRORS);
    }
    lua_pushvalue(L, 2);
    lua_rawseti(L, 4, (lua_Integer)lua_rawlen(L, 4) + 1);
    c->is_short = false;
  }
  lua_getiuservalue(L, 1, CALL_ERRORS);
  return 1;
}

/* call:is_done([runs_nothing]): an inline worker does a request meanwhile, if it may. */
static int l_is_done (lua_State *L) {
  Call *c = checkcall(L, 1);
  pool_check_idle(L, c->pool);
  if (!c->is_done && c->pool->transport != NULL) {
    Pool *p = c->pool;
    bool watches = pool_watch(p); /* an inline worker may run here */
    if (p->session == NULL || !lua_toboolean(L, 2)) pool_poll(L, p, 0, false);
    pool_dispatch(L, p);
    if (watches) {
      pool_unwatch(p);
      pool_leave_interrupt(p);
    }
  }
  lua_pushboolean(L, c->is_done);
  return 1;
}

/* call:take() -> results of the next chunk of a map in order and how many; or nil: it has not
   come. Only of maps that are taken so. */
static int l_take (lua_State *L) {
  Call *c = checkcall(L, 1);
  return c->map != NULL && c->map->is_stream ? map_take(L, c) : 0;
}

static int l_gc (lua_State *L) {
  Call *c = checkcall(L, 1);
  Pool *p = c->pool;
  if (p == NULL) return 0;
  c->pool = NULL;
  map_free(c->map);
  c->map = NULL;
  parcel_release(c->parcel);
  c->parcel = NULL;
  globals_free(c->globals);
  c->globals = NULL;
  pool_release(p);
  return 0;
}

static const luaL_Reg methods[] = {
  {"wait", l_wait},         {"unpack", l_unpack}, {"errors", l_errors},   {"limit", l_limit},
  {"progress", l_progress}, {"take", l_take},     {"is_done", l_is_done}, {NULL, NULL},
};

void call_open (lua_State *L) {
  luaL_newmetatable(L, CALL_TNAME);
  lua_pushcfunction(L, l_gc);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
