/* mtx.c - Matrix Market files: coordinate and array, of every field and symmetry. */
#include "array/files.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <lauxlib.h>
#include "array/args.h"
#include "array/matrix.h"
#include "array/sparse.h"
#include "array/vectorarray.h"

typedef enum Symmetry { GENERAL, SYMMETRIC, SKEW, HERMITIAN } Symmetry;

typedef struct MtxHeader {
  bool coordinate, pattern, is_complex, is_integer;
  Symmetry symmetry;
  size_t rows, cols;
  uint64_t n; /* entries in the file */
} MtxHeader;

/* Cuts the next word off *text; NULL at its end. */
static char *next_word (char **text) {
  char *at = *text;
  while (isspace((unsigned char)*at)) at++;
  if (*at == '\0') return NULL;
  char *end = at;
  while (*end != '\0' && !isspace((unsigned char)*end)) end++;
  if (*end != '\0') *end++ = '\0';
  *text = end;
  return at;
}

/* Which of the words, ended by NULL; raises when it is none of them. */
static int choose (lua_State *L, const Reader *r, char **text, const char *const words[],
                   const char *what) {
  const char *word = next_word(text);
  if (word == NULL) reader_fail(L, r, "%s expected, got the end of the line", what);
  for (int k = 0; words[k] != NULL; k++) {
    if (strcasecmp(word, words[k]) == 0) return k;
  }
  reader_fail(L, r, "%s expected, got '%s'", what, word);
}

static void parse_banner (lua_State *L, Reader *r, MtxHeader *h) {
  static const char *const banner[] = {"%%MatrixMarket", NULL}, *const object[] = {"matrix",
                                                                                   NULL};
  static const char *const formats[] = {"coordinate", "array", NULL};
  static const char *const fields[] = {"real", "double", "integer", "pattern", "complex", NULL};
  static const char *const symmetries[] = {"general", "symmetric", "skew-symmetric",
                                           "hermitian", NULL};
  char *line = reader_line(L, r);
  if (line == NULL) reader_fail(L, r, "file is empty");
  choose(L, r, &line, banner, "'%%MatrixMarket'");
  choose(L, r, &line, object, "'matrix'");
  h->coordinate = choose(L, r, &line, formats, "'coordinate' or 'array'") == 0;
  int field = choose(L, r, &line, fields, "'real', 'complex', 'integer' or 'pattern'");
  int symmetry = choose(L, r, &line, symmetries,
                        "'general', 'symmetric', 'skew-symmetric' or 'hermitian'");
  if (next_word(&line) != NULL) reader_fail(L, r, "end of the line expected");
  h->is_integer = field == 2;
  h->pattern = field == 3;
  h->is_complex = field == 4;
  h->symmetry = (Symmetry)symmetry;
  if (h->pattern && !h->coordinate) reader_fail(L, r, "an array has no pattern");
  if (h->pattern && h->symmetry == SKEW) reader_fail(L, r, "a pattern is not skew-symmetric");
  if (!h->is_complex && h->symmetry == HERMITIAN) {
    reader_fail(L, r, "only a complex matrix is Hermitian");
  }
}

/* The next line that is no comment and not blank; NULL at the end of the file. */
static char *next_line (lua_State *L, Reader *r) {
  char *line;
  do {
    line = reader_line(L, r);
    if (line == NULL) return NULL;
    while (isspace((unsigned char)*line)) line++;
  } while (*line == '%' || *line == '\0');
  return line;
}

static uint64_t parse_count (lua_State *L, const Reader *r, char **line, uint64_t limit,
                             const char *what) {
  const char *word = next_word(line);
  if (word == NULL) reader_fail(L, r, "%s expected, got the end of the line", what);
  uint64_t n = 0;
  for (const char *c = word; *c != '\0'; c++) {
    if (*c < '0' || *c > '9') reader_fail(L, r, "%s expected, got '%s'", what, word);
    n = n > limit ? n : 10 * n + (uint64_t)(*c - '0');
  }
  if (n > limit) {
    reader_fail(L, r, "%s: at most %I expected, got %s", what, (LUAI_UACINT)limit, word);
  }
  return n;
}

static void parse_size (lua_State *L, Reader *r, FilesKind kind, MtxHeader *h) {
  const uint64_t limit = INT64_MAX / 160;
  char *line = next_line(L, r);
  if (line == NULL) reader_fail(L, r, "file ends before the size of the matrix");
  h->rows = (size_t)parse_count(L, r, &line, limit, "number of rows");
  h->cols = (size_t)parse_count(L, r, &line, limit, "number of columns");
  if (h->symmetry != GENERAL && h->rows != h->cols) {
    reader_fail(L, r, "a symmetric matrix is square, got %I x %I", (LUAI_UACINT)h->rows,
                (LUAI_UACINT)h->cols);
  }
  if (h->coordinate) {
    h->n = parse_count(L, r, &line, limit, "number of entries");
  } else {
    if (h->cols != 0 && h->rows > limit / h->cols) reader_fail(L, r, "matrix is too large");
    h->n = (uint64_t)h->rows * h->cols;
    if (h->symmetry == SYMMETRIC || h->symmetry == HERMITIAN) h->n = (h->n + h->rows) / 2;
    if (h->symmetry == SKEW) h->n = (h->n - h->rows) / 2;
  }
  if (next_word(&line) != NULL) reader_fail(L, r, "end of the line expected");
  /* "1 1 1", "1 1" and "1" are the shortest entries; the last line may have no end. */
  uint64_t least = !h->coordinate ? 2 : h->pattern ? 4 : 6;
  reader_check_room(L, r, h->n, h->is_complex ? least + 2 : least, "number of entries");
  bool is_dense = !h->coordinate || kind == FILES_MATRIX || kind == FILES_VECTORARRAY;
  size_t len = h->is_complex ? 2 * sizeof(double) : sizeof(double);
  if (is_dense) reader_check_memory(L, r, h->rows, h->cols, len);
  if (h->coordinate) reader_check_memory(L, r, 1, h->cols, sizeof(int64_t));
}

