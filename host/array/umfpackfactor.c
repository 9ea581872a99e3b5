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
};

struct UmfpackFactor {
  Pattern *pattern;     /* one reference */
  const double *values; /* the matrix's, for iterative refinement */
  void *numeric;        /* owned */
  void *memory;         /* workspace of solves, owned: 5 n doubles, then n indices */
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
  umfpack_dl_free_symbolic(&s->analysis);
  free(s);
}

static int analyze (Pattern *p) {
  if (p->umfpack != NULL) return 0;
  struct UmfpackSymbolic *s = calloc(1, sizeof *s);
  if (s == NULL) return UV_ENOMEM;
  SuiteSparse_long n = (SuiteSparse_long)p->rows;
  int rc = code_of(
    umfpack_dl_symbolic(n, n, p->starts, p->indices, NULL, &s->analysis, NULL, NULL));
  if (rc != 0) {
    umfpacksymbolic_free(s);
    return rc;
  }
  p->umfpack = s;
  return 0;
}

/* UMFPACK scales the rows; a pivot is compared with the largest entry of its column then. */
static int check_pivots (const UmfpackFactor *f, FactorPivot *pivot) {
  const Pattern *p = f->pattern;
  size_t n = p->rows;
  double *diagonal = malloc(2 * n * sizeof *diagonal), *scale = diagonal + n;
  int64_t *columns = malloc(n * sizeof *columns);
  int rc = UV_ENOMEM;
  if (diagonal != NULL && columns != NULL) {
    SuiteSparse_long reciprocal;
    rc = code_of(umfpack_dl_get_numeric(NULL, NULL, NULL, NULL, NULL, NULL, NULL, columns,
                                        diagonal, &reciprocal, scale, f->numeric));
    for (size_t k = 0; k < n && rc == 0; k++) {
      size_t j = (size_t)columns[k];
      double largest = 0;
      for (int64_t m = p->starts[j]; m < p->starts[j + 1]; m++) {
        double s = scale[p->indices[m]];
        largest = fmax(largest, fabs(reciprocal ? f->values[m] * s : f->values[m] / s));
      }
      if (fabs(diagonal[k]) > FACTOR_PIVOT_MIN * largest) continue; /* false for NaN */
      *pivot = (FactorPivot){.column = j, .value = diagonal[k]};
      rc = FACTOR_SINGULAR;
    }
  }
  free(diagonal);
  free(columns);
  return rc;
}

static int factorize (UmfpackFactor *f, FactorPivot *pivot) {
  Pattern *p = f->pattern;
  size_t n = p->rows;
  int rc = analyze(p);
  if (rc != 0) return rc;
  f->memory = malloc(6 * n * sizeof(double));
  if (f->memory == NULL) return UV_ENOMEM;
  double info[UMFPACK_INFO];
  SuiteSparse_long status = umfpack_dl_numeric(p->starts, p->indices, f->values,
                                               p->umfpack->analysis, &f->numeric, NULL, info);
  rc = code_of(status);
  f->len = (size_t)(info[UMFPACK_NUMERIC_SIZE] * info[UMFPACK_SIZE_OF_UNIT]);
  if (f->numeric == NULL) return rc;
  int check = check_pivots(f, pivot); /* also names the column of a singular matrix */
  return rc != 0 ? rc : check;
}

int umfpackfactor_new (UmfpackFactor **f, Pattern *pattern, const double *values,
                       FactorPivot *pivot) {
  *f = NULL;
  UmfpackFactor *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL) return UV_ENOMEM;
  fresh->pattern = pattern_retain(pattern);
  fresh->values = values;
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
  umfpack_dl_free_numeric(&f->numeric);
  free(f->memory);
  pattern_release(f->pattern);
  free(f);
}

size_t umfpackfactor_len (const UmfpackFactor *f) {
  return f->len;
}

int umfpackfactor_solve (UmfpackFactor *f, bool transposed, double *X, size_t n,
                         const double *B, size_t ldb) {
  const Pattern *p = f->pattern;
  double *work = f->memory;
  int64_t *indices = (void *)(work + 5 * p->rows);
  for (size_t k = 0; k < n; k++) {
    SuiteSparse_long status = umfpack_dl_wsolve(transposed ? UMFPACK_At : UMFPACK_A, p->starts,
                                                p->indices, f->values, X + k * p->rows,
                                                B + k * ldb, f->numeric, NULL, NULL, indices,
                                                work);
    int rc = code_of(status);
    if (rc != 0) return rc;
  }
  return 0;
}
