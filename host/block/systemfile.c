/* systemfile.c - reads files that the kernel writes as they are read. */
#include "block/systemfile.h"

#include <fcntl.h>
#include <unistd.h>

bool systemfile_read (const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t len = 0;
  ssize_t n = 1;
  while (n > 0 && len < size - 1) {
    n = read(fd, text + len, size - 1 - len);
    if (n > 0) len += (size_t)n;
  }
  close(fd);
  text[len] = '\0';
  return len > 0;
}
