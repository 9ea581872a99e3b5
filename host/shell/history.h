/* history.h - where the prompt's history is kept. */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the path of the history's file, $XDG_STATE_HOME/neap/history, into path and makes
   its folder. False when there is no such place; the history then lasts as long as the prompt. */
bool history_path (char *path, size_t size);

#endif
