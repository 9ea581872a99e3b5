/* matsave.c - tables of arrays as .mat files of version 5, without compression. */
#include "array/files.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "array/args.h"
#include "array/matformat.h"
#include "array/scalar.h"
#include "array/sparse.h"

/* Where the value stands that is being written: field b of field a of the table. */
typedef struct Place {
  const struct Place *outer; /* NULL: a variable */
  const char *name;          /* NULL: cell number index */
  lua_Integer index;
  int depth; /* known while tables are copied */
} Place;

/* The same functions measure and write, so that the two agree. */
typedef struct Out {
  lua_State *L;
  Writer *w;      /* NULL: only counts */
  uint64_t count; /* bytes so far */
} Out;

static void push_place (lua_State *L, const Place *p) {
  if (p->outer != NULL) push_place(L, p->outer);
  else lua_pushliteral(L, "");
  if (p->name == NULL) lua_pushfstring(L, "[%I]", (LUAI_UACINT)p->index);
  else lua_pushfstring(L, p->outer == NULL ? "%s" : ".%s", p->name);
  lua_concat(L, 2);
}

static _Noreturn void fail (lua_State *L, const Place *p, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const char *message = lua_pushvfstring(L, format, args);
  va_end(args);
  push_place(L, p);
  luaL_argerror(L, 2, lua_pushfstring(L, "'%s': %s", lua_tostring(L, -1), message));
  abort(); /* luaL_argerror does not return */
}

static void push_copy (lua_State *L, const Place *p, int index);

/* Puts the key and the value on top into the copy, and pops the value. */
static void copy_item (lua_State *L, const Place *p, int copy) {
  int key = lua_gettop(L) - 1;
  Place inner = {.outer = p, .depth = p == NULL ? 0 : p->depth + 1};
  if (lua_type(L, key) == LUA_TSTRING) inner.name = lua_tostring(L, key);
  else if (lua_isinteger(L, key)) inner.index = lua_tointeger(L, key);
  if (lua_istable(L, -1)) {
    push_copy(L, &inner, key + 1);
    lua_replace(L, key + 1);
  }
  lua_pushvalue(L, key);
  lua_insert(L, -2);
  lua_rawset(L, copy);
}

/* Pushes a copy of the table at index, and of the tables in it, that no metamethod can change while
   it is written. p: where it stands; NULL: the table of all variables. */
static void push_copy (lua_State *L, const Place *p, int index) {
  if (p != NULL && p->depth >= MAT_DEPTH_MOST) {
    fail(L, p, "tables in tables, more than %d deep", MAT_DEPTH_MOST);
  }
  luaL_checkstack(L, 12, "tables in tables");
  lua_newtable(L);
  int copy = lua_gettop(L);
  if (luaL_getmetafield(L, index, "__pairs") == LUA_TNIL) {
    for (lua_pushnil(L); lua_next(L, index);) copy_item(L, p, copy);
    return;
  }
  lua_pushvalue(L, index);
  lua_call(L, 1, 3);
  for (;;) { /* function, state and last key are on the stack */
    lua_pushvalue(L, copy + 1);
    lua_pushvalue(L, copy + 2);
    lua_rotate(L, -3, -1);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) break;
    copy_item(L, p, copy);
  }
  lua_settop(L, copy);
}

static void put (Out *o, const void *source, size_t len) {
  if (o->w != NULL) writer_bytes(o->L, o->w, source, len);
  o->count += len;
}

static void put_tag (Out *o, uint32_t type, uint64_t len) {
  uint32_t tag[] = {type, (uint32_t)len};
  put(o, tag, sizeof tag);
}

static void put_padding (Out *o) {
  static const char zeros[8];
  put(o, zeros, -o->count % 8);
}

static void put_element (Out *o, uint32_t type, const void *data, size_t len) {
  put_tag(o, type, len);
  put(o, data, len);
  put_padding(o);
}

