/* immutable.h - tables that are read-only for good: contents behind a metatable. */
#ifndef IMMUTABLE_H
#define IMMUTABLE_H

#include <stdbool.h>
#include <lua.h>

/* Is the table at index such a table? Then pushes its contents. */
bool immutable_contents (lua_State *L, int index);

/* Pushes the metatable that the immutable at index had before, or nil. */
void immutable_metatable (lua_State *L, int index);

/* Is it one, or does the raw field __immutable of its metatable say so? */
bool immutable_check (lua_State *L, int index);

/* Makes the table at index immutable, but nothing that it reaches. */
void immutable_seal (lua_State *L, int index);

int luaopen_host_immutable (lua_State *L);

#endif
