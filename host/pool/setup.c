/* setup.c - a worker on which the setup function fails is not what calls expect: they are told. */
#include <signal.h>
#include <lauxlib.h>
#include "pool/call.h"

typedef struct Report {
  Pool *pool;
  int worker;
  const Message *message;
} Report;

/* Keeps what setup has raised, with "setup failed" before its message. stack: Report */
static int l_keep_error (lua_State *L) {
  const Report *r = lua_touserdata(L, 1);
  WorkerSlot *w = &r->pool->workers[r->worker];
  if (r->message->parcel == NULL || wire_decode(L, r->message->parcel, &w->context) < 1 ||
      !lua_istable(L, 2)) {
    return luaL_error(L, "not enough memory on the worker");
  }
  lua_settop(L, 2);
  lua_getfield(L, 2, "message");
  lua_pushfstring(L, "setup failed: %s", luaL_tolstring(L, -1, NULL));
  lua_setfield(L, 2, "message");
  lua_settop(L, 2);
  w->setup_error = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

void setup_failed (lua_State *L, Pool *p, int worker, const Message *answer) {
  Report r = {.pool = p, .worker = worker, .message = answer};
  lua_pushcfunction(L, l_keep_error);
  lua_pushlightuserdata(L, &r);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1); /* then nobody knows what it was */
  p->workers[worker].is_unfit = true;
  p->transport->ops->kill(p->transport, worker, SIGKILL);
}

Failure setup_failure (const WorkerSlot *w) {
  bool is_known = w->setup_error != LUA_NOREF;
  return (Failure){.kind = "error",
                   .message = "setup failed",
                   .error = is_known ? w->setup_error : 0};
}

void setup_forget (lua_State *L, WorkerSlot *w) {
  luaL_unref(L, LUA_REGISTRYINDEX, w->setup_error);
  w->setup_error = LUA_NOREF;
  w->is_unfit = false;
}
