/* weigh.h - how much values weigh on the wire, without sending them. */
#ifndef WEIGH_H
#define WEIGH_H

#include <lua.h>

/* pool:weigh(value, path) -> bytes, bytes of blocks, definitions that it needs; or nil and why it
   cannot be sent */
int weigh_value (lua_State *L);
/* named_globals(dump of a function) -> list of the globals that its code names */
int weigh_named_globals (lua_State *L);

#endif
