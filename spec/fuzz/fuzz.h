/* fuzz.h - what the fuzzers share: a Lua state, files in memory. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <lua.h>
#include "array/files.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* A Lua state as neap's scripts have it, without anywhere to load modules from. Memory is limited,
   so that what asks for too much is refused as on a full machine. Code that comes with a message
   is loaded, but replaced by a function that does nothing: Lua does not verify it, and it may be a
   finalizer. Never closed. */
lua_State *fuzz_state (void);

/* Has load read the bytes as a file; the first of them: what it is to be read as. */
int fuzz_file (const uint8_t *data, size_t size,
               void (*load)(lua_State *L, Reader *r, FilesKind kind));

#endif
