/* sides.h - right-hand sides of linear systems: a Matrix, a VectorArray or a list of numbers. The
   solution is of the same kind. */
#ifndef SIDES_H
#define SIDES_H

#include <stddef.h>
#include <lua.h>

typedef enum SidesKind { SIDES_MATRIX, SIDES_ARRAY, SIDES_LIST } SidesKind;

/* What stands at arg, with n columns; raises unless it has the given number of rows. */
SidesKind sides_check (lua_State *L, int arg, size_t rows, size_t *n);

/* Copies the columns to x, ld apart. */
void sides_copy (lua_State *L, int arg, SidesKind kind, size_t rows, double *x, size_t ld);

/* Pushes an object for the solution and returns its memory, to be filled before the next call into
   Lua; sides_finish then makes it what the caller gets. */
double *sides_push (lua_State *L, SidesKind kind, size_t rows, size_t n);
void sides_finish (lua_State *L, SidesKind kind, size_t rows);

#endif
