/* matload.c - .mat files of version 5 as Lua tables: matio reads what matcheck has let pass. */
#include "mat/matload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <lauxlib.h>
#include <matio.h>
#include "array/args.h"
#include "array/files.h"
#include "array/matformat.h"
#include "array/matrix.h"
#include "array/scalar.h"
#include "array/sparse.h"
#include "mat/matcheck.h"
#include "metatable.h"

#define LOAD_TNAME "neap.mat.Load"

/* A userdata: whatever raises frees what matio holds. */
typedef struct Load {
  int fd;        /* of the file in memory that matcheck writes; owned, -1 when closed */
  mat_t *mat;    /* owned */
  matvar_t *var; /* the variable that is read; owned */
  const Reader *r;
  FilesKind kind; /* of dense arrays */
  int error;      /* errno after matio has read the variable */
} Load;

static int l_gc (lua_State *L) {
  Load *load = luaL_checkudata(L, 1, LOAD_TNAME);
  if (load->var != NULL) Mat_VarFree(load->var);
  if (load->mat != NULL) Mat_Close(load->mat);
  if (load->fd >= 0) close(load->fd);
  *load = (Load){.fd = -1};
  return 0;
}

static _Noreturn void fail (lua_State *L, const Load *load, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const char *message = lua_pushvfstring(L, format, args);
  va_end(args);
  reader_fail(L, load->r, "variable '%s': %s", load->var->name, message);
}

/* matio has read only part of the variable, or nothing: it says no more than that, and goes on
   without memory that it did not get. */
static _Noreturn void fail_matio (lua_State *L, const Load *load, const char *what) {
  if (load->error == ENOMEM) luaL_error(L, "not enough memory to load a .mat file");
  if (load->var == NULL) reader_fail(L, load->r, "matio cannot read %s", what);
  fail(L, load, "matio cannot read %s", what);
}

/* y[stride k] = number k, k < n; what is no type of numbers has been refused before. */
static void convert (double *y, size_t stride, const void *x, enum matio_types type, size_t n) {
#define CONVERT(T)                                                                             \
  for (size_t k = 0; k < n; k++) y[k * stride] = (double)((const T *)x)[k];                    \
  break
  switch (type) {
    case MAT_T_INT8: CONVERT(int8_t);
    case MAT_T_UINT8: CONVERT(uint8_t);
    case MAT_T_INT16: CONVERT(int16_t);
    case MAT_T_UINT16: CONVERT(uint16_t);
    case MAT_T_INT32: CONVERT(int32_t);
    case MAT_T_UINT32: CONVERT(uint32_t);
    case MAT_T_SINGLE: CONVERT(float);
    case MAT_T_DOUBLE: CONVERT(double);
    case MAT_T_INT64: CONVERT(int64_t);
    case MAT_T_UINT64: CONVERT(uint64_t);
    default: abort(); /* matio makes no other */
  }
#undef CONVERT
}

/* The same for complex numbers, which matio keeps in two parts. */
static void convert_all (double *y, bool is_complex, const void *x, enum matio_types type,
                         size_t n) {
  if (!is_complex) {
    convert(y, 1, x, type, n);
    return;
  }
  const mat_complex_split_t *parts = x;
  convert(y, 2, parts->Re, type, n);
  convert(y + 1, 2, parts->Im, type, n);
}

static void push_dense (lua_State *L, const Load *load, const matvar_t *v, size_t rows,
                        size_t cols) {
  size_t n = rows * cols;
  bool is_complex = v->isComplex != 0;
  if (n > 0 && (v->data == NULL || v->nbytes != n * (size_t)v->data_size)) {
    fail_matio(L, load, "its numbers");
  }
  if (n == 1 && load->kind == FILES_ANY) {
    double x[2] = {0};
    convert_all(x, is_complex, v->data, v->data_type, 1);
    if (is_complex) scalar_push(L, scalar_of(x[0], x[1]));
    else if (v->isLogical) lua_pushboolean(L, x[0] != 0);
    else lua_pushnumber(L, x[0]);
    return;
  }
  double *x = reader_push_dense(L, load->r, load->kind, FILES_MATRIX, rows, cols, is_complex);
  if (n > 0) convert_all(x, is_complex, v->data, v->data_type, n);
}

