/* directory.h - has the working directory been changed? Answers without a system call. */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <stdint.h>

/* Another number than before, never 0, where the directory may have been changed since: through
   the C library, as C modules for Lua do it. */
uint64_t directory_version (void);

#endif
