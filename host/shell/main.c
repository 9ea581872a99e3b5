/* main.c - the executable: a first form that runs a script. */
#include <stdio.h>
#include <stdlib.h>
#include <lauxlib.h>
#include <lualib.h>
#include <unistd.h>
#include "shell/modules.h"

int main (int argc, char **argv) {
  static char executable[4096];
  ssize_t n = readlink("/proc/self/exe", executable, sizeof executable - 1);
  if (n < 0) return EXIT_FAILURE;
  executable[n] = '\0';
  Host host = {.executable = executable, .lua_dir = NEAP_LUA_DIR, .default_workers = -1};
  lua_State *L = modules_newstate(&host);
  if (L == NULL || argc < 2) return EXIT_FAILURE;
  lua_createtable(L, argc, 0);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - 1);
  }
  lua_setglobal(L, "arg");
  int status = luaL_loadfile(L, argv[1]);
  if (status == LUA_OK) {
    for (int i = 2; i < argc; i++) lua_pushstring(L, argv[i]);
    status = lua_pcall(L, argc - 2, 0, 0);
  }
  if (status != LUA_OK) fprintf(stderr, "neap: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
