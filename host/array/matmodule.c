/* matmodule.c - finds the module that reads .mat files. With matio and what that brings it takes as
   long to start as all of neap, so it is a file of its own, loaded when the first .mat is. */
#include "array/files.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <lauxlib.h>
#include "host.h"

#define MODULE_NAME "host.mat"

/* Where it is built, beside neap; where it is installed: <prefix>/lib/neap. */
static const char *const places[] = {"neap_mat.so", "../lib/neap/neap_mat.so", NULL};

/* Its path, or false when it is nowhere. */
static bool find (const char *executable, char path[PATH_MAX]) {
  const char *slash = strrchr(executable, '/');
  for (int k = 0; places[k] != NULL; k++) {
    int n = snprintf(path, PATH_MAX, "%.*s/%s", (int)(slash - executable), executable,
                     places[k]);
    if (n > 0 && n < PATH_MAX && access(path, R_OK) == 0) return true;
  }
  return false;
}

/* What the module's name leads to, never closed again: libraries that it needs do not allow it. */
static lua_CFunction open_module (lua_State *L, const char *file) {
  char path[PATH_MAX];
  if (!find(host_get(L)->executable, path)) {
    luaL_error(L, "%s: this neap was built without matio, which reads .mat files", file);
  }
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) luaL_error(L, "%s: .mat files cannot be read: %s", file, dlerror());
  lua_CFunction open;
  *(void **)&open = dlsym(library, "luaopen_neap_mat");
  if (open == NULL) luaL_error(L, "%s: .mat files cannot be read: %s", file, dlerror());
  return open;
}

void mat_open (lua_State *L, const char *path) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, MODULE_NAME) == LUA_TNIL) {
    lua_pop(L, 1);
    luaL_requiref(L, MODULE_NAME, open_module(L, path), 0);
  }
  lua_getfield(L, -1, "load");
  lua_replace(L, -3);
  lua_pop(L, 1);
}
