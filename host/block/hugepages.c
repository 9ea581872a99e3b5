/* hugepages.c - memory of files in pages of 2 MiB, where the system has them. */
#include "block/hugepages.h"

#include <stdint.h>
#include <sys/mman.h>
#include "block/pages.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

/* Bytes of a huge page; and of those asked for at once: the kernel prepares itself anew for each
   request, and no signal is seen before its end. */
static const size_t huge = (size_t)2 << 20, batch = (size_t)32 << 20;

/* Address space for len bytes, whole pages, at an address that is misfit above a multiple of a huge page. */
static char *reserve (size_t len, size_t misfit) {
  if (len > PTRDIFF_MAX - huge) return NULL;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  char *map = mmap(NULL, len + huge, PROT_NONE, flags, -1, 0);
  if (map == MAP_FAILED) return NULL;
  size_t before = (huge + misfit - (uintptr_t)map % huge) % huge;
  if (before > 0) munmap(map, before);
  if (before < huge) munmap(map + before + len, huge - before);
  return map + before;
}

void *hugepages_map (size_t len, int flags, int fd, size_t origin) {
  size_t page = pages_size();
  char *at = len < huge ? NULL : reserve((len + page - 1) / page * page, origin % huge);
  int fixed = at == NULL ? 0 : MAP_FIXED;
  void *map = mmap(at, len, PROT_READ | PROT_WRITE, flags | fixed, fd, (off_t)origin);
  if (map == MAP_FAILED && at != NULL) munmap(at, len);
  return map;
}

size_t hugepages_round (size_t len) {
  size_t extra = (huge - len % huge) % huge;
  return extra <= len / 8 && extra <= SIZE_MAX - len ? len + extra : len;
}

/* A memfd has huge pages only where it is asked to collapse small ones, whatever is set in
   /sys/kernel/mm/transparent_hugepage, and there must be one of those in each. A huge page costs a
   tenth of the faults for as many small ones. */
size_t hugepages_populate (char *map, size_t first, size_t last) {
  size_t at = first - first % huge;
  while (at < last && last - at >= huge) {
    size_t len = last - at < batch ? (last - at) / huge * huge : batch;
    for (size_t i = 0; i < len; i += huge) (void)*(volatile char *)(map + at + i);
    if (madvise(map + at, len, MADV_COLLAPSE) != 0) break;
    at += len;
  }
  return at < first ? first : at;
}
