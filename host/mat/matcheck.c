/* matcheck.c - walks through a .mat file of version 5; see matformat.h for what it consists of. */
#include "mat/matcheck.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <lauxlib.h>
#include "array/matformat.h"
#include "mat/inflater.h"
#include "metatable.h"

#define WALK_TNAME "neap.mat.Walk"

enum {
  CHUNK = INFLATER_CHUNK,
  DEFLATE_MOST = 1032,  /* a byte of deflate makes at most that many */
  CELLS_MOST = 1 << 20, /* cells and fields in a file; each takes some 200 bytes of memory */
};

/* A userdata: whatever raises ends the inflation. */
typedef struct Walk {
  Reader *r;
  int fd;          /* the caller's: what has been read goes there */
  Inflater packed; /* open while a compressed variable is read */
  bool swapped;    /* the file's numbers have the other byte order */
  uint64_t left;   /* bytes of the variable that have not been read */
  size_t n_cells;
  char name[MAT_NAME_MOST + 1]; /* of the variable, "" while it is not known */
  unsigned char out[CHUNK];
  size_t n_out; /* bytes in out */
} Walk;

typedef struct Tag {
  uint32_t type, len;
  bool small; /* the data stand in the tag, and here */
  unsigned char data[4];
} Tag;

static int l_gc (lua_State *L) {
  Walk *w = luaL_checkudata(L, 1, WALK_TNAME);
  inflater_close(&w->packed);
  return 0;
}

static _Noreturn void fail (lua_State *L, const Walk *w, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const char *message = lua_pushvfstring(L, format, args);
  va_end(args);
  if (w->name[0] == '\0') reader_fail(L, w->r, "%s", message);
  reader_fail(L, w->r, "variable '%s': %s", w->name, message);
}

static void flush (lua_State *L, Walk *w) {
  for (size_t at = 0; at < w->n_out;) {
    ssize_t n = write(w->fd, w->out + at, w->n_out - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) luaL_error(L, "not enough memory to unpack a .mat file");
    at += (size_t)n;
  }
  w->n_out = 0;
}

/* At most CHUNK bytes. */
static void write_out (lua_State *L, Walk *w, const void *source, size_t len) {
  if (len > CHUNK - w->n_out) flush(L, w);
  memcpy(w->out + w->n_out, source, len);
  w->n_out += len;
}

/* Reads and writes out at most CHUNK bytes. */
static void take (lua_State *L, Walk *w, void *target, size_t len, const char *what) {
  if (len > w->left) fail(L, w, "%s: more bytes than the variable has", what);
  w->left -= len;
  if (w->packed.is_open) {
    const char *why = inflater_read(L, &w->packed, target, len, what);
    if (why != NULL) fail(L, w, "%s", why);
  } else {
    reader_bytes(L, w->r, target, len, what);
  }
  write_out(L, w, target, len);
}

static void skip (lua_State *L, Walk *w, uint64_t len, const char *what) {
  unsigned char bytes[CHUNK];
  while (len > 0) {
    size_t n = len < CHUNK ? (size_t)len : CHUNK;
    take(L, w, bytes, n, what);
    len -= n;
  }
}

static uint32_t word (const Walk *w, const unsigned char *bytes) {
  uint32_t x;
  memcpy(&x, bytes, sizeof x);
  return w->swapped ? __builtin_bswap32(x) : x;
}

static Tag take_tag (lua_State *L, Walk *w, const char *what) {
  unsigned char bytes[8];
  take(L, w, bytes, sizeof bytes, what);
  Tag tag = {.type = word(w, bytes), .len = word(w, bytes + 4)};
  if (tag.type > 0xffff) {
    tag.small = true;
    tag.len = tag.type >> 16;
    tag.type &= 0xffff;
    memcpy(tag.data, bytes + 4, 4);
    if (tag.len > 4) fail(L, w, "%s: %I bytes in a tag", what, (LUAI_UACINT)tag.len);
  } else if (tag.len > w->left) {
    fail(L, w, "%s: %I bytes expected, there are %I", what, (LUAI_UACINT)tag.len,
         (LUAI_UACINT)w->left);
  }
  return tag;
}

/* The tag of an element of this type and length, which has its data behind it. */
static void expect_tag (lua_State *L, Walk *w, uint32_t type, uint32_t len, const char *what) {
  Tag tag = take_tag(L, w, what);
  if (tag.small || tag.type != type || tag.len != len) {
    fail(L, w, "%s: element of type %d and %d bytes expected, got type %d and %I bytes", what,
         (int)type, (int)len, (int)tag.type, (LUAI_UACINT)tag.len);
  }
}

