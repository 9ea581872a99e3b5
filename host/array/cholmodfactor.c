/* cholmodfactor.c - CHOLMOD behind an interface of our own; indices of 64 bits throughout. */
#include "array/cholmodfactor.h"

#include <assert.h>
#include <stdlib.h>
#include <cholmod.h>
#include <uv.h>
#include "array/supernode.h"

static_assert(sizeof(SuiteSparse_long) == sizeof(int64_t),
              "patterns are CHOLMOD's as they are");

/* Flops per entry of the factor from which supernodes pay. CHOLMOD's own 40 is for slower memory
   and faster small BLAS calls: with OpenBLAS on Zen 3, the simplicial method is 2.5 times as fast
   at 59 (10,000 unknowns), 1.2 times at 104 and half as fast at 200 (160,000 unknowns). */
static const double supernodal_switch = 120;

struct CholmodContext {
  cholmod_common common;
};

struct CholmodSymbolic {
  cholmod_factor *analysis; /* without numbers; owned */
  cholmod_factor *spare[2]; /* with numbers, real and complex, of matrices that are gone; owned,
                               may be NULL */
};

struct CholmodFactor {
  Pattern *pattern;     /* one reference */
  bool is_complex;      /* a real and an imaginary part each */
  cholmod_factor *L;    /* owned */
  cholmod_dense *Y, *E; /* workspace of solves, owned */
  double *work;         /* of those with one vector, owned; NULL until there is one */
};

static cholmod_common *common_of (const Pattern *p) {
  return &(*pattern_set_context(p->set))->common;
}

static int code_of (const cholmod_common *common) {
  switch (common->status) {
    case CHOLMOD_OK: return 0;
    case CHOLMOD_NOT_POSDEF: return FACTOR_INDEFINITE;
    case CHOLMOD_TOO_LARGE: return UV_E2BIG;
    default: return UV_ENOMEM;
  }
}

static int open_context (PatternSet *set) {
  struct CholmodContext **context = pattern_set_context(set);
  if (*context != NULL) return 0;
  *context = malloc(sizeof **context);
  if (*context == NULL) return UV_ENOMEM;
  cholmod_common *common = &(*context)->common;
  cholmod_l_start(common);
  common->print = 0;
  common->error_handler = NULL;
  /* LL' in the simplicial method as well: it notices what is indefinite. */
  common->final_ll = 1;
  common->supernodal_switch = supernodal_switch;
  return 0;
}

void cholmodcontext_free (struct CholmodContext *context) {
  if (context == NULL) return;
  cholmod_l_finish(&context->common);
  free(context);
}

void cholmodsymbolic_free (struct CholmodSymbolic *s, struct CholmodContext *context) {
  if (s == NULL) return;
  cholmod_l_free_factor(&s->analysis, &context->common);
  for (int k = 0; k < 2; k++) cholmod_l_free_factor(&s->spare[k], &context->common);
  free(s);
}

/* The matrix as CHOLMOD sees it, over our memory; of the full pattern it reads the lower half. */
static cholmod_sparse view (const Pattern *p, const double *values, bool is_complex) {
  return (cholmod_sparse){
    .nrow = p->rows,
    .ncol = p->cols,
    .nzmax = p->nnz,
    .p = (void *)p->starts,
    .i = (void *)p->indices,
    .x = (void *)values,
    .stype = -1,
    .itype = CHOLMOD_LONG,
    .xtype = values == NULL ? CHOLMOD_PATTERN
             : is_complex   ? CHOLMOD_COMPLEX
                            : CHOLMOD_REAL,
    .dtype = CHOLMOD_DOUBLE,
    .sorted = 1,
    .packed = 1,
  };
}

static int analyze (Pattern *p) {
  if (p->cholmod != NULL) return 0;
  struct CholmodSymbolic *s = calloc(1, sizeof *s);
  if (s == NULL) return UV_ENOMEM;
  cholmod_common *common = common_of(p);
  cholmod_sparse A = view(p, NULL, false);
  s->analysis = cholmod_l_analyze(&A, common);
  if (s->analysis == NULL) {
    free(s);
    return code_of(common);
  }
  p->cholmod = s;
  return 0;
}

/* Column k of the factor: its diagonal entry, which is real. */
static double diagonal (const cholmod_factor *L, size_t k, size_t *supernode) {
  const double *x = L->x;
  size_t width = L->xtype == CHOLMOD_COMPLEX ? 2 : 1;
  if (!L->is_super) return x[width * (size_t)((const int64_t *)L->p)[k]];
  const int64_t *super = L->super, *pi = L->pi, *px = L->px;
  while (super[*supernode + 1] <= (int64_t)k) ++*supernode;
  size_t s = *supernode, j = k - (size_t)super[s];
  return x[width * ((size_t)px[s] + j * (size_t)(pi[s + 1] - pi[s]) + j)];
}

