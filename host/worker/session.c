/* session.c - the Lua side of a worker: one request after the other, each in a protected call. */
#include "worker/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <lauxlib.h>
#include <lualib.h>
#include "array/array.h"
#include "array/memory.h"
#include "worker/protocol.h"
#include "worker/session_internal.h"

/* A remote object comes back into its function as the object itself. */
static int remote_push (lua_State *L, uint64_t id, void *user) {
  Session *s = user;
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->objects);
  int found = lua_rawgeti(L, -1, (lua_Integer)id) == LUA_TTABLE;
  if (found) lua_rawgeti(L, -1, 1); /* boxed, so that nil can be an object */
  else lua_pushnil(L);
  lua_replace(L, -3);
  lua_pop(L, 1);
  if (!found) lua_pop(L, 1);
  return found;
}

void session_set_object (lua_State *L, Session *s, lua_Integer id) {
  lua_createtable(L, 1, 0);
  lua_insert(L, -2);
  lua_rawseti(L, -2, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->objects);
  lua_insert(L, -2);
  lua_rawseti(L, -2, id);
  lua_pop(L, 1);
}

void session_answer (lua_State *L, Session *s, Encoder *e, uint8_t type, uint64_t request) {
  Message m = {.type = type,
               .flags = s->answer_flags,
               .request = request,
               .parcel = wire_finish(L, e)};
  int rc = 0;
  for (uint32_t i = 0; i < m.parcel->n_defs && rc == 0; i++) {
    int is_new = 0;
    rc = known_add(&s->known, m.parcel->defs[i], &is_new);
    if (rc < 0 || !is_new) continue;
    Message d = {.type = ANSWER_DEFINE, .parcel = wire_definition(L, m.parcel->defs[i])};
    rc = s->io.send(s->io.user, &d);
  }
  if (rc == 0) rc = s->io.send(s->io.user, &m);
  else message_fini(&m);
  if (rc < 0) luaL_error(L, "answer could not be sent: %s", uv_strerror(rc));
}

/* Of this process: heap, and mappings that only it writes to, which arrays that were received are;
   memory of arrays that others can map is counted by itself. */
static void limit_memory (lua_State *L, lua_Integer bytes) {
  block_set_limit((size_t)bytes);
  struct rlimit limit = {.rlim_cur = (rlim_t)bytes, .rlim_max = (rlim_t)bytes};
  if (setrlimit(RLIMIT_DATA, &limit) != 0) {
    luaL_error(L, "cannot limit memory: %s", strerror(errno));
  }
}

static void configure (lua_State *L, Session *s, const Message *m) {
  wire_decode(L, m->parcel, &s->context);
  luaL_checktype(L, -1, LUA_TTABLE);
  int t = lua_gettop(L);
  if (lua_getfield(L, t, "worker") != LUA_TNIL) s->worker = (int)lua_tointeger(L, -1);
  if (lua_getfield(L, t, "seed") != LUA_TNIL) s->seed = (uint64_t)lua_tointeger(L, -1);
  if (lua_getfield(L, t, "memory_limit") != LUA_TNIL) limit_memory(L, lua_tointeger(L, -1));
  lua_getglobal(L, "package");
  static const char *const names[] = {"path", "cpath"};
  for (int i = 0; i < 2; i++) {
    if (lua_getfield(L, t, names[i]) == LUA_TSTRING) lua_setfield(L, -2, names[i]);
    else lua_pop(L, 1);
  }
  if (lua_getfield(L, t, "directory") == LUA_TSTRING && chdir(lua_tostring(L, -1)) != 0) {
    luaL_error(L, "cannot enter directory '%s'", lua_tostring(L, -1));
  }
}

static void push_objects (lua_State *L, Session *s, const Message *m) {
  int n = wire_decode(L, m->parcel, &s->context);
  if (n % 2 != 0) luaL_error(L, "malformed request");
  for (; n > 0; n -= 2) {
    session_set_object(L, s, luaL_checkinteger(L, n - 1));
    lua_settop(L, n - 2);
  }
  session_answer(L, s, wire_encoder(L, &s->context, 0), ANSWER_RESULT, m->request);
}

