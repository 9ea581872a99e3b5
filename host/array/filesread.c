/* filesread.c - files open for reading, plain or compressed by gzip. */
#include "array/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <lauxlib.h>
#include <zlib.h>
#include "array/matrix.h"
#include "array/memory.h"
#include "array/vectorarray.h"
#include "metatable.h"

#define READER_TNAME "neap.Reader"

enum {
  BUFFER = 1 << 16,
  DEFLATE_MOST = 1032, /* a byte of deflate makes at most that many */
  SHOWN_MOST = 160     /* bytes of a message */
};

struct Reader {
  gzFile gz;         /* owned; NULL when closed */
  locale_t c;        /* owned; 0 when closed */
  char *text;        /* bytes read ahead when the file is read by lines; owned */
  size_t cap;        /* of text, in bytes; one is kept free for the end of a string */
  size_t begin, end; /* what has not been returned yet */
  const char *path;  /* the caller's string, which outlives the reader on the stack */
  uint64_t size;     /* what the file can hold at most, in bytes, UINT64_MAX if not known */
  uint64_t line;     /* lines read so far; 0: the file is read as bytes */
  uint64_t offset;   /* bytes read so far */
  bool compressed;
};

static int l_gc (lua_State *L) {
  Reader *r = luaL_checkudata(L, 1, READER_TNAME);
  if (r->gz != NULL) gzclose(r->gz);
  if (r->c != (locale_t)0) freelocale(r->c);
  free(r->text);
  *r = (Reader){0};
  return 0;
}

/* Pushes a message with what files put into it: not all of a long line, and no characters that
   would move the cursor. */
static const char *push_shown (lua_State *L, const char *message) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (size_t k = 0; message[k] != '\0'; k++) {
    unsigned char c = (unsigned char)message[k];
    if (k >= SHOWN_MOST && (c & 0xC0) != 0x80) { /* between characters of UTF-8 */
      luaL_addstring(&b, "...");
      break;
    }
    char escape[8];
    snprintf(escape, sizeof escape, c < ' ' || c == 127 ? "\\x%02X" : "%c", c);
    luaL_addstring(&b, escape);
  }
  luaL_pushresult(&b);
  return lua_tostring(L, -1);
}

_Noreturn void reader_fail (lua_State *L, const Reader *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const char *message = push_shown(L, lua_pushvfstring(L, format, args));
  va_end(args);
  luaL_error(L, "%s: %s %I: %s", r->path, r->line > 0 ? "line" : "byte",
             (LUAI_UACINT)(r->line > 0 ? r->line : r->offset), message);
  abort(); /* luaL_error does not return */
}

static _Noreturn void fail_errno (lua_State *L, const char *path, int error) {
  luaL_error(L, "%s: %s", path, strerror(error));
  abort();
}

/* What stopped zlib. */
static _Noreturn void fail_zlib (lua_State *L, const Reader *r) {
  int code;
  int error = errno;
  const char *message = gzerror(r->gz, &code);
  if (code == Z_ERRNO) fail_errno(L, r->path, error);
  const char *reason = strstr(message, ": "); /* behind zlib's own name of the file */
  if (reason != NULL) message = reason + 2;
  reader_fail(L, r, "%s", code == Z_BUF_ERROR ? "compressed data end too early" : message);
}

Reader *reader_push (lua_State *L, const char *path) {
  Reader *r = lua_newuserdatauv(L, sizeof *r, 0);
  *r = (Reader){.path = path};
  static const luaL_Reg metamethods[] = {{"__gc", l_gc}, {NULL, NULL}};
  metatable_set(L, READER_TNAME, metamethods);
  r->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  r->text = malloc(BUFFER);
  if (r->c == (locale_t)0 || r->text == NULL) luaL_error(L, "not enough memory");
  r->cap = BUFFER;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_errno(L, path, errno);
  struct stat info;
  int rc = fstat(fd, &info);
  if (rc == 0 && S_ISDIR(info.st_mode)) {
    rc = -1;
    errno = EISDIR;
  }
  if (rc == 0) r->gz = gzdopen(fd, "rb");
  if (r->gz == NULL) {
    int error = rc == 0 ? ENOMEM : errno;
    close(fd);
    fail_errno(L, path, error);
  }
  gzbuffer(r->gz, BUFFER);
  r->size = UINT64_MAX;
  if (S_ISREG(info.st_mode)) {
    r->size = (uint64_t)info.st_size;
    r->compressed = !gzdirect(r->gz);
    if (r->compressed) r->size *= DEFLATE_MOST;
  }
  return r;
}

Reader *reader_check (lua_State *L, int arg) {
  Reader *r = luaL_checkudata(L, arg, READER_TNAME);
  luaL_argcheck(L, r->gz != NULL, arg, "reader is closed");
  return r;
}

uint64_t reader_left (lua_State *L, const Reader *r) {
  if (r->compressed) reader_fail(L, r, "file is compressed as a whole: unpack it first");
  if (r->size == UINT64_MAX) reader_fail(L, r, "regular file expected");
  return r->size > r->offset ? r->size - r->offset : 0;
}

