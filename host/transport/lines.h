/* lines.h - output of a worker, gathered into whole lines that carry its number. */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { LINES_MAX = 1 << 20 }; /* bytes: longer lines are shown in pieces */

/* One stream of a worker. */
typedef struct LineBuffer {
  int worker; /* from 0 */
  int fd;     /* of this process, where lines are shown: 1 or 2 */
  char *text; /* owned: the line that has not ended yet */
  size_t len, room;
  bool is_cut; /* a piece of that line has been shown */
} LineBuffer;

/* Takes bytes as they come and shows the lines that are whole. */
void lines_add (LineBuffer *b, const char *bytes, size_t n);
/* Shows what there is of a line that has not ended, as a line of its own. */
void lines_flush (LineBuffer *b);
/* Forgets it; may be called any number of times. */
void lines_fini (LineBuffer *b);

#endif
