/* names.h - what crosses by name: modules, what they hold, the metatables of userdata.

   A name is a string of parts with '\0' between them: "M", the module, up to two fields in it;
   or "U", the __name of a metatable that C code has registered, up to two fields in it. */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <lua.h>

struct WireState;

/* Pushes the name of the module at index, a value of package.loaded; false, and nothing
   pushed: require would not find it. */
bool names_module (lua_State *L, int index);

/* Pushes the name of the function or class at index; false, and nothing pushed: it has none.
   fingerprint changes whenever package.loaded does. */
bool names_find (lua_State *L, uint64_t fingerprint, int index);

/* May the table at the address, which looks like no class, have a name? A field of a module
   that holds C functions has one. */
bool names_may_have (lua_State *L, struct WireState *s, uint64_t fingerprint,
                     const void *address);

/* The hash of the source of the module in the name at index; 0: known by name alone. */
uint64_t names_hash (lua_State *L, int index);

/* Pushes the methods of userdata whose __index is the C function at index, which computes fields as
   well: a table that is its first upvalue. False, and nothing pushed: it is no such function. */
bool names_methods (lua_State *L, int index);

/* Pushes what the name at index stands for. Requires the module where it is not loaded, loads
   it again, in place, where the hash of its source is another. Raises when that fails. */
void names_resolve (lua_State *L, int index, uint64_t hash);

#endif
