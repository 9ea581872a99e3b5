/* coroutines.c - coroutine.resume and coroutine.wrap, such that Ctrl-C reaches what runs. */
#include "shell/coroutines.h"

#include <lauxlib.h>
#include <lualib.h>
#include "host.h"

/* An interrupt that co was too fast for is the resumer's. */
static void inherit_hook (Host *host, lua_State *co, lua_State *L) {
  lua_Hook hook = lua_gethook(co);
  if (host->hooked != co || hook == NULL) return;
  lua_sethook(co, NULL, 0, 0);
  host_interrupt(host, L, hook);
}

/* Resumes co with the nargs values at the top of L, which it takes, and pushes what comes back:
   returns how many values, or -1 and the error. */
static int resume (lua_State *L, lua_State *co, int nargs) {
  if (!lua_checkstack(co, nargs)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  Host *host = host_get(L);
  lua_State *before = host->running;
  int n = 0;
  lua_xmove(L, co, nargs);
  host->running = co;
  int status = lua_resume(co, L, nargs, &n); /* does not raise */
  host->running = before;
  inherit_hook(host, co, L);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, n + 1)) {
    lua_pop(co, n);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, n);
  return n;
}

/* coroutine.resume(co, ...) -> true, ... | false, error */
static int l_resume (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  if (co == NULL) return luaL_typeerror(L, 1, "coroutine");
  int n = resume(L, co, lua_gettop(L) - 1);
  int count = n < 0 ? 1 : n;
  lua_pushboolean(L, n >= 0);
  lua_insert(L, -(count + 1));
  return count + 1;
}

/* What coroutine.wrap returns; its upvalue is the coroutine. An error closes the coroutine and
   goes on to the caller, a string with the caller's place before it. */
static int l_wrapped (lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int n = resume(L, co, lua_gettop(L));
  if (n >= 0) return n;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) { /* else co never ran */
    status = lua_resetthread(co);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

/* coroutine.wrap(f) -> function */
static int l_wrap (lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, l_wrapped, 1);
  return 1;
}

static const luaL_Reg functions[] = {{"resume", l_resume}, {"wrap", l_wrap}, {NULL, NULL}};

void coroutines_open (lua_State *L) {
  lua_getglobal(L, LUA_COLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