/* What every variable begins with; dimensions fit, as the caller has seen. */
static void put_head (Out *o, uint32_t flags, size_t room, size_t rows, size_t cols,
                      const char *name) {
  uint32_t words[] = {flags, (uint32_t)room};
  int32_t dims[] = {(int32_t)rows, (int32_t)cols};
  put_element(o, MI_UINT32, words, sizeof words);
  put_element(o, MI_INT32, dims, sizeof dims);
  put_element(o, MI_INT8, name, strlen(name));
}

/* n numbers, or the real or the imaginary parts of complex ones. */
static void put_part (Out *o, const double *x, size_t n, size_t width) {
  double piece[512];
  if (o->w == NULL || width == 1) {
    put(o, x, n * sizeof *x);
    return;
  }
  for (size_t k = 0; k < n;) {
    size_t m = 0;
    for (; m < sizeof piece / sizeof *piece && k < n; m++, k++) piece[m] = x[2 * k];
    put(o, piece, m * sizeof *piece);
  }
}

static void check_dims (const Out *o, const Place *p, size_t rows, size_t cols) {
  if (rows <= INT32_MAX && cols <= INT32_MAX) return;
  fail(o->L, p, "%I x %I is more than a .mat file of version 5 can hold", (LUAI_UACINT)rows,
       (LUAI_UACINT)cols);
}

static void put_dense (Out *o, const Place *p, const char *name, const FilesDense *M) {
  size_t width = M->is_complex ? 2 : 1;
  check_dims(o, p, M->rows, M->cols);
  put_head(o, MX_DOUBLE | (M->is_complex ? MX_COMPLEX : 0), 0, M->rows, M->cols, name);
  for (size_t part = 0; part < width; part++) {
    put_tag(o, MI_DOUBLE, (uint64_t)M->rows * M->cols * sizeof *M->x);
    for (size_t j = 0; j < M->cols; j++) {
      put_part(o, M->x + j * M->ld * width + part, M->rows, width);
    }
  }
}

/* Indices of 64 bits as ones of 32; they fit. */
static void put_indices (Out *o, const int64_t *indices, size_t n) {
  int32_t piece[512];
  put_tag(o, MI_INT32, (uint64_t)n * sizeof *piece);
  for (size_t k = 0; o->w != NULL && k < n;) {
    size_t m = 0;
    for (; m < sizeof piece / sizeof *piece && k < n; m++, k++) piece[m] = (int32_t)indices[k];
    put(o, piece, m * sizeof *piece);
  }
  if (o->w == NULL) o->count += n * sizeof *piece;
  put_padding(o);
}

static void put_sparse (Out *o, const Place *p, const char *name, const SparseMatrix *A) {
  const Pattern *pattern = A->pattern;
  check_dims(o, p, pattern->rows, pattern->cols);
  if (pattern->nnz > INT32_MAX) {
    fail(o->L, p, "%I entries are more than a .mat file of version 5 can hold",
         (LUAI_UACINT)pattern->nnz);
  }
  size_t room = pattern->nnz > 0 ? pattern->nnz : 1; /* MATLAB's matrices have room for one */
  put_head(o, MX_SPARSE | (A->is_complex ? MX_COMPLEX : 0), room, pattern->rows, pattern->cols,
           name);
  put_indices(o, pattern->indices, pattern->nnz);
  put_indices(o, pattern->starts, pattern->cols + 1);
  for (size_t part = 0; part < sparse_width(A); part++) {
    put_tag(o, MI_DOUBLE, (uint64_t)pattern->nnz * sizeof *A->x);
    put_part(o, A->x + part, pattern->nnz, sparse_width(A));
  }
}

static void put_scalar (Out *o, const Place *p, const char *name, Scalar z) {
  double x[] = {creal(z.value), cimag(z.value)};
  put_dense(o, p, name,
            &(FilesDense){.rows = 1, .cols = 1, .ld = 1, .is_complex = z.is_complex, .x = x});
}

