/* resolve.c - names back to what they stand for, in the receiver. */
#include "wire/names.h"

#include <string.h>
#include <lauxlib.h>
#include "wire/sources.h"
#include "wire/state.h"

enum { PARTS_MAX = 4 };

/* Splits the name at index; the parts live as long as that. Returns how many, 0: malformed. */
static int split (lua_State *L, int index, const char *parts[PARTS_MAX]) {
  size_t len;
  const char *s = lua_tolstring(L, index, &len), *end = s + len;
  int n = 0;
  for (; s <= end && n < PARTS_MAX; s += strlen(s) + 1) parts[n++] = s;
  return s == end + 1 && n >= 2 ? n : 0;
}

uint64_t names_hash (lua_State *L, int index) {
  const char *parts[PARTS_MAX];
  uint64_t hash = 0;
  if (split(L, index, parts) == 0 || parts[0][0] != 'M') return 0;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, parts[1]);
  if (!lua_isnil(L, -1)) {
    sources_look(L, parts[1], -1, &hash);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  return hash;
}

/* Pushes what require gives; the standard library's, whatever a script has put in its place. */
static void push_required (lua_State *L, int loaded, const char *name) {
  lua_getfield(L, loaded, LUA_GNAME);
  lua_getfield(L, -1, "require");
  lua_remove(L, -2);
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
}

/* The module on top was loaded from another source: loads it again and fills the table that is
   there with what came, since others refer to it. */
static void reload (lua_State *L, int loaded, const char *name) {
  int old = lua_gettop(L);
  sources_forget(L, old);
  lua_pushnil(L);
  lua_setfield(L, loaded, name);
  lua_getfield(L, loaded, LUA_GNAME);
  lua_getfield(L, -1, "require");
  lua_remove(L, -2);
  lua_pushstring(L, name);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    lua_pushvalue(L, old);
    lua_setfield(L, loaded, name); /* what there was is better than nothing */
    lua_error(L);
  }
  int fresh = lua_gettop(L);
  state_get(L)->fingerprint = 0;
  if (!lua_istable(L, old) || !lua_istable(L, fresh)) {
    lua_replace(L, old);
    return;
  }
  lua_pushnil(L);
  while (lua_next(L, old)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, old);
  }
  lua_pushnil(L);
  while (lua_next(L, fresh)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, old);
  }
  if (!lua_getmetatable(L, fresh)) lua_pushnil(L);
  lua_setmetatable(L, old);
  lua_pushvalue(L, old);
  lua_setfield(L, loaded, name);
  lua_settop(L, old);
}

/* Pushes the module, loaded from a source with that hash. */
static void push_module (lua_State *L, const char *name, uint64_t hash) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  int loaded = lua_gettop(L);
  if (lua_getfield(L, loaded, name) == LUA_TNIL) {
    lua_pop(L, 1);
    push_required(L, loaded, name);
  }
  for (int attempt = 0; hash != 0; attempt++) {
    uint64_t own;
    int kind = sources_look(L, name, -1, &own);
    if (kind != SOURCE_FILE || own == hash) {
      lua_pop(L, 1);
      break;
    }
    if (attempt > 0) {
      luaL_error(L,
                 "module '%s' differs from the sender's: file '%s' has changed since one of "
                 "them loaded it",
                 name, lua_tostring(L, -1));
    }
    lua_pop(L, 1);
    reload(L, loaded, name);
  }
  lua_remove(L, loaded);
}

bool names_methods (lua_State *L, int index) {
  if (!lua_iscfunction(L, index) || lua_getupvalue(L, index, 1) == NULL) return false;
  if (lua_istable(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}

void names_resolve (lua_State *L, int index, uint64_t hash) {
  const char *parts[PARTS_MAX];
  luaL_checkstack(L, 20, NULL);
  index = lua_absindex(L, index);
  int n = split(L, index, parts);
  if (n > 0 && strcmp(parts[0], "M") == 0) {
    push_module(L, parts[1], hash);
  } else if (n > 0 && strcmp(parts[0], "U") == 0) {
    lua_pushstring(L, parts[1]);
    if (lua_rawget(L, LUA_REGISTRYINDEX) != LUA_TTABLE) {
      luaL_error(L, "type %s is not known here: the module that makes it is not loaded",
                 parts[1]);
    }
  } else {
    luaL_error(L, "malformed name");
  }
  for (int i = 2; i < n; i++) {
    if (names_methods(L, -1)) lua_remove(L, -2);
    if (!lua_istable(L, -1)) lua_pushnil(L);
    else lua_pushstring(L, parts[i]), lua_rawget(L, -2);
    lua_remove(L, -2);
  }
  if (!lua_istable(L, -1) && !lua_isfunction(L, -1)) {
    luaL_error(L, "%s '%s' has no %s here", parts[0][0] == 'M' ? "module" : "type", parts[1],
               n > 3   ? parts[3]
               : n > 2 ? parts[2]
                       : "contents");
  }
}