static void skip_data (lua_State *L, Walk *w, const Tag *tag, const char *what) {
  if (!tag->small) skip(L, w, ((uint64_t)tag->len + 7) / 8 * 8, what);
}

/* The name of the variable; of what stands in one, nothing. */
static void walk_name (lua_State *L, Walk *w, bool inner) {
  Tag tag = take_tag(L, w, "name");
  if (tag.type != MI_INT8) fail(L, w, "name: text expected, got type %d", (int)tag.type);
  if (inner) {
    if (tag.len > 0) fail(L, w, "cell or field with a name of its own");
    return;
  }
  unsigned char name[(MAT_NAME_MOST + 8) / 8 * 8];
  if (tag.len == 0) fail(L, w, "variable without a name");
  if (tag.len > MAT_NAME_MOST) {
    fail(L, w, "name of %I bytes is too long", (LUAI_UACINT)tag.len);
  }
  if (tag.small) memcpy(name, tag.data, 4);
  else take(L, w, name, (tag.len + 7) / 8 * 8, "name");
  if (memchr(name, '\0', tag.len) != NULL) fail(L, w, "name has a 0 byte");
  memcpy(w->name, name, tag.len);
  w->name[tag.len] = '\0';
}

/* Bytes of a number of the type; 0 for what is no number. */
static uint32_t size_of (uint32_t type) {
  static const uint32_t sizes[] = {0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8};
  return type < sizeof sizes / sizeof *sizes ? sizes[type] : 0;
}

static void walk_numbers (lua_State *L, Walk *w, uint64_t n, const char *what) {
  Tag tag = take_tag(L, w, what);
  uint32_t size = size_of(tag.type);
  if (size == 0) fail(L, w, "%s: numbers of an unknown type %d", what, (int)tag.type);
  if (tag.len / size != n || tag.len % size != 0) {
    fail(L, w, "%s: %I numbers of %d bytes expected, got %I bytes", what, (LUAI_UACINT)n,
         (int)size, (LUAI_UACINT)tag.len);
  }
  skip_data(L, w, &tag, what);
}

static void walk_text (lua_State *L, Walk *w, uint32_t rows, uint64_t n) {
  Tag tag = take_tag(L, w, "text");
  uint32_t size = tag.type == MI_UINT8 || tag.type == MI_UTF8     ? 1
                  : tag.type == MI_UINT16 || tag.type == MI_UTF16 ? 2
                                                                  : 0;
  if (size == 0) fail(L, w, "text of an unknown type %d", (int)tag.type);
  /* The dimensions count characters, of which some take several bytes of UTF-8. */
  bool longer = tag.type == MI_UTF8 && rows <= 1 && tag.len > n && tag.len <= 4 * n;
  if (tag.len != n * size && !longer) {
    fail(L, w, "text: %I bytes expected, got %I", (LUAI_UACINT)(n * size),
         (LUAI_UACINT)tag.len);
  }
  skip_data(L, w, &tag, "text");
}

/* Rows, starts of columns, numbers. Only lengths are looked at: who has them in memory checks the
   indices. */
static void walk_sparse (lua_State *L, Walk *w, uint32_t flags, uint32_t cols) {
  Tag rows = take_tag(L, w, "row indices");
  if (rows.type != MI_INT32 && rows.type != MI_UINT32) {
    fail(L, w, "row indices: integers expected, got type %d", (int)rows.type);
  }
  if (rows.len % 4 != 0) fail(L, w, "row indices: %I bytes", (LUAI_UACINT)rows.len);
  skip_data(L, w, &rows, "row indices");
  Tag starts = take_tag(L, w, "starts of columns");
  if (starts.type != MI_INT32 && starts.type != MI_UINT32) {
    fail(L, w, "starts of columns: integers expected, got type %d", (int)starts.type);
  }
  if (starts.len != ((uint64_t)cols + 1) * 4) {
    fail(L, w, "starts of columns: %I bytes expected, got %I",
         (LUAI_UACINT)(((uint64_t)cols + 1) * 4), (LUAI_UACINT)starts.len);
  }
  skip_data(L, w, &starts, "starts of columns");
  for (int part = 0; part < ((flags & MX_COMPLEX) != 0 ? 2 : 1); part++) {
    Tag tag = take_tag(L, w, "entries");
    /* MATLAB's Boolean ones call themselves double and are bytes. */
    bool bytes = (flags & MX_LOGICAL) != 0 && tag.type == MI_DOUBLE;
    uint32_t size = bytes ? 1 : size_of(tag.type);
    if (size == 0) fail(L, w, "entries: numbers of an unknown type %d", (int)tag.type);
    if (tag.len / size != rows.len / 4 || tag.len % size != 0) {
      fail(L, w, "entries: as many as row indices expected (%I), got %I bytes",
           (LUAI_UACINT)(rows.len / 4), (LUAI_UACINT)tag.len);
    }
    skip_data(L, w, &tag, "entries");
  }
}

