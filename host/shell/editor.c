/* editor.c - libedit, loaded when it is first wanted, with the history's file. */
#include "shell/editor.h"

#include <dlfcn.h>
#include <errno.h>
#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include "shell/history.h"
#include "shell/interrupt.h"
#include "shell/line.h"

enum { HISTORY_MAX = 2000 };

/* What is used of libedit. It is not linked: scripts and workers need not wait for it. */
typedef struct Edit {
  EditLine *(*init)(const char *, FILE *, FILE *, FILE *);
  void (*end)(EditLine *);
  void (*resize)(EditLine *);
  const char *(*gets)(EditLine *, int *);
  int (*set)(EditLine *, int, ...);
  History *(*history_init)(void);
  void (*history_end)(History *);
  int (*history)(History *, HistEvent *, int, ...);
} Edit;

struct Editor {
  Host *host;
  Edit edit;
  EditLine *el;
  History *history;
  const char *prompt;  /* of the line being read */
  char *line;          /* the last line, without its newline */
  mbstate_t partial;   /* bytes of a character that have come so far */
  char path[PATH_MAX]; /* of the history; empty: none */
};

/* The editor inside el_gets: libedit's callbacks get its handle, and what leads from there to
   ours is a function of the library, which only we know. */
static Editor *reading;

/* Fills one member of Edit; ISO C knows no conversion from void * to a function. */
static bool find (void *library, const char *name, void *member) {
  void *address = dlsym(library, name);
  memcpy(member, &address, sizeof address);
  return address != NULL;
}

static bool load (Edit *edit) {
  /* Never unloaded: the prompt opens once, and libedit keeps state of its own. */
  void *library = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) library = dlopen("libedit.so", RTLD_NOW | RTLD_LOCAL);
  return library != NULL && find(library, "el_init", &edit->init) &&
         find(library, "el_end", &edit->end) && find(library, "el_resize", &edit->resize) &&
         find(library, "el_gets", &edit->gets) && find(library, "el_set", &edit->set) &&
         find(library, "history_init", &edit->history_init) &&
         find(library, "history_end", &edit->history_end) &&
         find(library, "history", &edit->history);
}

static char *get_prompt (EditLine *el) {
  (void)el;
  return (char *)reading->prompt; /* libedit does not write there */
}

/* 1 and a character; 0 at the end of input; -1 and EINTR when Ctrl-C came. */
static int get_char (EditLine *el, wchar_t *c) {
  (void)el;
  Editor *e = reading;
  for (;;) {
    if (!interrupt_wait_input(e->host, STDIN_FILENO)) {
      errno = EINTR;
      return -1;
    }
    char byte;
    ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return (int)n;
    size_t used = mbrtowc(c, &byte, 1, &e->partial);
    if (used == (size_t)-2) continue; /* more to come */
    if (used == (size_t)-1) {
      e->partial = (mbstate_t){0};
      *c = L'?';
    }
    return 1;
  }
}

/* The history as it was left; a file that has grown to twice its use is written anew. */
static void load_history (Editor *e) {
  HistEvent event;
  e->edit.history(e->history, &event, H_SETSIZE, HISTORY_MAX);
  e->edit.history(e->history, &event, H_SETUNIQUE, 1);
  if (!history_path(e->path, sizeof e->path)) {
    e->path[0] = '\0';
    return;
  }
  int n = e->edit.history(e->history, &event, H_LOAD, e->path);
  if (n > 2 * HISTORY_MAX) e->edit.history(e->history, &event, H_SAVE, e->path);
}

Editor *editor_open (Host *host) {
  Editor *e = calloc(1, sizeof *e);
  if (e == NULL) return NULL;
  e->host = host;
  setlocale(LC_CTYPE, ""); /* libedit reads and writes in the user's encoding */
  if (load(&e->edit)) e->el = e->edit.init("neap", stdin, stdout, stderr);
  if (e->el != NULL) e->history = e->edit.history_init();
  if (e->history == NULL) {
    editor_close(e);
    return NULL;
  }
  e->edit.set(e->el, EL_PROMPT, get_prompt);
  e->edit.set(e->el, EL_GETCFN, get_char);
  e->edit.set(e->el, EL_EDITOR, "emacs");
  e->edit.set(e->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
  e->edit.set(e->el, EL_HIST, e->edit.history, e->history);
  load_history(e);
  return e;
}

void editor_close (Editor *e) {
  if (e == NULL) return;
  if (e->el != NULL) e->edit.end(e->el);
  if (e->history != NULL) e->edit.history_end(e->history);
  free(e->line);
  free(e);
}

int editor_read (Editor *e, const char *prompt, const char **text) {
  e->edit.resize(e->el); /* the window may have changed since the last line */
  e->prompt = prompt;
  e->partial = (mbstate_t){0};
  reading = e;
  e->edit.set(e->el, EL_PREP_TERM, 1); /* before the prompt: what is typed at it is ours */
  int n = 0;
  const char *line = e->edit.gets(e->el, &n);
  reading = NULL;
  if (line == NULL || n <= 0) {
    if (e->host->interrupts == 0) return LINE_END;
    fputs("^C\n", stdout);
    fflush(stdout);
    return LINE_INTERRUPTED;
  }
  if (line[n - 1] == '\n') n--;
  free(e->line);
  e->line = strndup(line, (size_t)n);
  *text = e->line == NULL ? "" : e->line;
  return LINE_READ;
}

/* Appends one entry to the file. It goes through a history of its own: libedit has no call
   that writes a single entry in its encoding. */
static void append_to_file (const Edit *edit, const char *path, const char *text) {
  FILE *file = fopen(path, "ae");
  if (file == NULL) return;
  fseek(file, 0, SEEK_END); /* libedit writes its header where this tells 0 */
  HistEvent event;
  History *single = edit->history_init();
  if (single != NULL) {
    edit->history(single, &event, H_SETSIZE, 1);
    edit->history(single, &event, H_ENTER, text);
    edit->history(single, &event, H_SAVE_FP, file);
    edit->history_end(single);
  }
  fclose(file);
}

void editor_remember (Editor *e, const char *text) {
  HistEvent event;
  e->edit.history(e->history, &event, H_ENTER, text);
  /* At once: a session that is killed, or one of two at a time, loses nothing. */
  if (e->path[0] != '\0') append_to_file(&e->edit, e->path, text);
}
