/* paths.h - where this process's executable and neap's Lua files are. */
#ifndef PATHS_H
#define PATHS_H

#include <limits.h>
#include "host.h"

typedef struct Paths {
  char executable[PATH_MAX];
  char lua_dir[PATH_MAX];
} Paths;

/* Fills p and points host to it: the Lua files of an installation (../share/neap/lua beside
   the executable's folder), else those of the source tree. 0, or a negative errno. */
int paths_find (Paths *p, Host *host);

#endif
