/* host.h - what one process of neap is: found from any of its Lua states. */
#ifndef HOST_H
#define HOST_H

#include <lua.h>
#include <stdbool.h>

typedef struct Host {
  const char *executable; /* absolute path of the running neap, for workers */
  const char *lua_dir;    /* folder that holds neap/init.lua */
  int default_workers;    /* --workers N; -1 when not given */
  bool is_worker;         /* neap.pool is inline here */
} Host;

/* The process's Host lives in main's frame; every Lua state points to it. */
static inline Host *host_get (lua_State *L) {
  return *(Host **)lua_getextraspace(L);
}
static inline void host_set (lua_State *L, Host *host) {
  *(Host **)lua_getextraspace(L) = host;
}

#endif
