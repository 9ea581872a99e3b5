/* slots.h - numbers of a list, read and written where Lua keeps them. Through Lua's interface each
   takes three calls, some 10 ns; here one. What is not done here is left to the caller. */
#ifndef SLOTS_H
#define SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include <lua.h>

/* Are lists of this state as slots.c knows them? To be asked once for each state. */
bool slots_look (lua_State *L);

/* Copies items first, first + 1, ... of the table at index to eight bytes each, as long as they are
   integers, or floats, and at most n. Returns how many. Raises only for want of memory. */
lua_Integer slots_read (lua_State *L, int index, lua_Integer first, lua_Integer n,
                        bool integers, uint8_t *to);

/* Sets items first, first + 1, ... of the table at index to n numbers of eight bytes each; returns
   how many have been set, the first ones. Raises only for want of memory. */
lua_Integer slots_write (lua_State *L, int index, lua_Integer first, lua_Integer n,
                         bool integers, const uint8_t *from);

#endif