/* The diagonal entry of column j of the matrix. */
static double entry (const Pattern *p, const double *values, size_t width, size_t j) {
  for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
    if (p->indices[k] == (int64_t)j) return values[width * (size_t)k];
  }
  return 0;
}

/* A matrix that is singular to rounding may end with pivots that are positive by chance. */
static int check_pivots (const CholmodFactor *f, const double *values, FactorPivot *pivot) {
  const cholmod_factor *L = f->L;
  size_t supernode = 0, width = f->is_complex ? 2 : 1;
  for (size_t k = 0; k < L->n; k++) {
    double d = diagonal(L, k, &supernode);
    size_t j = (size_t)((const int64_t *)L->Perm)[k];
    if (d * d > FACTOR_PIVOT_MIN * entry(f->pattern, values, width, j))
      continue; /* false for NaN */
    *pivot = (FactorPivot){.column = j, .value = d * d};
    return FACTOR_INDEFINITE;
  }
  return 0;
}

static int factorize (CholmodFactor *f, const double *values, FactorPivot *pivot) {
  Pattern *p = f->pattern;
  cholmod_common *common = common_of(p);
  int rc = analyze(p);
  if (rc != 0) return rc;
  f->L = p->cholmod->spare[f->is_complex];
  p->cholmod->spare[f->is_complex] = NULL;
  if (f->L == NULL) f->L = cholmod_l_copy_factor(p->cholmod->analysis, common);
  if (f->L == NULL) return UV_ENOMEM;
  cholmod_sparse A = view(p, values, f->is_complex);
  cholmod_l_factorize(&A, f->L, common);
  rc = code_of(common);
  if (rc == FACTOR_INDEFINITE) {
    size_t k = f->L->minor;
    *pivot = (FactorPivot){.column = k < f->L->n ? (size_t)((int64_t *)f->L->Perm)[k] : 0};
  }
  return rc != 0 ? rc : check_pivots(f, values, pivot);
}

int cholmodfactor_new (CholmodFactor **f, Pattern *pattern, const double *values,
                       bool is_complex, FactorPivot *pivot) {
  *f = NULL;
  int rc = open_context(pattern->set);
  if (rc != 0) return rc;
  CholmodFactor *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL) return UV_ENOMEM;
  fresh->pattern = pattern_retain(pattern);
  fresh->is_complex = is_complex;
  rc = factorize(fresh, values, pivot);
  if (rc != 0) { /* what failed is no spare: its columns may have been cut */
    if (fresh->L != NULL) cholmod_l_free_factor(&fresh->L, common_of(pattern));
    cholmodfactor_free(fresh);
    return rc;
  }
  *f = fresh;
  return 0;
}

void cholmodfactor_free (CholmodFactor *f) {
  if (f == NULL) return;
  cholmod_common *common = common_of(f->pattern);
  cholmod_l_free_dense(&f->Y, common);
  cholmod_l_free_dense(&f->E, common);
  struct CholmodSymbolic *s = f->pattern->cholmod;
  if (s != NULL && s->spare[f->is_complex] == NULL) s->spare[f->is_complex] = f->L;
  else cholmod_l_free_factor(&f->L, common);
  pattern_release(f->pattern);
  free(f->work);
  free(f);
}

size_t cholmodfactor_len (const CholmodFactor *f) {
  const cholmod_factor *L = f->L;
  size_t value = (f->is_complex ? 2 : 1) * sizeof(double);
  if (L->is_super) return L->xsize * value + L->ssize * sizeof(int64_t);
  return L->nzmax * (value + sizeof(int64_t));
}

static int solve_one (CholmodFactor *f, double *X, const double *B) {
  if (f->work == NULL) f->work = calloc(f->L->n, 2 * sizeof *f->work);
  if (f->work == NULL) return UV_ENOMEM;
  supernode_solve(f->L, X, B, f->work);
  return 0;
}

int cholmodfactor_solve (CholmodFactor *f, double *X, size_t n, const double *B, size_t ldb) {
  if (n == 1 && f->L->is_super && !f->is_complex) return solve_one(f, X, B);
  size_t dim = f->L->n;
  int xtype = f->is_complex ? CHOLMOD_COMPLEX : CHOLMOD_REAL;
  cholmod_common *common = common_of(f->pattern);
  cholmod_dense b = {.nrow = dim,
                     .ncol = n,
                     .nzmax = ldb * (n - 1) + dim,
                     .d = ldb,
                     .x = (void *)B,
                     .xtype = xtype,
                     .dtype = CHOLMOD_DOUBLE};
  cholmod_dense x = {.nrow = dim,
                     .ncol = n,
                     .nzmax = dim * n,
                     .d = dim,
                     .x = X,
                     .xtype = xtype,
                     .dtype = CHOLMOD_DOUBLE};
  cholmod_dense *solution = &x; /* it fits, so CHOLMOD writes into it rather than a new one */
  cholmod_l_solve2(CHOLMOD_A, f->L, &b, NULL, &solution, NULL, &f->Y, &f->E, common);
  return code_of(common);
}
