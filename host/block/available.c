/* available.c - reads what the kernel says of memory: /proc/meminfo, and the files of control groups. */
#include "block/available.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include "block/systemfile.h"

enum { TEXT = 8192, PATH = 4400 };

/* Where one version of control groups has what. */
typedef struct Names {
  const char *folder;   /* below the mount */
  const char *limit[2]; /* files, the second may be NULL */
  const char *used;
  const char *cache; /* field of memory.stat */
} Names;

static const Names first_version = {.folder = "/memory",
                                    .limit = {"memory.limit_in_bytes", NULL},
                                    .used = "memory.usage_in_bytes",
                                    .cache = "\ntotal_inactive_file "};
static const Names second_version = {.folder = "",
                                     .limit = {"memory.max", "memory.high"},
                                     .used = "memory.current",
                                     .cache = "\ninactive_file "};

/* The number that the file of the group in folder begins with; UINT64_MAX: none, as "max". */
static uint64_t read_number (const char *folder, const char *name) {
  char text[64], path[PATH];
  int n = snprintf(path, sizeof path, "%s/%s", folder, name);
  if (n < 0 || (size_t)n >= sizeof path || !systemfile_read(path, text, sizeof text))
    return UINT64_MAX;
  return text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : UINT64_MAX;
}

/* File cache that the kernel drops before it refuses memory to the group. */
static uint64_t read_cache (const char *folder, const char *field) {
  char text[TEXT], path[PATH];
  int n = snprintf(path, sizeof path, "%s/memory.stat", folder);
  if (n < 0 || (size_t)n >= sizeof path || !systemfile_read(path, text, sizeof text)) return 0;
  const char *at = strstr(text, field);
  return at != NULL ? strtoull(at + strlen(field), NULL, 10) : 0;
}

static void take_group (GroupMemory *m, const Names *names, const char *folder) {
  uint64_t limit = UINT64_MAX;
  for (int i = 0; i < 2 && names->limit[i] != NULL; i++) {
    uint64_t bytes = read_number(folder, names->limit[i]);
    if (bytes < limit) limit = bytes;
  }
  if (limit >= INT64_MAX / 4096 * 4096)
    return; /* so the first version writes that there is none */
  if (limit < m->limit) m->limit = limit;
  uint64_t used = read_number(folder, names->used);
  if (used == UINT64_MAX) return;
  uint64_t cache = read_cache(folder, names->cache);
  used -= cache < used ? cache : used;
  uint64_t left = used < limit ? limit - used : 0;
  if (left < m->left) m->left = left;
}

/* The group and all above it, up to the one that is mounted. A container may see its own group at
   the mount, under a path that only the machine has. */
static void take_groups (GroupMemory *m, const Names *names, const char *mount, char *group) {
  char folder[PATH];
  for (;;) {
    size_t len = strlen(group);
    while (len > 0 && group[len - 1] == '/') group[--len] = '\0';
    int n = snprintf(folder, sizeof folder, "%s%s%s", mount, names->folder, group);
    if (n > 0 && (size_t)n < sizeof folder) take_group(m, names, folder);
    if (len == 0) return;
    *strrchr(group, '/') = '\0';
  }
}

GroupMemory available_in_groups (const char *groups, const char *mount) {
  GroupMemory m = {.limit = UINT64_MAX, .left = UINT64_MAX};
  char text[4096];
  if (!systemfile_read(groups, text, sizeof text)) return m;
  char *rest = text;
  for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
    strsep(&line, ":"); /* number of the hierarchy */
    const char *controllers = strsep(&line, ":");
    if (line == NULL || line[0] != '/') continue; /* what is left is the path */
    if (strcmp(controllers, "memory") == 0) take_groups(&m, &first_version, mount, line);
    else if (controllers[0] == '\0') take_groups(&m, &second_version, mount, line);
  }
  return m;
}

static GroupMemory own_groups (void) {
  return available_in_groups("/proc/self/cgroup", "/sys/fs/cgroup");
}

uint64_t available_limit (void) {
  return own_groups().limit;
}

size_t available_at_most (uint64_t limit) {
  struct sysinfo info;
  if (sysinfo(&info) != 0) return SIZE_MAX;
  uint64_t memory = (uint64_t)info.totalram * info.mem_unit;
  uint64_t swap = (uint64_t)info.totalswap * info.mem_unit;
  uint64_t bytes = (limit < memory ? limit : memory) + swap;
  return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

size_t available_memory (void) {
  char text[TEXT];
  uint64_t bytes = own_groups().left;
  const char *at = systemfile_read("/proc/meminfo", text, sizeof text)
                     ? strstr(text, "MemAvailable:")
                     : NULL;
  if (at != NULL) {
    uint64_t kib = strtoull(at + strlen("MemAvailable:"), NULL, 10);
    if (kib < bytes / 1024) bytes = kib * 1024;
  }
  return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}
