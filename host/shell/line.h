/* line.h - lines from the user: edited and remembered at a terminal, read plainly elsewhere. */
#ifndef LINE_H
#define LINE_H

#include "host.h"

typedef struct LineReader LineReader;

enum { LINE_INTERRUPTED = -1, LINE_END = 0, LINE_READ = 1 };

/* A reader of standard input, or NULL without memory. The editor is loaded only when both
   ends are a terminal that can move its cursor; without the library the reader is plain. */
LineReader *line_open (Host *host);
void line_close (LineReader *r); /* NULL is allowed */

/* Shows the prompt and waits for a line: LINE_READ and *text, without its newline, which
   belongs to the reader and holds until the next call; LINE_END; or LINE_INTERRUPTED, when
   Ctrl-C took the line back. */
int line_read (LineReader *r, const char *prompt, const char **text);

/* Puts text, of one line or more, into the history and the history's file. */
void line_remember (LineReader *r, const char *text);

#endif
