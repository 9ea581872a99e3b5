/* affine.h - reduced systems with affine parameter dependence in Lua. */
#ifndef AFFINE_H
#define AFFINE_H

#include <lua.h>

#define AFFINE_TNAME "neap.AffineSystem"

/* Registers the kind in a fresh Lua state and pushes the function that makes systems. */
void affine_open (lua_State *L);

#endif