static void get_object (lua_State *L, Session *s, const Message *m) {
  wire_decode(L, m->parcel, &s->context);
  if (!remote_push(L, (uint64_t)luaL_checkinteger(L, -1), s)) luaL_error(L, "no such object");
  Encoder *e = wire_encoder(L, &s->context, 0);
  wire_encode(L, e, -2, "object");
  session_answer(L, s, e, ANSWER_RESULT, m->request);
}

/* All in one message, since objects may share parts. */
static void copy_objects (lua_State *L, Session *s, const Message *m) {
  int n = wire_decode(L, m->parcel, &s->context);
  Encoder *e = wire_encoder(L, &s->context, 1);
  for (int i = 1; i <= n; i++) {
    if (!remote_push(L, (uint64_t)luaL_checkinteger(L, i), s)) continue; /* never made */
    wire_encode(L, e, i, "id");
    wire_encode(L, e, -1, "object");
    lua_pop(L, 1);
  }
  session_answer(L, s, e, ANSWER_RESULT, m->request);
}

static void free_objects (lua_State *L, Session *s, const Message *m) {
  int n = wire_decode(L, m->parcel, &s->context); /* stack: ids */
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->objects);
  for (int i = 1; i <= n; i++) {
    lua_pushnil(L);
    lua_rawseti(L, n + 1, lua_tointeger(L, i));
  }
}

typedef struct Serving {
  Session *session;
  const Message *message;
} Serving;

static int l_end_globals (lua_State *L) {
  Session *s = lua_touserdata(L, 1);
  session_globals_end(L, s, s->call);
  return 0;
}

static int l_serve (lua_State *L) {
  const Serving *v = lua_touserdata(L, 1);
  Session *s = v->session;
  const Message *m = v->message;
  lua_settop(L, 0);
  if (s->n_owed > 0 && !session_may_owe(m)) return luaL_error(L, "not enough memory");
  switch (m->type) {
    case REQUEST_CONFIGURE: configure(L, s, m); break;
    case REQUEST_DEFINE: wire_define(L, m->parcel, &s->context); break;
    case REQUEST_PUSH: push_objects(L, s, m); break;
    case REQUEST_APPLY: session_apply(L, s, m); break;
    case REQUEST_MAP: session_map_begin(L, s, m); break;
    case REQUEST_CHUNK: session_chunk(L, s, m); break;
    case REQUEST_MAP_END: session_map_end(L, s, m); break;
    case REQUEST_GIVE: session_globals_give(L, s, m); break;
    case REQUEST_GET: get_object(L, s, m); break;
    case REQUEST_COPY: copy_objects(L, s, m); break;
    case REQUEST_FREE: free_objects(L, s, m); break;
    case REQUEST_CANCEL: break; /* its chunks have been answered already */
    default: return luaL_error(L, "unknown request %d", (int)m->type);
  }
  return 0;
}

static int l_send_error (lua_State *L) {
  const Serving *v = lua_touserdata(L, 1);
  Session *s = v->session;
  Encoder *e = wire_encoder(L, &s->context, 0);
  wire_encode(L, e, 2, "error");
  session_answer(L, s, e, ANSWER_ERROR, v->message->request);
  return 0;
}

/* Answers with the error on the stack; what of it cannot be sent is left out. */
static int send_error (Session *s, Serving *v) {
  lua_State *L = s->L;
  int at = lua_gettop(L);
  for (int attempt = 0; attempt < 2; attempt++) {
    lua_pushcfunction(L, l_send_error);
    lua_pushlightuserdata(L, v);
    lua_pushvalue(L, at);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK) return 0;
    if (lua_type(L, at) == LUA_TTABLE) session_leave_out(L, at);
    lua_settop(L, at);
  }
  /* No memory even for that: a parcel without values is an error without words. */
  Message m = {.type = ANSWER_ERROR, .request = v->message->request};
  return s->io.send(s->io.user, &m);
}

