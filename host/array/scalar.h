/* scalar.h - what arrays are multiplied by: plain numbers and complex numbers in Lua. A complex
   number is an immutable userdata. Complex arrays hold their numbers as LAPACK and NumPy do: real
   part, imaginary part, one after the other. */
#ifndef SCALAR_H
#define SCALAR_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <lua.h>

#define SCALAR_TNAME "neap.complex"

typedef struct Scalar {
  double complex value;
  bool is_complex; /* false: a plain number; the imaginary part is 0 */
} Scalar;

static inline double complex scalar_of (double re, double im) {
  union {
    double parts[2];
    double complex z;
  } u = {{re, im}};
  return u.z; /* re + im * I would lose infinities */
}

void scalar_push (lua_State *L, double complex z); /* a complex number, whatever its parts */

/* Is the value a number of one of the kinds? */
bool scalar_test (lua_State *L, int index, Scalar *s);

/* The complex number at index, or NULL for any other value, numbers included; its two parts live
   as long as Lua sees it. */
const double *scalar_parts (lua_State *L, int index);

Scalar scalar_check (lua_State *L, int arg); /* raises an argument error */

/* The scalar at the top of the stack, which is popped; what names it in the message. */
Scalar scalar_pop (lua_State *L, int arg, const char *format, ...)
  __attribute__((format(printf, 3, 4)));

/* The list of n scalars at arg, in a scratch userdata that is pushed: n doubles, or twice as many
   when one of them is complex. There is room for twice as many in any case. */
double *scalar_list (lua_State *L, int arg, size_t n, bool *is_complex);
void scalar_widen (double *x, size_t n); /* from n plain numbers to n complex ones, in place */

/* Pushes the n doubles, or complex numbers, as a list; stride counts numbers. */
void scalar_push_list (lua_State *L, const double *x, bool is_complex, size_t n, size_t stride);

/* complex(re [, im]) -> complex number */
int scalar_l_complex (lua_State *L);

void scalar_open (lua_State *L); /* registers complex numbers in a fresh Lua state */

#endif
