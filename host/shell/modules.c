/* modules.c - what a fresh Lua state of neap gets: standard libraries, host.*, the searcher. */
#include "shell/modules.h"

#include <string.h>
#include <lauxlib.h>
#include <lualib.h>
#include "array/array.h"
#include "array/memory.h"
#include "array/slots.h"
#include "block/objects.h"
#include "shell/clock.h"
#include "shell/coroutines.h"
#include "pool/module.h"
#include "wire/immutable.h"
#include "wire/sources.h"
#include "wire/wire.h"

/* C modules of neap, found by require. */
/* clang-format off */
static const luaL_Reg preloaded[] = {
  {"host.array", luaopen_host_array},
  {"host.clock", luaopen_host_clock},
  {"host.pool", luaopen_host_pool},
  {"host.wire", luaopen_host_wire},
  {"host.immutable", luaopen_host_immutable},
  {NULL, NULL},
};
/* clang-format on */

/* neap's own Lua files are found whatever LUA_PATH says. */
static int l_search (lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const char *rest = lua_tostring(L, lua_upvalueindex(1));
  if (strcmp(name, "neap") != 0 && strncmp(name, "neap.", 5) != 0) return 0;
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchpath");
  lua_pushvalue(L, 1);
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", rest, rest);
  lua_call(L, 2, 2);
  if (lua_isnil(L, -2)) return 1; /* the message */
  lua_pop(L, 1);
  const char *file = lua_tostring(L, -1);
  if (luaL_loadfile(L, file) != LUA_OK) {
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, file,
                      lua_tostring(L, -1));
  }
  lua_pushvalue(L, -2);
  return 2;
}

/* Lua makes the metatable of large buffers when it needs the first; if memory fails then, half of it
   stays. A fresh state that cannot have it is no state at all. */
static void prepare_buffers (lua_State *L) {
  luaL_Buffer b;
  luaL_buffinitsize(L, &b, LUAL_BUFFERSIZE + 1);
  luaL_pushresult(&b);
  lua_pop(L, 1);
}

static int l_open (lua_State *L) {
  Host *host = lua_touserdata(L, 1);
  prepare_buffers(L);
  host->has_slots = slots_look(L);
  if (host->ignore_environment) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV"); /* the package library looks for it */
  }
  luaL_openlibs(L);
  coroutines_open(L);
  memory_open(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  luaL_setfuncs(L, preloaded, 0);
  lua_pop(L, 1);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  lua_Integer n = luaL_len(L, -1);
  for (lua_Integer i = n; i >= 2; i--) { /* after package.preload, before the path */
    lua_rawgeti(L, -1, i);
    if (i == 2) sources_watch(L); /* the path's */
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushstring(L, host->lua_dir);
  lua_pushcclosure(L, l_search, 1);
  lua_rawseti(L, -2, 2);
  return 0;
}

static void *allocate (void *user, void *old, size_t old_size, size_t size) {
  (void)user;
  return objects_resize(old, old == NULL ? 0 : old_size, size); /* of NULL, a kind of object */
}

lua_State *modules_newstate (Host *host) {
  lua_State *L = luaL_newstate();
  if (L == NULL) return NULL;
  lua_setallocf(L, allocate, NULL); /* what it has already is of malloc */
  host_set(L, host);
  lua_pushcfunction(L, l_open);
  lua_pushlightuserdata(L, host);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    lua_close(L);
    return NULL;
  }
  return L;
}
