/* blas.h - how many threads BLAS runs on. */
#ifndef BLAS_H
#define BLAS_H

#include <lua.h>

/* array.blas_threads([n]) -> the number so far; with n it is set. */
int blas_l_threads (lua_State *L);

#endif
