/* wait.c - waits for the first of several calls, of one pool or of several. */
#include <lauxlib.h>
#include "pool/call.h"

static Call *call_at (lua_State *L, lua_Integer i) {
  lua_rawgeti(L, 1, i);
  Call *c = luaL_checkudata(L, -1, CALL_TNAME); /* the list anchors it */
  lua_pop(L, 1);
  return c;
}

/* The index of the first call that is done, or 0. */
static lua_Integer find_done (lua_State *L, lua_Integer n) {
  for (lua_Integer i = 1; i <= n; i++) {
    const Call *c = call_at(L, i);
    if (c->is_done || c->pool->transport == NULL) return i;
  }
  return 0;
}

/* Takes up what has come for any of the calls; looks, does not wait. */
static void look (lua_State *L, lua_Integer n) {
  for (lua_Integer i = 1; i <= n; i++) {
    Pool *p = call_at(L, i)->pool;
    bool watches = pool_watch(p); /* an inline worker may run here */
    pool_poll(L, p, 0, false);
    pool_dispatch(L, p);
    if (watches) pool_unwatch(p);
  }
}

/* After how many milliseconds to look at the limits of the pools' calls again; -1: never. */
static int enforce (lua_State *L, lua_Integer n) {
  int next = -1;
  for (lua_Integer i = 1; i <= n; i++) {
    int ms = limits_enforce(call_at(L, i)->pool);
    if (ms >= 0 && (next < 0 || ms < next)) next = ms;
  }
  return next;
}

/* wait_any(calls, seconds) -> index of one that is done, or nil when time is over or the user
   has interrupted. Local pools share one loop, so that waiting for one is waiting for all. */
int pool_wait_any (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Number seconds = luaL_optnumber(L, 2, 1e9);
  lua_Integer n = luaL_len(L, 1), done;
  luaL_argcheck(L, n > 0, 1, "at least one call expected");
  for (lua_Integer i = 1; i <= n; i++) pool_check_idle(L, call_at(L, i)->pool);
  uint64_t until = uv_hrtime() + (uint64_t)((seconds < 1e9 ? seconds : 1e9) * 1e9);
  while ((done = find_done(L, n)) == 0) {
    look(L, n);
    if (host_get(L)->interrupts != 0) return 0; /* it may be what has ended an inline call */
    if ((done = find_done(L, n)) != 0) break;
    uint64_t now = uv_hrtime();
    Pool *p = NULL;
    bool any_inline = false;
    for (lua_Integer i = 1; i <= n; i++) {
      Pool *q = call_at(L, i)->pool;
      if (q->session != NULL) any_inline = true;
      else p = q;
    }
    if (now >= until) return 0;
    if (any_inline || p == NULL) continue; /* its next request runs here */
    uint64_t left_ms = (until - now) / 1000000u + 1;
    int timeout_ms = enforce(L, n);
    if (timeout_ms < 0 || left_ms < (uint64_t)timeout_ms) {
      timeout_ms = left_ms < 1000000 ? (int)left_ms : 1000000;
    }
    bool watches = pool_watch(p);
    pool_poll(L, p, timeout_ms, true);
    if (watches) pool_unwatch(p);
    if (host_get(L)->interrupts != 0) return 0;
  }
  pool_leave_interrupt(call_at(L, 1)->pool);
  lua_pushinteger(L, done);
  return 1;
}
