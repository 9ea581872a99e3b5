/* slots.c - lets specs see what neap does where it does not know how Lua keeps the items of a list. */
#include <lauxlib.h>
#include "host.h"

int luaopen_slots (lua_State *L);

/* slots(known) -> whether they were known before */
static int l_slots (lua_State *L) {
  bool known = lua_toboolean(L, 1);
  lua_pushboolean(L, host_get(L)->has_slots);
  host_get(L)->has_slots = known;
  return 1;
}

int luaopen_slots (lua_State *L) {
  lua_pushcfunction(L, l_slots);
  return 1;
}
