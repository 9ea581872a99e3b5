/* files.c - neap.load and neap.save: which format, which array. */
#include "array/files.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <lauxlib.h>
#include "array/args.h"
#include "array/matformat.h"
#include "array/matrix.h"
#include "array/sparse.h"
#include "array/vectorarray.h"

static FilesKind check_kind (lua_State *L, int arg) {
  static const char *const names[] = {"as", NULL};
  static const char *const kinds[] = {"VectorArray", "Matrix", "SparseMatrix"};
  args_options(L, arg, names);
  if (args_option(L, arg, "as") == LUA_TNIL) {
    lua_pop(L, 1);
    return FILES_ANY;
  }
  const char *as = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, -1);
  for (int k = 0; k < 3; k++) {
    if (lua_type(L, -1) != LUA_TSTRING || strcmp(as, kinds[k]) != 0) continue;
    lua_pop(L, 1);
    return (FilesKind)(FILES_VECTORARRAY + k);
  }
  luaL_argerror(L, arg,
                lua_pushfstring(L,
                                "option as: 'VectorArray', 'Matrix' or "
                                "'SparseMatrix' expected, got '%s'",
                                as));
  return FILES_ANY;
}

/* Could the file begin a table of numbers: is it text? */
static bool is_text (const char *head, size_t len) {
  for (size_t k = 0; k < len; k++) {
    unsigned char c = (unsigned char)head[k];
    if (c < ' ' && !isspace(c)) return false;
  }
  return true;
}

/* Is this the header of a .mat file of version 5? Some write another text than MATLAB. */
static bool is_mat (const char *head, size_t len) {
  const char *version = head + MAT_VERSION_AT;
  if (strncmp(head, "MATLAB 5.0 MAT-file", 19) == 0) return true;
  return len >= MAT_HEADER &&
         (memcmp(version, "\0\1IM", 4) == 0 || memcmp(version, "\1\0MI", 4) == 0);
}

/* Is this the header of the first matrix of a .mat file of version 4: type, rows, columns, whether
   it is complex, length of its name? In one byte order or the other. */
static bool is_mat4 (const char *head, size_t len) {
  for (int swap = 0; len >= 20 && swap < 2; swap++) {
    uint32_t words[5];
    memcpy(words, head, sizeof words);
    for (int k = 0; swap && k < 5; k++) words[k] = __builtin_bswap32(words[k]);
    bool is_type = words[0] / 1000 <= 4 && words[0] / 100 % 10 == 0 &&
                   words[0] / 10 % 10 <= 5 && words[0] % 10 <= 2;
    if (is_type && words[3] <= 1 && words[4] >= 1 && words[4] <= MAT_NAME_MOST + 1) return true;
  }
  return false;
}

