/* version.h - what this neap is and what it runs on. */
#ifndef VERSION_H
#define VERSION_H

/* One line: neap, Lua and Lua's copyright. */
void version_print_short (void);

/* A table: neap, Lua, libuv, BLAS and its threads, SuiteSparse, MPI. */
void version_print_long (void);

#endif
