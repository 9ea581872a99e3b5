/* segment.c - memory that processes share: a memfd, mapped, sealed when it is sent, recycled. */
#include "block/segment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include "block/hugepages.h"
#include "block/store.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE };

/* Whole pages, and no more than nine sizes between n and 2 n, so that segments can be used again
   for a little more or less. 0 when there is no such size. */
static size_t round_len (size_t len) {
  size_t step = (size_t)sysconf(_SC_PAGESIZE);
  while (step < len / 16) step *= 2;
  return len > PTRDIFF_MAX / 2 ? 0 : hugepages_round((len + step - 1) / step * step);
}

static int create (size_t len) {
  int fd = memfd_create("neap", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL) fd = memfd_create("neap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -errno;
  if (ftruncate(fd, (off_t)len) == 0) return fd;
  int rc = -errno;
  close(fd);
  return rc;
}

static int make (Segment **result, size_t len) {
  if (!store_has_descriptors()) return UV_EMFILE;
  Segment *s = calloc(1, sizeof *s);
  if (s == NULL) return UV_ENOMEM;
  int fd = create(len);
  void *map = fd < 0 ? MAP_FAILED : hugepages_map(len, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) {
    int rc = fd < 0 ? fd : -errno;
    if (fd >= 0) close(fd);
    free(s);
    return rc;
  }
  *s = (Segment){.refs = 1, .len = len, .fd = fd, .given = -1, .map = map, .lacks_pages = true};
  store_get()->n_descriptors++;
  store_hold(len);
  *result = s;
  return 0;
}

int segment_new (Segment **s, size_t len, bool *is_fresh) {
  len = round_len(len);
  if (len == 0) return UV_ENOMEM;
  Segment *idle = store_take(len);
  *is_fresh = idle == NULL;
  if (idle != NULL) {
    idle->refs = 1;
    *s = idle;
    return 0;
  }
  int rc = make(s, len);
  if (rc == 0 || store_get()->idle_len == 0) return rc;
  store_trim(0); /* the machine is short of something that idle segments have */
  return make(s, len);
}

Segment *segment_retain (Segment *s) {
  s->refs++;
  return s;
}

void segment_release (Segment *s) {
  if (s == NULL) return;
  assert(s->refs > 0);
  if (--s->refs > 0) return;
  if (s->map != NULL) {
    store_keep(s);
  } else {
    store_let_go(s->len);
    segment_destroy(s);
  }
}

static void close_descriptor (int *fd) {
  if (*fd < 0) return;
  close(*fd);
  *fd = -1;
  store_get()->n_descriptors--;
}

void segment_destroy (Segment *s) {
  if (s->is_sealed) store_forget(s);
  if (s->map != NULL) munmap(s->map, s->len);
  close_descriptor(&s->given);
  close_descriptor(&s->fd);
  free(s);
}

void segment_populate (Segment *s, size_t first, size_t last) {
  if (s->lacks_pages) hugepages_populate(s->map, first, last);
  if (first == 0 && last == s->len) s->lacks_pages = false;
}

int segment_fill (Segment *s, bool is_fresh, const void *data, size_t len) {
  assert(len <= s->len);
  size_t done = len;
  if (is_fresh) {
    s->lacks_pages = false;
    done = hugepages_populate(s->map, 0, s->len);
    if (done > len) done = len;
  }
  memcpy(s->map, data, done);
  /* Into pages that do not exist yet, the kernel copies almost twice as fast as page faults let
     us. */
  while (done < len) {
    ssize_t n = pwrite(s->fd, (const char *)data + done, len - done, (off_t)done);
    if (n < 0 && errno != EINTR) return -errno;
    if (n > 0) done += (size_t)n;
  }
  return 0;
}

static int identify (Segment *s) {
  struct stat st;
  if (fstat(s->fd, &st) != 0) return -errno;
  s->dev = st.st_dev;
  s->ino = st.st_ino;
  s->is_sealed = true;
  store_know(s);
  return 0;
}

int segment_seal (Segment *s) {
  if (s->is_sealed) return 0;
  if (s->fd < 0) return UV_EBADF;
  if (fcntl(s->fd, F_ADD_SEALS, SEALS) != 0) return -errno;
  return identify(s);
}

static int reopen (const Segment *s) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", s->fd);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

/* Others get descriptors that were opened for reading, as is this one here; the kernel grants a
   write lease through one of those only when no other exists, in a process, in a mapping or on
   the way. */
bool segment_is_exclusive (Segment *s) {
  if (!s->is_sealed) return true;
  if (s->map == NULL || s->fd < 0 || s->is_leaked) return false;
  close_descriptor(&s->given);
  int fd = reopen(s);
  if (fd < 0) return false;
  /* Who opens it through /proc in between, as tools do that look into processes, makes the kernel
     tell us: by a signal that does not end a process, as SIGIO would. */
  bool granted = fcntl(fd, F_SETSIG, SIGURG) == 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
  if (granted) fcntl(fd, F_SETLEASE, F_UNLCK);
  close(fd);
  return granted;
}

int segment_descriptor (Segment *s) {
  assert(s->is_sealed && s->fd >= 0);
  if (s->map == NULL) return s->fd;
  if (s->given < 0) {
    s->given = reopen(s);
    if (s->given >= 0) store_get()->n_descriptors++;
  }
  if (s->given >= 0) return s->given;
  s->is_leaked = true;
  return s->fd;
}

static bool is_sealed_memory (int fd) {
  int seals = fcntl(fd, F_GET_SEALS); /* an error for anything but a memfd */
  if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW)) {
    return false;
  }
  return (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0;
}

int segment_adopt (Segment **result, int fd) {
  struct stat st;
  Segment *s = fstat(fd, &st) == 0 ? store_find(st.st_dev, st.st_ino) : NULL;
  if (s == NULL && !is_sealed_memory(fd)) {
    close(fd);
    return UV_EPROTO;
  }
  if (s != NULL && s->fd < 0) { /* its descriptor was given up, here is another */
    s->fd = fd;
    store_get()->n_descriptors++;
  } else if (s != NULL) {
    close(fd); /* kept, it would look as if others still saw the segment */
  } else {
    s = calloc(1, sizeof *s);
    if (s == NULL) {
      close(fd);
      return UV_ENOMEM;
    }
    *s = (Segment){.len = (size_t)st.st_size,
                   .given = -1,
                   .fd = fd,
                   .is_sealed = true,
                   .dev = st.st_dev,
                   .ino = st.st_ino};
    store_know(s);
    store_hold(s->len);
    store_get()->n_descriptors++;
  }
  store_has_descriptors(); /* in time, raises the limit */
  *result = segment_retain(s);
  return 0;
}

void segment_spare_descriptors (Segment *s) {
  if (store_has_descriptors()) return;
  close_descriptor(&s->given);
  if (s->map == NULL && s->promised == 0) close_descriptor(&s->fd);
}
