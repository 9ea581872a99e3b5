/* fileswrite.c - files that appear under their name only when they are complete. */
#include "array/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <lauxlib.h>
#include <zlib.h>
#include "metatable.h"

#define WRITER_TNAME "neap.Writer"

enum { TRIES = 100 };

struct Writer {
  gzFile gz;        /* owned; NULL when closed */
  char *temporary;  /* path of the file while it exists; owned, NULL otherwise */
  const char *path; /* the caller's string, which outlives the writer on the stack */
};

static void abandon (Writer *w) {
  if (w->gz != NULL) gzclose(w->gz);
  if (w->temporary != NULL) unlink(w->temporary);
  free(w->temporary);
  *w = (Writer){0};
}

static int l_gc (lua_State *L) {
  abandon(luaL_checkudata(L, 1, WRITER_TNAME));
  return 0;
}

/* The file goes before the error comes. */
static _Noreturn void fail (lua_State *L, Writer *w, int error) {
  const char *path = w->path;
  abandon(w);
  luaL_error(L, "%s: %s", path, strerror(error));
  abort(); /* luaL_error does not return */
}

/* A descriptor of a new file beside path, or -1. Not mkstemp: the file gets the permissions that
   the user's umask gives. */
static int create_beside (Writer *w) {
  size_t cap = strlen(w->path) + 48;
  char *name = malloc(cap);
  if (name == NULL) {
    errno = ENOMEM;
    return -1;
  }
  int fd = -1;
  for (int k = 0; k < TRIES && fd < 0; k++) {
    snprintf(name, cap, "%s.%ld.%d.tmp", w->path, (long)getpid(), k);
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST) break;
  }
  if (fd >= 0) w->temporary = name;
  else free(name);
  return fd;
}

Writer *writer_push (lua_State *L, const char *path, bool compress) {
  Writer *w = lua_newuserdatauv(L, sizeof *w, 0);
  *w = (Writer){.path = path};
  static const luaL_Reg metamethods[] = {{"__gc", l_gc}, {NULL, NULL}};
  metatable_set(L, WRITER_TNAME, metamethods);
  int fd = create_beside(w);
  if (fd < 0) fail(L, w, errno);
  w->gz = gzdopen(fd, compress ? "wb" : "wbT"); /* T: without any compression or header */
  if (w->gz == NULL) {
    close(fd);
    fail(L, w, ENOMEM);
  }
  gzbuffer(w->gz, 1 << 16);
  return w;
}

void writer_bytes (lua_State *L, Writer *w, const void *source, size_t len) {
  for (const char *at = source; len > 0;) {
    unsigned piece = len > INT_MAX ? INT_MAX : (unsigned)len;
    errno = 0;
    int n = gzwrite(w->gz, at, piece);
    if (n <= 0) fail(L, w, errno != 0 ? errno : EIO);
    at += n;
    len -= (size_t)n;
  }
}

void writer_format (lua_State *L, Writer *w, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  writer_bytes(L, w, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

void writer_number (lua_State *L, Writer *w, double x) {
  char text[40];
  int n = 0;
  for (int digits = 15; digits <= 17; digits++) {
    n = snprintf(text, sizeof text, "%.*g", digits, x);
    if (digits == 17 || strtod(text, NULL) == x) break;
  }
  char *point = strchr(text, ','); /* some locales write numbers so; files do not */
  if (point != NULL) *point = '.';
  writer_bytes(L, w, text, (size_t)n);
}

void writer_finish (lua_State *L, Writer *w) {
  gzFile gz = w->gz;
  w->gz = NULL;
  errno = 0;
  if (gzclose(gz) != Z_OK) fail(L, w, errno != 0 ? errno : EIO);
  if (rename(w->temporary, w->path) != 0) fail(L, w, errno);
  free(w->temporary);
  w->temporary = NULL;
}
