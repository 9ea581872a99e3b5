/* module.h - host.pool: the pool's calls as the Lua side of neap uses them. */
#ifndef MODULE_H
#define MODULE_H

#include <lua.h>

int luaopen_host_pool (lua_State *L);

#endif
