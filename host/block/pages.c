/* pages.c - which pages of a private mapping have been written: the kernel's table knows. */
#include "block/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

/* /proc/self/pagemap: 64 bits for each page of this process. */
enum { ENTRIES = 4096 };
static const uint64_t present = (uint64_t)1 << 63, swapped = (uint64_t)1 << 62;
static const uint64_t of_file = (uint64_t)1 << 61;

size_t pages_size (void) {
  return (size_t)sysconf(_SC_PAGESIZE);
}

static bool add (PageRuns *r, size_t at, size_t size) {
  PageRun *last = r->n > 0 ? &r->runs[r->n - 1] : NULL;
  r->len += size;
  if (last != NULL && last->first + last->len == at) {
    last->len += size;
    return true;
  }
  if (r->n == r->room) {
    size_t room = r->room * 2 + 16;
    PageRun *runs = realloc(r->runs, room * sizeof *runs);
    if (runs == NULL) return false;
    r->runs = runs;
    r->room = room;
  }
  r->runs[r->n++] = (PageRun){.first = at, .len = size};
  return true;
}

int pages_written (const void *data, size_t n, PageRuns *r) {
  *r = (PageRuns){0};
  if (n == 0) return 0;
  size_t size = pages_size(), first = (uintptr_t)data / size;
  size_t left = ((uintptr_t)data + n - 1) / size - first + 1, at = 0;
  uint64_t *entries = malloc(ENTRIES * sizeof *entries);
  int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  int rc = entries == NULL ? UV_ENOMEM : fd < 0 ? -errno : 0;
  while (rc == 0 && left > 0) {
    size_t want = left < ENTRIES ? left : ENTRIES;
    off_t where = (off_t)((first + at / size) * sizeof *entries);
    ssize_t got = pread(fd, entries, want * sizeof *entries, where);
    if (got < (ssize_t)sizeof *entries) {
      rc = got < 0 ? -errno : UV_EIO;
      break;
    }
    size_t count = (size_t)got / sizeof *entries;
    for (size_t i = 0; i < count && rc == 0; i++, at += size) {
      bool is_there = (entries[i] & (present | swapped)) != 0;
      if (is_there && (entries[i] & of_file) == 0 && !add(r, at, size)) rc = UV_ENOMEM;
    }
    left -= count;
  }
  if (fd >= 0) close(fd);
  free(entries);
  if (rc < 0) pages_fini(r);
  return rc;
}

void pages_fini (PageRuns *r) {
  free(r->runs);
  *r = (PageRuns){0};
}
