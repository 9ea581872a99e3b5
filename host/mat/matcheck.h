/* matcheck.h - what a .mat file says about itself, compared with what it has. */
#ifndef MATCHECK_H
#define MATCHECK_H

#include <stdint.h>
#include "array/files.h"

/* Reads the file to its end and writes what has been found right to fd: the header and the variables,
   unpacked. Returns how many there are. Raises, with the place, where a length, a dimension or a
   type contradicts what is there, and for what neap does not load. So what reads from fd asks for
   no more memory than a fixed multiple of its size.

   At most that many times the size of the file, by the way: a byte of deflate makes 1032. */
size_t matcheck (lua_State *L, Reader *r, int fd);

#endif