static void push_sparse (lua_State *L, const Load *load, const matvar_t *v, size_t rows,
                         size_t cols) {
  const mat_sparse_t *s = v->data;
  if (s == NULL || s->jc == NULL || s->njc != cols + 1) fail_matio(L, load, "its numbers");
  size_t n = s->jc[cols];
  if (n > s->nir || n > s->ndata || (n > 0 && (s->ir == NULL || s->data == NULL))) {
    fail(L, load, "%I entries expected, there are %I", (LUAI_UACINT)n, (LUAI_UACINT)s->nir);
  }
  size_t width = v->isComplex ? 2 : 1, *row = args_scratch(L, n, sizeof *row);
  size_t *col = args_scratch(L, n, sizeof *col);
  double *x = args_scratch(L, n, width * sizeof *x);
  if (s->jc[0] != 0) fail(L, load, "starts of columns do not begin at 0");
  for (size_t j = 0; j < cols; j++) {
    if (s->jc[j + 1] < s->jc[j] || s->jc[j + 1] > n) {
      fail(L, load, "starts of columns are not ascending");
    }
    for (size_t k = s->jc[j]; k < s->jc[j + 1]; k++) {
      if (s->ir[k] >= rows) {
        fail(L, load, "row %I of %I", (LUAI_UACINT)s->ir[k] + 1, (LUAI_UACINT)rows);
      }
      row[k] = s->ir[k];
      col[k] = j;
    }
  }
  if (n > 0) convert_all(x, v->isComplex != 0, s->data, v->data_type, n);
  sparse_push_triplets(L, rows, cols, n, row, col, x, v->isComplex != 0);
  lua_insert(L, -4);
  lua_pop(L, 3);
}

/* Unit k of a text; matio gives the file's own type, in our byte order. */
static uint32_t unit_at (const matvar_t *v, size_t k) {
  if (v->data_size == 1) return ((const uint8_t *)v->data)[k];
  return ((const uint16_t *)v->data)[k];
}

/* Adds row i of a text of n columns as UTF-8. Halves of pairs that stand alone become U+FFFD. */
static void add_row (luaL_Buffer *b, const matvar_t *v, size_t i, size_t rows, size_t cols) {
  for (size_t j = 0; j < cols; j++) {
    uint32_t c = unit_at(v, i + j * rows);
    if (c >= 0xd800 && c < 0xdc00 && j + 1 < cols) {
      uint32_t low = unit_at(v, i + (j + 1) * rows);
      if (low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        j++;
      }
    }
    if (c >= 0xd800 && c < 0xe000) c = 0xfffd;
    char text[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t k = len; k-- > 1; c >>= 6) text[k] = (char)(0x80 | (c & 0x3f));
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    text[0] = (char)(first[len] | c);
    luaL_addlstring(b, text, len);
  }
}

