/* inflater.h - inflates a stated number of a reader's bytes, piece by piece. */
#ifndef INFLATER_H
#define INFLATER_H

#include <stdbool.h>
#include <stdint.h>
#include <lua.h>
#include <zlib.h>
#include "array/files.h"

enum { INFLATER_CHUNK = 1 << 14 };

typedef struct Inflater {
  Reader *r; /* the caller's */
  bool is_open;
  z_stream z;
  uint64_t packed; /* bytes that z has not had yet */
  unsigned char in[INFLATER_CHUNK];
} Inflater;

/* len compressed bytes are to come from r. Raises without memory: *f is closed then. */
void inflater_open (lua_State *L, Inflater *f, Reader *r, uint64_t len);

/* The next len bytes, at most INFLATER_CHUNK, of what is called so. NULL, or what is wrong, on the
   stack. Raises where the file ends. */
const char *inflater_read (lua_State *L, Inflater *f, void *target, size_t len,
                           const char *what);

/* All has been read; are the compressed bytes at their end, too? NULL, or what is wrong. */
const char *inflater_finish (lua_State *L, Inflater *f);

void inflater_close (Inflater *f); /* may be called any number of times */

#endif
