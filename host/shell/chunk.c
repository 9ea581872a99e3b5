/* chunk.c - runs Lua code for the command line and the prompt: traceback, report, Ctrl-C. */
#include "shell/chunk.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include "host.h"
#include "shell/interrupt.h"

/* Is the function of the frame one of neap's own Lua files? */
static bool is_own (lua_State *L, const lua_Debug *ar) {
  const char *dir = host_get(L)->lua_dir;
  size_t len = strlen(dir);
  return ar->source[0] == '@' && strncmp(ar->source + 1, dir, len) == 0 &&
         ar->source[1 + len] == '/';
}

/* Where a traceback begins that is of use: behind the frames of neap's own Lua in which a mistake of
   the caller's was seen, unless the message says that it is ours. 0: no Lua function is left. */
static int first_level (lua_State *L, const char *message) {
  lua_Debug ar;
  int first = 1;
  bool is_innermost = true;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "S", &ar);
    if (ar.what[0] == 'C') continue;
    if (!is_own(L, &ar)) return first;
    if (is_innermost && strncmp(message, ar.short_src, strlen(ar.short_src)) == 0) return 1;
    is_innermost = false;
    first = level + 1;
  }
  return first == 1 ? 1 : 0;
}

/* The error value -> what the user reads. An object that tells its own story keeps it. */
static int l_message (lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (message == NULL) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  int level = first_level(L, message);
  if (level > 0) luaL_traceback(L, L, message, level);
  return 1;
}

int chunk_call (lua_State *L, int nargs, int nresults) {
  Host *host = host_get(L);
  int base = lua_gettop(L) - nargs;
  lua_pushcfunction(L, l_message);
  lua_insert(L, base);
  interrupt_start(host, L);
  int status = lua_pcall(L, nargs, nresults, base);
  interrupt_stop(host);
  lua_remove(L, base);
  return status;
}

int chunk_report (lua_State *L, int status) {
  if (status == LUA_OK) return status;
  const char *message = lua_tostring(L, -1);
  if (message == NULL) message = "(error object is not a string)";
  fflush(stdout); /* what was printed before the error comes before it */
  fprintf(stderr, "%s%s\n", host_get(L)->interactive ? "" : "neap: ", message);
  fflush(stderr);
  lua_pop(L, 1);
  return status;
}

int chunk_file (lua_State *L, const char *path) {
  int status = luaL_loadfile(L, path);
  if (status == LUA_OK) status = chunk_call(L, 0, 0);
  return chunk_report(L, status);
}

int chunk_string (lua_State *L, const char *code, const char *name) {
  int status = luaL_loadbuffer(L, code, strlen(code), name);
  if (status == LUA_OK) status = chunk_call(L, 0, 0);
  return chunk_report(L, status);
}
