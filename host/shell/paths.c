/* paths.c - where this process's executable and neap's Lua files are. */
#include "shell/paths.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Is there a prefix/bin/neap with prefix/share/neap/lua beside it? */
static bool find_installed (Paths *p) {
  char prefix[PATH_MAX], probe[PATH_MAX];
  strcpy(prefix, p->executable);
  for (int i = 0; i < 2; i++) {
    char *slash = strrchr(prefix, '/');
    if (slash == NULL) return false;
    *slash = '\0';
  }
  int n = snprintf(p->lua_dir, sizeof p->lua_dir, "%s/share/neap/lua", prefix);
  if (n < 0 || (size_t)n >= sizeof p->lua_dir) return false;
  n = snprintf(probe, sizeof probe, "%s/neap/init.lua", p->lua_dir);
  return n >= 0 && (size_t)n < sizeof probe && access(probe, R_OK) == 0;
}

int paths_find (Paths *p, Host *host) {
  ssize_t n = readlink("/proc/self/exe", p->executable, sizeof p->executable - 1);
  if (n < 0) return -errno;
  p->executable[n] = '\0';
  if (!find_installed(p)) snprintf(p->lua_dir, sizeof p->lua_dir, "%s", NEAP_LUA_DIR);
  host->executable = p->executable;
  host->lua_dir = p->lua_dir;
  return 0;
}
