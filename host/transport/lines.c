/* lines.c - output of workers as whole lines, each marked with the worker's number. */
#include "transport/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_KEPT = 1 << 14 }; /* bytes that stay for the next line */

/* What there is of the line and n bytes more. */
static void show (LineBuffer *b, const char *bytes, size_t n) {
  FILE *f = b->fd == 1 ? stdout : stderr;
  fprintf(f, "[%d] ", b->worker + 1);
  if (b->len > 0) fwrite(b->text, 1, b->len, f); /* any bytes */
  fwrite(bytes, 1, n, f);
  putc('\n', f);
  b->len = 0;
  if (b->room > LINES_KEPT) lines_fini(b);
}

void lines_fini (LineBuffer *b) {
  free(b->text);
  b->text = NULL;
  b->len = b->room = 0;
}

void lines_flush (LineBuffer *b) {
  b->is_cut = false;
  if (b->len == 0) return;
  show(b, "", 0);
  if (b->fd == 1) fflush(stdout);
}

/* Appends to the line; false: it would be too long, or there is no memory. */
static bool keep (LineBuffer *b, const char *bytes, size_t n) {
  if (n > LINES_MAX - b->len) return false;
  if (n > b->room - b->len) {
    size_t room = b->len + n > 2 * b->room ? b->len + n : 2 * b->room;
    char *text = realloc(b->text, room);
    if (text == NULL) return false;
    b->text = text;
    b->room = room;
  }
  memcpy(b->text + b->len, bytes, n);
  b->len += n;
  return true;
}

void lines_add (LineBuffer *b, const char *bytes, size_t n) {
  if (n == 0) return;
  while (n > 0) {
    const char *end = memchr(bytes, '\n', n);
    size_t take = end != NULL ? (size_t)(end - bytes) : n;
    size_t room = LINES_MAX - b->len;
    if (take > room || (end == NULL && !keep(b, bytes, take))) { /* a piece */
      if (take > room) take = room;
      show(b, bytes, take);
      b->is_cut = true;
    } else if (end != NULL) {
      bool is_shown = b->is_cut && b->len + take == 0; /* in pieces, all of it */
      if (!is_shown) show(b, bytes, take);
      b->is_cut = false;
      take++; /* the newline */
    }
    bytes += take;
    n -= take;
  }
  if (b->fd == 1) fflush(stdout);
}