static void walk_matrix (lua_State *L, Walk *w, int depth);

static void walk_cells (lua_State *L, Walk *w, uint64_t n, int depth) {
  if (n > w->left / 8) fail(L, w, "more cells or fields than its bytes can hold");
  if (n > CELLS_MOST - w->n_cells) {
    fail(L, w, "more than %d cells and fields in the file", CELLS_MOST);
  }
  w->n_cells += (size_t)n;
  for (; n > 0; n--) walk_matrix(L, w, depth + 1);
}

static void walk_struct (lua_State *L, Walk *w, uint64_t n, int depth) {
  Tag tag = take_tag(L, w, "length of field names");
  uint32_t len = word(w, tag.data);
  if (!tag.small || tag.type != MI_INT32 || tag.len != 4 || len == 0 || len > 1024) {
    fail(L, w, "length of field names is malformed");
  }
  Tag names = take_tag(L, w, "field names");
  if (names.type != MI_INT8 || names.len % len != 0) {
    fail(L, w, "field names are malformed");
  }
  skip_data(L, w, &names, "field names");
  uint64_t n_fields = names.len / len;
  if (n_fields > 0 && n > UINT64_MAX / n_fields) fail(L, w, "too many fields");
  walk_cells(L, w, n * n_fields, depth);
}

static void walk_data (lua_State *L, Walk *w, uint32_t flags, const uint32_t dims[2],
                       int depth) {
  uint32_t class = flags & 0xff;
  uint64_t n = (uint64_t)dims[0] * dims[1];
  bool is_complex = (flags & MX_COMPLEX) != 0;
  if (class == MX_SPARSE) {
    walk_sparse(L, w, flags, dims[1]);
  } else if (class >= MX_DOUBLE && class <= MX_UINT64) {
    walk_numbers(L, w, n, "numbers");
    if (is_complex) walk_numbers(L, w, n, "imaginary parts");
  } else if (is_complex) {
    fail(L, w, "complex, and no numbers");
  } else if (class == MX_CHAR) {
    walk_text(L, w, dims[0], n);
  } else if (class == MX_CELL) {
    walk_cells(L, w, n, depth);
  } else if (class == MX_STRUCT) {
    walk_struct(L, w, n, depth);
  } else {
    fail(L, w,
         "arrays, text, cells and structs can be loaded, got an object, a function or "
         "something unknown (class %d)",
         (int)class);
  }
}

/* What is in an element of type MI_MATRIX, of which w->left bytes are there. */
static void walk_body (lua_State *L, Walk *w, int depth) {
  unsigned char bytes[8];
  expect_tag(L, w, MI_UINT32, 8, "flags");
  take(L, w, bytes, 8, "flags");
  uint32_t flags = word(w, bytes);
  Tag tag = take_tag(L, w, "dimensions");
  if (tag.small || tag.type != MI_INT32 || tag.len % 4 != 0)
    fail(L, w, "dimensions are malformed");
  uint32_t n_dims = tag.len / 4, dims[2] = {0};
  if (n_dims == 2) {
    take(L, w, bytes, 8, "dimensions");
    for (int k = 0; k < 2; k++) dims[k] = word(w, bytes + 4 * k);
  } else {
    skip_data(L, w, &tag, "dimensions");
  }
  walk_name(L, w, depth > 0); /* first, so that messages name it */
  if (n_dims != 2) fail(L, w, "2 dimensions expected, got %I", (LUAI_UACINT)n_dims);
  if (dims[0] > INT32_MAX || dims[1] > INT32_MAX) fail(L, w, "negative dimension");
  walk_data(L, w, flags, dims, depth);
}

