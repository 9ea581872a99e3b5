/* random.c - xoshiro256** of Blackman and Vigna, seeded through splitmix64. */
#include "array/random.h"

#include <math.h>

static uint64_t rotate (uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

static uint64_t next (Random *r) {
  uint64_t *s = r->s;
  uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

/* In [0, 1), a multiple of 2^-53. */
static double next_unit (Random *r) {
  return (double)(next(r) >> 11) * 0x1p-53;
}

void random_init (Random *r, uint64_t seed) {
  for (int i = 0; i < 4; i++) {
    seed += 0x9e3779b97f4a7c15u;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    r->s[i] = z ^ (z >> 31);
  }
  r->has_spare = false;
}

void random_uniform (Random *r, double low, double high, double *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    double u = next_unit(r);
    double value = low * (1 - u) + high * u; /* high - low could overflow */
    if (value >= high) value = nextafter(high, low);
    x[i] = value < low ? low : value;
  }
}

/* Marsaglia's polar method. */
static double next_normal (Random *r) {
  if (r->has_spare) {
    r->has_spare = false;
    return r->spare;
  }
  double u, v, square;
  do {
    u = 2 * next_unit(r) - 1;
    v = 2 * next_unit(r) - 1;
    square = u * u + v * v;
  } while (square >= 1 || square == 0);
  double factor = sqrt(-2 * log(square) / square);
  r->spare = v * factor;
  r->has_spare = true;
  return u * factor;
}

void random_normal (Random *r, double loc, double scale, double *x, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = loc + scale * next_normal(r);
}
