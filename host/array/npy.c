/* npy.c - NumPy's array files: versions 1.0 to 3.0, one or two dimensions. */
#include "array/files.h"

#include <string.h>
#include <lauxlib.h>
#include "array/args.h"

/* Layout: 6 bytes of magic, major and minor version, length of the header (16 bits little-endian in
   version 1, else 32), the header: a Python dictionary, padded by spaces and ended by a newline so
   that the numbers begin at a multiple of 64; then the numbers. */
static const char magic[] = "\x93NUMPY";

enum { PREFIX = 8, HEADER_MOST = 1 << 16, CHUNK = 1 << 15 };

typedef struct NpyHeader {
  char kind;       /* f, i or u */
  size_t width;    /* bytes of a number, or of a part of a complex one */
  bool is_complex; /* a real and an imaginary part of kind f */
  bool big_endian, fortran;
  unsigned n_dims;
  size_t shape[2];
} NpyHeader;

/* A place in the text of the header, for messages in the file. */
typedef struct Parser {
  lua_State *L;
  const Reader *r;
  const char *text, *at;
} Parser;

static _Noreturn void fail (const Parser *p, const char *message) {
  reader_fail(p->L, p->r, "header, character %d: %s", (int)(p->at - p->text) + 1, message);
}

static void skip_space (Parser *p) {
  while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t') p->at++;
}

static bool take (Parser *p, char c) {
  skip_space(p);
  if (*p->at != c) return false;
  p->at++;
  return true;
}

static void expect (Parser *p, char c) {
  if (!take(p, c)) fail(p, lua_pushfstring(p->L, "'%c' expected", c));
}

/* A string of Python into target; what names it. */
static void parse_string (Parser *p, char *target, size_t cap, const char *what) {
  skip_space(p);
  char quote = *p->at;
  if (quote != '\'' && quote != '"') fail(p, lua_pushfstring(p->L, "%s expected", what));
  const char *end = strchr(p->at + 1, quote);
  if (end == NULL) fail(p, "string without end");
  size_t len = (size_t)(end - p->at - 1);
  if (len >= cap) fail(p, lua_pushfstring(p->L, "%s is too long", what));
  memcpy(target, p->at + 1, len);
  target[len] = '\0';
  p->at = end + 1;
}

static void parse_descr (Parser *p, NpyHeader *h) {
  char descr[32];
  parse_string(p, descr, sizeof descr, "a plain type of numbers");
  char order = descr[0], kind = order == '\0' ? '\0' : descr[1];
  const char *width = kind == '\0' ? "" : descr + 2;
  bool known = strchr("<>|=", order) != NULL && order != '\0';
  h->is_complex = kind == 'c';
  if (h->is_complex) { /* c16 is twice f8 */
    known = known && (strcmp(width, "16") == 0 || strcmp(width, "8") == 0);
    width = *width == '1' ? "8" : "4";
    kind = 'f';
  }
  known = known && strlen(width) == 1;
  if (known && kind == 'f') known = *width == '4' || *width == '8';
  else if (known && (kind == 'i' || kind == 'u')) known = strchr("1248", *width) != NULL;
  else known = false;
  if (!known) {
    fail(p, lua_pushfstring(p->L,
                            "numbers of type '%s' are not supported (f4, f8, c8, c16, "
                            "i1 to i8, u1 to u8 are)",
                            descr));
  }
  h->kind = kind;
  h->width = (size_t)(*width - '0');
  h->big_endian = order == '>';
}

static void parse_order (Parser *p, NpyHeader *h) {
  skip_space(p);
  h->fortran = strncmp(p->at, "True", 4) == 0;
  if (!h->fortran && strncmp(p->at, "False", 5) != 0) fail(p, "True or False expected");
  p->at += h->fortran ? 4 : 5;
}

static void parse_shape (Parser *p, NpyHeader *h) {
  expect(p, '(');
  h->n_dims = 0;
  while (!take(p, ')')) {
    if (h->n_dims == 2) fail(p, "one or two dimensions expected, got more");
    skip_space(p);
    if (*p->at < '0' || *p->at > '9') fail(p, "dimension expected");
    size_t n = 0;
    for (; *p->at >= '0' && *p->at <= '9'; p->at++) {
      size_t digit = (size_t)(*p->at - '0');
      if (n > ((size_t)PTRDIFF_MAX - digit) / 10) fail(p, "dimension is too large");
      n = 10 * n + digit;
    }
    if (*p->at == 'L') p->at++; /* written by Python 2 */
    h->shape[h->n_dims++] = n;
    if (!take(p, ',')) {
      expect(p, ')');
      break;
    }
  }
  if (h->n_dims == 0) fail(p, "one or two dimensions expected, got none");
}

static void parse (Parser *p, NpyHeader *h) {
  bool seen[3] = {false};
  static const char *const keys[] = {"descr", "fortran_order", "shape"};
  expect(p, '{');
  while (!take(p, '}')) {
    char key[32];
    parse_string(p, key, sizeof key, "a key");
    int k = 0;
    while (k < 3 && strcmp(key, keys[k]) != 0) k++;
    if (k == 3) fail(p, lua_pushfstring(p->L, "unknown key '%s'", key));
    seen[k] = true;
    expect(p, ':');
    if (k == 0) parse_descr(p, h);
    else if (k == 1) parse_order(p, h);
    else parse_shape(p, h);
    if (!take(p, ',')) {
      expect(p, '}');
      break;
    }
  }
  for (int k = 0; k < 3; k++) {
    if (!seen[k]) fail(p, lua_pushfstring(p->L, "'%s' is missing", keys[k]));
  }
  skip_space(p);
  if (*p->at != '\0') fail(p, "end of the header expected");
}

