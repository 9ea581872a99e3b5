/* modules.h - what a fresh Lua state of neap gets: standard libraries, host.*, the searcher. */
#ifndef MODULES_H
#define MODULES_H

#include <lua.h>
#include "host.h"

/* A new Lua state with everything loaded or preloaded; NULL without memory. For the driver,
   for workers and for the inline pool alike. */
lua_State *modules_newstate (Host *host);

#endif
