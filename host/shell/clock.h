/* clock.h - the time that passes, for scripts that measure it. */
#ifndef CLOCK_H
#define CLOCK_H

#include <lua.h>

int luaopen_host_clock (lua_State *L);

#endif
