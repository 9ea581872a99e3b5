/* slots.h - numbers of a list, read and written where Lua keeps them. Through Lua's interface each
   takes three calls, some 10 ns; here one. What is not done here is left to the caller, but for the
   last two functions. */
#ifndef SLOTS_H
#define SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lua.h>

/* Are lists of this state as slots.c knows them, and numbers as the wire has them? To be asked for
   each state, whose Host keeps the answer. */
bool slots_look (lua_State *L);

/* Copies items first, first + 1, ... of the table at index to eight bytes each, as long as they are
   integers, or floats, and at most n. Returns how many. */
lua_Integer slots_read (lua_State *L, int index, lua_Integer first, lua_Integer n,
                        bool integers, void *to);

/* The same for numbers of both kinds, as floats. */
lua_Integer slots_numbers (lua_State *L, int index, lua_Integer first, lua_Integer n,
                           double *x);

/* Copies the first items of the table at index, as long as they are integers in 1..limit, counted
   from 0, and at most n. Returns how many. */
size_t slots_indices (lua_State *L, int index, size_t limit, size_t n, size_t *indices);

/* Sets items first, first + 1, ... of the table at index to n numbers of eight bytes each; returns
   how many have been set, the first ones. */
lua_Integer slots_write (lua_State *L, int index, lua_Integer first, lua_Integer n,
                         bool integers, const void *from);

/* Set items first + 1, ... of the table at index, which has no metamethods, to all n numbers. Raise
   only for want of memory, and never where the table was made for so many items. */
void slots_put_numbers (lua_State *L, int index, size_t first, size_t n, const double *x);
void slots_put_integers (lua_State *L, int index, size_t first, size_t n, const lua_Integer *x);

#endif
