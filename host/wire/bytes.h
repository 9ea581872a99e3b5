/* bytes.h - numbers as little-endian bytes. */
#ifndef BYTES_H
#define BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void put_le16 (uint8_t *p, uint16_t x) {
  x = htole16(x);
  memcpy(p, &x, sizeof x);
}

static inline void put_le32 (uint8_t *p, uint32_t x) {
  x = htole32(x);
  memcpy(p, &x, sizeof x);
}

static inline void put_le64 (uint8_t *p, uint64_t x) {
  x = htole64(x);
  memcpy(p, &x, sizeof x);
}

static inline uint32_t get_le32 (const uint8_t *p) {
  uint32_t x;
  memcpy(&x, p, sizeof x);
  return le32toh(x);
}

static inline uint64_t get_le64 (const uint8_t *p) {
  uint64_t x;
  memcpy(&x, p, sizeof x);
  return le64toh(x);
}

static inline uint64_t bits_of_double (double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double double_of_bits (uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Seven bits a byte, the lowest first. Returns how many bytes were written, at most 10. */
enum { VARINT_MAX = 10 };
static inline unsigned put_varint (uint8_t *p, uint64_t x) {
  unsigned n = 0;
  while (x >= 0x80) {
    p[n++] = (uint8_t)(x | 0x80);
    x >>= 7;
  }
  p[n++] = (uint8_t)x;
  return n;
}

/* FNV-1a over eight bytes at a time: tells contents apart, no more. */
static inline uint64_t hash_bytes (const void *data, size_t len) {
  const uint8_t *p = data;
  uint64_t h = 0xcbf29ce484222325u ^ len;
  for (; len >= 8; p += 8, len -= 8) {
    h = (h ^ get_le64(p)) * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
  }
  for (; len > 0; p++, len--) h = (h ^ *p) * 0x100000001b3u;
  return h ^ (h >> 29);
}

#endif