static int l_tell_map (lua_State *L) {
  const Serving *v = lua_touserdata(L, 1);
  if (lua_istable(L, 2)) { /* of session_traceback: what is to be read is enough */
    lua_getfield(L, 2, "message");
    lua_replace(L, 2);
  }
  session_map_fail(L, v->session, v->message);
  return 0;
}

/* A map could not begin: its chunks tell why. */
static void tell_map (Session *s, const Message *m) {
  Serving v = {.session = s, .message = m};
  lua_pushcfunction(s->L, l_tell_map);
  lua_insert(s->L, -2);
  lua_pushlightuserdata(s->L, &v);
  lua_insert(s->L, -2);
  if (lua_pcall(s->L, 2, 0, 0) != LUA_OK) lua_pop(s->L, 1); /* no memory even for that */
}

static bool wants_answer (const Message *m) {
  return m->type == REQUEST_PUSH || m->type == REQUEST_APPLY || m->type == REQUEST_CHUNK ||
         m->type == REQUEST_GET || m->type == REQUEST_COPY;
}

void session_out_of_memory (lua_State *L, int status) {
  if (status == LUA_ERRMEM || status == LUA_ERRERR) lua_gc(L, LUA_GCCOLLECT);
}

int session_serve (Session *s, const Message *m) {
  lua_State *L = s->L;
  Serving v = {.session = s, .message = m};
  s->item = 0;
  s->request = m->request;
  s->answer_flags = 0;
  lua_settop(L, 0);
  lua_pushcfunction(L, session_traceback);
  lua_pushcfunction(L, l_serve);
  lua_pushlightuserdata(L, &v);
  int status = lua_pcall(L, 1, 0, 1);
  session_out_of_memory(L, status);
  lua_sethook(L, NULL, 0, 0);
  s->running = false;
  return status;
}

int session_handle (Session *s, const Message *m) {
  lua_State *L = s->L;
  Serving v = {.session = s, .message = m};
  if (s->n_owed > 0) {
    if (session_may_owe(m)) return session_owe(s, m);
    session_pay(s);
  }
  int status = session_serve(s, m);
  int rc = 0;
  *s->position = 0;
  if (status != LUA_OK && m->type == REQUEST_CHUNK && s->item != 0 && lua_istable(L, -1)) {
    lua_pushinteger(L, s->item);
    lua_setfield(L, -2, "item"); /* preallocated by session_traceback: raises not */
  }
  if (status != LUA_OK && wants_answer(m)) {
    session_output_flush(s);
    rc = send_error(s, &v);
  } else if (status != LUA_OK && m->type == REQUEST_MAP) {
    tell_map(s, m);
  } else if (status != LUA_OK && session_may_owe(m) && session_lacked_memory(L, status)) {
    rc = session_owe(s, m); /* there is some again, after a collection */
  } else if (status != LUA_OK) {
    if (lua_istable(L, -1))
      lua_getfield(L, -1, "message"); /* the name is there, as the field is */
    fprintf(stderr, "neap: request %d failed: %s\n", m->type, luaL_tolstring(L, -1, NULL));
  }
  lua_settop(L, 0);
  if (m->type == REQUEST_APPLY) { /* however it ended */
    lua_pushcfunction(L, l_end_globals);
    lua_pushlightuserdata(L, s);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  }
  return rc;
}

static void on_hook (lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted");
}

/* The first error has been caught, or what runs takes its time to clean up: each instruction
   raises one now, so that it gets out of any loop around a pcall. */
static void on_hook_again (lua_State *L, lua_Debug *ar) {
  if (ar->event == LUA_HOOKCOUNT) luaL_error(L, "interrupted");
}

