/* memory.h - blocks for arrays of a Lua state: sizes checked, the collector told of them. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <lua.h>
#include "block/block.h"

/* *product = a * b, or false when it overflows. */
bool memory_multiply (size_t a, size_t b, size_t *product);

/* Bytes of rows x cols numbers, real or complex; raises "an array of a x b is too large" when that
   is no size. */
size_t memory_size (lua_State *L, size_t rows, size_t cols, bool is_complex);

/* A block of len bytes, one reference, the caller's; record it at once, in an object that exists
   already. Runs the collector when the blocks have doubled since its last cycle, and before it
   gives up. Raises when there is no memory. */
Block *memory_block (lua_State *L, size_t len, bool zero);

/* Raises: there is no memory for an array of so many bytes. */
int memory_missing (lua_State *L, size_t len);

/* An array has come from elsewhere. What nobody refers to any more keeps the memory of others from
   being freed, so that the collector runs now and then; less often than for new arrays, since
   memory_rest is there as well. */
void memory_received (lua_State *L);

/* There is nothing to do now: the collector runs if the blocks have doubled. */
void memory_rest (lua_State *L);

/* block_write_part for a Lua state, where about n bytes are to be written: raises when there is no
   memory for a copy. */
void *memory_write (lua_State *L, Block **b, size_t keep, size_t n);

/* The memory of a block that the caller alone holds, to be filled. No Lua. */
void *memory_own (Block *b);

/* Puts a collectgarbage in the place of Lua's that gives back the memory of freed blocks too. */
void memory_open (lua_State *L);

#endif
