/* line.c - lines from the user: edited and remembered at a terminal, read plainly elsewhere. */
#include "shell/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shell/editor.h"
#include "shell/interrupt.h"

struct LineReader {
  Host *host;
  Editor *editor;   /* NULL: plain */
  bool is_terminal; /* plain, but with somebody at it: their lines come one at a time */
  char *line;       /* of getline */
  size_t size;
};

/* Can an editor work here? */
static bool is_capable_terminal (void) {
  const char *term = getenv("TERM");
  return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term != NULL && term[0] != '\0' &&
         strcmp(term, "dumb") != 0;
}

LineReader *line_open (Host *host) {
  LineReader *r = calloc(1, sizeof *r);
  if (r == NULL) return NULL;
  r->host = host;
  r->is_terminal = isatty(STDIN_FILENO);
  if (is_capable_terminal()) r->editor = editor_open(host);
  return r;
}

void line_close (LineReader *r) {
  if (r == NULL) return;
  editor_close(r->editor);
  free(r->line);
  free(r);
}

static int read_plainly (LineReader *r, const char *prompt, const char **text) {
  fputs(prompt, stdout);
  fflush(stdout);
  if (r->is_terminal && !interrupt_wait_input(r->host, STDIN_FILENO)) {
    fputc('\n', stdout);
    return LINE_INTERRUPTED;
  }
  ssize_t n = getline(&r->line, &r->size, stdin);
  if (n < 0) return LINE_END;
  if (n > 0 && r->line[n - 1] == '\n') r->line[n - 1] = '\0';
  *text = r->line;
  return LINE_READ;
}

int line_read (LineReader *r, const char *prompt, const char **text) {
  interrupt_start(r->host, NULL);
  int got = r->editor == NULL ? read_plainly(r, prompt, text)
                              : editor_read(r->editor, prompt, text);
  interrupt_stop(r->host);
  return got;
}

void line_remember (LineReader *r, const char *text) {
  if (r->editor != NULL) editor_remember(r->editor, text);
}
