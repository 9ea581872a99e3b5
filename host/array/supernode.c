/* supernode.c - forward and backward substitution, supernode by supernode. CHOLMOD calls the BLAS
   four times for each of them, and they have six columns on average (160,000 unknowns in the
   plane): for one right-hand side these loops take half the time. */
#include "array/supernode.h"

#include <stddef.h>
#include <stdint.h>

/* Columns that share a row structure: rows x cols, the first cols rows are the lower triangle on
   the diagonal. */
typedef struct Supernode {
  size_t rows, cols, first; /* first: of its columns, and of its rows */
  const int64_t *places;    /* of its rows */
  const double *x;          /* column-major */
} Supernode;

static Supernode supernode (const cholmod_factor *L, size_t s) {
  const int64_t *first = L->super, *pi = L->pi, *px = L->px;
  return (Supernode){
    .rows = (size_t)(pi[s + 1] - pi[s]),
    .cols = (size_t)(first[s + 1] - first[s]),
    .first = (size_t)first[s],
    .places = (const int64_t *)L->s + pi[s],
    .x = (const double *)L->x + px[s],
  };
}

static void gather (const Supernode *s, const double *x, double *w) {
  for (size_t i = 0; i < s->cols; i++) w[i] = x[s->first + i];
  for (size_t i = s->cols; i < s->rows; i++) w[i] = x[s->places[i]];
}

/* Four columns at once, so that w is loaded and stored a quarter as often. */
static void forward (const Supernode *s, double *restrict w) {
  size_t n = s->rows, j = 0;
  for (; j + 4 <= s->cols; j += 4) {
    const double *a = s->x + j * n, *b = a + n, *c = b + n, *d = c + n;
    double x0 = w[j] /= a[j];
    double x1 = w[j + 1] = (w[j + 1] - a[j + 1] * x0) / b[j + 1];
    double x2 = w[j + 2] = (w[j + 2] - a[j + 2] * x0 - b[j + 2] * x1) / c[j + 2];
    double x3 = w[j + 3] = (w[j + 3] - a[j + 3] * x0 - b[j + 3] * x1 - c[j + 3] * x2) /
                           d[j + 3];
    for (size_t i = j + 4; i < n; i++)
      w[i] -= (a[i] * x0 + b[i] * x1) + (c[i] * x2 + d[i] * x3);
  }
  for (; j < s->cols; j++) {
    const double *a = s->x + j * n;
    double x0 = w[j] /= a[j];
    for (size_t i = j + 1; i < n; i++) w[i] -= a[i] * x0;
  }
}

typedef double Lanes __attribute__((vector_size(4 * sizeof(double)), aligned(8), may_alias));

static inline const Lanes *lanes (const double *x) {
  return (const Lanes *)x;
}

static inline double total (const Lanes *s) {
  return ((*s)[0] + (*s)[2]) + ((*s)[1] + (*s)[3]);
}

/* The products of column a with w, in rows from i on. */
static double dot (const double *a, const double *w, size_t i, size_t n) {
  Lanes s = {0};
  for (; i + 4 <= n; i += 4) s += *lanes(a + i) * *lanes(w + i);
  double sum = total(&s);
  for (; i < n; i++) sum += a[i] * w[i];
  return sum;
}

/* The same for four columns that follow each other. */
static void dots (const double *a, const double *w, size_t i, size_t n, double sums[4]) {
  const double *b = a + n, *c = b + n, *d = c + n;
  Lanes s = {0}, t = {0}, u = {0}, v = {0};
  for (; i + 4 <= n; i += 4) {
    Lanes x = *lanes(w + i);
    s += *lanes(a + i) * x;
    t += *lanes(b + i) * x;
    u += *lanes(c + i) * x;
    v += *lanes(d + i) * x;
  }
  sums[0] = total(&s), sums[1] = total(&t), sums[2] = total(&u), sums[3] = total(&v);
  for (; i < n; i++) {
    sums[0] += a[i] * w[i];
    sums[1] += b[i] * w[i];
    sums[2] += c[i] * w[i];
    sums[3] += d[i] * w[i];
  }
}

static void backward (const Supernode *s, double *w) {
  size_t n = s->rows, end = s->cols;
  for (; end % 4 > 0; end--) {
    size_t j = end - 1;
    const double *a = s->x + j * n;
    w[j] = (w[j] - dot(a, w, end, n)) / a[j];
  }
  for (; end > 0; end -= 4) {
    size_t j = end - 4;
    const double *a = s->x + j * n, *b = a + n, *c = b + n, *d = c + n;
    double sums[4], *x = w + j;
    dots(a, w, end, n, sums);
    x[3] = (x[3] - sums[3]) / d[j + 3];
    x[2] = (x[2] - sums[2] - c[j + 3] * x[3]) / c[j + 2];
    x[1] = (x[1] - sums[1] - b[j + 2] * x[2] - b[j + 3] * x[3]) / b[j + 1];
    x[0] = (x[0] - sums[0] - a[j + 1] * x[1] - a[j + 2] * x[2] - a[j + 3] * x[3]) / a[j];
  }
}

void supernode_solve (const cholmod_factor *L, double *X, const double *B, double *work) {
  const int64_t *permutation = L->Perm;
  double *x = work, *w = work + L->n;
  for (size_t k = 0; k < L->n; k++) x[k] = B[permutation[k]];
  for (size_t k = 0; k < L->nsuper; k++) {
    Supernode s = supernode(L, k);
    gather(&s, x, w);
    forward(&s, w);
    for (size_t i = 0; i < s.cols; i++) x[s.first + i] = w[i];
    for (size_t i = s.cols; i < s.rows; i++) x[s.places[i]] = w[i];
  }
  for (size_t k = L->nsuper; k-- > 0;) {
    Supernode s = supernode(L, k);
    gather(&s, x, w);
    backward(&s, w);
    for (size_t i = 0; i < s.cols; i++) x[s.first + i] = w[i];
  }
  for (size_t k = 0; k < L->n; k++) X[permutation[k]] = x[k];
}
