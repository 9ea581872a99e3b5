/* globals.c - globals of the driver that functions on workers read: taken at the call where
   nobody may be there to ask later, else told when a worker asks.

   What is told is [name, found, value], or [name, nil, why the value cannot cross]. */
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "wire/codeglobals.h"
#include "wire/sources.h"
#include "worker/protocol.h"

void globals_free (Global *g) {
  while (g != NULL) {
    Global *next = g->next;
    parcel_release(g->answer);
    free(g);
    g = next;
  }
}

/* Adds one to a list; the answer gets a reference more. False: no memory. */
static bool add (Global **list, const char *name, Parcel *answer) {
  size_t size = strlen(name) + 1;
  Global *g = malloc(sizeof *g + size);
  if (g == NULL) return false;
  memcpy(g->name, name, size);
  g->answer = parcel_retain(answer);
  g->next = *list;
  *list = g;
  return true;
}

Global *globals_copy (const Global *g) {
  Global *copy = NULL;
  for (; g != NULL; g = g->next) {
    if (!add(&copy, g->name, g->answer)) break; /* then the driver's global of now is told */
  }
  return copy;
}

static Parcel *find (const Global *g, const char *name) {
  for (; g != NULL; g = g->next) {
    if (strcmp(g->name, name) == 0) return g->answer;
  }
  return NULL;
}

/* --- what one global is at this moment ------------------------------------------------------- */

typedef struct Told {
  Pool *pool;
  Parcel *answer;
} Told;

/* (Told, name): encodes the global; raises when it cannot cross. */
static int l_encode (lua_State *L) {
  Told *t = lua_touserdata(L, 1);
  Encoder *e = wire_encoder(L, &t->pool->context, 0);
  wire_encode(L, e, 2, "name");
  lua_pushboolean(L, 1);
  wire_encode(L, e, -1, "found");
  const char *label = lua_pushfstring(L, "global '%s'", lua_tostring(L, 2));
  lua_pushglobaltable(L);
  lua_pushvalue(L, 2);
  lua_gettable(L, -2);
  wire_encode(L, e, -1, label);
  t->answer = wire_finish(L, e);
  return 0;
}

/* (Told, name, reason) */
static int l_refuse (lua_State *L) {
  Told *t = lua_touserdata(L, 1);
  Encoder *e = wire_encoder(L, &t->pool->context, 0);
  wire_encode(L, e, 2, "name");
  lua_pushnil(L);
  wire_encode(L, e, -1, "found");
  wire_encode(L, e, 3, "reason");
  t->answer = wire_finish(L, e);
  return 0;
}

/* Encodes the global whose name is on top, or why it cannot cross. The caller's reference. */
static Parcel *tell (lua_State *L, Pool *p) {
  Told t = {.pool = p};
  int name = lua_gettop(L);
  lua_pushcfunction(L, l_encode);
  lua_pushlightuserdata(L, &t);
  lua_pushvalue(L, name);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    lua_pushcfunction(L, l_refuse);
    lua_pushlightuserdata(L, &t);
    lua_pushvalue(L, name);
    luaL_tolstring(L, -4, NULL);
    lua_call(L, 3, 0);
  }
  lua_settop(L, name);
  return t.answer;
}

/* --- a worker asks --------------------------------------------------------------------------- */

typedef struct Question {
  Pool *pool;
  int worker;
  const Message *message;
  Parcel *answer;
} Question;

/* What the call is told now it may change, as if it had been an argument: the objects that the last
   encoding has met are its own as well, so that a new process does it again. */
static void touch (lua_State *L, Pool *p, Request *r) {
  if (p->n_touched == 0) return;
  uint64_t *touched = realloc(r->touched, (r->n_touched + p->n_touched) * sizeof *touched);
  if (touched == NULL) luaL_error(L, "not enough memory");
  r->touched = touched;
  for (size_t i = 0; i < p->n_touched; i++) {
    objects_retain(&p->objects, p->touched[i]);
    touched[r->n_touched++] = p->touched[i];
  }
}

/* A replay is told what it was told the first time; that of a chunk is nobody's to do. */
static void note (lua_State *L, Pool *p, Request *r, const char *name, Parcel *answer) {
  if (r == NULL || r->is_replay || r->message.type != REQUEST_APPLY) return;
  touch(L, p, r);
  add(&r->globals, name, answer);
}

