/* matrix_norm.c - norms of matrices and what singular values give: cond, pinv, lstsq. */
#include "array/matrix_store.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include "array/args.h"
#include "array/blas.h"
#include "array/kernels.h"
#include "array/kernelsz.h"
#include "array/matrix_lapack.h"
#include "array/memory.h"
#include "array/scalar.h"
#include "array/sides.h"

typedef lapack_complex_double Z;

void matrix_check_info (lua_State *L, lapack_int info, const char *what) {
  if (info == LAPACK_WORK_MEMORY_ERROR) luaL_error(L, "not enough memory");
  if (info != 0)
    luaL_error(L, "%s iteration did not converge (LAPACK code %d)", what, (int)info);
}

static Scalar entry (const Matrix *M, size_t i, size_t j) {
  const double *m = matrix_read(M);
  size_t k = i + j * M->rows;
  if (!M->is_complex) return (Scalar){.value = m[k]};
  return (Scalar){.value = scalar_of(m[2 * k], m[2 * k + 1]), .is_complex = true};
}

static double modulus (const Matrix *M, size_t i, size_t j) {
  const double *m = matrix_read(M);
  size_t k = i + j * M->rows;
  return M->is_complex ? hypot(m[2 * k], m[2 * k + 1]) : fabs(m[k]);
}

static const char *push_text (lua_State *L, Scalar s) {
  if (s.is_complex) scalar_push(L, s.value);
  else lua_pushnumber(L, creal(s.value));
  return luaL_tolstring(L, -1, NULL);
}

/* Does no part of an entry differ by more than so much from its counterpart, in the tile of rows
   from i and columns from j on? */
static bool is_tile_symmetric (const Matrix *M, size_t i, size_t j, size_t tile,
                               double allowed) {
  size_t width = M->is_complex ? 2 : 1, run = M->rows * width;
  size_t i_end = M->rows - i < tile ? M->rows : i + tile;
  size_t j_end = M->rows - j < tile ? M->rows : j + tile;
  const double *m = matrix_read(M);
  bool wrong = false;
  for (size_t c = j; c < j_end; c++) {
    for (size_t r = i; r < i_end; r++) {
      const double *a = m + r * width + c * run, *b = m + c * width + r * run;
      wrong |= fabs(a[0] - b[0]) > allowed;
      if (width == 2) wrong |= fabs(a[1] + b[1]) > allowed;
    }
  }
  return !wrong;
}

/* Tile by tile, since a row's entries lie in as many cache lines. False where in doubt. */
static bool is_symmetric (const Matrix *M, double allowed) {
  enum { TILE = 8 }; /* doubles of a cache line */
  for (size_t j = 0; j < M->cols; j += TILE) {
    for (size_t i = 0; i <= j; i += TILE) {
      if (!is_tile_symmetric(M, i, j, TILE, allowed / 2)) return false;
    }
  }
  return true;
}

void matrix_check_symmetric (lua_State *L, int arg) {
  const Matrix *M = matrix_check_square(L, arg);
  size_t n = M->rows;
  /* Far above rounding, far below a mistake. */
  double allowed = 1e-10 * kernel_sup(matrix_read(M), matrix_run(M), NULL);
  if (is_symmetric(M, allowed)) return;
  for (size_t j = 0; j < n; j++) {
    for (size_t i = 0; i <= j; i++) {
      Scalar a = entry(M, i, j), b = entry(M, j, i);
      if (!(cabs(a.value - conj(b.value)) > allowed)) continue;
      const char *first = push_text(L, a), *second = push_text(L, b);
      if (i == j) {
        args_fail(L, arg, "Matrix is not Hermitian: entry (%I, %I) is %s, not real",
                  (lua_Integer)i + 1, (lua_Integer)i + 1, first);
      }
      args_fail(L, arg, "Matrix is not %s: entry (%I, %I) is %s, entry (%I, %I) is %s",
                M->is_complex ? "Hermitian" : "symmetric", (lua_Integer)i + 1,
                (lua_Integer)j + 1, first, (lua_Integer)j + 1, (lua_Integer)i + 1, second);
    }
  }
}

/* Memory for a matrix that LAPACK changes, to be closed after use. Behind a complex one there is room
   for a column: with a row as its vector, OpenBLAS (0.3.21, on m rows with m % 4 == 2) reads the
   entry behind the row's last, and behind a matrix there may be no memory. */
