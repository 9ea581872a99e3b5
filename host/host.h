/* host.h - what one process of neap is: found from any of its Lua states. */
#ifndef HOST_H
#define HOST_H

#include <lua.h>
#include <signal.h>
#include <stdbool.h>
#include <uv.h>

/* Something that is looked at while somebody waits, since looking is quicker than being woken. */
typedef struct HostPoller {
  struct HostPoller *next;
  bool (*look)(struct HostPoller *p); /* takes up what has come; has anything? */
  /* From doze to wake what comes goes through the loop, which is about to sleep. False: something
     has come already; wake is called all the same. */
  bool (*doze)(struct HostPoller *p);
  void (*wake)(struct HostPoller *p);
} HostPoller;

typedef struct Host {
  const char *executable;  /* absolute path of the running neap, for workers */
  const char *lua_dir;     /* folder that holds neap/init.lua */
  int default_workers;     /* --workers N; -1 when not given */
  bool is_worker;          /* neap.pool is inline here */
  bool ignore_environment; /* -E: LUA_PATH, LUA_CPATH and LUA_INIT are not read */
  bool has_slots;          /* of its Lua, see array/slots.h */
  bool interactive;        /* at the prompt: no number of interrupts ends the process */

  /* Ctrl-C. The handler of SIGINT counts here. While Lua runs, a hook takes the interrupt and
     raises "interrupted!" at the next instruction. Who waits outside Lua sets on_interrupt
     for as long as it waits, looks at interrupts when it begins and when it is woken, and
     takes them by setting interrupts to 0. */
  volatile sig_atomic_t interrupts;
  void (*volatile on_interrupt)(void *user); /* called in the handler, as uv_async_send may */
  void *interrupt_user;                      /* set it before on_interrupt */
  lua_State *volatile running; /* the coroutine that runs; NULL: a state's main thread */
  lua_State *volatile hooked;  /* where host_interrupt has set its hook last */

  struct lua_State *(*newstate)(struct Host *host); /* a fresh Lua state, or NULL */

  uv_loop_t *loop;   /* of all transports; NULL until the first pool is opened */
  uv_timer_t *timer; /* ends a poll in time */
  HostPoller *pollers;
  bool spins;       /* the last wait was so short that looking again would have paid */
  uv_async_t *wake; /* ends a poll from a signal handler */
} Host;

/* The process's Host lives in main's frame; every Lua state points to it. */
static inline Host *host_get (lua_State *L) {
  return *(Host **)lua_getextraspace(L);
}
static inline void host_set (lua_State *L, Host *host) {
  *(Host **)lua_getextraspace(L) = host;
}

/* Has the next instruction of L call the hook; of the coroutine that L has resumed, where it
   has. For signal handlers. The hook removes itself when it raises. */
void host_interrupt (Host *host, lua_State *L, lua_Hook hook);

int host_open_loop (Host *host);   /* 0 or a negative UV_E*; nothing when it is open */
void host_close_loop (Host *host); /* after every transport is closed; may be repeated */

/* Ends the host_poll that is under way, or the next one. For signal handlers. */
void host_wake (Host *host);

void host_add_poller (Host *host, HostPoller *p);
void host_remove_poller (Host *host, HostPoller *p);

/* Runs the loop until something has come, or timeout_ms has passed (0: no waiting, negative: no
   limit). With spin set it looks again for some tens of microseconds before it sleeps, as long
   as that pays. */
void host_poll (Host *host, int timeout_ms, bool spin);

#endif
