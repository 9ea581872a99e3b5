/* host.h - what one process of neap is: found from any of its Lua states. */
#ifndef HOST_H
#define HOST_H

#include <lua.h>
#include <signal.h>
#include <stdbool.h>

typedef struct Host {
  const char *executable;  /* absolute path of the running neap, for workers */
  const char *lua_dir;     /* folder that holds neap/init.lua */
  int default_workers;     /* --workers N; -1 when not given */
  bool is_worker;          /* neap.pool is inline here */
  bool ignore_environment; /* -E: LUA_PATH, LUA_CPATH and LUA_INIT are not read */
  bool interactive;        /* at the prompt: no number of interrupts ends the process */

  /* Ctrl-C. The handler of SIGINT counts here. While Lua runs, a hook takes the interrupt and
     raises "interrupted!" at the next instruction. Who waits outside Lua sets on_interrupt
     for as long as it waits, looks at interrupts when it begins and when it is woken, and
     takes them by setting interrupts to 0. */
  volatile sig_atomic_t interrupts;
  void (*volatile on_interrupt) (void *user); /* called in the handler, as uv_async_send may */
  void *interrupt_user;                       /* set it before on_interrupt */
} Host;

/* The process's Host lives in main's frame; every Lua state points to it. */
static inline Host *host_get (lua_State *L) {
  return *(Host **)lua_getextraspace(L);
}
static inline void host_set (lua_State *L, Host *host) {
  *(Host **)lua_getextraspace(L) = host;
}

#endif
