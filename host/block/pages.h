/* pages.h - which pages of a private mapping have been written. */
#ifndef PAGES_H
#define PAGES_H

#include <stddef.h>

typedef struct PageRun {
  size_t first, len; /* in bytes from the beginning of the range, whole pages */
} PageRun;

typedef struct PageRuns {
  PageRun *runs; /* owned */
  size_t n, room;
  size_t len; /* of all runs */
} PageRuns;

size_t pages_size (void);

/* Finds the written pages among those that hold any of the n bytes at data: the runs count from
   the page that holds the first. 0, or a negative UV_E* and *runs empty: the kernel does not
   say, or there is no memory. */
int pages_written (const void *data, size_t n, PageRuns *runs);
void pages_fini (PageRuns *runs);

#endif
