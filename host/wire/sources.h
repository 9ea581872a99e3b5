/* sources.h - where the modules of package.loaded come from. */
#ifndef SOURCES_H
#define SOURCES_H

#include <stdbool.h>
#include <stdint.h>
#include <lua.h>

/* FOUND: by name alone (a C module, a standard library, neap's own); SOURCE: a Lua file. */
enum { SOURCE_NONE, SOURCE_FOUND, SOURCE_FILE };

/* How require finds the module called name; module, at index, is what package.loaded holds.
   *hash is that of the file as it was when require read it (of a module that has come another
   way: when this was first asked); 0 unless SOURCE_FILE. Pushes the path of the Lua file where
   it is known, else nil. */
int sources_look (lua_State *L, const char *name, int module, uint64_t *hash);

/* Forgets what was found for the module. */
void sources_forget (lua_State *L, int module);

/* Replaces the searcher of Lua files on top by one that also notes what it has read. Once for
   each Lua state. */
void sources_watch (lua_State *L);

bool sources_is_standard (const char *name);

#endif
