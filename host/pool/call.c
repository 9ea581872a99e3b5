/* call.c - a call: what its requests have brought, and the wait for them. */
#include "pool/call.h"

#include <lauxlib.h>
#include "worker/protocol.h"

Call *call_push (lua_State *L, int pool, int64_t width) {
  Pool *p = pool_check(L, pool);
  Call *c = lua_newuserdatauv(L, sizeof *c, 4);
  *c = (Call){0};
  luaL_setmetatable(L, CALL_TNAME);
  lua_newtable(L);
  lua_setiuservalue(L, -2, CALL_RESULTS);
  lua_pushvalue(L, pool);
  lua_setiuservalue(L, -2, CALL_POOL);
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->calls);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, c);
  lua_pop(L, 1);
  c->pool = pool_retain(p);
  c->number = ++p->next_call;
  c->width = width;
  return c;
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

void call_proceed (lua_State *L, Call *c, int worker) {
  if (c->map != NULL) map_feed(L, c, worker);
  call_finish(L, c);
}

static Call *checkcall (lua_State *L, int arg) {
  return luaL_checkudata(L, arg, CALL_TNAME);
}

/* call:wait([seconds]) -> whether it is done. Interrupted, or when the pool is closed: raises
   nothing, returns false. */
static int l_wait (lua_State *L) {
  Call *c = checkcall(L, 1);
  lua_Number seconds = luaL_optnumber(L, 2, -1);
  lua_settop(L, 1);
  uint64_t until = 0;
  if (seconds >= 0 && seconds < 1e9) until = uv_hrtime() + (uint64_t)(seconds * 1e9);
  bool spin = true;
  Pool *p = c->pool;
  pool_watch(p);
  if (!c->is_done) pool_dispatch(L, p);
  while (!c->is_done && p->transport != NULL) {
    int timeout_ms = -1;
    if (until != 0) {
      uint64_t now = uv_hrtime();
      if (now >= until) break;
      timeout_ms = (int)((until - now) / 1000000u) + 1;
    }
    if (p->host->interrupts != 0) break;
    pool_poll(L, p, timeout_ms, spin);
    pool_dispatch(L, p);
  }
  pool_unwatch(p);
  lua_pushboolean(L, c->is_done);
  return 1;
}

/* call:unpack() -> the lists of results, each with its n; or the values of one worker */
static int l_unpack (lua_State *L) {
  Call *c = checkcall(L, 1);
  lua_getiuservalue(L, 1, CALL_RESULTS);
  int results = lua_gettop(L);
  int n = (int)lua_rawlen(L, results);
  luaL_checkstack(L, n + 4, "too many results");
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
  checkcall(L, 1);
  lua_getiuservalue(L, 1, CALL_ERRORS);
  return 1;
}

/* call:cancel(): a map hands out no more; what is under way is still to be waited for */
static int l_cancel (lua_State *L) {
  Call *c = checkcall(L, 1);
  if (!c->is_done && c->map != NULL) map_cancel(L, c);
  call_finish(L, c);
  return 0;
}

static int l_is_done (lua_State *L) {
  Call *c = checkcall(L, 1);
  if (!c->is_done && c->pool->transport != NULL) {
    pool_poll(L, c->pool, 0, false);
    pool_dispatch(L, c->pool);
  }
  lua_pushboolean(L, c->is_done || c->pool->transport == NULL);
  return 1;
}

static int l_gc (lua_State *L) {
  Call *c = checkcall(L, 1);
  Pool *p = c->pool;
  if (p == NULL) return 0;
  c->pool = NULL;
  map_free(p, c->map);
  c->map = NULL;
  parcel_release(c->asking);
  c->asking = NULL;
  pool_release(p);
  return 0;
}

static const luaL_Reg methods[] = {
  {"wait", l_wait},     {"unpack", l_unpack},   {"errors", l_errors},
  {"cancel", l_cancel}, {"is_done", l_is_done}, {NULL, NULL},
};

void call_open (lua_State *L) {
  luaL_newmetatable(L, CALL_TNAME);
  lua_pushcfunction(L, l_gc);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
