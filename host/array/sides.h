/* sides.h - right-hand sides of linear systems: a Matrix, a VectorArray or a list of numbers. The
   solution is of the same kind. */
#ifndef SIDES_H
#define SIDES_H

#include <stdbool.h>
#include <stddef.h>
#include <lua.h>

typedef enum SidesKind { SIDES_MATRIX, SIDES_ARRAY, SIDES_LIST } SidesKind;

typedef struct Sides {
  SidesKind kind;
  bool is_complex;
  int arg;
  size_t rows, n;     /* n columns */
  const double *list; /* of SIDES_LIST: its numbers, in a scratch userdata that was pushed */
} Sides;

/* What stands at arg; raises unless it has the given number of rows. */
Sides sides_check (lua_State *L, int arg, size_t rows);

/* Raises, naming the place, where a number is NaN or infinite. */
void sides_check_finite (lua_State *L, const Sides *s);

/* Raises where a number of a solution, n columns of so many rows, is NaN or infinite: all that went
   in was finite. */
void sides_check_solution (lua_State *L, const double *x, size_t rows, size_t n,
                           bool is_complex);

/* Copies the columns to x, ld numbers apart, as they are. */
void sides_copy (lua_State *L, const Sides *s, double *x, size_t ld);

/* Copies them as complex numbers. */
void sides_copy_complex (lua_State *L, const Sides *s, double *x, size_t ld);

/* Copies complex columns as real ones: all real parts, then all imaginary parts. */
void sides_copy_parts (lua_State *L, const Sides *s, double *x, size_t ld);

/* Pushes an object for a solution of the given rows and returns its memory, to be filled before the
   next call into Lua; sides_finish then makes it what the caller gets. */
double *sides_push (lua_State *L, const Sides *s, size_t rows, bool is_complex);
void sides_finish (lua_State *L, const Sides *s, size_t rows, bool is_complex);

#endif
