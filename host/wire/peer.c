/* peer.c - a second Lua state at the other end of the wire, in this process: what specs of the
   wire talk to. It takes definitions, parcels and remote objects as a worker does. */
#include "wire/peer.h"

#include <lauxlib.h>
#include "host.h"
#include "wire/immutable.h"
#include "wire/wire.h"

#define PEER_TNAME "neap.wire.peer"
#define HANDLE_TNAME "neap.wire.handle"
#define HELD_TNAME "neap.wire.held"

typedef struct Peer {
  lua_State *P;      /* owned; NULL when closed */
  WireContext to;    /* encodes here */
  WireContext from;  /* decodes here what comes back */
  WireContext there; /* encodes and decodes in P */
  Known known_there, known_here;
  int pushed;  /* reference: immutable -> id */
  int objects; /* reference in P: id -> object */
  uint64_t n_objects;
  lua_Integer n_definitions, n_bytes; /* sent to P so far */
} Peer;

typedef struct Handle {
  uint64_t id;
} Handle;

/* A parcel that the collector of L releases when something raises. */
typedef struct Held {
  Parcel *p;
} Held;

/* What a protected call in P works on. */
typedef struct Task {
  Peer *peer;
  const Parcel *in;
  Parcel *out; /* the caller's, who holds it */
  uint64_t id; /* where to keep the object; 0: call the function */
} Task;

static Held *push_held (lua_State *L) {
  Held *h = lua_newuserdatauv(L, sizeof *h, 0);
  h->p = NULL;
  luaL_setmetatable(L, HELD_TNAME);
  return h;
}

static int l_held_gc (lua_State *L) {
  Held *h = luaL_checkudata(L, 1, HELD_TNAME);
  parcel_release(h->p);
  h->p = NULL;
  return 0;
}

static Peer *check_peer (lua_State *L) {
  Peer *peer = luaL_checkudata(L, 1, PEER_TNAME);
  luaL_argcheck(L, peer->P != NULL, 1, "peer is closed");
  return peer;
}

static int remote_id (lua_State *L, int index, void *user, uint64_t *id, const char **why) {
  const Peer *peer = user;
  const Handle *h = luaL_testudata(L, index, HANDLE_TNAME);
  if (h != NULL) {
    *id = h->id;
    if (h->id != 0) return 1;
    *why = "a RemoteObject that was removed";
    return -1;
  }
  index = lua_absindex(L, index);
  lua_rawgeti(L, LUA_REGISTRYINDEX, peer->pushed);
  lua_pushvalue(L, index);
  lua_rawget(L, -2);
  *id = (uint64_t)lua_tointeger(L, -1);
  lua_pop(L, 2);
  return *id != 0;
}

static int remote_push (lua_State *P, uint64_t id, void *user) {
  const Peer *peer = user;
  lua_rawgeti(P, LUA_REGISTRYINDEX, peer->objects);
  if (lua_rawgeti(P, -1, (lua_Integer)id) == LUA_TNIL) {
    lua_pop(P, 2);
    return 0;
  }
  lua_remove(P, -2);
  return 1;
}

static void define (lua_State *P, const Parcel *p, Known *known, const WireContext *context,
                    lua_Integer *n) {
  for (uint32_t i = 0; i < p->n_defs; i++) {
    int is_new;
    if (known_add(known, p->defs[i], &is_new) < 0) luaL_error(P, "not enough memory");
    if (!is_new) continue;
    if (n != NULL) ++*n;
    wire_define(P, p->defs[i].parcel, context);
  }
}

/* In P: takes up what came, keeps it or calls it; encodes the results. */
static int l_serve (lua_State *P) {
  Task *t = lua_touserdata(P, 1);
  Peer *peer = t->peer;
  lua_settop(P, 0);
  define(P, t->in, &peer->known_there, &peer->there, &peer->n_definitions);
  int n = wire_decode(P, t->in, &peer->there);
  if (t->id != 0) {
    lua_rawgeti(P, LUA_REGISTRYINDEX, peer->objects);
    lua_pushvalue(P, 1);
    lua_rawseti(P, -2, (lua_Integer)t->id);
    return 0;
  }
  lua_call(P, n - 1, LUA_MULTRET);
  n = lua_gettop(P);
  Encoder *e = wire_encoder(P, &peer->there, 0);
  for (int i = 1; i <= n; i++) {
    const char *label = lua_pushfstring(P, "result %d", i);
    wire_encode(P, e, i, label);
    lua_pop(P, 1);
  }
  t->out = wire_finish(P, e);
  return 0;
}

