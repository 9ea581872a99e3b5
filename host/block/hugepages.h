/* hugepages.h - memory of files in pages of 2 MiB, where the system has them. */
#ifndef HUGEPAGES_H
#define HUGEPAGES_H

#include <stddef.h>

/* Maps len bytes of the file from origin on, readable and writable, so that its huge pages can be
   mapped as such. flags: MAP_SHARED or MAP_PRIVATE, and more. MAP_FAILED, and errno says why. */
void *hugepages_map (size_t len, int flags, int fd, size_t origin);

/* len, or the whole huge pages that hold it where those are little more. */
size_t hugepages_round (size_t len);

/* Bytes first to last of a memfd that hugepages_map has mapped from its beginning are about to be
   written: gives it the huge pages among them, from the one that first is in to the last that ends
   within; the bytes have memory from first up to what is returned. Contents stay as they are. */
size_t hugepages_populate (char *map, size_t first, size_t last);

#endif
