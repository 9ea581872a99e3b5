/* sparsekernel.c - arithmetic on compressed columns. */
#include "array/sparsekernel.h"

#include <string.h>

void sparsekernel_apply (const Pattern *p, const double *x, size_t n, const double *U,
                         size_t ldu, double *Y) {
  memset(Y, 0, n * p->rows * sizeof *Y);
  for (size_t v = 0; v < n; v++) {
    const double *u = U + v * ldu;
    double *y = Y + v * p->rows;
    for (size_t j = 0; j < p->cols; j++) {
      double factor = u[j];
      for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++)
        y[p->indices[k]] += x[k] * factor;
    }
  }
}

/* Four vectors at a time: the matrix is read once for them. */
static void gather4 (const Pattern *p, const double *x, const double *V, size_t ldv,
                     double *Y) {
  const double *v0 = V, *v1 = V + ldv, *v2 = v1 + ldv, *v3 = v2 + ldv;
  for (size_t j = 0; j < p->cols; j++) {
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      int64_t i = p->indices[k];
      s0 += x[k] * v0[i];
      s1 += x[k] * v1[i];
      s2 += x[k] * v2[i];
      s3 += x[k] * v3[i];
    }
    Y[j] = s0;
    Y[j + p->cols] = s1;
    Y[j + 2 * p->cols] = s2;
    Y[j + 3 * p->cols] = s3;
  }
}

/* Entries ahead of which those of a large matrix are asked for: processors do so themselves, but not
   far enough where two arrays are read side by side. */
enum { AHEAD = 256 };

static void prefetch (const void *entry) {
  __builtin_prefetch((const char *)((uintptr_t)entry + AHEAD * sizeof(double)));
}

/* One vector. Two columns at a time where they are of one length: the second sum need not wait for
   the first. Each runs in the order of the entries all the same. */
static void gather (const Pattern *p, const double *x, const double *v, double *y) {
  const int64_t *starts = p->starts, *indices = p->indices;
  for (size_t j = 0; j < p->cols;) {
    int64_t k = starts[j], end = starts[j + 1], n = end - k;
    double s = 0, t = 0;
    prefetch(x + k);
    prefetch(indices + k);
    if (j + 1 < p->cols && starts[j + 2] - end == n) {
      for (; k < end; k++) {
        s += x[k] * v[indices[k]];
        t += x[k + n] * v[indices[k + n]];
      }
      y[j + 1] = t;
      y[j] = s;
      j += 2;
    } else {
      for (; k < end; k++) s += x[k] * v[indices[k]];
      y[j++] = s;
    }
  }
}

void sparsekernel_apply_adjoint (const Pattern *p, const double *x, size_t n, const double *V,
                                 size_t ldv, double *Y) {
  for (; n >= 4; n -= 4, V += 4 * ldv, Y += 4 * p->cols) gather4(p, x, V, ldv, Y);
  for (; n > 0; n--, V += ldv, Y += p->cols) gather(p, x, V, Y);
}

void sparsekernel_apply_complex (const Pattern *p, const double *x, size_t n, const double *U,
                                 size_t ldu, double *Y) {
  memset(Y, 0, n * p->rows * 2 * sizeof *Y);
  for (size_t v = 0; v < n; v++) {
    const double *u = U + 2 * v * ldu;
    double *y = Y + 2 * v * p->rows;
    for (size_t j = 0; j < p->cols; j++) {
      double re = u[2 * j], im = u[2 * j + 1];
      for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
        int64_t i = p->indices[k];
        y[2 * i] += x[2 * k] * re - x[2 * k + 1] * im;
        y[2 * i + 1] += x[2 * k] * im + x[2 * k + 1] * re;
      }
    }
  }
}

void sparsekernel_gather_complex (const Pattern *p, const double *x, bool conjugate, size_t n,
                                  const double *V, size_t ldv, double *Y) {
  double sign = conjugate ? -1 : 1;
  for (; n > 0; n--, V += 2 * ldv, Y += 2 * p->cols) {
    for (size_t j = 0; j < p->cols; j++) {
      double re = 0, im = 0;
      for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
        const double *v = V + 2 * p->indices[k];
        double b = sign * x[2 * k + 1];
        re += x[2 * k] * v[0] - b * v[1];
        im += x[2 * k] * v[1] + b * v[0];
      }
      Y[2 * j] = re;
      Y[2 * j + 1] = im;
    }
  }
}

void sparsekernel_lincomb_complex (double *z, size_t nnz, size_t n, const double *coefficients,
                                   const double *const *x, const bool *are_complex,
                                   const size_t *lens, const int64_t *const *maps) {
  memset(z, 0, nnz * 2 * sizeof *z);
  for (size_t i = 0; i < n; i++) {
    double re = coefficients[2 * i], im = coefficients[2 * i + 1];
    for (size_t k = 0; k < lens[i]; k++) {
      double a = are_complex[i] ? x[i][2 * k] : x[i][k],
             b = are_complex[i] ? x[i][2 * k + 1] : 0;
      double *to = z + 2 * (maps == NULL || maps[i] == NULL ? k : (size_t)maps[i][k]);
      to[0] += re * a - im * b;
      to[1] += re * b + im * a;
    }
  }
}

void sparsekernel_lincomb (double *z, size_t nnz, size_t n, const double *coefficients,
                           const double *const *x, const size_t *lens,
                           const int64_t *const *maps) {
  memset(z, 0, nnz * sizeof *z);
  for (size_t i = 0; i < n; i++) {
    const double alpha = coefficients[i], *restrict xi = x[i];
    const int64_t *map = maps == NULL ? NULL : maps[i];
    if (map == NULL) {
      for (size_t k = 0; k < nnz; k++) z[k] += alpha * xi[k];
    } else {
      for (size_t k = 0; k < lens[i]; k++) z[map[k]] += alpha * xi[k];
    }
  }
}

void sparsekernel_transpose (const Pattern *p, const double *x, size_t width,
                             const int64_t *starts, int64_t *indices, double *y,
                             int64_t *next) {
  memcpy(next, starts, (p->rows + 1) * sizeof *next);
  for (size_t j = 0; j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      int64_t place = next[p->indices[k]]++;
      indices[place] = (int64_t)j;
      for (size_t w = 0; w < width; w++)
        y[width * (size_t)place + w] = x[width * (size_t)k + w];
    }
  }
}

int sparsekernel_is_symmetric (const Pattern *p, const double *x, size_t width, int64_t *next) {
  memcpy(next, p->starts, p->cols * sizeof *next);
  for (size_t j = 0; j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      size_t other = (size_t)next[p->indices[k]]++;
      for (size_t w = 0; w < width; w++) { /* NaN is never symmetric */
        if (x[width * other + w] != x[width * (size_t)k + w]) return 0;
      }
    }
  }
  return 1;
}

int sparsekernel_is_hermitian (const Pattern *p, const double *x, int64_t *next) {
  memcpy(next, p->starts, p->cols * sizeof *next);
  for (size_t j = 0; j < p->cols; j++) {
    for (int64_t k = p->starts[j]; k < p->starts[j + 1]; k++) {
      const double *other = x + 2 * next[p->indices[k]]++;
      if (other[0] != x[2 * k] || other[1] != -x[2 * k + 1]) return 0;
    }
  }
  return 1;
}
