/* repl.h - the prompt. */
#ifndef REPL_H
#define REPL_H

#include <lua.h>

/* Reads, runs and prints until the end of standard input. An error ends nothing. */
void repl_run (lua_State *L);

#endif
