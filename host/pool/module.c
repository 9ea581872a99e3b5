/* module.c - host.pool: the pool's calls as the Lua side of neap uses them. */
#include "pool/module.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "pool/request.h"
#include "pool/weigh.h"
#include "worker/protocol.h"

/* pool:wait_ready(seconds) -> nil, or the number of a worker that is not ready, and why if that is
   known; 0: the user has pressed Ctrl-C */
static int l_wait_ready (lua_State *L) {
  Pool *p = pool_check(L, 1);
  lua_Number seconds = luaL_checknumber(L, 2);
  uint64_t until = uv_hrtime() + (uint64_t)(seconds * 1e9), now = 0;
  int w = 0;
  pool_watch(p);
  while (p->host->interrupts == 0) {
    while (w < p->n && p->workers[w].is_ready) w++;
    now = uv_hrtime();
    if (w == p->n || p->workers[w].is_lost || now >= until) break;
    pool_poll(L, p, (int)((until - now) / 1000000u) + 1, false);
    pool_dispatch(L, p);
  }
  pool_unwatch(p);
  bool is_interrupted = p->host->interrupts != 0;
  p->host->interrupts = 0;
  if (w == p->n && !is_interrupted) return 0;
  lua_pushinteger(L, is_interrupted ? 0 : w + 1);
  int why = w < p->n ? p->workers[w].lost_error : 0;
  if (why < 0) lua_pushstring(L, uv_strerror(why));
  else lua_pushnil(L);
  return 2;
}

static const char *state_of (const WorkerSlot *w) {
  if (w->is_lost) return "lost";
  if (!w->is_ready) return "starting";
  return w->first != NULL ? "busy" : "idle";
}