static Matrix *push_roomy (lua_State *L, size_t rows, size_t cols, bool is_complex) {
  return matrix_push_kind(L, rows, is_complex && cols > 0 ? cols + 1 : cols, is_complex, false);
}

void matrix_svd (lua_State *L, const Matrix *M, double *u, double *s, double *vt) {
  size_t k = M->rows < M->cols ? M->rows : M->cols;
  int m = matrix_lapack_size(L, M->rows), n = matrix_lapack_size(L, M->cols);
  if (k == 0) return;
  Matrix *copy = push_roomy(L, M->rows, M->cols, M->is_complex);
  double none[2], *a = matrix_own(copy), *target = vt;
  memcpy(a, matrix_read(M), matrix_run(M) * sizeof *a);
  Matrix *rows = NULL; /* those of vt, as vectors of a complex M */
  char job = u == NULL ? 'N' : 'S';
  if (u == NULL) u = vt = none;
  else if (M->is_complex) vt = matrix_own(rows = push_roomy(L, k, M->cols, true));
  int threads = blas_limit(M->rows * M->cols);
  lapack_int info = M->is_complex
                      ? LAPACKE_zgesdd(LAPACK_COL_MAJOR, job, m, n, (Z *)a, m, s, (Z *)u, m,
                                       (Z *)vt, (int)k)
                      : LAPACKE_dgesdd(LAPACK_COL_MAJOR, job, m, n, a, m, s, u, m, vt, (int)k);
  blas_restore(threads);
  if (info > 0) { /* rare; the older iteration is slower and more robust */
    memcpy(a, matrix_read(M), matrix_run(M) * sizeof *a);
    double *superb = args_scratch(L, k, sizeof *superb);
    info = M->is_complex ? LAPACKE_zgesvd(LAPACK_COL_MAJOR, job, job, m, n, (Z *)a, m, s,
                                          (Z *)u, m, (Z *)vt, (int)k, superb)
                         : LAPACKE_dgesvd(LAPACK_COL_MAJOR, job, job, m, n, a, m, s, u, m, vt,
                                          (int)k, superb);
  }
  matrix_check_info(L, info, "singular value");
  matrix_close(copy);
  if (rows == NULL) return;
  memcpy(target, vt, k * M->cols * 2 * sizeof *vt);
  matrix_close(rows);
}

/* The singular values in a scratch userdata that is pushed. */
static const double *push_values (lua_State *L, const Matrix *M, size_t *k) {
  *k = M->rows < M->cols ? M->rows : M->cols;
  double *s = args_scratch(L, *k, sizeof *s);
  matrix_svd(L, M, NULL, s, NULL);
  return s;
}

static double column_sums (const Matrix *M) {
  double norm = 0;
  for (size_t j = 0; j < M->cols; j++) {
    double sum = 0;
    for (size_t i = 0; i < M->rows; i++) sum += modulus(M, i, j);
    if (!(sum <= norm)) norm = sum;
    if (isnan(norm)) break;
  }
  return norm;
}

static double row_sums (const Matrix *M) {
  double norm = 0;
  for (size_t i = 0; i < M->rows; i++) {
    double sum = 0;
    for (size_t j = 0; j < M->cols; j++) sum += modulus(M, i, j);
    if (!(sum <= norm)) norm = sum;
    if (isnan(norm)) break;
  }
  return norm;
}

/* The largest singular value. What is not finite passes, as in the other norms. */
static double spectral (lua_State *L, const Matrix *M) {
  size_t k, n = matrix_run(M);
  if (kernel_finite(matrix_read(M), n) < n) return kernel_norm(matrix_read(M), n);
  const double *s = push_values(L, M, &k);
  return k == 0 ? 0 : s[0];
}

/* M:norm(["fro" | "2" | "1" | "inf"]) */
static int l_norm (lua_State *L) {
  const Matrix *M = matrix_check(L, 1);
  const char *kind = luaL_optstring(L, 2, "fro");
  double norm = 0;
  if (strcmp(kind, "fro") == 0) norm = kernel_norm(matrix_read(M), matrix_run(M));
  else if (strcmp(kind, "2") == 0) norm = spectral(L, M);
  else if (strcmp(kind, "1") == 0) norm = column_sums(M);
  else if (strcmp(kind, "inf") == 0) norm = row_sums(M);
  else args_fail(L, 2, "'fro', '2', '1' or 'inf' expected, got '%s'", kind);
  lua_pushnumber(L, norm);
  return 1;
}

