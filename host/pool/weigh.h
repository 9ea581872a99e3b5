/* weigh.h - what values weigh on the wire, and whether they can cross, without sending them. */
#ifndef WEIGH_H
#define WEIGH_H

#include <lua.h>

/* pool:weigh(value, path) -> bytes, bytes of blocks, definitions that it needs; or nil and why it
   cannot be sent */
int weigh_value (lua_State *L);
/* pool:holds() -> userdata that keeps no remote object yet */
int weigh_holds (lua_State *L);
/* pool:check_items(list, n, label, holds): raises when one of the first n items cannot be sent. holds
   keeps the remote objects that they refer to. Of numbers
   alone it returns a userdata that holds them as they are sent: then they need not be read again. */
int weigh_check_items (lua_State *L);
/* named_globals(dump of a function) -> list of the globals that its code names */
int weigh_named_globals (lua_State *L);

#endif
