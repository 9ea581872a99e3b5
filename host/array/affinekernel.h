/* affinekernel.h - reduced systems with affine parameter dependence, many parameters at a time.

   For a parameter with the coefficients theta (Q of them) and thetaf (K) it solves
     sum_q theta[q] A_q u = sum_k thetaf[k] f_k            (N unknowns)
   and takes the Euclidean norm of M w, R rows, with
     w = (thetaf[1..K], theta[1] u[1], ..., theta[Q] u[1], theta[1] u[2], ..., theta[Q] u[N]).
   With this order a basis that grows only appends columns to M, and when its rows are the
   coefficients in a basis of the residuals' range that is orthonormalised in the same order, M is
   upper trapezoidal: what is zero at the left of its rows is left out.

   A parameter's bits depend on nothing but the system and its coefficients: neither on the
   parameters beside it, nor on how many there are, nor on the processor. That is why there is no
   BLAS here: every sum runs in one stated order, without fused multiply-adds, for one parameter as
   for the AFFINE_LANES that are worked on side by side. No Lua. */
#ifndef AFFINEKERNEL_H
#define AFFINEKERNEL_H

#include <stdbool.h>
#include <stddef.h>

enum { AFFINE_LANES = 8 };

typedef struct AffineSystem AffineSystem;

/* Bytes of memory for a system, workspace included; 0 when that overflows. */
size_t affinesystem_len (size_t n, size_t q, size_t k, size_t r);

/* Sets up a system in memory of that length, aligned to 8 bytes; without residual r is 0. */
AffineSystem *affinesystem_init (void *memory, size_t n, size_t q, size_t k, size_t r);

/* Fill it: A_q column-major, f_k, and M column-major, R rows; M after all others. */
void affinesystem_set_operator (AffineSystem *s, size_t q, const double *A);
void affinesystem_set_rhs (AffineSystem *s, size_t k, const double *f);
void affinesystem_set_residual (AffineSystem *s, const double *M);

/* Solves for p parameters, whose coefficients are columns of theta and thetaf; solutions to the
   columns of U, norms of residuals to norms, unless they are NULL. Returns p, or the index from 0 of
   the first parameter whose matrix is singular. */
size_t affinesystem_solve (AffineSystem *s, size_t p, const double *theta, const double *thetaf,
                           double *U, double *norms);

#endif
