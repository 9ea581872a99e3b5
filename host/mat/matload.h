/* matload.h - the module that neap loads with the first .mat file. */
#ifndef MATLOAD_H
#define MATLOAD_H

#include <lua.h>

/* Pushes {load = load}; load(reader, kind) -> table of arrays by name, kind a FilesKind. */
int luaopen_neap_mat (lua_State *L);

#endif
