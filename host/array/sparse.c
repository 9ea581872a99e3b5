/* sparse.c - SparseMatrix in Lua: what it is, how it is made, what it shows of itself. */
#include "array/sparse.h"

#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include <uv.h>
#include "array/args.h"
#include "array/kernelsz.h"
#include "array/memory.h"
#include "array/scalar.h"
#include "array/sparsekernel.h"

SparseMatrix *sparse_check (lua_State *L, int arg) {
  SparseMatrix *A = luaL_checkudata(L, arg, SPARSE_TNAME);
  luaL_argcheck(L, A->x != NULL, arg, "SparseMatrix is closed");
  return A;
}

SparseMatrix *sparse_test (lua_State *L, int index) {
  SparseMatrix *A = luaL_testudata(L, index, SPARSE_TNAME);
  return A != NULL && A->x != NULL ? A : NULL;
}

SparseMatrix *sparse_push_closed (lua_State *L) {
  SparseMatrix *A = lua_newuserdatauv(L, sizeof *A, 0);
  *A = (SparseMatrix){.symmetric = -1, .hermitian = -1};
  luaL_setmetatable(L, SPARSE_TNAME);
  return A;
}

double *sparse_alloc_values (lua_State *L, SparseMatrix *A, bool is_complex) {
  A->is_complex = is_complex;
  A->values = memory_block(L, memory_size(L, A->pattern->nnz, 1, is_complex), false);
  double *x = memory_own(A->values);
  A->x = x;
  return x;
}

SparseMatrix *sparse_push_complex (lua_State *L, int index, SparseMatrix *A) {
  if (A->is_complex) {
    lua_pushvalue(L, index);
    return lua_touserdata(L, -1);
  }
  SparseMatrix *Z = sparse_push_closed(L);
  Z->pattern = pattern_retain(A->pattern);
  kernelz_promote(sparse_alloc_values(L, Z, true), A->x, A->pattern->nnz);
  return Z;
}

void sparse_check_code (lua_State *L, int rc) {
  if (rc == UV_E2BIG) luaL_error(L, "matrix is too large to be factorised");
  if (rc < 0) luaL_error(L, "not enough memory");
}

static bool equals_mirrored (lua_State *L, const SparseMatrix *A, bool conjugate) {
  int rc = pattern_is_symmetric(A->pattern);
  sparse_check_code(L, rc);
  if (rc == 0) return false;
  int64_t *next = args_scratch(L, A->pattern->cols + 1, sizeof *next);
  rc = conjugate ? sparsekernel_is_hermitian(A->pattern, A->x, next)
                 : sparsekernel_is_symmetric(A->pattern, A->x, sparse_width(A), next);
  lua_pop(L, 1);
  return rc == 1;
}

bool sparse_is_symmetric (lua_State *L, SparseMatrix *A) {
  if (A->symmetric < 0) A->symmetric = equals_mirrored(L, A, false);
  return A->symmetric;
}

bool sparse_is_hermitian (lua_State *L, SparseMatrix *A) {
  if (!A->is_complex) return sparse_is_symmetric(L, A);
  if (A->hermitian < 0) A->hermitian = equals_mirrored(L, A, true);
  return A->hermitian;
}

/* Sorts the triplets by row, then by column: in each column rows ascend, and equal places keep
   their order, so that a sum of duplicates does not depend on anything else. order: the triplets,
   column by column; ends: of the columns in it. Each has room for n or cols + 1 or more. */
static void sort_triplets (size_t m, size_t n_cols, size_t n, const size_t *rows,
                           const size_t *cols, size_t *order, size_t *by_row, size_t *count) {
  memset(count, 0, (m + 1) * sizeof *count);
  for (size_t k = 0; k < n; k++) count[rows[k] + 1]++;
  for (size_t i = 0; i < m; i++) count[i + 1] += count[i];
  for (size_t k = 0; k < n; k++) by_row[count[rows[k]]++] = k;
  memset(count, 0, (n_cols + 1) * sizeof *count);
  for (size_t k = 0; k < n; k++) count[cols[k] + 1]++;
  for (size_t j = 0; j < n_cols; j++) count[j + 1] += count[j];
  for (size_t k = 0; k < n; k++) order[count[cols[by_row[k]]]++] = by_row[k];
}

