/* chunk.h - some consecutive items of a map on their way to a worker and back. */
#ifndef CHUNK_H
#define CHUNK_H

#include "pool/call.h"

/* Asks a worker for the items at positions first, first + 1, ... of the map. attempts: workers
   that died of them. Raises when one cannot be sent. */
void chunk_send (lua_State *L, Call *c, int worker, int64_t first, int64_t count,
                 unsigned attempts);

#endif
