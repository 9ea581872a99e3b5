/* affinekernel.c - reduced systems with affine parameter dependence.
   Arrays of the workspace are interleaved: component i of lane l is x[i * lanes + l], lanes being
   AFFINE_LANES for parameters side by side and 1 for a parameter alone. The bodies are inlined
   with lanes known and compiled for two instruction sets; the bits are the same. */
#include "array/affinesystem.h"

#include <math.h>
#include <string.h>

enum { ROWS = AFFINE_ROWS, GROUP = AFFINE_GROUP };

/* Elimination without pivoting goes on while multipliers stay below 64 and pivots keep ten digits
   less than their diagonal entries had; otherwise the parameter is solved anew with pivoting. */
static const double multiplier_min = 1.0 / 64, cancellation = 1e-10;
static const double pivot_min = 3.6e-15; /* relative to the column: 16 rounding errors */

#define INLINE static inline __attribute__((always_inline))

/* Four doubles wherever they stand. */
typedef double Vector __attribute__((vector_size(32), aligned(8), may_alias));

/* --- sums of matrices ------------------------------------------------------------------------ */

/* out[e] = sum over q of theta[q] * A[q][e], for m entries. */
INLINE void assemble_lanes (size_t m, size_t n_q, const double *A, const double *theta,
                            double *out) {
  const Vector *t = (const Vector *)theta;
  Vector *y = (Vector *)out;
  size_t e = 0;
  for (; e + 4 <= m; e += 4) {
    Vector sum[8] = {{0}};
    for (size_t q = 0; q < n_q; q++) {
      const double *a = A + q * m + e;
      for (int i = 0; i < 4; i++) {
        sum[2 * i] += a[i] * t[2 * q];
        sum[2 * i + 1] += a[i] * t[2 * q + 1];
      }
    }
    for (size_t i = 0; i < 8; i++) y[2 * e + i] = sum[i];
  }
  for (; e < m; e++) {
    Vector sum0 = {0}, sum1 = {0};
    for (size_t q = 0; q < n_q; q++) {
      sum0 += A[q * m + e] * t[2 * q];
      sum1 += A[q * m + e] * t[2 * q + 1];
    }
    y[2 * e] = sum0;
    y[2 * e + 1] = sum1;
  }
}

INLINE void assemble_one (size_t m, size_t n_q, const double *A, const double *theta,
                          double *out) {
  size_t e = 0;
  for (; e + 16 <= m; e += 16) {
    Vector sum[4] = {{0}};
    for (size_t q = 0; q < n_q; q++) {
      const Vector *a = (const Vector *)(A + q * m + e);
      for (int i = 0; i < 4; i++) sum[i] += a[i] * theta[q];
    }
    for (int i = 0; i < 4; i++) ((Vector *)(out + e))[i] = sum[i];
  }
  for (; e < m; e++) {
    double sum = 0;
    for (size_t q = 0; q < n_q; q++) sum += A[q * m + e] * theta[q];
    out[e] = sum;
  }
}

/* --- elimination ----------------------------------------------------------------------------- */

/* y -= x * factor, n rows. */
INLINE void subtract (size_t n, size_t lanes, double *restrict y, const double *restrict x,
                      const double *factor) {
  if (lanes == 1) {
    const double alpha = *factor;
    for (size_t i = 0; i < n; i++) y[i] -= x[i] * alpha;
    return;
  }
  const Vector factor0 = ((const Vector *)factor)[0], factor1 = ((const Vector *)factor)[1];
  for (size_t i = 0; i < n; i++) {
    const Vector *xi = (const Vector *)x + 2 * i;
    Vector *yi = (Vector *)y + 2 * i;
    yi[0] -= xi[0] * factor0;
    yi[1] -= xi[1] * factor1;
  }
}

/* Solves in place: a is n x n, column-major, interleaved; u comes as the right-hand side. good[l]
   tells whether the solution of lane l may be trusted. */