void session_interrupt (Session *s) {
  volatile uint64_t *stop = s->io.stop;
  if (!s->running || (stop != NULL && *stop > s->request)) return; /* session_run will look */
  bool is_meant = stop == NULL || *stop == 0 || *stop == s->request;
  if (stop != NULL) *stop = 0;
  if (!is_meant) return;
  Host *host = host_get(s->L);
  void (*on_interrupt)(void *) = host->on_interrupt;
  if (on_interrupt != NULL)
    on_interrupt(host->interrupt_user); /* that waits for a pool of its own */
  host_interrupt(host, s->L, s->is_stopping ? on_hook_again : on_hook);
  s->is_stopping = true;
}

void session_run (lua_State *L, Session *s) {
  s->is_stopping = false;
  s->running = true; /* from here on an interrupt finds its way by itself */
  volatile uint64_t *stop = s->io.stop;
  if (stop == NULL || *stop != s->request) return;
  *stop = 0;
  s->answer_flags = ANSWER_NOT_BEGUN;
  luaL_error(L, "interrupted");
}

void session_ran (lua_State *L, Session *s) {
  s->running = false;
  if (lua_gethook(L) == on_hook_again) lua_sethook(L, NULL, 0, 0); /* finalizers may run */
}

void session_forget (Session *s) {
  known_fini(&s->known);
}

static int l_rest (lua_State *L) {
  memory_rest(L);
  return 0;
}

void session_rest (Session *s) {
  lua_pushcfunction(s->L, l_rest);
  lua_pcall(s->L, 0, 0, 0); /* without memory there is another time */
  lua_settop(s->L, 0);
}

static int l_open (lua_State *L) {
  Session *s = lua_touserdata(L, 1);
  luaL_requiref(L, "host.array", luaopen_host_array, 0); /* arrays may come before require */
  lua_newtable(L);
  s->context.definitions = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_newtable(L);
  s->objects = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_newtable(L);
  s->maps = luaL_ref(L, LUA_REGISTRYINDEX);
  session_globals_open(L, s);
  session_random_open(L, s);
  session_output_open(L, s);
  return 0;
}

Session *session_new (Host *host, const SessionIo *io) {
  Session *s = calloc(1, sizeof *s);
  if (s == NULL) return NULL;
  s->host = *host;
  s->host.is_worker = true;
  s->host.loop = NULL; /* of its own, if anything here ever wants one */
  s->host.timer = NULL;
  s->host.pollers = NULL;
  s->host.wake = NULL;
  s->host.on_interrupt = NULL;
  s->host.interrupts = 0;
  s->host.running = s->host
                      .hooked = NULL; /* no coroutine of the state that asks for this one */
  s->io = *io;
  s->position = io->position != NULL ? io->position : &s->no_position;
  s->worker = 1;
  s->L = host->newstate(&s->host);
  if (s->L == NULL) {
    free(s);
    return NULL;
  }
  s->context = (WireContext){.user = s, .remote_push = remote_push, .definitions = LUA_NOREF};
  lua_pushcfunction(s->L, l_open);
  lua_pushlightuserdata(s->L, s);
  if (lua_pcall(s->L, 1, 0, 0) != LUA_OK) {
    session_free(s);
    return NULL;
  }
  return s;
}

static int l_exit (lua_State *L) {
  return luaL_error(L, "os.exit was called, which would end a worker process");
}

static int l_stay (lua_State *L) {
  lua_getglobal(L, LUA_OSLIBNAME);
  lua_pushcfunction(L, l_exit);
  lua_setfield(L, -2, "exit");
  return 0;
}

void session_stay (Session *s) {
  lua_pushcfunction(s->L, l_stay);
  if (lua_pcall(s->L, 0, 0, 0) != LUA_OK) lua_pop(s->L, 1);
}

void session_free (Session *s) {
  if (s == NULL) return;
  lua_close(s->L);
  session_output_close(s); /* finalizers may have printed */
  session_drop_owed(s);
  known_fini(&s->known);
  free(s);
}
