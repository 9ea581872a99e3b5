/* history.c - where the prompt's history is kept. */
#include "shell/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Makes the folders of a path up to its last slash, for the user alone. */
static bool make_folders (char *path) {
  for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    bool good = mkdir(path, 0700) == 0 || errno == EEXIST;
    *slash = '/';
    if (!good) return false;
  }
  return true;
}

bool history_path (char *path, size_t size) {
  const char *state = getenv("XDG_STATE_HOME");
  const char *home = getenv("HOME");
  int len;
  if (state != NULL && state[0] == '/') { /* others are to be ignored */
    len = snprintf(path, size, "%s/neap/history", state);
  } else if (home != NULL && home[0] == '/') {
    len = snprintf(path, size, "%s/.local/state/neap/history", home);
  } else {
    return false;
  }
  return len > 0 && (size_t)len < size && make_folders(path);
}