typedef struct Places {
  const size_t *rows, *cols;
} Places;

static int compare_places (const void *a, const void *b, void *user) {
  const Places *p = user;
  size_t i = *(const size_t *)a, j = *(const size_t *)b;
  if (p->cols[i] != p->cols[j]) return p->cols[i] < p->cols[j] ? -1 : 1;
  if (p->rows[i] != p->rows[j]) return p->rows[i] < p->rows[j] ? -1 : 1;
  return (i > j) - (i < j);
}

/* Pushes the order that sort_triplets finds. A matrix may have very many more rows and columns than
   entries, which a file can say in a few bytes: then nothing of their number is counted. */
static const size_t *push_order (lua_State *L, size_t m, size_t n_cols, size_t n,
                                 const size_t *rows, const size_t *cols) {
  size_t longest = m > n_cols ? m : n_cols;
  size_t *order = args_scratch(L, n, sizeof *order);
  if (longest / 16 > n + 65536) {
    Places places = {rows, cols};
    for (size_t k = 0; k < n; k++) order[k] = k;
    qsort_r(order, n, sizeof *order, compare_places, &places);
    return order;
  }
  size_t *scratch = args_scratch(L, n, sizeof *scratch);
  size_t *count = args_scratch(L, longest + 1, sizeof *count);
  sort_triplets(m, n_cols, n, rows, cols, order, scratch, count);
  lua_pop(L, 2);
  return order;
}

SparseMatrix *sparse_push_triplets (lua_State *L, size_t m, size_t n_cols, size_t n,
                                    const size_t *rows, const size_t *cols,
                                    const double *values, bool is_complex) {
  if (m > (size_t)PTRDIFF_MAX / 16 || n_cols > (size_t)PTRDIFF_MAX / 16) {
    luaL_error(L, "not enough memory");
  }
  SparseMatrix *A = sparse_push_closed(L);
  const size_t *order = push_order(L, m, n_cols, n, rows, cols);
  size_t nnz = 0;
  for (size_t k = 0; k < n; k++) {
    size_t a = order[k], b = k > 0 ? order[k - 1] : 0;
    nnz += k == 0 || rows[a] != rows[b] || cols[a] != cols[b];
  }
  Block *block;
  int64_t *starts;
  PatternSet *set = pattern_set(L);
  sparse_check_code(L, pattern_block(&block, &starts, n_cols, nnz));
  int64_t *indices = starts + n_cols + 1;
  memset(starts, 0, (n_cols + 1) * sizeof *starts);
  for (size_t k = 0, at = 0; k < n; k++) {
    size_t a = order[k], b = k > 0 ? order[k - 1] : 0;
    if (k > 0 && rows[a] == rows[b] && cols[a] == cols[b]) continue;
    indices[at++] = (int64_t)rows[a];
    starts[cols[a] + 1]++;
  }
  for (size_t j = 0; j < n_cols; j++) starts[j + 1] += starts[j];
  int rc = pattern_new(&A->pattern, set, m, n_cols, nnz, block, 0);
  block_release(block); /* the pattern has its own reference, or it has another block */
  sparse_check_code(L, rc);
  double *x = sparse_alloc_values(L, A, is_complex);
  size_t width = is_complex ? 2 : 1;
  for (size_t k = 0, at = 0; k < n; k++) {
    size_t a = order[k], b = k > 0 ? order[k - 1] : 0;
    bool again = k > 0 && rows[a] == rows[b] && cols[a] == cols[b];
    for (size_t w = 0; w < width; w++) {
      double value = values[width * a + w];
      if (again) x[width * (at - 1) + w] += value;
      else x[width * at + w] = value;
    }
    at += !again;
  }
  lua_pop(L, 1);
  return A;
}