INLINE void eliminate (size_t n, size_t lanes, double *restrict a, double *restrict d,
                       double *restrict u, bool *good) {
  double inverse[AFFINE_LANES], largest[AFFINE_LANES];
  for (size_t l = 0; l < lanes; l++) good[l] = true;
  for (size_t k = 0; k < n; k++) {
    memcpy(d + k * lanes, a + (k * n + k) * lanes, lanes * sizeof *a);
  }
  for (size_t k = 0; k < n; k++) {
    double *column = a + k * n * lanes, *pivot = column + k * lanes;
    for (size_t l = 0; l < lanes; l++) {
      inverse[l] = 1 / pivot[l];
      largest[l] = 0;
    }
    for (size_t i = k + 1; i < n; i++) {
      double *x = column + i * lanes;
      for (size_t l = 0; l < lanes; l++) {
        double size = fabs(x[l]);
        largest[l] = size > largest[l] ? size : largest[l];
        x[l] *= inverse[l];
      }
    }
    for (size_t l = 0; l < lanes; l++) {
      double size = fabs(pivot[l]);
      good[l] &= size >= multiplier_min * largest[l] &&
                 size > cancellation * fabs(d[k * lanes + l]) && d[k * lanes + l] != 0;
      d[k * lanes + l] = inverse[l];
    }
    for (size_t j = k + 1; j < n; j++) {
      double *target = a + (j * n + k) * lanes;
      subtract(n - k - 1, lanes, target + lanes, pivot + lanes, target);
    }
    subtract(n - k - 1, lanes, u + (k + 1) * lanes, pivot + lanes, u + k * lanes);
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t l = 0; l < lanes; l++) u[k * lanes + l] *= d[k * lanes + l];
    subtract(k, lanes, u, a + k * n * lanes, u + k * lanes);
  }
}

/* Elimination of one matrix with row pivoting; false when it is singular to rounding. */
static bool eliminate_pivoting (size_t n, double *a, double *scale, double *u) {
  for (size_t j = 0; j < n; j++) {
    scale[j] = 0;
    for (size_t i = 0; i < n; i++) scale[j] = fmax(scale[j], fabs(a[i + j * n]));
  }
  for (size_t k = 0; k < n; k++) {
    size_t row = k;
    for (size_t i = k + 1; i < n; i++) {
      if (fabs(a[i + k * n]) > fabs(a[row + k * n])) row = i;
    }
    double pivot = a[row + k * n];
    if (!(fabs(pivot) > pivot_min * scale[k]) || isinf(pivot)) return false; /* NaN as well */
    for (size_t j = 0; j < n && row != k; j++) {
      double x = a[k + j * n];
      a[k + j * n] = a[row + j * n];
      a[row + j * n] = x;
    }
    double x = u[k];
    u[k] = u[row];
    u[row] = x;
    for (size_t i = k + 1; i < n; i++) {
      double factor = a[i + k * n] / pivot;
      if (factor == 0) continue;
      for (size_t j = k + 1; j < n; j++) a[i + j * n] -= factor * a[k + j * n];
      u[i] -= factor * u[k];
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t j = k + 1; j < n; j++) u[k] -= a[k + j * n] * u[j];
    u[k] /= a[k + k * n];
  }
  return true;
}

/* --- residuals ------------------------------------------------------------------------------- */

INLINE void fill_w (const AffineSystem *s, size_t lanes) {
  memcpy(s->wvec, s->thetaf, s->k * lanes * sizeof *s->wvec);
  double *w = s->wvec + s->k * lanes;
  for (size_t i = 0; i < s->n; i++) {
    for (size_t q = 0; q < s->q; q++, w += lanes) {
      for (size_t l = 0; l < lanes; l++) w[l] = s->theta[q * lanes + l] * s->u[i * lanes + l];
    }
  }
}

INLINE void norms_lanes (const AffineSystem *s) {
  const Vector *w = (const Vector *)s->wvec;
  Vector square0 = {0}, square1 = {0};
  for (size_t b = 0; b < s->blocks; b++) {
    Vector sum[2 * ROWS] = {{0}};
    const double *m = s->M + (b * s->w + s->starts[b]) * ROWS;
    for (size_t c = s->starts[b]; c < s->w; c++, m += ROWS) {
      for (int i = 0; i < ROWS; i++) {
        sum[2 * i] += m[i] * w[2 * c];
        sum[2 * i + 1] += m[i] * w[2 * c + 1];
      }
    }
    for (int i = 0; i < ROWS; i++) {
      square0 += sum[2 * i] * sum[2 * i];
      square1 += sum[2 * i + 1] * sum[2 * i + 1];
    }
  }
  for (int l = 0; l < 4; l++) {
    s->norms[l] = sqrt(square0[l]);
    s->norms[l + 4] = sqrt(square1[l]);
  }
}

INLINE void norm_one (const AffineSystem *s) {
  double square = 0;
  for (size_t b = 0; b < s->blocks; b += GROUP) {
    Vector sum[GROUP] = {{0}};
    size_t start = s->w;
    for (size_t g = 0; g < GROUP; g++)
      start = s->starts[b + g] < start ? s->starts[b + g] : start;
    const Vector *m = (const Vector *)(s->M + b * s->w * ROWS);
    for (size_t c = start; c < s->w; c++) {
      for (size_t g = 0; g < GROUP; g++) sum[g] += m[g * s->w + c] * s->wvec[c];
    }
    for (size_t g = 0; g < GROUP; g++) {
      for (int i = 0; i < ROWS; i++) square += sum[g][i] * sum[g][i];
    }
  }
  s->norms[0] = sqrt(square);
}