/* pool:status() -> list of tables */
static int l_status (lua_State *L) {
  Pool *p = pool_check(L, 1);
  if (p->session == NULL) pool_poll(L, p, 0, false);
  pool_dispatch(L, p);
  char host[UV_MAXHOSTNAMESIZE];
  size_t size = sizeof host;
  if (uv_os_gethostname(host, &size) < 0) host[0] = '\0';
  lua_createtable(L, p->n, 0);
  for (int i = 0; i < p->n; i++) {
    const WorkerSlot *w = &p->workers[i];
    lua_createtable(L, 0, 12);
    lua_pushinteger(L, i + 1);
    lua_setfield(L, -2, "worker");
    lua_pushinteger(L, (lua_Integer)p->transport->ops->pid(p->transport, i));
    lua_setfield(L, -2, "pid");
    lua_pushstring(L, state_of(w));
    lua_setfield(L, -2, "state");
    lua_pushinteger(L, (lua_Integer)p->objects.n_live);
    lua_setfield(L, -2, "objects");
    lua_pushinteger(L, (lua_Integer)w->bytes_sent);
    lua_setfield(L, -2, "bytes_sent");
    lua_pushinteger(L, (lua_Integer)w->bytes_received);
    lua_setfield(L, -2, "bytes_received");
    lua_pushinteger(L, w->restarts);
    lua_setfield(L, -2, "restarts");
    const Request *r = w->first;
    if (r != NULL && r->message.type == REQUEST_CHUNK && r->call != NULL) {
      lua_pushinteger(L, map_item(L, r->call, r->first));
      lua_setfield(L, -2, "item");
    }
    TransportUsage usage;
    p->transport->ops->usage(p->transport, i, &usage);
    lua_pushinteger(L, (lua_Integer)usage.rss);
    lua_setfield(L, -2, "rss");
    lua_pushnumber(L, usage.cpu);
    lua_setfield(L, -2, "cpu");
    lua_pushinteger(L, p->blas_threads);
    lua_setfield(L, -2, "blas_threads");
    lua_pushstring(L, host);
    lua_setfield(L, -2, "host");
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* pool:kill(worker, signal) */
static int l_kill (lua_State *L) {
  Pool *p = pool_check(L, 1);
  lua_Integer w = luaL_checkinteger(L, 2), signum = luaL_checkinteger(L, 3);
  luaL_argcheck(L, (lua_Unsigned)w - 1u < (lua_Unsigned)p->n, 2, "no such worker");
  luaL_argcheck(L, signum > 0 && signum < 65, 3, "signal number expected");
  int rc = p->transport->ops->kill(p->transport, (int)w - 1, (int)signum);
  if (rc < 0) return pool_error(L, "worker %d: %s", (int)w, uv_strerror(rc));
  return 0;
}

static int l_transport (lua_State *L) {
  lua_pushstring(L, pool_check(L, 1)->transport->ops->name);
  return 1;
}

static int l_len (lua_State *L) {
  lua_pushinteger(L, pool_check(L, 1)->n);
  return 1;
}

static int l_is_closed (lua_State *L) {
  Pool **box = luaL_checkudata(L, 1, POOL_TNAME);
  lua_pushboolean(L, *box == NULL || (*box)->transport == NULL);
  return 1;
}

/* is_worker() -> is this a worker's Lua state? */
static int l_is_worker (lua_State *L) {
  lua_pushboolean(L, host_get(L)->is_worker);
  return 1;
}

/* default_workers() -> --workers N, or nil */
static int l_default_workers (lua_State *L) {
  int n = host_get(L)->default_workers;
  if (n >= 0) lua_pushinteger(L, n);
  else lua_pushnil(L);
  return 1;
}

/* available_cores() -> what this process may run on */
static int l_available_cores (lua_State *L) {
  cpu_set_t set;
  CPU_ZERO(&set);
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  lua_pushinteger(L, n > 0 ? n : 1);
  return 1;
}

/* pool:heavy() -> bytes beside blocks that the last call carried, where they are many; or nil */
static int l_heavy (lua_State *L) {
  Pool *p = pool_check(L, 1);
  if (p->heavy == 0) return 0;
  lua_pushinteger(L, (lua_Integer)p->heavy);
  p->heavy = 0;
  return 1;
}

/* is_interrupted() -> has the user pressed Ctrl-C, and nobody taken it yet? */
static int l_is_interrupted (lua_State *L) {
  lua_pushboolean(L, host_get(L)->interrupts != 0);
  return 1;
}

static int l_stderr_is_terminal (lua_State *L) {
  lua_pushboolean(L, isatty(STDERR_FILENO));
  return 1;
}

static const luaL_Reg methods[] = {
  {"apply", request_apply},
  {"apply_async", request_apply_async},
  {"apply_only", request_apply_only},
  {"submit", request_submit},
  {"keep", request_keep},
  {"push", request_push},
  {"scatter", request_scatter},
  {"get", request_get},
  {"set_setup", request_set_setup},
  {"map", call_map},
  {"stop", pool_stop},
  {"heavy", l_heavy},
  {"weigh", weigh_value},
  {"holds", weigh_holds},
  {"check_items", weigh_check_items},
  {"wait_ready", l_wait_ready},
  {"status", l_status},
  {"kill", l_kill},
  {"transport", l_transport},
  {"workers", l_len},
  {"is_closed", l_is_closed},
  {"close", pool_close_method},
  {NULL, NULL},
};

static const luaL_Reg functions[] = {
  {"open", pool_open},
  {"is_worker", l_is_worker},
  {"default_workers", l_default_workers},
  {"available_cores", l_available_cores},
  {"wait_any", pool_wait_any},
  {"named_globals", weigh_named_globals},
  {"is_interrupted", l_is_interrupted},
  {"stderr_is_terminal", l_stderr_is_terminal},
  {NULL, NULL},
};

/* host.pool: functions, and remote_methods: the table of methods of RemoteObject */
int luaopen_host_pool (lua_State *L) {
  pool_open_metatable(L);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  call_open(L);
  luaL_newlib(L, functions);
  remote_open(L);
  lua_setfield(L, -2, "remote_methods");
  return 1;
}
