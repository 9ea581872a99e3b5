/* affinesystem.c - the memory of a reduced system with affine parameter dependence. */
#include "array/affinesystem.h"

#include <stdbool.h>
#include <string.h>

enum { ROWS = AFFINE_ROWS, GROUP = AFFINE_GROUP };

static size_t blocks_of (size_t r) {
  return (r + ROWS * GROUP - 1) / (ROWS * GROUP) * GROUP;
}

typedef struct Sizes {
  size_t A, f, M, starts, theta, thetaf, matrix, diagonal, u, wvec, norms;
} Sizes;

static bool fits (size_t a, size_t b) {
  return a == 0 || b <= ((size_t)1 << 40) / a;
}

/* In doubles; false when a size is beyond all reason. */
static bool find_sizes (Sizes *z, size_t n, size_t q, size_t k, size_t r) {
  const size_t most = (size_t)1 << 20;
  if (n > most || q > most || k > most || r > most || !fits(n * n, q) || !fits(n, q))
    return false;
  size_t w = k + q * n;
  if (!fits(w, r + ROWS * GROUP) || !fits(n, k)) return false;
  *z = (Sizes){
    .A = n * n * q,
    .f = n * k,
    .M = blocks_of(r) * ROWS * w,
    .starts = blocks_of(r),
    .theta = q * AFFINE_LANES,
    .thetaf = k * AFFINE_LANES,
    .matrix = n * n * AFFINE_LANES,
    .diagonal = n * AFFINE_LANES,
    .u = n * AFFINE_LANES,
    .wvec = w * AFFINE_LANES,
    .norms = AFFINE_LANES,
  };
  return true;
}

size_t affinesystem_len (size_t n, size_t q, size_t k, size_t r) {
  Sizes z;
  if (!find_sizes(&z, n, q, k, r)) return 0;
  size_t sum = z.A + z.f + z.M + z.starts + z.theta + z.thetaf + z.matrix + z.diagonal + z.u +
               z.wvec + z.norms;
  return sizeof(AffineSystem) + sum * sizeof(double);
}

AffineSystem *affinesystem_init (void *memory, size_t n, size_t q, size_t k, size_t r) {
  Sizes z;
  if (!find_sizes(&z, n, q, k, r)) return NULL;
  AffineSystem *s = memory;
  *s = (AffineSystem){.n = n, .q = q, .k = k, .r = r, .w = k + q * n, .blocks = blocks_of(r)};
  s->A = (double *)(s + 1);
  s->f = s->A + z.A;
  s->M = s->f + z.f;
  s->theta = s->M + z.M;
  s->thetaf = s->theta + z.theta;
  s->matrix = s->thetaf + z.thetaf;
  s->diagonal = s->matrix + z.matrix;
  s->u = s->diagonal + z.diagonal;
  s->wvec = s->u + z.u;
  s->norms = s->wvec + z.wvec;
  s->starts = (size_t *)(void *)(s->norms + z.norms);
  return s;
}

void affinesystem_set_operator (AffineSystem *s, size_t q, const double *A) {
  if (s->n > 0) memcpy(s->A + q * s->n * s->n, A, s->n * s->n * sizeof *A);
}

void affinesystem_set_rhs (AffineSystem *s, size_t k, const double *f) {
  if (s->n > 0) memcpy(s->f + k * s->n, f, s->n * sizeof *f);
}

static size_t first_column (const AffineSystem *s, const double *M, size_t block) {
  for (size_t c = 0; c < s->w; c++) {
    for (size_t i = block * ROWS; i < (block + 1) * ROWS && i < s->r; i++) {
      if (M[i + c * s->r] != 0) return c;
    }
  }
  return s->w;
}

void affinesystem_set_residual (AffineSystem *s, const double *M) {
  memset(s->M, 0, s->blocks * ROWS * s->w * sizeof *M);
  for (size_t b = 0; b < s->blocks; b++) s->starts[b] = first_column(s, M, b);
  for (size_t c = 0; c < s->w; c++) {
    for (size_t i = 0; i < s->r; i++) {
      s->M[(i / ROWS * s->w + c) * ROWS + i % ROWS] = M[i + c * s->r];
    }
  }
}
