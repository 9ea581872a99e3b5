/* objects.h - memory of small objects, kept for the next ones: the collector frees hundreds of them
   at once, more than malloc has at hand. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include <stddef.h>

/* What Lua asks of its allocator. old is NULL, or has come from here or from malloc; it then has
   old_size bytes at least. size 0 frees it. NULL where there is no memory, and old as it was; never
   where size is not larger than old_size. */
void *objects_resize (void *old, size_t old_size, size_t size);

void objects_trim (void); /* gives back what is kept */

#endif