static void read_header (lua_State *L, Reader *r, NpyHeader *h) {
  unsigned char prefix[PREFIX], len_bytes[4] = {0};
  reader_bytes(L, r, prefix, PREFIX, "the magic bytes");
  if (memcmp(prefix, magic, 6) != 0) reader_fail(L, r, "no .npy file");
  if (prefix[6] < 1 || prefix[6] > 3 || prefix[7] != 0) {
    reader_fail(L, r, "version %d.%d is not known (1.0 to 3.0 are)", prefix[6], prefix[7]);
  }
  reader_bytes(L, r, len_bytes, prefix[6] == 1 ? 2 : 4, "the length of the header");
  size_t len = 0;
  for (int k = 3; k >= 0; k--) len = len << 8 | len_bytes[k];
  if (len > HEADER_MOST) reader_fail(L, r, "header of %I bytes is too long", (LUAI_UACINT)len);
  char *text = args_scratch(L, len + 1, 1);
  reader_bytes(L, r, text, len, "the header");
  text[len] = '\0';
  if (strlen(text) != len) reader_fail(L, r, "header has a 0 byte");
  Parser parser = {.L = L, .r = r, .text = text, .at = text};
  parse(&parser, h);
}

static double convert (const NpyHeader *h, const unsigned char *bytes) {
  uint64_t bits = 0;
  for (size_t k = 0; k < h->width; k++) {
    bits = bits << 8 | bytes[h->big_endian ? k : h->width - 1 - k];
  }
  if (h->kind == 'f' && h->width == 8) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
  }
  if (h->kind == 'f') {
    uint32_t half = (uint32_t)bits;
    float x;
    memcpy(&x, &half, sizeof x);
    return x;
  }
  if (h->kind == 'u') return (double)bits;
  unsigned shift = 64 - 8 * (unsigned)h->width; /* the sign to the left, and back */
  int64_t n = (int64_t)(bits << shift);
  return (double)(n >> shift);
}

/* The numbers in the file's order; the k-th goes to x[k], or, of rows * cols in C order, to its
   place by columns. A complex one is width = 2 numbers in one place. */
static void read_numbers (lua_State *L, Reader *r, const NpyHeader *h, size_t rows, size_t cols,
                          bool by_rows, double *x) {
  size_t width = h->is_complex ? 2 : 1, n = rows * cols * width, part = 0;
  const uint16_t one = 1;
  bool little = *(const unsigned char *)&one == 1;
  if (!by_rows && h->kind == 'f' && h->width == 8 && h->big_endian != little) {
    reader_bytes(L, r, x, n * sizeof *x, "the numbers"); /* as they are */
    return;
  }
  unsigned char *bytes = args_scratch(L, CHUNK, 8);
  size_t i = 0, j = 0;
  for (size_t k = 0; k < n;) {
    size_t m = n - k < CHUNK ? n - k : CHUNK;
    reader_bytes(L, r, bytes, m * h->width, "the numbers");
    for (size_t b = 0; b < m; b++, k++) {
      double value = convert(h, bytes + b * h->width);
      x[by_rows ? (i + j * rows) * width + part : k] = value;
      if (!by_rows || ++part < width) continue;
      part = 0;
      if (++j == cols) {
        j = 0;
        i++;
      }
    }
  }
  lua_pop(L, 1);
}

void npy_load (lua_State *L, Reader *r, FilesKind kind) {
  NpyHeader h = {0};
  read_header(L, r, &h);
  size_t rows = h.shape[0], cols = h.n_dims == 2 ? h.shape[1] : 1;
  if (cols != 0 && rows > (size_t)PTRDIFF_MAX / 16 / cols)
    reader_fail(L, r, "shape is too large");
  reader_check_room(L, r, rows * cols, h.width * (h.is_complex ? 2 : 1), "shape");
  double *x = reader_push_dense(L, r, kind, FILES_VECTORARRAY, rows, cols, h.is_complex);
  /* The panel is fresh, so its memory stays while bytes are read into it. */
  if (x != NULL) read_numbers(L, r, &h, rows, cols, !h.fortran && rows > 1 && cols > 1, x);
  if (!reader_at_end(L, r)) reader_fail(L, r, "end of the file expected after the numbers");
}

void npy_save (lua_State *L, Writer *w, const FilesDense *M) {
  char head[256];
  /* As NumPy: what is contiguous in both orders is said to be in C order. */
  bool both = M->rows == 1 || M->cols == 1;
  const char *order = both ? "False" : "True";
  int n = snprintf(head + 10, sizeof head - 10,
                   "{'descr': '%s', 'fortran_order': %s, 'shape': (%zu, %zu), }",
                   M->is_complex ? "<c16" : "<f8", order, M->rows, M->cols);
  size_t len = (10 + (size_t)n + 1 + 63) / 64 * 64;
  memcpy(head, magic, 6);
  head[6] = 1;
  head[7] = 0;
  head[8] = (char)((len - 10) & 0xff);
  head[9] = (char)((len - 10) >> 8);
  memset(head + 10 + n, ' ', len - 10 - (size_t)n);
  head[len - 1] = '\n';
  writer_bytes(L, w, head, len);
  size_t width = M->is_complex ? 2 : 1;
  for (size_t j = 0; j < M->cols; j++) {
    writer_bytes(L, w, M->x + j * M->ld * width, M->rows * width * sizeof *M->x);
  }
}
