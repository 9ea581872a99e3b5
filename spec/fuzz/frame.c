/* frame.c - frames from bytes that need not be any, with descriptors that need not be any. */
#include "fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <fcntl.h>
#include <uv.h>
#include "wire/frame.h"

enum { LIMIT = 1 << 20, SEGMENT = 1 << 16 };

/* Descriptors as a worker would send them, or not quite. */
static int fetch (void *user, int *fds, int n) {
  unsigned *state = user;
  for (int i = 0; i < n; i++) {
    unsigned kind = (*state)++ % 4;
    if (kind == 3) return i; /* no more of them */
    fds[i] = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fds[i] < 0) return i;
    if (kind > 0 && ftruncate(fds[i], SEGMENT) < 0) abort();
    if (kind > 1) fcntl(fds[i], F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE);
  }
  return n;
}

static uint64_t mix (uint64_t hash, const void *bytes, size_t n) {
  const uint8_t *b = bytes;
  for (size_t i = 0; i < n; i++) hash = (hash ^ b[i]) * 0x100000001b3u;
  return hash;
}

/* All that a reader makes of the bytes when they come in pieces of so many. */
static uint64_t read_all (const uint8_t *data, size_t size, size_t piece) {
  unsigned state = 2;
  FrameReader *r = frame_reader_new(LIMIT);
  frame_reader_set_fetch(r, fetch, &state);
  uint64_t hash = 0xcbf29ce484222325u;
  int rc = 0;
  while (size > 0 && rc == 0) {
    uint8_t *where;
    size_t room;
    frame_reader_space(r, &where, &room);
    size_t n = room < size ? room : size;
    if (n > piece) n = piece;
    memcpy(where, data, n);
    rc = frame_reader_feed(r, n);
    data += n;
    size -= n;
    Message m;
    while (frame_reader_next(r, &m)) {
      hash = mix(hash, &m.type, 1);
      hash = mix(hash, &m.request, sizeof m.request);
      if (m.parcel != NULL) hash = mix(hash, m.parcel->bytes, m.parcel->len);
      for (uint32_t i = 0; m.parcel != NULL && i < m.parcel->n_slices; i++) {
        const void *bytes;
        int opened = snapshot_bytes(m.parcel->slices[i], &bytes);
        if (opened == 0) hash = mix(hash, bytes, snapshot_len(m.parcel->slices[i]));
      }
      message_fini(&m);
    }
  }
  if (rc < 0 && rc != UV_ENOMEM && frame_reader_error(r) == NULL) abort();
  bool is_idle = frame_reader_is_idle(r);
  hash = mix(hash, &is_idle, sizeof is_idle);
  frame_reader_free(r);
  return rc == 0 ? hash : 0;
}

/* The first byte: the pieces, which must make no difference. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  uint64_t whole = read_all(data + 1, size - 1, SIZE_MAX);
  uint64_t pieces = read_all(data + 1, size - 1, data[0] + 1u);
  if (whole != pieces) abort();
  return 0;
}
