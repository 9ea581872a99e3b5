/* holds.c - remote objects that a map keeps while it runs, whatever becomes of their handles. */
#include "pool/holds.h"

#include <stdlib.h>
#include "metatable.h"

#define HOLDS_TNAME "neap.core.Holds"

Holds *holds_check (lua_State *L, int arg) {
  return luaL_checkudata(L, arg, HOLDS_TNAME);
}

static int l_close (lua_State *L) {
  holds_let_go(holds_check(L, 1));
  return 0;
}

static int l_gc (lua_State *L) {
  Holds *h = luaL_checkudata(L, 1, HOLDS_TNAME);
  holds_let_go(h);
  pool_release(h->pool);
  h->pool = NULL;
  return 0;
}

Holds *holds_push (lua_State *L, Pool *p) {
  static const luaL_Reg metamethods[] = {{"__gc", l_gc}, {"__close", l_close}, {NULL, NULL}};
  Holds *h = lua_newuserdatauv(L, sizeof *h, 0);
  *h = (Holds){0};
  metatable_set(L, HOLDS_TNAME, metamethods);
  h->pool = pool_retain(p);
  return h;
}

void holds_add (lua_State *L, Holds *h, uint64_t id) {
  if (h->n > 0 && h->ids[h->n - 1] == id) return; /* as items often have one and the same */
  if (!objects_is_live(&h->pool->objects, id)) {  /* a finalizer may have done that */
    pool_error(L, "a RemoteObject was removed while it was sent");
  }
  if (h->n == h->size) {
    size_t size = h->size != 0 ? 2 * h->size : 16;
    uint64_t *ids = realloc(h->ids, size * sizeof *ids);
    if (ids == NULL) luaL_error(L, "not enough memory");
    h->ids = ids;
    h->size = size;
  }
  objects_retain(&h->pool->objects, id);
  h->ids[h->n++] = id;
}

void holds_take (Holds *h, Holds *from) {
  holds_let_go(h);
  h->ids = from->ids;
  h->n = from->n;
  h->size = from->size;
  from->ids = NULL;
  from->n = from->size = 0;
}

bool holds_has (const Holds *h, uint64_t id) {
  for (size_t i = 0; i < h->n; i++) {
    if (h->ids[i] == id) return true;
  }
  return false;
}

void holds_let_go (Holds *h) {
  bool is_open = h->pool != NULL && h->pool->transport != NULL;
  for (size_t i = 0; i < h->n && is_open; i++) objects_release(&h->pool->objects, h->ids[i]);
  free(h->ids);
  h->ids = NULL;
  h->n = h->size = 0;
}