/* --- parameters ------------------------------------------------------------------------------ */

INLINE void assemble (const AffineSystem *s, size_t lanes) {
  if (lanes == 1) {
    assemble_one(s->n * s->n, s->q, s->A, s->theta, s->matrix);
    assemble_one(s->n, s->k, s->f, s->thetaf, s->u);
  } else {
    assemble_lanes(s->n * s->n, s->q, s->A, s->theta, s->matrix);
    assemble_lanes(s->n, s->k, s->f, s->thetaf, s->u);
  }
}

INLINE void solve (const AffineSystem *s, size_t lanes, bool *good) {
  assemble(s, lanes);
  eliminate(s->n, lanes, s->matrix, s->diagonal, s->u, good);
}

INLINE void residual (const AffineSystem *s, size_t lanes) {
  fill_w(s, lanes);
  if (lanes == 1) norm_one(s);
  else norms_lanes(s);
}

typedef struct Kernels {
  void (*solve_one)(const AffineSystem *, bool *);
  void (*solve_lanes)(const AffineSystem *, bool *);
  void (*residual_one)(const AffineSystem *);
  void (*residual_lanes)(const AffineSystem *);
} Kernels;

#define KERNELS(name, attribute)                                                               \
  attribute static void name##_solve_one(const AffineSystem *s, bool *good) {                  \
    solve(s, 1, good);                                                                         \
  }                                                                                            \
  attribute static void name##_solve_lanes(const AffineSystem *s, bool *good) {                \
    solve(s, AFFINE_LANES, good);                                                              \
  }                                                                                            \
  attribute static void name##_residual_one(const AffineSystem *s) {                           \
    residual(s, 1);                                                                            \
  }                                                                                            \
  attribute static void name##_residual_lanes(const AffineSystem *s) {                         \
    residual(s, AFFINE_LANES);                                                                 \
  }                                                                                            \
  static const Kernels name##_kernels = {name##_solve_one, name##_solve_lanes,                 \
                                         name##_residual_one, name##_residual_lanes};

KERNELS(plain, )
#if defined(__x86_64__)
KERNELS(avx2, __attribute__((target("avx2"))))
#endif

static const Kernels *choose (void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return &avx2_kernels;
#endif
  return &plain_kernels;
}

/* Coefficients of lanes parameters from column p on, of which there are p_end: the last one fills
   the lanes that are left. */
static void gather (double *x, size_t m, size_t lanes, const double *theta, size_t p,
                    size_t p_end) {
  for (size_t l = 0; l < lanes; l++) {
    const double *column = theta + (p + l < p_end ? p + l : p_end - 1) * m;
    for (size_t i = 0; i < m; i++) x[i * lanes + l] = column[i];
  }
}

/* Solves for one lane again, with pivoting, from its coefficients. */
static bool solve_again (const AffineSystem *s, size_t lanes, size_t lane, const double *theta,
                         const double *thetaf) {
  size_t n = s->n;
  double *a = s->matrix, *u = a + n * n, *scale = u + n; /* the lanes' are done with */
  assemble_one(n * n, s->q, s->A, theta, a);
  assemble_one(n, s->k, s->f, thetaf, u);
  if (!eliminate_pivoting(n, a, scale, u)) return false;
  for (size_t i = 0; i < n; i++) s->u[i * lanes + lane] = u[i];
  return true;
}

size_t affinesystem_solve (AffineSystem *s, size_t p, const double *theta, const double *thetaf,
                           double *U, double *norms) {
  const Kernels *kernels = choose();
  for (size_t first = 0; first < p;) {
    size_t lanes = p - first == 1 ? 1 : AFFINE_LANES;
    size_t count = p - first < lanes ? p - first : lanes;
    bool good[AFFINE_LANES];
    gather(s->theta, s->q, lanes, theta, first, p);
    gather(s->thetaf, s->k, lanes, thetaf, first, p);
    if (lanes == 1) kernels->solve_one(s, good);
    else kernels->solve_lanes(s, good);
    for (size_t l = 0; l < count; l++) {
      if (good[l]) continue;
      size_t at = first + l;
      if (!solve_again(s, lanes, l, theta + at * s->q, thetaf + at * s->k)) return at;
    }
    for (size_t l = 0; U != NULL && l < count; l++) {
      for (size_t i = 0; i < s->n; i++) U[(first + l) * s->n + i] = s->u[i * lanes + l];
    }
    if (norms != NULL) {
      if (lanes == 1) kernels->residual_one(s);
      else kernels->residual_lanes(s);
      memcpy(norms + first, s->norms, count * sizeof *norms);
    }
    first += count;
  }
  return p;
}
