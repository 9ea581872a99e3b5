/* umfpackfactor.c - UMFPACK behind an interface of our own; indices of 64 bits throughout. */
#include "array/umfpackfactor.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <umfpack.h>
#include <uv.h>

static_assert(sizeof(SuiteSparse_long) == sizeof(int64_t),
              "patterns are UMFPACK's as they are");

struct UmfpackSymbolic {
  void *analysis; /* owned */
  bool is_complex;
};

struct UmfpackFactor {
  Pattern *pattern;     /* one reference */
  const double *values; /* the matrix's, for iterative refinement */
  bool is_complex;      /* a real and an imaginary part each */
  void *numeric;        /* owned */
  void *memory; /* workspace of solves, owned: n indices after 5 n doubles, complex 10 n */
  size_t len;
};

static int code_of (SuiteSparse_long status) {
  switch (status) {
    case UMFPACK_OK: return 0;
    case UMFPACK_WARNING_singular_matrix: return FACTOR_SINGULAR;
    case UMFPACK_ERROR_out_of_memory: return UV_ENOMEM;
    default: return UV_E2BIG;
  }
}

void umfpacksymbolic_free (struct UmfpackSymbolic *s) {
  if (s == NULL) return;
  if (s->is_complex) umfpack_zl_free_symbolic(&s->analysis);
  else umfpack_dl_free_symbolic(&s->analysis);
  free(s);
}

static int analyze (Pattern *p, bool is_complex) {
  if (p->umfpack[is_complex] != NULL) return 0;
  struct UmfpackSymbolic *s = calloc(1, sizeof *s);
  if (s == NULL) return UV_ENOMEM;
  s->is_complex = is_complex;
  SuiteSparse_long n = (SuiteSparse_long)p->rows;
  int rc = code_of(
    is_complex
      ? umfpack_zl_symbolic(n, n, p->starts, p->indices, NULL, NULL, &s->analysis, NULL, NULL)
      : umfpack_dl_symbolic(n, n, p->starts, p->indices, NULL, &s->analysis, NULL, NULL));
  if (rc != 0) {
    umfpacksymbolic_free(s);
    return rc;
  }
  p->umfpack[is_complex] = s;
  return 0;
}

/* Column permutation, pivots (real, or complex as two doubles) and row scaling. */
static int get_pivots (const UmfpackFactor *f, int64_t *columns, double *diagonal,
                       double *scale, SuiteSparse_long *reciprocal) {
  return code_of(f->is_complex
                   ? umfpack_zl_get_numeric(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                            NULL, columns, diagonal, NULL, reciprocal, scale,
                                            f->numeric)
                   : umfpack_dl_get_numeric(NULL, NULL, NULL, NULL, NULL, NULL, NULL, columns,
                                            diagonal, reciprocal, scale, f->numeric));
}

static double modulus (const UmfpackFactor *f, const double *x, size_t k) {
  return f->is_complex ? hypot(x[2 * k], x[2 * k + 1]) : fabs(x[k]);
}

/* UMFPACK scales the rows; a pivot is compared with the largest entry of its column then. */
static int check_pivots (const UmfpackFactor *f, FactorPivot *pivot) {
  const Pattern *p = f->pattern;
  size_t n = p->rows;
  double *diagonal = malloc(3 * n * sizeof *diagonal), *scale = diagonal + 2 * n;
  int64_t *columns = malloc(n * sizeof *columns);
  int rc = UV_ENOMEM;
  if (diagonal != NULL && columns != NULL) {
    SuiteSparse_long reciprocal;
    rc = get_pivots(f, columns, diagonal, scale, &reciprocal);
    for (size_t k = 0; k < n && rc == 0; k++) {
      size_t j = (size_t)columns[k];
      double largest = 0;
      for (int64_t m = p->starts[j]; m < p->starts[j + 1]; m++) {
        double s = scale[p->indices[m]], value = modulus(f, f->values, (size_t)m);
        largest = fmax(largest, reciprocal ? value * s : value / s);
      }
      double size = modulus(f, diagonal, k);
      if (size > FACTOR_PIVOT_MIN * largest) continue; /* false for NaN */
      *pivot = (FactorPivot){.column = j, .value = f->is_complex ? size : diagonal[k]};
      rc = FACTOR_SINGULAR;
    }
  }
  free(diagonal);
  free(columns);
  return rc;
}