static int l_answer (lua_State *L) {
  Question *q = lua_touserdata(L, 1);
  Pool *p = q->pool;
  WorkerSlot *w = &p->workers[q->worker];
  if (wire_decode(L, q->message->parcel, &w->context) != 1) luaL_error(L, "malformed question");
  const char *name = luaL_checkstring(L, 2);
  Request *r = w->first; /* what the worker is doing */
  q->answer = r != NULL ? find(r->globals, name) : NULL;
  if (q->answer == NULL && r != NULL && r->call != NULL)
    q->answer = find(r->call->globals, name);
  if (q->answer != NULL) {
    parcel_retain(q->answer);
  } else {
    p->n_touched = 0;
    q->answer = tell(L, p);
    note(L, p, r, name, q->answer);
  }
  Message m = {.type = REQUEST_GLOBAL, .parcel = q->answer};
  pool_send(L, p, q->worker, &m);
  return 0;
}

void pool_answer_global (lua_State *L, Pool *p, int worker, const Message *question) {
  Question q = {.pool = p, .worker = worker, .message = question};
  luaL_checkstack(L, 4, NULL);
  lua_pushcfunction(L, l_answer);
  lua_pushlightuserdata(L, &q);
  p->is_answering = true;
  int status = lua_pcall(L, 1, 0, 0);
  p->is_answering = false;
  if (status != LUA_OK) {
    lua_pop(L, 1);
    /* No memory for an answer: one without values tells the worker so. */
    Message m = {.type = REQUEST_GLOBAL};
    if (p->transport != NULL) p->transport->ops->send(p->transport, worker, &m);
  }
  parcel_release(q.answer);
}

/* --- a call takes them along ------------------------------------------------------------------ */

static const char *const base_library[] = {
  "_G",       "_VERSION", "assert",   "collectgarbage", "dofile",  "error",  "getmetatable",
  "ipairs",   "load",     "loadfile", "next",           "pairs",   "pcall",  "print",
  "rawequal", "rawget",   "rawlen",   "rawset",         "require", "select", "setmetatable",
  "tonumber", "tostring", "type",     "warn",           "xpcall",
};

/* Every worker has it, so it is never asked for. */
static bool is_everywhere (const char *name) {
  for (size_t i = 0; i < sizeof base_library / sizeof *base_library; i++) {
    if (strcmp(name, base_library[i]) == 0) return true;
  }
  return sources_is_standard(name);
}

typedef struct Taking {
  lua_State *L;
  int names; /* stack index of a list of names to take, each once; the names are its keys too */
} Taking;

static void note_name (void *user, const char *name, size_t len, bool is_certain) {
  const Taking *t = user;
  lua_State *L = t->L;
  const char *s = lua_pushlstring(L, name, len);
  bool is_new = strlen(s) == len && !is_everywhere(s);
  lua_pushvalue(L, -1);
  if (is_new) is_new = lua_rawget(L, t->names) == LUA_TNIL;
  lua_settop(L, t->names + 1);
  if (is_new && !is_certain) { /* a string of the code that may name one: only if it does */
    lua_pushglobaltable(L);
    lua_pushvalue(L, -2);
    is_new = lua_rawget(L, -2) != LUA_TNIL;
    lua_settop(L, t->names + 1);
  }
  if (is_new) {
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, t->names);
    lua_pushvalue(L, -1);
    lua_rawseti(L, t->names, (lua_Integer)lua_rawlen(L, t->names) + 1);
  }
  lua_settop(L, t->names);
}

static void note_all (lua_State *L, int names, const Parcel *p) {
  Taking t = {.L = L, .names = names};
  for (uint32_t i = 0; i < p->n_defs; i++) codeglobals_each(p->defs[i].parcel, note_name, &t);
}

void globals_take (lua_State *L, Pool *p, const Parcel *parcel, Global **list) {
  int top = lua_gettop(L);
  luaL_checkstack(L, 12, NULL);
  lua_newtable(L);
  note_all(L, top + 1, parcel);
  for (lua_Integer i = 1; lua_rawgeti(L, top + 1, i) == LUA_TSTRING; i++) {
    Parcel *answer = tell(L, p);
    bool ok = add(list, lua_tostring(L, -1), answer);
    parcel_release(answer); /* the list holds it */
    lua_settop(L, top + 1);
    if (!ok) luaL_error(L, "not enough memory");
    note_all(L, top + 1, answer); /* what its functions name */
  }
  lua_settop(L, top);
}

void globals_give (lua_State *L, const Call *c, int worker) {
  for (const Global *g = c->globals; g != NULL; g = g->next) {
    Message m = {.type = REQUEST_GIVE, .request = c->number, .parcel = g->answer};
    pool_send(L, c->pool, worker, &m);
  }
}
