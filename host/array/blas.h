/* blas.h - what BLAS runs on. */
#ifndef BLAS_H
#define BLAS_H

#include <lua.h>

/* array.blas_threads([n]) -> the number so far; with n it is set. */
int blas_l_threads (lua_State *L);

/* array.blas_kernels() -> the name of the processor that they are for. */
int blas_l_kernels (lua_State *L);

#endif