size_t reader_peek (lua_State *L, Reader *r, char *head, size_t len) {
  int n = gzread(r->gz, head, (unsigned)len);
  if (n < 0) fail_zlib(L, r);
  if (gzrewind(r->gz) != 0) fail_zlib(L, r);
  return (size_t)n;
}

/* At most len bytes; 0 only at the end of the file. */
static size_t read_some (lua_State *L, Reader *r, char *target, size_t len) {
  errno = 0;
  int n = gzread(r->gz, target, len > INT_MAX ? INT_MAX : (unsigned)len);
  if (n < 0) fail_zlib(L, r);
  if (n == 0 && len > 0) {
    int code;
    gzerror(r->gz, &code);
    if (code < 0) fail_zlib(L, r);
  }
  r->offset += (uint64_t)n;
  return (size_t)n;
}

void reader_bytes (lua_State *L, Reader *r, void *target, size_t len, const char *what) {
  for (char *at = target; len > 0;) {
    size_t n = read_some(L, r, at, len);
    if (n == 0) reader_fail(L, r, "file ends in %s, %I bytes early", what, (LUAI_UACINT)len);
    at += n;
    len -= n;
  }
}

bool reader_at_end (lua_State *L, Reader *r) {
  char c;
  if (read_some(L, r, &c, 1) == 0) return true;
  r->offset--; /* messages name the byte itself */
  return false;
}

/* Makes room behind the text that has been read and not yet returned. */
static void make_room (lua_State *L, Reader *r) {
  if (r->begin > 0) {
    memmove(r->text, r->text + r->begin, r->end - r->begin);
    r->end -= r->begin;
    r->begin = 0;
  }
  if (r->end < r->cap - 1) return;
  char *more = r->cap > INT_MAX / 4 ? NULL : realloc(r->text, 2 * r->cap);
  if (more == NULL) reader_fail(L, r, "line is too long");
  r->text = more;
  r->cap *= 2;
}

char *reader_line (lua_State *L, Reader *r) {
  size_t searched = 0, len;
  r->line++;
  for (;;) {
    char *from = r->text + r->begin;
    char *found = memchr(from + searched, '\n', r->end - r->begin - searched);
    len = found != NULL ? (size_t)(found - from) : r->end - r->begin;
    if (found != NULL) break;
    searched = len;
    make_room(L, r);
    size_t n = read_some(L, r, r->text + r->end, r->cap - 1 - r->end);
    r->end += n;
    if (n > 0) continue;
    if (len > 0) break; /* a last line without an end */
    r->line--;
    return NULL;
  }
  char *line = r->text + r->begin;
  r->begin += len + (r->begin + len < r->end); /* behind the line's end, if it has one */
  if (memchr(line, '\0', len) != NULL) reader_fail(L, r, "text expected, got a 0 byte");
  if (len > 0 && line[len - 1] == '\r') len--;
  line[len] = '\0'; /* there is room: the end of the line, or the byte kept free */
  return line;
}

void reader_check_room (lua_State *L, const Reader *r, uint64_t n, uint64_t len,
                        const char *what) {
  if (r->size == UINT64_MAX || n <= r->size / len) return;
  reader_fail(L, r, "%s: more than a file of this size can hold", what);
}

void reader_check_memory (lua_State *L, const Reader *r, size_t a, size_t b, size_t len) {
  size_t n;
  if (memory_multiply(a, b, &n) && memory_multiply(n, len, &n) && block_can_be(n)) return;
  reader_fail(L, r, "%I x %I numbers of %I bytes: more than this machine can hold",
              (LUAI_UACINT)a, (LUAI_UACINT)b, (LUAI_UACINT)len);
}

bool reader_number (const Reader *r, char **text, double *x) {
  char *end;
  *x = strtod_l(*text, &end, r->c);
  if (end == *text) return false;
  for (const char *at = *text; at < end;
       at++) { /* what C reads beyond decimals: 0x1p3, nan(1) */
    if (*at == 'x' || *at == 'X' || *at == '(') return false;
  }
  *text = end;
  return true;
}

double *reader_push_dense (lua_State *L, const Reader *r, FilesKind kind, FilesKind preferred,
                           size_t rows, size_t cols, bool is_complex) {
  if (kind == FILES_ANY) kind = preferred;
  if (kind == FILES_SPARSE) {
    luaL_error(L, "%s: holds a dense array and cannot be loaded as a SparseMatrix", r->path);
  }
  if (kind == FILES_MATRIX) {
    Matrix *M = matrix_push_kind(L, rows, cols, is_complex, false);
    return rows > 0 && cols > 0 ? matrix_write(L, M) : NULL;
  }
  VectorArray *U = vectorarray_push_kind(L, rows, cols, is_complex, false);
  return rows > 0 && cols > 0 ? vectorarray_vector_write(L, U, 0) : NULL;
}