static void put_boolean (Out *o, const char *name, bool value) {
  unsigned char byte = value;
  put_head(o, MX_UINT8 | MX_LOGICAL, 0, 1, 1, name);
  put_element(o, MI_UINT8, &byte, 1);
}

/* Moves text behind a character of UTF-8; false for other bytes. The text ends with a 0 byte, which
   is none of those that continue a character. */
static bool next_character (const char **text) {
  const unsigned char *at = (const unsigned char *)*text;
  int more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  if ((*at >= 0x80 && *at < 0xc2) || *at > 0xf4) return false;
  uint32_t c = more == 0 ? *at : *at & (0x3fu >> more);
  for (int k = 1; k <= more; k++) {
    if ((at[k] & 0xc0) != 0x80) return false;
    c = c << 6 | (at[k] & 0x3fu);
  }
  if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return false;
  *text += more + 1;
  return true;
}

/* As UTF-8, the dimensions counting characters: SciPy reads wider units as bytes. */
static void put_string (Out *o, const Place *p, const char *name, int index) {
  size_t len, n = 0;
  const char *text = lua_tolstring(o->L, index, &len);
  for (const char *at = text; at < text + len; n++) {
    if (!next_character(&at)) fail(o->L, p, "text in UTF-8 expected, got other bytes");
  }
  check_dims(o, p, n, 1);
  put_head(o, MX_CHAR, 0, n > 0 ? 1 : 0, n, name);
  put_element(o, MI_UTF8, text, len);
}

static int compare (const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_name (const char *name) {
  size_t len = strlen(name);
  if (!isalpha((unsigned char)*name) || len > MAT_NAME_MOST) return false;
  for (const char *c = name; *c != '\0'; c++) {
    if (!isalnum((unsigned char)*c) && *c != '_') return false;
  }
  return true;
}

/* Pushes the names of the table at index, sorted; *n of them. place: of the table, NULL for that of
   all variables. The names themselves are the table's. */
static const char **push_names (lua_State *L, const Place *place, int index, size_t *n) {
  *n = 0;
  lua_pushnil(L);
  for (; lua_next(L, index); lua_pop(L, 1)) ++*n;
  const char **names = args_scratch(L, *n, sizeof *names);
  size_t k = 0;
  lua_pushnil(L);
  for (; lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      const char *got = luaL_tolstring(L, -2, NULL);
      if (place == NULL) luaL_argerror(L, 2, lua_pushfstring(L, "name expected, got %s", got));
      fail(L, place, "list or table of fields by name expected, got the key %s", got);
    }
    Place p = {.outer = place, .name = lua_tostring(L, -2)};
    if (!is_name(p.name)) {
      fail(L, &p, "a name is a letter, then letters, digits and _, at most %d", MAT_NAME_MOST);
    }
    names[k++] = p.name;
  }
  qsort(names, *n, sizeof *names, compare);
  return names;
}

static void put_matrix (Out *o, const Place *p, const char *name, int index);

static void put_list (Out *o, const Place *p, const char *name, int index, size_t n) {
  check_dims(o, p, n, 1);
  put_head(o, MX_CELL, 0, n > 0 ? 1 : 0, n, name);
  for (size_t k = 1; k <= n; k++) {
    Place cell = {.outer = p, .index = (lua_Integer)k};
    lua_rawgeti(o->L, index, cell.index);
    put_matrix(o, &cell, "", lua_gettop(o->L));
    lua_pop(o->L, 1);
  }
}

