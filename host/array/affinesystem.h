/* affinesystem.h - how a reduced system with affine parameter dependence lies in memory; for the
   affine*.c files only. */
#ifndef AFFINESYSTEM_H
#define AFFINESYSTEM_H

#include "array/affinekernel.h"

/* Rows of M are packed by four, one vector, and zero rows fill the last group of four blocks: for
   one parameter alone, the sums of a group are under way at once. */
enum { AFFINE_ROWS = 4, AFFINE_GROUP = 4 };

struct AffineSystem {
  size_t n, q, k, r;
  size_t w;       /* k + q * n: columns of M */
  size_t blocks;  /* of rows of M, a multiple of AFFINE_GROUP */
  double *A;      /* q times n * n entries */
  double *f;      /* k times n entries */
  double *M;      /* blocks times w columns times AFFINE_ROWS */
  size_t *starts; /* blocks: the first column that is not zero */
  double *theta, *thetaf, *matrix, *diagonal, *u, *wvec, *norms; /* workspace, interleaved */
};

#endif