/* M:cond(): in the 2-norm; infinite for a singular matrix */
static int l_cond (lua_State *L) {
  const Matrix *M = matrix_check_finite(L, 1);
  size_t k;
  const double *s = push_values(L, M, &k);
  if (k == 0) return luaL_error(L, "an empty Matrix has no condition number");
  lua_pushnumber(L, s[k - 1] == 0 ? HUGE_VAL : s[0] / s[k - 1]);
  return 1;
}

/* What counts as zero beside the largest singular value. */
static double rank_tolerance (const Matrix *M) {
  return DBL_EPSILON * (double)(M->rows < M->cols ? M->cols : M->rows);
}

/* M:pinv() -> Matrix [cols, rows] */
static int l_pinv (lua_State *L) {
  const Matrix *M = matrix_check_finite(L, 1);
  size_t rows = M->rows, cols = M->cols, k = rows < cols ? rows : cols, rank = 0;
  size_t run = M->is_complex ? 2 * rows : rows;
  double *s = args_scratch(L, k, sizeof *s);
  double *u = memory_own(matrix_push_kind(L, rows, k, M->is_complex, false)->block);
  double *vt = memory_own(matrix_push_kind(L, k, cols, M->is_complex, false)->block);
  matrix_svd(L, M, u, s, vt);
  while (rank < k && s[rank] > rank_tolerance(M) * s[0]) rank++;
  for (size_t i = 0; i < rank; i++) kernel_scal(u + i * run, 1 / s[i], run);
  Matrix *P = matrix_push_kind(L, cols, rows, M->is_complex, false);
  (M->is_complex ? kernelz_gemm : kernel_gemm)(true, true, cols, rows, rank, vt, matrix_ld(k),
                                               u, matrix_ld(rows), memory_own(P->block),
                                               matrix_ld(cols));
  return 1;
}

/* M:lstsq(B) -> X of B's kind: the smallest of those that minimise |M X - B| */
static int l_lstsq (lua_State *L) {
  args_plain(L, 2);
  const Matrix *M = matrix_check_finite(L, 1);
  size_t rows = M->rows, cols = M->cols, longer = rows < cols ? cols : rows;
  size_t k = rows < cols ? rows : cols;
  Sides sides = sides_check(L, 2, rows);
  sides_check_finite(L, &sides);
  bool is_complex = M->is_complex || sides.is_complex;
  size_t width = is_complex ? 2 : 1, total;
  int size = matrix_lapack_size(L, longer), columns = matrix_lapack_size(L, sides.n);
  Matrix *copy = push_roomy(L, rows, cols, is_complex);
  double *a = matrix_own(copy);
  if (is_complex && !M->is_complex) kernelz_promote(a, matrix_read(M), rows * cols);
  else memcpy(a, matrix_read(M), matrix_run(M) * sizeof *a);
  double *s = args_scratch(L, k, sizeof *s);
  if (!memory_multiply(longer, sides.n, &total)) luaL_error(L, "not enough memory");
  double *work = args_scratch(L, total, width * sizeof *work);
  if (is_complex) sides_copy_complex(L, &sides, work, longer);
  else sides_copy(L, &sides, work, longer);
  double *x = sides_push(L, &sides, cols, is_complex);
  if (k == 0 || sides.n == 0) {
    kernel_fill(x, 0, cols * sides.n * width);
  } else {
    lapack_int rank, m = (lapack_int)rows, n = (lapack_int)cols;
    double tolerance = rank_tolerance(M);
    int threads = blas_limit(rows * cols);
    lapack_int info = is_complex ? LAPACKE_zgelsd(LAPACK_COL_MAJOR, m, n, columns, (Z *)a, m,
                                                  (Z *)work, size, s, tolerance, &rank)
                                 : LAPACKE_dgelsd(LAPACK_COL_MAJOR, m, n, columns, a, m, work,
                                                  size, s, tolerance, &rank);
    blas_restore(threads);
    matrix_check_info(L, info, "least squares");
    matrix_close(copy);
    for (size_t j = 0; j < sides.n; j++) {
      memcpy(x + j * cols * width, work + j * longer * width, cols * width * sizeof *x);
    }
  }
  sides_finish(L, &sides, cols, is_complex);
  return 1;
}

const luaL_Reg matrix_norm_methods[] = {
  {"norm", l_norm}, {"cond", l_cond}, {"pinv", l_pinv}, {"lstsq", l_lstsq}, {NULL, NULL},
};
