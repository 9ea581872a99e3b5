/* fileswrite.c - files that appear under their name only when they are complete. */
#include "array/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <lauxlib.h>
#include <zlib.h>
#include "metatable.h"

#define WRITER_TNAME "neap.Writer"

enum { TRIES = 100, LINKS_MOST = 40 }; /* as many links as Linux follows */

struct Writer {
  gzFile gz;        /* owned; NULL when closed */
  char *target;     /* what the path leads to through symbolic links; owned, NULL when closed */
  char *temporary;  /* path of the file while it exists; owned, NULL otherwise */
  const char *path; /* the caller's string, which outlives the writer on the stack */
};

static void abandon (Writer *w) {
  if (w->gz != NULL) gzclose(w->gz);
  if (w->temporary != NULL) unlink(w->temporary);
  free(w->temporary);
  free(w->target);
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

/* Where the link at path leads to, one step, from malloc; NULL with errno where it cannot be read.
 */
static char *follow (const char *path) {
  char to[PATH_MAX];
  ssize_t len = readlink(path, to, sizeof to);
  if (len < 0) return NULL;
  const char *slash = strrchr(path, '/');
  size_t folder = to[0] == '/' || slash == NULL ? 0 : (size_t)(slash - path) + 1;
  char *target = malloc(folder + (size_t)len + 1);
  if (target == NULL) return NULL;
  memcpy(target, path, folder);
  memcpy(target + folder, to, (size_t)len);
  target[folder + (size_t)len] = '\0';
  return target;
}

/* Finds what the path leads to, which may not exist yet, and what there is. 0, or -1 with errno. */
static int resolve (Writer *w, struct stat *info) {
  w->target = strdup(w->path);
  for (int k = 0; k < LINKS_MOST; k++) {
    *info = (struct stat){0};
    if (w->target == NULL) return -1;
    if (lstat(w->target, info) != 0) return errno == ENOENT ? 0 : -1;
    if (!S_ISLNK(info->st_mode)) return 0;
    char *next = follow(w->target);
    free(w->target);
    w->target = next;
  }
  errno = ELOOP;
  return -1;
}

/* A descriptor of a new file beside the target, or -1. Not mkstemp: the file gets the permissions
   that the user's umask gives. */
static int create_beside (Writer *w) {
  size_t cap = strlen(w->target) + 48;
  char *name = malloc(cap);
  if (name == NULL) {
    errno = ENOMEM;
    return -1;
  }
  int fd = -1;
  for (int k = 0; k < TRIES && fd < 0; k++) {
    snprintf(name, cap, "%s.%ld.%d.tmp", w->target, (long)getpid(), k);
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST) break;
  }
  if (fd >= 0) w->temporary = name;
  else free(name);
  return fd;
}

/* A descriptor to write to, or -1 with errno. A file that is there keeps its permissions, and has to
   be writable though another one takes its place; a device or a pipe is written to itself. */
static int open_target (Writer *w) {
  struct stat info;
  if (resolve(w, &info) != 0) return -1;
  bool exists = info.st_mode != 0;
  if (exists && S_ISDIR(info.st_mode)) errno = EISDIR;
  if (exists && (S_ISDIR(info.st_mode) || access(w->target, W_OK) != 0)) return -1;
  if (exists && !S_ISREG(info.st_mode)) return open(w->target, O_WRONLY | O_CLOEXEC);
  int fd = create_beside(w);
  if (fd >= 0 && exists && fchmod(fd, info.st_mode & 07777) != 0) {
    int error = errno;
    close(fd);
    errno = error;
    fd = -1;
  }
  return fd;
}

Writer *writer_push (lua_State *L, const char *path, bool compress) {
  Writer *w = lua_newuserdatauv(L, sizeof *w, 0);
  *w = (Writer){.path = path};
  static const luaL_Reg metamethods[] = {{"__gc", l_gc}, {NULL, NULL}};
  metatable_set(L, WRITER_TNAME, metamethods);
  int fd = open_target(w);
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
  if (w->temporary != NULL && rename(w->temporary, w->target) != 0) fail(L, w, errno);
  free(w->temporary);
  free(w->target);
  w->temporary = w->target = NULL;
}
