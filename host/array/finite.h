/* finite.h - where NaN or infinity stands in a run of numbers. */
#ifndef FINITE_H
#define FINITE_H

#include <math.h>
#include <stddef.h>

/* How many numbers come before the first that is not finite; n when all are. In pieces without a
   branch, so that the compiler can take several at once. */
static inline size_t finite_count (const double *x, size_t n) {
  size_t first = 0;
  while (first < n) {
    size_t end = n - first > 64 ? first + 64 : n;
    int wrong = 0;
    for (size_t k = first; k < end; k++) wrong |= !(fabs(x[k]) < INFINITY);
    if (wrong) {
      while (isfinite(x[first])) first++;
      return first;
    }
    first = end;
  }
  return n;
}

#endif