static char *next_entry (lua_State *L, Reader *r, const MtxHeader *h, uint64_t k) {
  char *line = next_line(L, r);
  if (line == NULL) {
    reader_fail(L, r, "file ends after %I of %I entries", (LUAI_UACINT)k, (LUAI_UACINT)h->n);
  }
  return line;
}

static double parse_number (lua_State *L, const Reader *r, char **line) {
  char *word = next_word(line), *end = word;
  double x = 0;
  if (word == NULL) reader_fail(L, r, "number expected, got the end of the line");
  if (!reader_number(r, &end, &x) || *end != '\0') {
    reader_fail(L, r, "number expected, got '%s'", word);
  }
  return x;
}

/* A value of the matrix: one number, or two. */
static void parse_value (lua_State *L, const Reader *r, const MtxHeader *h, char **line,
                         double value[2]) {
  value[0] = h->pattern ? 1 : parse_number(L, r, line);
  if (h->is_integer && !(isfinite(value[0]) && value[0] == floor(value[0])))
    reader_fail(L, r, "integer expected, got %f", value[0]);
  value[1] = h->is_complex ? parse_number(L, r, line) : 0;
}

/* Puts the value, or its mirror image below the diagonal, in place number k. */
static void put_value (const MtxHeader *h, const double value[2], bool mirrored, double *x,
                       size_t k) {
  double re = mirrored && h->symmetry == SKEW ? -value[0] : value[0];
  double im = mirrored && h->symmetry != SYMMETRIC ? -value[1] : value[1];
  if (!h->is_complex) {
    x[k] = re;
  } else {
    x[2 * k] = re;
    x[2 * k + 1] = im;
  }
}

/* An entry at (i, j). */
static void check_value (lua_State *L, const Reader *r, const MtxHeader *h,
                         const double value[2], size_t i, size_t j) {
  if (h->symmetry != HERMITIAN || i != j || value[1] == 0) return;
  reader_fail(L, r, "diagonal of a Hermitian matrix: real number expected in column %I",
              (LUAI_UACINT)j);
}

static void expect_end (lua_State *L, Reader *r, char *line) {
  const char *word = next_word(&line);
  if (word != NULL) reader_fail(L, r, "end of the line expected, got '%s'", word);
}

static void check_place (lua_State *L, const Reader *r, const MtxHeader *h, size_t i,
                         size_t j) {
  if (i == 0 || j == 0) reader_fail(L, r, "indices count from 1");
  if ((h->symmetry == SYMMETRIC || h->symmetry == HERMITIAN) && i < j) {
    reader_fail(L, r, "entry above the diagonal in a %s matrix",
                h->symmetry == SYMMETRIC ? "symmetric" : "Hermitian");
  }
  if (h->symmetry == SKEW && i <= j) {
    reader_fail(L, r, "entry on or above the diagonal in a skew-symmetric matrix");
  }
}

/* Pushes the SparseMatrix. */
static void load_coordinate (lua_State *L, Reader *r, const MtxHeader *h) {
  size_t most = (size_t)h->n * (h->symmetry == GENERAL ? 1 : 2), n = 0;
  size_t *rows = args_scratch(L, most, sizeof *rows),
         *cols = args_scratch(L, most, sizeof *cols);
  double *values = args_scratch(L, most, (h->is_complex ? 2 : 1) * sizeof *values), value[2];
  for (uint64_t k = 0; k < h->n; k++) {
    char *line = next_entry(L, r, h, k);
    size_t i = (size_t)parse_count(L, r, &line, h->rows, "row");
    size_t j = (size_t)parse_count(L, r, &line, h->cols, "column");
    parse_value(L, r, h, &line, value);
    expect_end(L, r, line);
    check_place(L, r, h, i, j);
    check_value(L, r, h, value, i, j);
    rows[n] = i - 1;
    cols[n] = j - 1;
    put_value(h, value, false, values, n++);
    if (h->symmetry == GENERAL || i == j) continue;
    rows[n] = j - 1;
    cols[n] = i - 1;
    put_value(h, value, true, values, n++);
  }
  sparse_push_triplets(L, h->rows, h->cols, n, rows, cols, values, h->is_complex);
}

