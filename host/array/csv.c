/* csv.c - tables of numbers as text: a row a line, separated by commas, semicolons, tabs or spaces.
   Lines that begin with # are comments; a first line without a number is the title. A table
   without numbers is one comment with its shape: "# 3 x 0". A comma and a semicolon in one table
   are no separators both: where people write 1,5 for 3/2, the comma would make two numbers. */
#include "array/files.h"

#include <stdio.h>
#include <string.h>
#include <lauxlib.h>

/* The numbers read so far, row by row: grows as a userdata at one place of the stack. */
typedef struct Table {
  double *x;
  size_t n, cap, cols;
  int place;
  char separator; /* the comma or semicolon that came first, or 0 */
  bool is_empty;  /* a comment says so, and the shape */
  size_t empty_rows, empty_cols;
} Table;

static void append (lua_State *L, Table *t, double x) {
  if (t->n == t->cap) {
    if (t->cap > (size_t)PTRDIFF_MAX / 2 / sizeof x) luaL_error(L, "not enough memory");
    size_t cap = t->cap == 0 ? 256 : 2 * t->cap;
    double *more = lua_newuserdatauv(L, cap * sizeof x, 0);
    if (t->n > 0) memcpy(more, t->x, t->n * sizeof x);
    lua_replace(L, t->place);
    t->x = more;
    t->cap = cap;
  }
  t->x[t->n++] = x;
}

static void skip_blanks (char **at) {
  while (**at == ' ' || **at == '\t') ++*at;
}

/* Appends the numbers of a line; returns how many, or where they end to be numbers in *wrong. */
static size_t parse_line (lua_State *L, const Reader *r, Table *t, char *line, char **wrong) {
  size_t count = 0;
  *wrong = NULL;
  for (char *at = line;;) {
    double x;
    skip_blanks(&at);
    char *field = at;
    if (!reader_number(r, &at, &x)) {
      *wrong = field;
      return count;
    }
    bool blank = *at == ' ' || *at == '\t';
    skip_blanks(&at);
    append(L, t, x);
    count++;
    if (*at == '\0') return count;
    if (t->separator == 0 && (*at == ',' || *at == ';')) t->separator = *at;
    if (*at == t->separator) at++;
    else if (!blank || *at == ',' || *at == ';') {
      *wrong = field;
      return count;
    }
  }
}

/* Has the line a number, quoted or not, among what separators or blanks part? It is then a row that
   has something else in it, a missing value, say, rather than the title. */
static bool has_number (const Reader *r, char *line) {
  const char *separators = strpbrk(line, ",;\t") != NULL ? ",;\t" : " ";
  for (char *at = line; *at != '\0';) {
    char *end = at + strcspn(at, separators);
    while (at < end && (*at == ' ' || *at == '"')) at++;
    double x;
    if (at < end && reader_number(r, &at, &x)) {
      while (at < end && (*at == ' ' || *at == '"')) at++;
      if (at == end) return true;
    }
    at = *end == '\0' ? end : end + 1;
  }
  return false;
}

/* Is the comment the shape of a table without numbers? */
static bool read_shape (const char *comment, size_t *rows, size_t *cols) {
  unsigned long long m, n;
  int end = 0;
  if (sscanf(comment, "# %15llu x %15llu%n", &m, &n, &end) != 2 || comment[end] != '\0' ||
      strchr(comment, '-') != NULL || (m > 0 && n > 0)) {
    return false;
  }
  *rows = (size_t)m;
  *cols = (size_t)n;
  return true;
}

static void read_rows (lua_State *L, Reader *r, Table *t) {
  static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, before the first line */
  bool first = true, begins = true;
  char *line;
  while ((line = reader_line(L, r)) != NULL) {
    char *at = line, *wrong;
    if (begins && strncmp(at, mark, sizeof mark - 1) == 0) at += sizeof mark - 1;
    begins = false;
    skip_blanks(&at);
    if (*at == '#' && read_shape(at, &t->empty_rows, &t->empty_cols)) t->is_empty = true;
    if (*at == '\0' || *at == '#') continue;
    size_t before = t->n, count = parse_line(L, r, t, at, &wrong);
    if (wrong != NULL && first && !has_number(r, at)) t->n = before; /* the title */
    else if (wrong != NULL) reader_fail(L, r, "number expected, got '%s'", wrong);
    else if (t->cols == 0) t->cols = count;
    else if (count != t->cols) {
      reader_fail(L, r, "%I numbers expected, got %I", (LUAI_UACINT)t->cols,
                  (LUAI_UACINT)count);
    }
    first = false;
  }
}

void csv_load (lua_State *L, Reader *r, FilesKind kind) {
  lua_pushnil(L);
  Table t = {.place = lua_gettop(L)};
  read_rows(L, r, &t);
  if (t.cols == 0 && t.is_empty) {
    reader_push_dense(L, r, kind, FILES_MATRIX, t.empty_rows, t.empty_cols, false);
    return;
  }
  if (t.cols == 0) reader_fail(L, r, "file has no numbers");
  size_t rows = t.n / t.cols;
  double *x = reader_push_dense(L, r, kind, FILES_MATRIX, rows, t.cols, false);
  for (size_t i = 0; i < rows; i++) {
    for (size_t j = 0; j < t.cols; j++) x[i + j * rows] = t.x[i * t.cols + j];
  }
}

void csv_save (lua_State *L, Writer *w, const FilesDense *M) {
  if (M->rows == 0 || M->cols == 0) {
    char shape[64];
    int len = snprintf(shape, sizeof shape, "# %zu x %zu\n", M->rows, M->cols);
    writer_bytes(L, w, shape, (size_t)len);
    return;
  }
  for (size_t i = 0; i < M->rows; i++) {
    for (size_t j = 0; j < M->cols; j++) {
      if (j > 0) writer_bytes(L, w, ",", 1);
      writer_number(L, w, M->x[i + j * M->ld]);
    }
    writer_bytes(L, w, "\n", 1);
  }
}
