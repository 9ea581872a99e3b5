/* sources.c - where the modules of package.loaded come from. */
#include "wire/sources.h"

#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include <lualib.h>
#include "host.h"
#include "wire/bytes.h"
#include "wire/state.h"

static const char *const standard[] = {
  LUA_GNAME,     LUA_LOADLIBNAME, LUA_COLIBNAME,   LUA_TABLIBNAME,  LUA_IOLIBNAME,
  LUA_OSLIBNAME, LUA_STRLIBNAME,  LUA_MATHLIBNAME, LUA_UTF8LIBNAME, LUA_DBLIBNAME,
};

bool sources_is_standard (const char *name) {
  for (size_t i = 0; i < sizeof standard / sizeof *standard; i++) {
    if (strcmp(name, standard[i]) == 0) return true;
  }
  return false;
}

static uint64_t hash_file (const char *path) {
  uint8_t piece[4096];
  uint64_t hash = 1;
  FILE *file = fopen(path, "rb");
  if (file == NULL) return 0;
  for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;) {
    hash = hash * 0x9e3779b97f4a7c15u + hash_bytes(piece, n);
  }
  bool failed = ferror(file) != 0;
  fclose(file);
  return failed ? 0 : hash | 1;
}

/* Its address is the key of the registry's table: name -> hash of the file that require has loaded. */
static const char loaded_key = 0;

/* The searcher in upvalue 1 finds and reads a Lua file. What it has read is noted here: when
   somebody asks for the hash, another file may stand in its place. */
static int l_search (lua_State *L) {
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  lua_call(L, 1, 2);
  if (lua_type(L, 1) == LUA_TSTRING && lua_isfunction(L, 2) && lua_type(L, 3) == LUA_TSTRING) {
    uint64_t hash = hash_file(lua_tostring(L, 3));
    luaL_checkstack(L, 5, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, (lua_Integer)hash);
    lua_rawset(L, 4);
    lua_settop(L, 3);
  }
  return 2;
}

void sources_watch (lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
  lua_pushcclosure(L, l_search, 1);
}

/* The hash of what require has loaded under the name, or of what stands in the file now where
   the module has come another way. */
static uint64_t hash_loaded (lua_State *L, const char *name, const char *file) {
  uint64_t hash = 0;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key) == LUA_TTABLE) {
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    hash = (uint64_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return hash != 0 ? hash : hash_file(file);
}

/* Calls package.searchpath(name, path); path is on top and popped. Pushes the file; false and
   nothing pushed when there is none. */
static bool search (lua_State *L, const char *name) {
  if (lua_type(L, -1) != LUA_TSTRING) {
    lua_pop(L, 1);
    return false;
  }
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, LUA_LOADLIBNAME);
  lua_remove(L, -2);
  if (!lua_istable(L, -1) || lua_getfield(L, -1, "searchpath") != LUA_TFUNCTION) {
    lua_settop(L, -3); /* no package library */
    return false;
  }
  lua_remove(L, -2); /* stack: path, searchpath */
  lua_pushstring(L, name);
  lua_pushvalue(L, -3);
  lua_call(L, 2, 1);
  lua_remove(L, -2);
  if (lua_type(L, -1) == LUA_TSTRING) return true;
  lua_pop(L, 1);
  return false;
}

static void push_path (lua_State *L, const char *field) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, LUA_LOADLIBNAME) == LUA_TTABLE) {
    lua_getfield(L, -1, field);
    lua_replace(L, -2);
  }
  lua_remove(L, -2);
}

/* A C function that the program itself has put into package.preload. */
static bool is_preloaded (lua_State *L, const char *name) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_getfield(L, -1, name);
  bool is = lua_iscfunction(L, -1);
  lua_pop(L, 2);
  return is;
}

/* Pushes the path of the Lua file, or nil. */
static int look (lua_State *L, const char *name, uint64_t *hash) {
  const Host *host = host_get(L);
  *hash = 0;
  if (sources_is_standard(name) || is_preloaded(L, name)) {
    lua_pushnil(L);
    return SOURCE_FOUND;
  }
  if (host != NULL && (strcmp(name, "neap") == 0 || strncmp(name, "neap.", 5) == 0)) {
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", host->lua_dir, host->lua_dir);
    if (search(L, name)) return SOURCE_FOUND;
  }
  push_path(L, "path");
  if (search(L, name)) {
    *hash = hash_loaded(L, name, lua_tostring(L, -1));
    return SOURCE_FILE;
  }
  push_path(L, "cpath");
  bool found = search(L, name);
  const char *dot = strchr(name, '.');
  if (!found && dot != NULL) { /* several modules in one library */
    lua_pushlstring(L, name, (size_t)(dot - name));
    push_path(L, "cpath");
    found = search(L, lua_tostring(L, -2));
    lua_remove(L, found ? -2 : -1);
  }
  if (found) lua_pop(L, 1);
  lua_pushnil(L);
  return found ? SOURCE_FOUND : SOURCE_NONE;
}

/* Is what is on top known of the module as the one with that name? */
static bool is_entry_of (lua_State *L, const char *name) {
  lua_rawgeti(L, -1, 4);
  bool is = strcmp(lua_tostring(L, -1), name) == 0;
  lua_pop(L, 1);
  return is;
}

int sources_look (lua_State *L, const char *name, int module, uint64_t *hash) {
  luaL_checkstack(L, 12, NULL);
  module = lua_absindex(L, module);
  state_table(L, STATE_MODULES);
  lua_pushvalue(L, module);
  /* {kind, hash, file, name}; one table may be several modules. */
  if (lua_rawget(L, -2) == LUA_TTABLE && is_entry_of(L, name)) {
    lua_rawgeti(L, -1, 1);
    int kind = (int)lua_tointeger(L, -1);
    lua_rawgeti(L, -2, 2);
    *hash = (uint64_t)lua_tointeger(L, -1);
    lua_rawgeti(L, -3, 3);
    lua_replace(L, -5);
    lua_pop(L, 3);
    return kind;
  }
  lua_pop(L, 1);
  int kind = look(L, name, hash); /* stack: modules, file */
  lua_pushvalue(L, module);
  lua_createtable(L, 4, 0);
  lua_pushinteger(L, kind);
  lua_rawseti(L, -2, 1);
  lua_pushinteger(L, (lua_Integer)*hash);
  lua_rawseti(L, -2, 2);
  lua_pushvalue(L, -3);
  lua_rawseti(L, -2, 3);
  lua_pushstring(L, name);
  lua_rawseti(L, -2, 4);
  lua_rawset(L, -4);
  lua_remove(L, -2);
  return kind;
}

void sources_forget (lua_State *L, int module) {
  module = lua_absindex(L, module);
  state_table(L, STATE_MODULES);
  lua_pushvalue(L, module);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}
