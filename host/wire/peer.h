/* peer.h - a second Lua state at the other end of the wire, for specs. */
#ifndef PEER_H
#define PEER_H

#include <lua.h>

void peer_open (lua_State *L); /* once, before the first peer */
int peer_new (lua_State *L);   /* the Lua function: () -> peer */

#endif
