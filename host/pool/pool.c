/* pool.c - opens and closes pools. */
#include "pool/pool.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>
#include <poll.h>
#include <lauxlib.h>
#include "directory.h"
#include "metatable.h"
#include "pool/call.h"
#include "worker/protocol.h"
#include "worker/session.h"

/* Is the function of the level one of the pool's own Lua, whose folder source begins with? */
static bool is_own (lua_State *L, int level, const char *source, size_t len) {
  lua_Debug ar;
  return lua_getstack(L, level, &ar) && lua_getinfo(L, "S", &ar) &&
         strncmp(ar.source, source, len) == 0;
}

/* Pushes the position of what has called the pool: level 1 and what lies around it is the pool's own
   Lua, which may have a protected call in it. */
static void push_where (lua_State *L) {
  lua_Debug ar;
  int level = 1;
  if (lua_getstack(L, 1, &ar) && lua_getinfo(L, "S", &ar)) {
    const char *slash = strrchr(ar.source, '/');
    size_t len = slash != NULL ? (size_t)(slash - ar.source) : strlen(ar.source);
    const char *source = ar.source;
    while (is_own(L, level, source, len) ||
           (is_own(L, level, "=[C]", 4) && is_own(L, level + 1, source, len))) {
      level++;
    }
  }
  luaL_where(L, level);
}

int pool_error (lua_State *L, const char *format, ...) {
  push_where(L);
  va_list arguments;
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  return lua_error(L);
}

Pool *pool_check (lua_State *L, int arg) {
  Pool **box = luaL_checkudata(L, arg, POOL_TNAME);
  if (*box == NULL || (*box)->transport == NULL) pool_error(L, "pool is closed");
  pool_check_idle(L, *box);
  return *box;
}

void pool_check_idle (lua_State *L, const Pool *p) {
  if (p->is_answering) { /* the worker that waits would never come to it */
    pool_error(L, "the pool cannot be called while a worker waits for a global");
  }
  if (p->is_busy) {
    pool_error(L, "the pool cannot be called by a metamethod or a finalizer while it sends or "
                  "takes up what a call consists of");
  }
}

static int l_leave (lua_State *L) {
  Pool **guarded = lua_touserdata(L, 1);
  if (*guarded != NULL) (*guarded)->is_busy = false;
  return 0;
}

void pool_enter (lua_State *L, Pool *p) {
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->guard);
  lua_toclose(L, -1);
  p->is_busy = true;
}

/* Leaves a reference to what pool_enter pushes. */
static void make_guard (lua_State *L, Pool *p) {
  static const luaL_Reg metamethods[] = {{"__close", l_leave}, {NULL, NULL}};
  Pool **guarded = lua_newuserdatauv(L, sizeof *guarded, 0);
  *guarded = p;
  metatable_set(L, "neap.core.Guard", metamethods);
  p->guard = luaL_ref(L, LUA_REGISTRYINDEX);
}

Pool *pool_retain (Pool *p) {
  p->refs++;
  return p;
}

void pool_release (Pool *p) {
  if (p == NULL || --p->refs > 0) return;
  objects_fini(&p->objects);
  free(p->workers);
  free(p->touched);
  free(p);
}

static void drop_queue (WorkerSlot *w) {
  while (w->first != NULL) {
    Request *r = w->first;
    w->first = r->next;
    request_free(r);
  }
  w->last = &w->first;
  w->n_requests = 0;
  known_fini(&w->known);
  parcel_release(w->configuration);
  w->configuration = NULL;
}

/* Calls under way end with the pool: what runs for them is stopped. */
static void stop_workers (Pool *p) {
  for (int w = 0; w < p->n; w++) {
    const Request *r = p->workers[w].first;
    if (r != NULL) p->transport->ops->interrupt(p->transport, w, r->message.request);
  }
  while (p->floating != NULL) {
    Request *r = p->floating;
    p->floating = r->next;
    request_free(r);
  }
  p->last_floating = &p->floating;
}

void pool_close (Pool *p) {
  if (p->transport == NULL) return;
  stop_workers(p);
  Transport *t = p->transport;
  p->transport = NULL; /* from here on handles are removed and calls are over */
  t->ops->close(t);
  Session *session = p->session;
  p->session = NULL; /* from here on an interrupt does not look for it */
  session_free(session);
  pool_drop_journals(p);
  for (int w = 0; w < p->n; w++) drop_queue(&p->workers[w]);
  event_queue_fini(&p->inline_answers);
  parcel_release(p->setup);
  p->setup = NULL;
}

