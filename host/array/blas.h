/* blas.h - what BLAS runs on. */
#ifndef BLAS_H
#define BLAS_H

#include <stddef.h>
#include <lua.h>

/* Around a factorisation of a dense matrix of so many entries: where threads would cost more than
   they do, there is one until blas_restore is given what blas_limit returned. */
int blas_limit (size_t entries);
void blas_restore (int threads);

/* array.blas_threads([n]) -> the number so far; with n it is set. */
int blas_l_threads (lua_State *L);

/* array.blas_kernels() -> the name of the processor that they are for. */
int blas_l_kernels (lua_State *L);

#endif
