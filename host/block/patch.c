/* patch.c - the written pages of a range, as bytes that make another mapping of it the same.

   u64 how many runs; for each u64 where it begins in the range, u64 its length; then the bytes of
   all runs. Of this machine alone, so in its own byte order. */
#include "block/patch.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <uv.h>

enum { WORD = sizeof(uint64_t) };

/* Reads the word once: it may lie in memory that its sender can still write to, after the check. */
static uint64_t get (const char *p, size_t i) {
  uint64_t x;
  memcpy(&x, p + i * WORD, WORD);
  atomic_signal_fence(memory_order_acquire);
  return x;
}

static void put (char *p, size_t i, uint64_t x) {
  memcpy(p + i * WORD, &x, WORD);
}

/* The part of a run that lies inside the range, which begins misfit bytes after its first page. */
static void clip (const PageRun *run, size_t misfit, size_t len, size_t *first, size_t *n) {
  size_t end = run->first + run->len - misfit;
  *first = run->first < misfit ? 0 : run->first - misfit;
  *n = (end < len ? end : len) - *first;
}

int patch_new (Snapshot **patch, const PageRuns *runs, const char *data, size_t len) {
  size_t misfit = (uintptr_t)data % pages_size(), head = WORD * (1 + 2 * runs->n), total = head;
  size_t first, n;
  for (size_t i = 0; i < runs->n; i++) {
    clip(&runs->runs[i], misfit, len, &first, &n);
    total += n;
  }
  Block *b;
  void *bytes;
  int rc = block_new(&b, total);
  if (rc < 0) return rc;
  rc = block_write(&b, 0, &bytes);
  if (rc == 0) {
    char *p = bytes;
    put(p, 0, runs->n);
    for (size_t i = 0, at = head; i < runs->n; i++, at += n) {
      clip(&runs->runs[i], misfit, len, &first, &n);
      put(p, 1 + 2 * i, first);
      put(p, 2 + 2 * i, n);
      memcpy(p + at, data + first, n);
    }
    rc = snapshot_new(patch, b, 0, total);
  }
  block_release(b);
  return rc;
}

int patch_apply (Snapshot *patch, char *data, size_t len) {
  const void *bytes;
  int rc = snapshot_bytes(patch, &bytes);
  if (rc < 0) return rc;
  const char *p = bytes;
  size_t size = snapshot_len(patch);
  uint64_t n_runs = size < WORD ? 0 : get(p, 0);
  if (size < WORD || n_runs > (size - WORD) / (2 * WORD)) return UV_EPROTO;
  size_t at = WORD * (1 + 2 * (size_t)n_runs);
  for (size_t i = 0; i < n_runs; i++) {
    uint64_t first = get(p, 1 + 2 * i), n = get(p, 2 + 2 * i);
    if (first > len || n > len - first || n > size - at) return UV_EPROTO;
    memcpy(data + first, p + at, (size_t)n);
    at += (size_t)n;
  }
  return 0;
}
