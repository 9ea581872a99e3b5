/* random.h - a stream of random numbers that its seed alone determines. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Random {
  uint64_t s[4]; /* xoshiro256** */
  double spare;  /* the second normal number of a pair */
  bool has_spare;
} Random;

void random_init (Random *r, uint64_t seed);
void random_uniform (Random *r, double low, double high, double *x,
                     size_t n); /* in [low, high) */
void random_normal (Random *r, double loc, double scale, double *x, size_t n);

#endif