static void load_mat (lua_State *L, FilesKind kind) {
  mat_open(L, lua_tostring(L, 1));
  lua_pushvalue(L, 3);
  lua_pushinteger(L, kind);
  int status = lua_pcall(L, 2, 1, 0);
  if (status == LUA_OK) return;
  if (status ==
      LUA_ERRRUN) { /* a function of C has raised it: the line is that of our caller */
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  lua_error(L);
}

/* A path at arg, which ends where C sees its end. */
static const char *check_path (lua_State *L, int arg) {
  size_t len;
  const char *path = luaL_checklstring(L, arg, &len);
  luaL_argcheck(L, strlen(path) == len, arg, "path has a 0 byte in it");
  return path;
}

/* load(path [, {as = "VectorArray" | "Matrix" | "SparseMatrix"}]) -> array, by content */
static int l_load (lua_State *L) {
  const char *path = check_path(L, 1);
  lua_settop(L, 2);
  FilesKind kind = check_kind(L, 2);
  Reader *r = reader_push(L, path);
  char head[MAT_HEADER + 1] = {0};
  size_t len = reader_peek(L, r, head, sizeof head - 1);
  if (len == 0) luaL_error(L, "%s: file is empty", path);
  if (memcmp(head, "\x93NUMPY", 6) == 0) npy_load(L, r, kind);
  else if (strncasecmp(head, "%%MatrixMarket", 14) == 0) mtx_load(L, r, kind);
  else if (is_mat(head, len)) load_mat(L, kind);
  else if (strncmp(head, "MATLAB 7.3 MAT-file", 19) == 0 ||
           memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0) {
    luaL_error(L, "%s: .mat of version 7.3 (HDF5) expected in version 5: save it with -v7",
               path);
  } else if (is_text(head, len)) csv_load(L, r, kind);
  else if (is_mat4(head, len)) {
    luaL_error(L, "%s: .mat of version 4 expected in version 5: save it with -v7", path);
  } else luaL_error(L, "%s: neither a .npy, a .mtx, a .mat nor a .csv file", path);
  return 1;
}

static bool ends_with (const char *path, const char *suffix) {
  size_t n = strlen(path), m = strlen(suffix);
  return n >= m && strcasecmp(path + n - m, suffix) == 0;
}

bool files_dense (lua_State *L, int index, FilesDense *M) {
  VectorArray *U = vectorarray_test(L, index);
  Matrix *matrix = matrix_test(L, index);
  if (U != NULL) {
    *M = (FilesDense){.rows = vectorarray_dim(U),
                      .cols = vectorarray_len(U),
                      .is_complex = vectorarray_is_complex(U)};
    M->x = vectorarray_panel(L, U, &M->ld);
    return true;
  }
  if (matrix == NULL) return false;
  *M = (FilesDense){.rows = matrix_rows(matrix),
                    .cols = matrix_cols(matrix),
                    .ld = matrix_rows(matrix),
                    .is_complex = matrix_is_complex(matrix),
                    .x = matrix_read(matrix)};
  return true;
}

static int save_mat (lua_State *L, const char *path) {
  luaL_checktype(L, 2, LUA_TTABLE);
  mat_push_checked(L, 2);
  Writer *w = writer_push(L, path, false);
  mat_save(L, w, 3);
  writer_finish(L, w);
  return 0;
}

/* save(path, array), save(path, table of arrays by name): the format by the end of the path */
static int l_save (lua_State *L) {
  static const char *const ends[] = {".npy", ".mtx", ".mtx.gz", ".csv", NULL};
  const char *path = check_path(L, 1);
  lua_settop(L, 2);
  if (ends_with(path, ".mat")) return save_mat(L, path);
  SparseMatrix *A = sparse_test(L, 2);
  FilesDense M = {0};
  if (A == NULL && !files_dense(L, 2, &M)) {
    args_fail(L, 2, "VectorArray, Matrix or SparseMatrix expected, got %s", args_kind(L, 2));
  }
  int format = 0;
  while (ends[format] != NULL && !ends_with(path, ends[format])) format++;
  if (ends[format] == NULL) {
    luaL_argerror(L, 1, "path that ends in .npy, .mtx, .mtx.gz, .csv or .mat expected");
  }
  bool mtx = format == 1 || format == 2;
  if (A != NULL && !mtx)
    luaL_argerror(L, 1, "a SparseMatrix is saved as .mtx, .mtx.gz or in a .mat");
  if (M.is_complex && format == 3) {
    luaL_argerror(L, 1, "complex numbers are saved as .npy, .mtx, .mtx.gz or in a .mat");
  }
  Writer *w = writer_push(L, path, format == 2);
  if (A != NULL) mtx_save_sparse(L, w, A);
  else if (mtx) mtx_save(L, w, &M);
  else if (format == 0) npy_save(L, w, &M);
  else csv_save(L, w, &M);
  writer_finish(L, w);
  return 0;
}

void files_open (lua_State *L) {
  static const luaL_Reg functions[] = {{"load", l_load}, {"save", l_save}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