/* A string; of several rows, the list of them. */
static void push_text (lua_State *L, const Load *load, const matvar_t *v, size_t rows,
                       size_t cols) {
  if (rows * cols > 0 && (v->data == NULL || v->nbytes < rows * cols * (size_t)v->data_size)) {
    fail_matio(L, load, "its numbers");
  }
  if (rows > 1) lua_createtable(L, (int)rows, 0);
  for (size_t i = 0; i < (rows > 1 ? rows : 1); i++) {
    if (rows * cols == 0) lua_pushliteral(L, "");
    else if (v->data_type == MAT_T_UTF8 && rows == 1) lua_pushlstring(L, v->data, v->nbytes);
    else {
      luaL_Buffer b;
      luaL_buffinit(L, &b);
      add_row(&b, v, i, rows, cols);
      luaL_pushresult(&b);
    }
    if (rows > 1) lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_value (lua_State *L, const Load *load, const matvar_t *v);

static void push_cells (lua_State *L, const Load *load, const matvar_t *v, size_t n) {
  matvar_t *const *cells = v->data;
  if (n > 0 && cells == NULL) fail_matio(L, load, "its cells");
  lua_createtable(L, (int)n, 0);
  for (size_t k = 0; k < n; k++) {
    push_value(L, load, cells[k]);
    lua_rawseti(L, -2, (lua_Integer)k + 1);
  }
}

/* The table of its fields; of an array of structs, the list of them. */
static void push_struct (lua_State *L, const Load *load, matvar_t *v, size_t n) {
  unsigned n_fields = Mat_VarGetNumberOfFields(v);
  char *const *names = Mat_VarGetStructFieldnames(v);
  matvar_t *const *fields = v->data;
  if (n > 0 && n_fields > 0 && (names == NULL || fields == NULL)) {
    fail_matio(L, load, "its fields");
  }
  if (n_fields == 0) n = n == 1; /* nothing bounds their number */
  if (n != 1) lua_createtable(L, (int)n, 0);
  for (size_t k = 0; k < n; k++) {
    lua_createtable(L, 0, (int)n_fields);
    for (unsigned f = 0; f < n_fields; f++) {
      if (names[f] == NULL) fail_matio(L, load, "its fields");
      push_value(L, load, fields[k * n_fields + f]);
      lua_setfield(L, -2, names[f]);
    }
    if (n != 1) lua_rawseti(L, -2, (lua_Integer)k + 1);
  }
}

static void push_value (lua_State *L, const Load *load, const matvar_t *v) {
  luaL_checkstack(L, 12, "cells in cells");
  if (v == NULL) fail_matio(L, load, "all of its cells or fields");
  if (v->class_type == MAT_C_EMPTY || v->rank == 0) { /* as the brackets [] */
    reader_push_dense(L, load->r, load->kind, FILES_MATRIX, 0, 0, false);
    return;
  }
  if (v->rank != 2 || v->dims == NULL) fail_matio(L, load, "its dimensions");
  size_t rows = v->dims[0], cols = v->dims[1];
  switch (v->class_type) {
    case MAT_C_SPARSE: push_sparse(L, load, v, rows, cols); break;
    case MAT_C_CHAR: push_text(L, load, v, rows, cols); break;
    case MAT_C_CELL: push_cells(L, load, v, rows * cols); break;
    case MAT_C_STRUCT: push_struct(L, load, (matvar_t *)v, rows * cols); break;
    default: push_dense(L, load, v, rows, cols);
  }
}

/* Messages of matio, which would go to standard error: ours say what is wrong. */
static void on_message (int level, char *message) {
  (void)level;
  (void)message;
}

static void open_mat (lua_State *L, Load *load) {
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", load->fd);
  errno = 0;
  load->mat = Mat_Open(path, MAT_ACC_RDONLY);
  load->error = errno;
  if (load->mat == NULL) fail_matio(L, load, "the file");
}

static void read_next (lua_State *L, Load *load) {
  errno = 0;
  load->var = Mat_VarReadNext(load->mat);
  load->error = errno;
  if (load->var == NULL || load->var->name == NULL || load->error == ENOMEM) {
    fail_matio(L, load, "a variable");
  }
}

void mat_load (lua_State *L, Reader *r, FilesKind kind) {
  if (kind == FILES_SPARSE) {
    reader_fail(L, r,
                "a .mat is loaded as a table; its dense arrays become Matrices or "
                "VectorArrays");
  }
  lua_newtable(L);
  Load *load = lua_newuserdatauv(L, sizeof *load, 0);
  *load = (Load){.fd = -1, .r = r, .kind = kind};
  static const luaL_Reg metamethods[] = {{"__gc", l_gc}, {"__close", l_gc}, {NULL, NULL}};
  metatable_set(L, LOAD_TNAME, metamethods);
  lua_toclose(L, -1); /* whatever happens: what it holds is large */
  load->fd = memfd_create("neap.mat", MFD_CLOEXEC);
  if (load->fd < 0) luaL_error(L, "not enough memory to unpack a .mat file");
  size_t n = matcheck(L, r, load->fd);
  open_mat(L, load);
  for (size_t k = 0; k < n; k++) {
    read_next(L, load);
    if (lua_getfield(L, -2, load->var->name) != LUA_TNIL) fail(L, load, "comes twice");
    lua_pop(L, 1);
    push_value(L, load, load->var);
    lua_setfield(L, -3, load->var->name);
    Mat_VarFree(load->var);
    load->var = NULL;
  }
  lua_closeslot(L, -1);
  lua_pop(L, 1);
}

static int l_load (lua_State *L) {
  Reader *r = reader_check(L, 1);
  mat_load(L, r, (FilesKind)luaL_checkinteger(L, 2));
  return 1;
}

static const luaL_Reg functions[] = {{"load", l_load}, {NULL, NULL}};

int luaopen_neap_mat (lua_State *L) {
  Mat_LogInitFunc("neap", on_message);
  luaL_newlib(L, functions);
  return 1;
}
