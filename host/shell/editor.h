/* editor.h - libedit, loaded when it is first wanted, with the history's file. */
#ifndef EDITOR_H
#define EDITOR_H

#include "host.h"

typedef struct Editor Editor;

/* NULL when the library is not there or memory is short. */
Editor *editor_open (Host *host);
void editor_close (Editor *e); /* NULL is allowed */

/* As line_read and line_remember. */
int editor_read (Editor *e, const char *prompt, const char **text);
void editor_remember (Editor *e, const char *text);

#endif
