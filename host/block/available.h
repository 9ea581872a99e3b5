/* available.h - how much memory this process may have: what the machine has, or less where a control
   group grants less. */
#ifndef AVAILABLE_H
#define AVAILABLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct GroupMemory {
  uint64_t limit; /* bytes that all groups above this process grant; UINT64_MAX: no limit */
  uint64_t left;  /* of them, with the file cache that can be dropped; UINT64_MAX: no limit */
} GroupMemory;

/* Of the groups that the file at `groups` names, as /proc/self/cgroup does, in the hierarchy mounted
   at `mount`; of the first version or the second. What cannot be read limits nothing. */
GroupMemory available_in_groups (const char *groups, const char *mount);

/* What this process can fill at most: the memory of the machine, or limit where that is less, and all
   that can be swapped out. SIZE_MAX when nobody says. */
size_t available_at_most (uint64_t limit);

uint64_t available_limit (void); /* what this process's groups grant; UINT64_MAX: no limit */
size_t available_memory (void);  /* what can still be had; SIZE_MAX when nobody says */

#endif