/* A pivot may be that much smaller than the largest entry of its column (UMFPACK's own choice, which
   keeps the factors sparse), and then entries can grow by a factor of 11 in a column: without a
   bound in the end, as they do in a banded matrix with a few entries more. Rows are scaled to the
   sum 1, so that what the pivots are above it is growth; up to the bound iterative refinement makes
   up for it, beyond all is done again with the largest pivots. */
static const double growth_max = 1e6;

static SuiteSparse_long eliminate (UmfpackFactor *f, bool with_largest, double *info) {
  const Pattern *p = f->pattern;
  void *analysis = p->umfpack[f->is_complex]->analysis;
  double control[UMFPACK_CONTROL];
  if (f->is_complex) umfpack_zl_defaults(control);
  else umfpack_dl_defaults(control);
  if (with_largest) control[UMFPACK_PIVOT_TOLERANCE] = control[UMFPACK_SYM_PIVOT_TOLERANCE] = 1;
  return f->is_complex ? umfpack_zl_numeric(p->starts, p->indices, f->values, NULL, analysis,
                                            &f->numeric, control, info)
                       : umfpack_dl_numeric(p->starts, p->indices, f->values, analysis,
                                            &f->numeric, control, info);
}

static void forget_numeric (UmfpackFactor *f) {
  if (f->is_complex) umfpack_zl_free_numeric(&f->numeric);
  else umfpack_dl_free_numeric(&f->numeric);
}

static int factorize (UmfpackFactor *f, FactorPivot *pivot) {
  Pattern *p = f->pattern;
  size_t n = p->rows;
  int rc = analyze(p, f->is_complex);
  if (rc != 0) return rc;
  f->memory = malloc((f->is_complex ? 11 : 6) * n * sizeof(double));
  if (f->memory == NULL) return UV_ENOMEM;
  double info[UMFPACK_INFO];
  rc = code_of(eliminate(f, false, info));
  if (f->numeric != NULL && !(info[UMFPACK_UMAX] <= growth_max)) { /* NaN as well */
    forget_numeric(f);
    rc = code_of(eliminate(f, true, info));
  }
  f->len = (size_t)(info[UMFPACK_NUMERIC_SIZE] * info[UMFPACK_SIZE_OF_UNIT]);
  if (f->numeric == NULL) return rc;
  int check = check_pivots(f, pivot); /* also names the column of a singular matrix */
  return rc != 0 ? rc : check;
}

int umfpackfactor_new (UmfpackFactor **f, Pattern *pattern, const double *values,
                       bool is_complex, FactorPivot *pivot) {
  *f = NULL;
  UmfpackFactor *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL) return UV_ENOMEM;
  fresh->pattern = pattern_retain(pattern);
  fresh->values = values;
  fresh->is_complex = is_complex;
  int rc = factorize(fresh, pivot);
  if (rc != 0) {
    umfpackfactor_free(fresh);
    return rc;
  }
  *f = fresh;
  return 0;
}

void umfpackfactor_free (UmfpackFactor *f) {
  if (f == NULL) return;
  forget_numeric(f);
  free(f->memory);
  pattern_release(f->pattern);
  free(f);
}

size_t umfpackfactor_len (const UmfpackFactor *f) {
  return f->len;
}

int umfpackfactor_solve (UmfpackFactor *f, bool adjoint, double *X, size_t n, const double *B,
                         size_t ldb) {
  const Pattern *p = f->pattern;
  SuiteSparse_long system = adjoint ? UMFPACK_At : UMFPACK_A;
  double *work = f->memory;
  int64_t *indices = (void *)(work + (f->is_complex ? 10 : 5) * p->rows);
  size_t width = f->is_complex ? 2 : 1;
  for (size_t k = 0; k < n; k++) {
    double *x = X + k * p->rows * width;
    const double *b = B + k * ldb * width;
    SuiteSparse_long status = f->is_complex
                                ? umfpack_zl_wsolve(system, p->starts, p->indices, f->values,
                                                    NULL, x, NULL, b, NULL, f->numeric, NULL,
                                                    NULL, indices, work)
                                : umfpack_dl_wsolve(system, p->starts, p->indices, f->values, x,
                                                    b, f->numeric, NULL, NULL, indices, work);
    int rc = code_of(status);
    if (rc != 0) return rc;
  }
  return 0;
}
