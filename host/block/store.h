/* store.h - what this process holds for all its blocks: counts, descriptors, idle segments. */
#ifndef STORE_H
#define STORE_H

#include "block/segment.h"

enum {
  STORE_KNOWN = 256, /* a power of two */
  STORE_HEAPS = 96,  /* sizes of free memory, see heap.c */
  STORE_OBJECTS = 17 /* see objects.c */
};
#define STORE_HEAP_MAX ((size_t)512 << 10) /* the largest of them */

/* Free memory begins with this. */
typedef struct HeapFree {
  struct HeapFree *next;
} HeapFree;

typedef struct BlockStore {
  size_t len;               /* of memory that blocks hold: see store_hold */
  size_t count;             /* of blocks */
  size_t limit;             /* that len shall not pass; 0: none */
  size_t memory;            /* of the machine; 0: not asked yet */
  size_t share;             /* of it that may be idle here */
  size_t high;              /* the most that len has been since the last trim */
  Segment *newest, *oldest; /* idle segments */
  size_t idle_len;
  HeapFree *heaps[STORE_HEAPS]; /* free memory of small blocks; heap_len bytes of it */
  size_t heap_len;
  HeapFree *objects[STORE_OBJECTS]; /* and that of small objects */
  size_t objects_len;
  size_t checked_len;          /* so much may be idle, as far as the machine's memory goes */
  unsigned unchecked;          /* segments kept since that was looked at */
  size_t n_descriptors;        /* that segments hold */
  Segment *known[STORE_KNOWN]; /* sealed segments, by device and inode */
} BlockStore;

/* The process's one store. Memory and descriptors belong to the process, not to one of its Lua
   states, and blocks are made and released without any; so this is the one piece of state here
   that no argument carries. Only one thread of a process makes blocks. */
BlockStore *store_get (void);

/* Memory is held: by a block on the heap, by a segment in use, by a block that has written to a
   private mapping. What maps a segment holds nothing of its own. */
void store_hold (size_t len);
void store_let_go (size_t len);

/* Has the machine, or the control group, so much memory at all, with what is swapped to? The kernel asks this for ordinary
   memory but not for shared memory, and then kills who fills it. */
bool store_can_fill (size_t len);

/* May another descriptor be held for good? Half of what the system grants is left for everything
   else and for what is under way. Raises the soft limit to the hard one when it has to. */
bool store_has_descriptors (void);

/* So many go with one message at most, that its receiver can hold them until it has mapped what
   they stand for. */
unsigned store_message_descriptors (void);

/* Takes a segment without references, whose memory is held no longer: kept, or destroyed. */
void store_keep (Segment *s);
/* An idle segment of about len bytes that nobody else sees, without references; or NULL. */
Segment *store_take (size_t len);
/* Destroys idle segments, the oldest first, until no more than bound bytes are idle. */
void store_trim (size_t bound);

void store_know (Segment *s);
void store_forget (Segment *s);
Segment *store_find (dev_t dev, ino_t ino); /* or NULL */

#endif
