/* process.c - what /proc says of the processes of this machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "block/systemfile.h"
#include "transport/transport.h"

/* Reads /proc/<pid>/stat and returns what follows the name of the program, which may hold
   anything: the state's letter first. NULL when there is no such process. */
static const char *read_stat (int64_t pid, char *text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
  if (!systemfile_read(path, text, size)) return NULL;
  const char *end = strrchr(text, ')');
  return end != NULL && end[1] == ' ' ? end + 2 : NULL;
}

bool process_is_stopped (int64_t pid) {
  char text[1024];
  const char *state = read_stat(pid, text, sizeof text);
  return state != NULL && *state == 'T'; /* 't' would be a debugger's doing */
}

void process_usage (int64_t pid, TransportUsage *usage) {
  char text[1024];
  *usage = (TransportUsage){0};
  const char *at = read_stat(pid, text, sizeof text);
  if (at == NULL) return;
  /* Fields from the state on, which is 3: 14 and 15 are user and system time in ticks, 24 the
     resident set in pages. */
  unsigned long long utime = 0, stime = 0, pages = 0;
  for (int field = 3; at != NULL && field <= 24; field++) {
    if (field == 14) utime = strtoull(at, NULL, 10);
    if (field == 15) stime = strtoull(at, NULL, 10);
    if (field == 24) pages = strtoull(at, NULL, 10);
    at = strchr(at, ' ');
    if (at != NULL) at++;
  }
  usage->cpu = (double)(utime + stime) / (double)sysconf(_SC_CLK_TCK);
  usage->rss = pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
