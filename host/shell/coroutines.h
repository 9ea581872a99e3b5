/* coroutines.h - coroutine.resume and coroutine.wrap, such that Ctrl-C reaches what runs. */
#ifndef COROUTINES_H
#define COROUTINES_H

#include <lua.h>

/* Replaces both in the library coroutine, which is open. They do what they did, and note which
   coroutine runs: a hook is a matter of one thread, and Lua does not tell a signal handler
   which one that is. */
void coroutines_open (lua_State *L);

#endif