/* Fills x, column-major, from the entries below the diagonal, column by column. SciPy used to write
   the zeros of the diagonal as well: how many entries there are tells. */
static void load_skew (lua_State *L, Reader *r, const MtxHeader *h, double *x) {
  size_t n = h->rows, most = (size_t)h->n + n, count = 0;
  double(*values)[2] = args_scratch(L, most, sizeof *values);
  for (char *line; (line = next_line(L, r)) != NULL; count++) {
    if (count == most) {
      reader_fail(L, r, "end of the file expected after %I entries", (LUAI_UACINT)h->n);
    }
    parse_value(L, r, h, &line, values[count]);
    expect_end(L, r, line);
  }
  bool diagonal = n > 0 && count == most;
  if (!diagonal && count != h->n) {
    reader_fail(L, r, "file ends after %I of %I entries", (LUAI_UACINT)count,
                (LUAI_UACINT)h->n);
  }
  for (size_t j = 0, k = 0; j < n; j++) {
    const double zero[2] = {0, 0}, *at = diagonal ? values[k++] : zero;
    if (at[0] != 0 || at[1] != 0) {
      reader_fail(L, r, "diagonal of a skew-symmetric matrix: 0 expected in column %I",
                  (LUAI_UACINT)j + 1);
    }
    put_value(h, zero, false, x, j + j * n);
    for (size_t i = j + 1; i < n; i++, k++) {
      put_value(h, values[k], false, x, i + j * n);
      put_value(h, values[k], true, x, j + i * n);
    }
  }
  lua_pop(L, 1);
}

static void load_array (lua_State *L, Reader *r, const MtxHeader *h, FilesKind kind) {
  double *x = reader_push_dense(L, r, kind, FILES_MATRIX, h->rows, h->cols, h->is_complex);
  double value[2];
  uint64_t k = 0;
  if (h->symmetry == SKEW) {
    load_skew(L, r, h, x);
    return;
  }
  for (size_t j = 0; j < h->cols; j++) {
    for (size_t i = h->symmetry == GENERAL ? 0 : j; i < h->rows; i++, k++) {
      char *line = next_entry(L, r, h, k);
      parse_value(L, r, h, &line, value);
      expect_end(L, r, line);
      check_value(L, r, h, value, i + 1, j + 1);
      if (h->symmetry != GENERAL && i != j) put_value(h, value, true, x, j + i * h->rows);
      put_value(h, value, false, x, i + j * h->rows);
    }
  }
}

void mtx_load (lua_State *L, Reader *r, FilesKind kind) {
  MtxHeader h = {0};
  parse_banner(L, r, &h);
  parse_size(L, r, kind, &h);
  if (h.coordinate) load_coordinate(L, r, &h);
  else load_array(L, r, &h, kind);
  if (next_line(L, r) != NULL) {
    reader_fail(L, r, "end of the file expected after %I entries", (LUAI_UACINT)h.n);
  }
  if (h.coordinate && (kind == FILES_MATRIX || kind == FILES_VECTORARRAY)) {
    double *x = reader_push_dense(L, r, kind, FILES_MATRIX, h.rows, h.cols, h.is_complex);
    if (x != NULL) sparse_fill_dense(sparse_check(L, lua_gettop(L) - 1), x);
  }
}

static void write_value (lua_State *L, Writer *w, const double *x, bool is_complex) {
  writer_number(L, w, x[0]);
  if (is_complex) {
    writer_bytes(L, w, " ", 1);
    writer_number(L, w, x[1]);
  }
  writer_bytes(L, w, "\n", 1);
}

void mtx_save (lua_State *L, Writer *w, const FilesDense *M) {
  size_t width = M->is_complex ? 2 : 1;
  writer_format(L, w, "%%%%MatrixMarket matrix array %s general\n%zu %zu\n",
                M->is_complex ? "complex" : "real", M->rows, M->cols);
  for (size_t j = 0; j < M->cols; j++) {
    for (size_t i = 0; i < M->rows; i++) {
      write_value(L, w, M->x + (i + j * M->ld) * width, M->is_complex);
    }
  }
}

/* Symmetric and Hermitian matrices as their lower half. */
void mtx_save_sparse (lua_State *L, Writer *w, SparseMatrix *A) {
  const Pattern *p = A->pattern;
  bool symmetric = sparse_is_symmetric(L, A), half = symmetric || sparse_is_hermitian(L, A);
  size_t n = p->nnz;
  for (size_t j = 0; half && j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) n -= p->indices[k] < (int64_t)j;
  }
  writer_format(L, w, "%%%%MatrixMarket matrix coordinate %s %s\n%zu %zu %zu\n",
                A->is_complex ? "complex" : "real",
                symmetric ? "symmetric"
                : half    ? "hermitian"
                          : "general",
                p->rows, p->cols, n);
  for (size_t j = 0; j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      if (half && p->indices[k] < (int64_t)j) continue;
      writer_format(L, w, "%lld %zu ", (long long)p->indices[k] + 1, j + 1);
      write_value(L, w, A->x + (size_t)k * sparse_width(A), A->is_complex);
    }
  }
}
