/* systemfile.h - small files in which the kernel says something, in /proc and /sys. */
#ifndef SYSTEMFILE_H
#define SYSTEMFILE_H

#include <stdbool.h>
#include <stddef.h>

/* The first size - 1 bytes of a file, as a string; false: there is no such file, or nothing in it. */
bool systemfile_read (const char *path, char *text, size_t size);

#endif
