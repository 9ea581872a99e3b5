/* lines.c - output of workers as whole lines, each marked with the worker's number. */
#include <stdio.h>
#include <string.h>
#include "transport/local.h"

static void show (Peer *peer, int i, const char *line, size_t n) {
  FILE *f = i == 0 ? stdout : stderr;
  fprintf(f, "[%d] %.*s\n", peer->worker + 1, (int)n, line);
}

void local_lines_flush (Peer *peer, int i) {
  LineBuffer *b = &peer->lines[i];
  if (b->len != 0) show(peer, i, b->text, b->len);
  b->len = 0;
}

void local_lines_add (Peer *peer, int i, const char *bytes, size_t n) {
  LineBuffer *b = &peer->lines[i];
  while (n > 0) {
    const char *end = memchr(bytes, '\n', n);
    size_t take = end != NULL ? (size_t)(end - bytes) : n;
    size_t room = sizeof b->text - b->len;
    bool cut = take > room;
    if (cut) take = room;
    memcpy(b->text + b->len, bytes, take);
    b->len += take;
    bytes += take;
    n -= take;
    if (!cut && end == NULL) break; /* the rest of the line is to come */
    show(peer, i, b->text, b->len);
    b->len = 0;
    if (!cut) {
      bytes++; /* the newline */
      n--;
    }
  }
  if (i == 0) fflush(stdout);
}
