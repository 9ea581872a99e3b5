/* chunk.h - runs Lua code for the command line and the prompt: traceback, report, Ctrl-C. */
#ifndef CHUNK_H
#define CHUNK_H

#include <lua.h>

/* As lua_pcall, with a traceback in the message and with Ctrl-C raising an error. */
int chunk_call (lua_State *L, int nargs, int nresults);

/* Where status is not LUA_OK, pops the message and writes it to standard error, after
   "neap: " unless at the prompt. Returns status. */
int chunk_report (lua_State *L, int status);

/* Load, call without arguments, report. A NULL path is standard input. */
int chunk_file (lua_State *L, const char *path);
int chunk_string (lua_State *L, const char *code, const char *name);

#endif