static void serve (lua_State *L, Task *t) {
  lua_State *P = t->peer->P;
  lua_pushcfunction(P, l_serve);
  lua_pushlightuserdata(P, t);
  if (lua_pcall(P, 1, 0, 0) == LUA_OK) return;
  lua_pushstring(L, luaL_tolstring(P, -1, NULL));
  lua_settop(P, 0);
  lua_error(L);
}

/* peer:call(f, ...) -> results of f(...) there */
static int l_call (lua_State *L) {
  Peer *peer = check_peer(L);
  luaL_checkany(L, 2);
  int n = lua_gettop(L);
  Held *in = push_held(L), *out = push_held(L);
  Encoder *e = wire_encoder(L, &peer->to, 0);
  for (int i = 2; i <= n; i++) {
    const char *label = i == 2 ? "function" : lua_pushfstring(L, "argument %d", i - 2);
    wire_encode(L, e, i, label);
    if (i > 2) lua_pop(L, 1);
  }
  in->p = wire_finish(L, e);
  peer->n_bytes += (lua_Integer)parcel_total_len(in->p);
  Task t = {.peer = peer, .in = in->p};
  serve(L, &t);
  out->p = t.out;
  define(L, out->p, &peer->known_here, &peer->from, NULL);
  return wire_decode(L, out->p, &peer->from);
}

/* peer:push(obj) -> handle; sent again, it stands for the object there */
static int l_push (lua_State *L) {
  Peer *peer = check_peer(L);
  luaL_checkany(L, 2);
  Held *in = push_held(L);
  Encoder *e = wire_encoder(L, &peer->to, 0);
  wire_encode(L, e, 2, "object");
  in->p = wire_finish(L, e);
  Task t = {.peer = peer, .in = in->p, .id = ++peer->n_objects};
  serve(L, &t);
  if (lua_istable(L, 2) && immutable_check(L, 2)) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, peer->pushed);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, (lua_Integer)t.id);
    lua_rawset(L, -3);
  }
  Handle *h = lua_newuserdatauv(L, sizeof *h, 0);
  h->id = t.id;
  luaL_setmetatable(L, HANDLE_TNAME);
  return 1;
}

/* handle:remove() */
static int l_remove (lua_State *L) {
  Handle *h = luaL_checkudata(L, 1, HANDLE_TNAME);
  h->id = 0;
  return 0;
}

/* peer:sent() -> definitions, bytes of values */
static int l_sent (lua_State *L) {
  const Peer *peer = check_peer(L);
  lua_pushinteger(L, peer->n_definitions);
  lua_pushinteger(L, peer->n_bytes);
  return 2;
}

static int l_close (lua_State *L) {
  Peer *peer = luaL_checkudata(L, 1, PEER_TNAME);
  if (peer->P != NULL) lua_close(peer->P);
  peer->P = NULL;
  known_fini(&peer->known_there);
  known_fini(&peer->known_here);
  luaL_unref(L, LUA_REGISTRYINDEX, peer->pushed);
  luaL_unref(L, LUA_REGISTRYINDEX, peer->from.definitions);
  peer->pushed = peer->from.definitions = LUA_NOREF;
  return 0;
}

static int new_ref (lua_State *L) {
  lua_newtable(L);
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

int peer_new (lua_State *L) {
  Host *host = host_get(L);
  Peer *peer = lua_newuserdatauv(L, sizeof *peer, 0);
  *peer = (Peer){.pushed = LUA_NOREF, .from = {.definitions = LUA_NOREF}};
  luaL_setmetatable(L, PEER_TNAME);
  peer->to = (WireContext){.user = peer, .remote_id = remote_id, .definitions = LUA_NOREF};
  peer->there = (WireContext){.user = peer, .remote_push = remote_push};
  peer->pushed = new_ref(L);
  peer->from.definitions = new_ref(L);
  peer->P = host->newstate(host);
  if (peer->P == NULL) luaL_error(L, "not enough memory");
  peer->objects = new_ref(peer->P);
  peer->there.definitions = new_ref(peer->P);
  return 1;
}

static const luaL_Reg methods[] = {
  {"call", l_call}, {"push", l_push}, {"sent", l_sent}, {"close", l_close}, {NULL, NULL},
};

void peer_open (lua_State *L) {
  luaL_newmetatable(L, HELD_TNAME);
  lua_pushcfunction(L, l_held_gc);
  lua_setfield(L, -2, "__gc");
  luaL_newmetatable(L, HANDLE_TNAME);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_remove);
  lua_setfield(L, -2, "remove");
  lua_setfield(L, -2, "__index");
  luaL_newmetatable(L, PEER_TNAME);
  lua_pushcfunction(L, l_close);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, l_close);
  lua_setfield(L, -2, "__close");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 3);
}
