/* obituary.c - what is known of a process that has ended, and of its last moments. */
#include "transport/obituary.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "block/available.h"
#include "block/systemfile.h"

/* A process that had come to so much of what it may have is likely to have wanted more. */
static const double NEARLY = 0.9;

void obituary_add (Obituary *o, const char *bytes, size_t n) {
  if (n >= OBITUARY_TAIL) {
    bytes += n - OBITUARY_TAIL;
    n = OBITUARY_TAIL;
  }
  size_t keep = OBITUARY_TAIL - n < o->tail_len ? OBITUARY_TAIL - n : o->tail_len;
  memmove(o->tail, o->tail + o->tail_len - keep, keep);
  memcpy(o->tail + keep, bytes, n);
  o->tail_len = keep + n;
}

int obituary_watch (int64_t pid) {
  return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
}

/* The kernel has the figure as long as the process has not been reaped; libc's waitid cannot ask
   for it. */
void obituary_note_peak (Obituary *o) {
  siginfo_t info;
  struct rusage usage;
  memset(&usage, 0, sizeof usage);
  long rc = syscall(SYS_waitid, P_PID, (pid_t)o->pid, &info, WEXITED | WNOHANG | WNOWAIT,
                    &usage);
  if (rc == 0 && usage.ru_maxrss > 0) o->peak = (uint64_t)usage.ru_maxrss * 1024;
}

uint64_t obituary_oom_kills (void) {
  char text[16384];
  if (!systemfile_read("/proc/vmstat", text, sizeof text)) return 0;
  const char *at = strstr(text, "\noom_kill ");
  return at != NULL ? strtoull(at + 10, NULL, 10) : 0;
}

void obituary_judge (Obituary *o, uint64_t oom_kills_before) {
  o->out_of_memory = false;
  if (o->signal != SIGKILL || o->by_driver) return;
  uint64_t limit = available_limit(); /* the workers' as well */
  uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
  if (all < limit) limit = all;
  o->out_of_memory = obituary_oom_kills() > oom_kills_before ||
                     (double)o->peak > NEARLY * (double)limit;
}