/* Writing to a worker that has just died must not end the driver; writing to a reader of the
   driver's own output that is gone still does, as users of pipes expect. */
static void on_sigpipe (int signum) {
  struct pollfd fd = {.fd = STDOUT_FILENO, .events = 0};
  if (poll(&fd, 1, 0) == 1 && (fd.revents & POLLERR) != 0) {
    signal(signum, SIG_DFL);
    raise(signum);
  }
}

static void guard_sigpipe (void) {
  struct sigaction old;
  if (sigaction(SIGPIPE, NULL, &old) != 0 || old.sa_handler != SIG_DFL) return;
  struct sigaction act = {.sa_handler = on_sigpipe, .sa_flags = SA_RESTART};
  sigemptyset(&act.sa_mask);
  sigaction(SIGPIPE, &act, NULL);
}

/* A worker is told its number, the seed and where the driver looks for modules. */
static Parcel *configuration (lua_State *L, Pool *p, int worker) {
  int top = lua_gettop(L);
  lua_createtable(L, 0, 6);
  lua_pushinteger(L, worker + 1);
  lua_setfield(L, -2, "worker");
  lua_pushinteger(L, p->n);
  lua_setfield(L, -2, "workers");
  lua_pushinteger(L, p->seed);
  lua_setfield(L, -2, "seed");
  if (p->memory_limit > 0 && p->session == NULL) {
    lua_pushinteger(L, p->memory_limit);
    lua_setfield(L, -2, "memory_limit");
  }
  lua_getglobal(L, "package");
  static const char *const names[] = {"path", "cpath"};
  for (int i = 0; lua_istable(L, -1) && i < 2; i++) {
    if (lua_getfield(L, -1, names[i]) == LUA_TSTRING) lua_setfield(L, -3, names[i]);
    else lua_pop(L, 1);
  }
  lua_pop(L, 1);
  char directory[4096];
  if (p->session == NULL && getcwd(directory, sizeof directory) != NULL) {
    lua_pushstring(L, directory);
    lua_setfield(L, -2, "directory");
  }
  Encoder *e = wire_encoder(L, &p->context, 0);
  wire_encode(L, e, top + 1, "configuration");
  Parcel *parcel = wire_finish(L, e);
  lua_settop(L, top);
  return parcel;
}

static void configure_all (lua_State *L, Pool *p) {
  for (int w = 0; w < p->n; w++) {
    Parcel *parcel = configuration(L, p, w);
    parcel_release(p->workers[w].configuration);
    p->workers[w].configuration = parcel;
  }
}

/* Remembers where modules are looked for; whether that has changed. */
static bool environment_changed (lua_State *L, Pool *p) {
  lua_getglobal(L, "package");
  bool changed = false;
  static const char *const names[] = {"path", "cpath"};
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->environment);
  for (int i = 0; lua_istable(L, -2) && i < 2; i++) {
    lua_getfield(L, -2, names[i]);
    lua_rawgeti(L, -2, i + 1);
    if (!lua_rawequal(L, -1, -2)) changed = true;
    lua_pop(L, 1);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pop(L, 2);
  uint64_t version = directory_version();
  if (version == p->directory_version) return changed;
  p->directory_version = version;
  struct stat here;
  if (p->session == NULL && stat(".", &here) == 0 &&
      (here.st_ino != p->directory_inode || here.st_dev != p->directory_device)) {
    p->directory_inode = here.st_ino;
    p->directory_device = here.st_dev;
    changed = true;
  }
  return changed;
}

void pool_follow_environment (lua_State *L, Pool *p) {
  if (!environment_changed(L, p)) return;
  configure_all(L, p);
  for (int w = 0; w < p->n; w++) {
    Message m = {.type = REQUEST_CONFIGURE, .parcel = p->workers[w].configuration};
    pool_send(L, p, w, &m);
  }
}

/* pool:close() -> has the user pressed Ctrl-C meanwhile? Calls under way are over; may be repeated */
int pool_close_method (lua_State *L) {
  Pool **box = luaL_checkudata(L, 1, POOL_TNAME);
  Pool *p = *box;
  if (p == NULL || p->transport == NULL) return 0;
  if (p->is_answering) { /* what answers, and an inline session, runs below us */
    return pool_error(L, "the pool cannot be closed while a worker waits for a global");
  }
  pool_check_idle(L, p);
  pool_watch(p);
  pool_close(p);
  pool_unwatch(p);
  lua_pushboolean(L, p->host->interrupts != 0);
  p->host->interrupts = 0;
  luaL_unref(L, LUA_REGISTRYINDEX, p->calls); /* nothing keeps them any more */
  p->calls = LUA_NOREF;
  return 1;
}

