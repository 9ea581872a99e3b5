/* obituary.h - what is known of a process that has ended, and of its last moments. */
#ifndef OBITUARY_H
#define OBITUARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OBITUARY_TAIL = 2048 };

typedef struct Obituary {
  int64_t pid;
  int64_t exit_status;
  int signal;               /* that ended it, or 0 */
  uint64_t peak;            /* bytes that were resident at most; 0: not known */
  bool by_driver;           /* the driver has killed it, */
  bool driver_was_short;    /* since it had no memory for a message to or from it */
  bool out_of_memory;       /* the system has, likely for want of memory */
  int64_t position;         /* of the item of a map that was under way, as it had noted; or 0 */
  size_t tail_len;          /* of the end of its standard error */
  char tail[OBITUARY_TAIL]; /* its last bytes, not terminated */
} Obituary;

/* Standard error of the process goes on. */
void obituary_add (Obituary *o, const char *bytes, size_t n);

/* A descriptor that can be read when the process ends, before its parent takes notice of that; or
   negative. The caller closes it. */
int obituary_watch (int64_t pid);
/* To be called in between: how much memory it has used. */
void obituary_note_peak (Obituary *o);

/* How many processes the system has killed for want of memory so far; 0 where nobody counts. */
uint64_t obituary_oom_kills (void);
/* Signal, exit status, peak and by_driver are known, and how many such processes there were when
   it was started: was it one of them? */
void obituary_judge (Obituary *o, uint64_t oom_kills_before);

#endif