/* A cell or field: a matrix, or an empty element. */
static void walk_matrix (lua_State *L, Walk *w, int depth) {
  if (depth > MAT_DEPTH_MOST) fail(L, w, "cells in cells, more than %d deep", MAT_DEPTH_MOST);
  Tag tag = take_tag(L, w, "cell or field");
  if (tag.type != MI_MATRIX || tag.small) {
    fail(L, w, "cell or field: matrix expected, got type %d", (int)tag.type);
  }
  if (tag.len == 0) return;
  uint64_t outer = w->left - tag.len;
  w->left = tag.len;
  walk_body(L, w, depth);
  if (w->left > 0) fail(L, w, "cell or field has %I bytes too many", (LUAI_UACINT)w->left);
  w->left = outer;
}

/* A variable, from its tag on; room: the bytes that there may be. */
static void walk_variable (lua_State *L, Walk *w, uint64_t room) {
  w->left = room;
  Tag tag = take_tag(L, w, "variable");
  if (tag.small || tag.type != MI_MATRIX) {
    fail(L, w, "variable: matrix expected, got type %d", (int)tag.type);
  }
  if (tag.len > INT32_MAX) fail(L, w, "variable of more than 2 GiB");
  w->left = tag.len;
  walk_body(L, w, 0);
  if (w->left > 0) fail(L, w, "%I bytes too many", (LUAI_UACINT)w->left);
}

static void walk_compressed (lua_State *L, Walk *w, uint32_t len) {
  inflater_open(L, &w->packed, w->r, len);
  walk_variable(L, w, (uint64_t)len * DEFLATE_MOST);
  const char *why = inflater_finish(L, &w->packed);
  if (why != NULL) fail(L, w, "%s", why);
  inflater_close(&w->packed);
}

static void walk_header (lua_State *L, Walk *w) {
  unsigned char head[MAT_HEADER];
  reader_bytes(L, w->r, head, sizeof head, "the header");
  const unsigned char *order = head + MAT_VERSION_AT + 2;
  const uint16_t one = 1;
  bool little = *(const unsigned char *)&one == 1, file_little = order[0] == 'I';
  if (memcmp(order, "IM", 2) != 0 && memcmp(order, "MI", 2) != 0) {
    reader_fail(L, w->r, "header: byte order 'IM' or 'MI' expected");
  }
  w->swapped = little != file_little;
  int version = file_little ? order[-1] << 8 | order[-2] : order[-2] << 8 | order[-1];
  if (version != 0x0100)
    reader_fail(L, w->r, "header: version 1.0 expected, got %d.%d", version >> 8,
                version & 0xff);
  write_out(L, w, head, sizeof head);
}

size_t matcheck (lua_State *L, Reader *r, int fd) {
  Walk *w = lua_newuserdatauv(L, sizeof *w, 0);
  w->r = r; /* and not all of it: the buffers need no zeros */
  w->fd = fd;
  w->packed.is_open = w->swapped = false;
  w->left = 0;
  w->n_cells = w->n_out = 0;
  w->name[0] = '\0';
  static const luaL_Reg metamethods[] = {{"__gc", l_gc}, {NULL, NULL}};
  metatable_set(L, WALK_TNAME, metamethods);
  walk_header(L, w);
  size_t n = 0;
  for (uint64_t room; (room = reader_left(L, r)) > 0; n++) {
    unsigned char bytes[8];
    w->name[0] = '\0';
    reader_bytes(L, r, bytes, sizeof bytes, "the tag of a variable");
    uint32_t type = word(w, bytes), len = word(w, bytes + 4);
    if (type != MI_MATRIX && type != MI_COMPRESSED) {
      reader_fail(L, r, "variable expected, got an element of type %I", (LUAI_UACINT)type);
    }
    if (len > room - 8) {
      reader_fail(L, r, "variable of %I bytes expected, there are %I", (LUAI_UACINT)len,
                  (LUAI_UACINT)(room - 8));
    }
    if (type == MI_COMPRESSED) {
      walk_compressed(L, w, len);
      continue;
    }
    if (len > INT32_MAX) reader_fail(L, r, "variable of more than 2 GiB");
    write_out(L, w, bytes, sizeof bytes);
    w->left = len;
    walk_body(L, w, 0);
    if (w->left > 0) fail(L, w, "%I bytes too many", (LUAI_UACINT)w->left);
  }
  flush(L, w);
  lua_pop(L, 1);
  return n;
}