static int l_gc (lua_State *L) {
  Pool **box = luaL_checkudata(L, 1, POOL_TNAME);
  Pool *p = *box;
  if (p == NULL) return 0;
  *box = NULL;
  pool_close(p);
  luaL_unref(L, LUA_REGISTRYINDEX, p->calls);
  luaL_unref(L, LUA_REGISTRYINDEX, p->immutables);
  luaL_unref(L, LUA_REGISTRYINDEX, p->environment);
  luaL_unref(L, LUA_REGISTRYINDEX, p->guard);
  for (int w = 0; w < p->n; w++) {
    luaL_unref(L, LUA_REGISTRYINDEX, p->workers[w].context.definitions);
    setup_forget(L, &p->workers[w]);
  }
  pool_release(p);
  return 0;
}

static int new_table_ref (lua_State *L, const char *mode) {
  lua_newtable(L);
  if (mode != NULL) {
    lua_newtable(L);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
  }
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Ends what has been started, rather than leave that to the collector, and raises. */
static int fail_open (lua_State *L, Pool *p, const char *format, const char *why) {
  pool_close(p);
  return pool_error(L, format, why);
}

/* open(workers, seed, blas_threads, memory_limit) -> pool whose processes have been started; workers = 0 for
   an inline pool. pool:is_ready() tells when they can work. */
int pool_open (lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1), seed = luaL_checkinteger(L, 2);
  lua_Integer blas_threads = luaL_checkinteger(L, 3);
  luaL_argcheck(L, n >= 0 && n <= 4096, 1, "from 0 to 4096 workers expected");
  lua_Integer memory_limit = luaL_optinteger(L, 4, 0);
  luaL_argcheck(L, blas_threads > 0 && blas_threads <= 4096, 3, "positive number expected");
  luaL_argcheck(L, memory_limit >= 0, 4, "number of bytes expected");
  Pool **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, POOL_TNAME);
  size_t slots = n > 0 ? (size_t)n : 1;
  Pool *p = calloc(1, sizeof *p);
  WorkerSlot *workers = p != NULL ? calloc(slots, sizeof *workers) : NULL;
  if (workers == NULL) {
    free(p);
    return luaL_error(L, "not enough memory");
  }
  *p = (Pool){.refs = 1,
              .host = host_get(L),
              .n = (int)slots,
              .workers = workers,
              .seed = seed,
              .memory_limit = memory_limit,
              .blas_threads = (int)blas_threads};
  p->last_floating = &p->floating;
  p->calls = p->immutables = p->environment = p->guard = LUA_NOREF;
  p->context = (WireContext){.user = p, .remote_id = pool_remote_id, .definitions = LUA_NOREF};
  for (size_t w = 0; w < slots; w++) {
    workers[w].last = &workers[w].first;
    workers[w].journal_last = &workers[w].journal;
    workers[w].patience = 1;
    workers[w].setup_error = LUA_NOREF;
    workers[w].context = (WireContext){.user = p, .definitions = LUA_NOREF};
  }
  *box = p; /* from here on __gc frees all */
  p->calls = new_table_ref(L, NULL);
  p->immutables = new_table_ref(L, "k");
  p->environment = new_table_ref(L, NULL);
  make_guard(L, p);
  for (size_t w = 0; w < slots; w++) workers[w].context.definitions = new_table_ref(L, NULL);
  int rc;
  if (n == 0) {
    rc = pool_open_inline(p);
    workers[0].is_ready = true;
  } else {
    guard_sigpipe();
    p->transport = transport_local(p->host, p->n, (int)blas_threads, &rc);
  }
  if (rc < 0) return fail_open(L, p, "cannot open a pool: %s", uv_strerror(rc));
  environment_changed(L, p);
  configure_all(L, p);
  for (int w = 0; w < p->n; w++) {
    rc = pool_start_worker(L, p, w);
    if (rc < 0) return fail_open(L, p, "cannot start a worker: %s", uv_strerror(rc));
  }
  return 1;
}

static const luaL_Reg metamethods[] = {{"__gc", l_gc},
                                       {"__close", pool_close_method},
                                       {NULL, NULL}};

void pool_open_metatable (lua_State *L) {
  luaL_newmetatable(L, POOL_TNAME);
  luaL_setfuncs(L, metamethods, 0);
}
