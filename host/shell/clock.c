/* clock.c - the time that passes, for scripts that measure it. */
#include "shell/clock.h"

#include <lauxlib.h>
#include <uv.h>

/* clock.now() -> seconds since some point in the past, never going back */
static int l_now (lua_State *L) {
  lua_pushnumber(L, (lua_Number)uv_hrtime() * 1e-9);
  return 1;
}

static const luaL_Reg functions[] = {{"now", l_now}, {NULL, NULL}};

int luaopen_host_clock (lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
