/* remote.c - RemoteObject: a handle of something that lives on the workers. */
#include <stdlib.h>
#include <lauxlib.h>
#include "pool/holds.h"
#include "pool/pool.h"

typedef struct Remote {
  Pool *pool; /* one reference, until it is collected */
  uint64_t id;
  bool is_removed;
} Remote;

/* User value 1: where it was removed, for messages. */

void remote_push (lua_State *L, Pool *p, uint64_t id) {
  Remote *r = lua_newuserdatauv(L, sizeof *r, 1);
  *r = (Remote){.pool = pool_retain(p), .id = id};
  luaL_setmetatable(L, REMOTE_TNAME);
}

uint64_t remote_new (lua_State *L, Pool *p) {
  uint64_t id;
  Remote *r = lua_newuserdatauv(L, sizeof *r, 1);
  *r = (Remote){.is_removed = true};
  luaL_setmetatable(L, REMOTE_TNAME);
  if (objects_add(&p->objects, &id) < 0) luaL_error(L, "not enough memory");
  *r = (Remote){.pool = pool_retain(p), .id = id};
  return id;
}

static int touch (Pool *p, uint64_t id) {
  for (size_t i = 0; i < p->n_touched; i++) {
    if (p->touched[i] == id) return 0;
  }
  if (p->n_touched == p->size_touched) {
    size_t size = p->size_touched != 0 ? 2 * p->size_touched : 16;
    uint64_t *touched = realloc(p->touched, size * sizeof *touched);
    if (touched == NULL) return UV_ENOMEM;
    p->touched = touched;
    p->size_touched = size;
  }
  p->touched[p->n_touched++] = id;
  return 0;
}

void remote_touch (lua_State *L, Pool *p, uint64_t id) {
  if (touch(p, id) < 0) luaL_error(L, "not enough memory");
}

int pool_remote_id (lua_State *L, int index, void *user, uint64_t *id, const char **why) {
  Pool *p = user;
  const Remote *r = luaL_testudata(L, index, REMOTE_TNAME);
  if (r == NULL) {
    *id = pushed_id(L, p, index, why);
    if (*why != NULL) return -1;
    if (*id == 0) return 0;
  } else if (r->is_removed) {
    lua_getiuservalue(L, index, 1);
    *why = lua_isstring(L, -1)
             ? lua_pushfstring(L, "a RemoteObject that was removed at %s", lua_tostring(L, -1))
             : "a RemoteObject that was removed";
    return -1; /* the encoder raises: what is on the stack goes with it */
  } else if (r->pool != p) {
    *why = "a RemoteObject of another pool";
    return -1;
  } else {
    *id = r->id;
  }
  remote_touch(L, p, *id);
  return 1;
}

int remote_lent_id (lua_State *L, int index, void *user, uint64_t *id, const char **why) {
  const RemoteLender *lender = user;
  const Remote *r = luaL_testudata(L, index, REMOTE_TNAME);
  bool is_lent = r != NULL && r->is_removed && r->pool == lender->pool &&
                 holds_has(lender->held, r->id);
  if (!is_lent) return pool_remote_id(L, index, lender->pool, id, why);
  *id = r->id;
  remote_touch(L, lender->pool, *id);
  return 1;
}

static void release (Remote *r) {
  if (r->is_removed) return;
  r->is_removed = true;
  if (r->pool != NULL && r->pool->transport != NULL) objects_release(&r->pool->objects, r->id);
}

/* remote:remove([level]): says nothing to a worker now; the next request does. level: of the function
   that removes it, as messages show it; 1 is the caller. */
static int l_remove (lua_State *L) {
  Remote *r = luaL_checkudata(L, 1, REMOTE_TNAME);
  int level = (int)luaL_optinteger(L, 2, 1);
  if (r->is_removed) return 0;
  luaL_where(L, level);
  size_t len;
  const char *where = lua_tolstring(L, -1, &len);
  if (len > 2) { /* without ": " */
    lua_pushlstring(L, where, len - 2);
    lua_setiuservalue(L, 1, 1);
  }
  release(r);
  return 0;
}

static int l_close (lua_State *L) { /* __close, whose second argument is an error */
  lua_settop(L, 1);
  return l_remove(L);
}

static int l_gc (lua_State *L) {
  Remote *r = luaL_checkudata(L, 1, REMOTE_TNAME);
  release(r);
  pool_release(r->pool);
  r->pool = NULL;
  return 0;
}

/* Upvalues: the methods, and the name of the one field. */
static int l_index (lua_State *L) {
  const Remote *r = luaL_checkudata(L, 1, REMOTE_TNAME);
  if (lua_rawequal(L, 2, lua_upvalueindex(2))) {
    lua_pushboolean(L, r->is_removed || r->pool->transport == NULL);
    return 1;
  }
  lua_settop(L, 2);
  lua_gettable(L, lua_upvalueindex(1));
  return 1;
}

static int l_tostring (lua_State *L) {
  const Remote *r = luaL_checkudata(L, 1, REMOTE_TNAME);
  if (r->is_removed) {
    lua_getiuservalue(L, 1, 1);
    if (lua_isstring(L, -1)) {
      lua_pushfstring(L, "RemoteObject (removed at %s)", lua_tostring(L, -1));
    } else {
      lua_pushliteral(L, "RemoteObject (removed)");
    }
  } else if (r->pool->transport == NULL) {
    lua_pushliteral(L, "RemoteObject (its pool is closed)");
  } else {
    lua_pushfstring(L, "RemoteObject %d on %d worker%s", (int)(uint32_t)r->id, r->pool->n,
                    r->pool->n == 1 ? "" : "s");
  }
  return 1;
}

static const luaL_Reg methods[] = {{"remove", l_remove}, {NULL, NULL}};
static const luaL_Reg metamethods[] = {{"__gc", l_gc},
                                       {"__close", l_close},
                                       {"__tostring", l_tostring},
                                       {NULL, NULL}};

/* Leaves the table of methods, to which the Lua side adds, on the stack. */
void remote_open (lua_State *L) {
  luaL_newmetatable(L, REMOTE_TNAME);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_pushvalue(L, -1);
  lua_pushliteral(L, "removed");
  lua_pushcclosure(L, l_index, 2);
  lua_setfield(L, -3, "__index");
  lua_remove(L, -2);
}