static void put_fields (Out *o, const Place *p, const char *name, int index) {
  size_t n;
  uint32_t len = MAT_NAME_MOST + 1;
  const char **names = push_names(o->L, p, index, &n);
  put_head(o, MX_STRUCT, 0, 1, 1, name);
  uint32_t small[] = {4u << 16 | MI_INT32, len};
  put(o, small, sizeof small);
  put_tag(o, MI_INT8, n * len);
  for (size_t k = 0; k < n; k++) {
    char text[MAT_NAME_MOST + 1] = {0};
    strcpy(text, names[k]); /* is_name has measured it */
    put(o, text, sizeof text);
  }
  for (size_t k = 0; k < n; k++) {
    Place field = {.outer = p, .name = names[k]};
    lua_pushstring(o->L, names[k]);
    lua_rawget(o->L, index);
    put_matrix(o, &field, "", lua_gettop(o->L));
    lua_pop(o->L, 1);
  }
  lua_pop(o->L, 1);
}

static void put_table (Out *o, const Place *p, const char *name, int index) {
  luaL_checkstack(o->L, 8, "tables in tables");
  lua_pushnil(o->L);
  bool is_list = !lua_next(o->L, index) || lua_type(o->L, -2) != LUA_TSTRING;
  lua_settop(o->L, index);
  size_t n = lua_rawlen(o->L, index), count = 0;
  if (!is_list) {
    put_fields(o, p, name, index);
    return;
  }
  lua_pushnil(o->L);
  for (; lua_next(o->L, index); lua_pop(o->L, 1)) count++;
  if (count != n) fail(o->L, p, "list without gaps or table of fields by name expected");
  put_list(o, p, name, index, n);
}

/* What the tag of a variable is followed by. */
static void put_body (Out *o, const Place *p, const char *name, int index) {
  lua_State *L = o->L;
  const SparseMatrix *A = sparse_test(L, index);
  FilesDense M;
  Scalar z;
  int type = lua_type(L, index), top = lua_gettop(L);
  if (A != NULL) put_sparse(o, p, name, A);
  else if (files_dense(L, index, &M)) put_dense(o, p, name, &M);
  else if (scalar_test(L, index, &z)) put_scalar(o, p, name, z);
  else if (type == LUA_TSTRING) put_string(o, p, name, index);
  else if (type == LUA_TBOOLEAN) put_boolean(o, name, lua_toboolean(L, index));
  else if (type == LUA_TTABLE) put_table(o, p, name, index);
  else
    fail(L, p, "array, number, string, boolean or table expected, got %s",
         lua_typename(L, type));
  lua_settop(L, top);
}

static void put_matrix (Out *o, const Place *p, const char *name, int index) {
  Out measure = {.L = o->L};
  put_body(&measure, p, name, index);
  if (measure.count > INT32_MAX) {
    fail(o->L, p, "%f MiB are more than a variable of a .mat file of version 5 can hold (2048)",
         (double)measure.count / 0x1p20);
  }
  put_tag(o, MI_MATRIX, measure.count);
  if (o->w == NULL) o->count += measure.count;
  else put_body(o, p, name, index);
}

static void put_variables (Out *o, int index) {
  size_t n;
  const char **names = push_names(o->L, NULL, index, &n);
  for (size_t k = 0; k < n; k++) {
    Place p = {.name = names[k]};
    lua_pushstring(o->L, names[k]);
    lua_rawget(o->L, index);
    put_matrix(o, &p, names[k], lua_gettop(o->L));
    lua_pop(o->L, 1);
  }
  lua_pop(o->L, 1);
}

void mat_push_checked (lua_State *L, int index) {
  push_copy(L, NULL, index);
  put_variables(&(Out){.L = L}, lua_gettop(L));
}

void mat_save (lua_State *L, Writer *w, int index) {
  char head[MAT_HEADER];
  const uint16_t version = 0x0100, order = 'M' << 8 | 'I';
  memset(head, ' ', sizeof head);
  memcpy(head, "MATLAB 5.0 MAT-file, written by neap", 36);
  memset(head + 116, 0, 8); /* no data of subsystems */
  memcpy(head + MAT_VERSION_AT, &version, 2);
  memcpy(head + MAT_VERSION_AT + 2, &order, 2);
  writer_bytes(L, w, head, sizeof head);
  put_variables(&(Out){.L = L, .w = w}, index);
}
