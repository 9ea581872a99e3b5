/* heap.h - memory of small blocks, kept for the next ones: the collector frees hundreds of them at
   once, which malloc would join and split again. */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* At least size bytes, zero or undefined; NULL when there are none. */
void *heap_alloc (size_t size, bool zero);
void heap_free (void *p, size_t size); /* size: as it was asked for */

void heap_trim (void);       /* gives back what is kept */
size_t heap_idle_len (void); /* bytes of it */

#endif
