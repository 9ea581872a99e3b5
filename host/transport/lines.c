/* lines.c - output of workers as whole lines, each marked with the worker's number. */
#include "transport/lines.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void show (LineBuffer *b) {
  FILE *f = b->fd == 1 ? stdout : stderr;
  fprintf(f, "[%d] ", b->worker + 1);
  fwrite(b->text, 1, b->len, f); /* any bytes */
  putc('\n', f);
  b->len = 0;
}

void lines_flush (LineBuffer *b) {
  if (b->len == 0) return;
  show(b);
  if (b->fd == 1) fflush(stdout);
}

void lines_add (LineBuffer *b, const char *bytes, size_t n) {
  if (n == 0) return;
  while (n > 0) {
    const char *end = memchr(bytes, '\n', n);
    size_t take = end != NULL ? (size_t)(end - bytes) : n;
    size_t room = sizeof b->text - b->len;
    bool is_cut = take > room;
    if (is_cut) take = room;
    memcpy(b->text + b->len, bytes, take);
    b->len += take;
    bytes += take;
    n -= take;
    if (!is_cut && end == NULL) break; /* the rest of the line is to come */
    show(b);
    if (!is_cut) {
      bytes++; /* the newline */
      n--;
    }
  }
  if (b->fd == 1) fflush(stdout);
}