/* SparseMatrix.from_triplets(m, n, rows, cols, values) -> SparseMatrix */
static int l_from_triplets (lua_State *L) {
  size_t m = args_size(L, 1, "rows"), n = args_size(L, 2, "columns");
  luaL_argcheck(L, m <= INT64_MAX / 16, 1, "too many rows");
  luaL_argcheck(L, n <= INT64_MAX / 16, 2, "too many columns");
  lua_settop(L, 5);
  size_t n_rows, n_cols, few_rows[ARGS_FEW], few_cols[ARGS_FEW];
  size_t *rows = args_indices(L, 3, m, &n_rows, few_rows);
  size_t *cols = args_indices(L, 4, n, &n_cols, few_cols);
  if (n_cols != n_rows) {
    luaL_argerror(L, 4,
                  lua_pushfstring(L, "list of %I column indices expected, got %I",
                                  (lua_Integer)n_rows, (lua_Integer)n_cols));
  }
  bool is_complex;
  double *values = scalar_list(L, 5, n_rows, &is_complex);
  sparse_push_triplets(L, m, n, n_rows, rows, cols, values, is_complex);
  return 1;
}

/* A:freeze() -> A, which is immutable anyway */
static int l_freeze (lua_State *L) {
  sparse_check(L, 1);
  lua_settop(L, 1);
  return 1;
}

static int l_index (lua_State *L) {
  const SparseMatrix *A = sparse_check(L, 1);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  size_t n;
  if (strcmp(key, "is_complex") == 0) {
    lua_pushboolean(L, A->is_complex);
    return 1;
  }
  if (strcmp(key, "rows") == 0 || strcmp(key, "range") == 0) n = A->pattern->rows;
  else if (strcmp(key, "cols") == 0 || strcmp(key, "source") == 0) n = A->pattern->cols;
  else if (strcmp(key, "nnz") == 0) n = A->pattern->nnz;
  else {
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    return 1;
  }
  lua_pushinteger(L, (lua_Integer)n);
  return 1;
}

static int l_newindex (lua_State *L) {
  sparse_check(L, 1);
  return luaL_error(L, "SparseMatrix is immutable: field '%s' cannot be set",
                    luaL_tolstring(L, 2, NULL));
}

static int l_tostring (lua_State *L) {
  const SparseMatrix *A = luaL_checkudata(L, 1, SPARSE_TNAME);
  if (A->x == NULL) {
    lua_pushliteral(L, "SparseMatrix (closed)");
  } else {
    lua_pushfstring(L, "SparseMatrix %I x %I, %s%I entries", (LUAI_UACINT)A->pattern->rows,
                    (LUAI_UACINT)A->pattern->cols, A->is_complex ? "complex, " : "",
                    (LUAI_UACINT)A->pattern->nnz);
  }
  return 1;
}

static int l_gc (lua_State *L) {
  SparseMatrix *A = luaL_checkudata(L, 1, SPARSE_TNAME);
  factor_free(&A->factor);
  pattern_release(A->pattern);
  block_release(A->values);
  *A = (SparseMatrix){.symmetric = -1, .hermitian = -1};
  return 0;
}

static const luaL_Reg functions[] = {
  {"from_triplets", l_from_triplets},
  {"lincomb", sparse_l_lincomb},
  {NULL, NULL},
};

static const luaL_Reg methods[] = {
  {"freeze", l_freeze},
  {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
  {"__newindex", l_newindex},
  {"__tostring", l_tostring},
  {"__gc", l_gc},
  {NULL, NULL},
};

void sparse_open (lua_State *L) {
  luaL_newmetatable(L, SPARSE_TNAME); /* also where memory has failed half-way before */
  luaL_setfuncs(L, metamethods, 0);
  luaL_setfuncs(L, sparse_metamethods, 0);
  luaL_newlib(L, methods);
  luaL_setfuncs(L, sparse_entry_methods, 0);
  luaL_setfuncs(L, sparse_apply_methods, 0);
  luaL_setfuncs(L, sparse_operations, 0);
  luaL_setfuncs(L, sparse_solves, 0);
  lua_pushcclosure(L, l_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
}
