/* store.c - what this process holds for all its blocks: counts, descriptors, idle segments. */
#include "block/store.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include "block/available.h"

/* Idle segments of that many bytes are always kept: what a loop leaves behind between two cycles
   of the collector. */
static const size_t idle_min = (size_t)128 << 20;

enum {
  TRIES = 4, /* idle segments asked whether others still see them, for one that is wanted */
  CHECK_EVERY = 64 /* segments kept between two looks at the machine's memory */
};

BlockStore *store_get (void) {
  static BlockStore store;
  return &store;
}

void store_hold (size_t len) {
  BlockStore *store = store_get();
  store->len += len;
  if (store->len > store->high) store->high = store->len;
}

void store_let_go (size_t len) {
  BlockStore *store = store_get();
  assert(store->len >= len);
  store->len -= len;
}

bool store_has_descriptors (void) {
  const BlockStore *store = store_get();
  struct rlimit limit;
  if (store->n_descriptors < 16) return true; /* no limit is that low */
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (store->n_descriptors < limit.rlim_cur / 2) return true;
  if (limit.rlim_cur == limit.rlim_max) return false;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 && store_has_descriptors();
}

unsigned store_message_descriptors (void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return limit.rlim_max / 8 < INT_MAX ? (unsigned)(limit.rlim_max / 8) : INT_MAX;
}

/* --- idle segments -------------------------------------------------------------------------- */

static void unlink_idle (BlockStore *store, Segment *s) {
  if (s->newer != NULL) s->newer->older = s->older;
  else store->newest = s->older;
  if (s->older != NULL) s->older->newer = s->newer;
  else store->oldest = s->newer;
  s->newer = s->older = NULL;
  store->idle_len -= s->len;
}

/* Of the machine, or what its control group grants this process of it. */
static size_t physical_memory (void) {
  struct sysinfo info;
  size_t memory = sysinfo(&info) == 0 ? (size_t)info.totalram * info.mem_unit : idle_min;
  uint64_t limit = available_limit();
  return limit < memory ? (size_t)limit : memory;
}

bool store_can_fill (size_t len) {
  return len < idle_min || /* most blocks need no look */
         len <= available_at_most(available_limit());
}

/* The system is asked once: to count the cores it reads a file. */
static void ask_machine (BlockStore *store) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  store->memory = physical_memory();
  store->share = store->memory / 8 / (size_t)(cores > 0 ? cores : 1);
}

/* As much may be idle as was in use at once, but not more than an eighth of the memory of the
   machine in all processes of a pool with one on each core; and nothing where the machine is short
   of memory. */
static size_t idle_bound (BlockStore *store, size_t wanted) {
  if (store->memory == 0) ask_machine(store);
  size_t bound = store->share;
  if (bound > store->high) bound = store->high;
  if (bound < idle_min) bound = idle_min;
  if (wanted > bound) return bound;
  if (wanted > store->checked_len || ++store->unchecked >= CHECK_EVERY) {
    store->unchecked = 0;
    if (available_memory() < store->memory / 8) bound = 0;
    store->checked_len = bound == 0 ? 0 : wanted;
  }
  return bound;
}

void store_trim (size_t bound) {
  BlockStore *store = store_get();
  while (store->idle_len > bound) {
    Segment *s = store->oldest;
    unlink_idle(store, s);
    segment_destroy(s);
  }
}

void store_keep (Segment *s) {
  BlockStore *store = store_get();
  assert(s->refs == 0 && s->newer == NULL && s->older == NULL);
  store_let_go(s->len);
  size_t bound = idle_bound(store, store->idle_len + s->len);
  if (s->len > bound || !store_has_descriptors()) {
    segment_destroy(s);
    store_trim(bound);
    return;
  }
  store_trim(bound - s->len);
  s->older = store->newest;
  if (s->older != NULL) s->older->newer = s;
  else store->oldest = s;
  store->newest = s;
  store->idle_len += s->len;
}

static void revive (BlockStore *store, Segment *s) {
  unlink_idle(store, s);
  store_hold(s->len);
}

static bool is_idle (const BlockStore *store, const Segment *s) {
  return s->newer != NULL || s->older != NULL || store->newest == s;
}

static bool fits (const Segment *s, size_t len) {
  return s->len >= len && s->len - len <= len / 8 + 4096;
}

/* What was never sent comes first, the newest of it: it may still be in a cache. Of what was sent the
   oldest is most likely to be seen by nobody any more. */
Segment *store_take (size_t len) {
  BlockStore *store = store_get();
  Segment *found = NULL, *s;
  for (s = store->newest; s != NULL && found == NULL; s = s->older) {
    if (!s->is_sealed && fits(s, len)) found = s;
  }
  int tries = 0;
  for (s = store->oldest; s != NULL && found == NULL && tries < TRIES; s = s->newer) {
    if (!s->is_sealed || !fits(s, len)) continue;
    if (segment_is_exclusive(s)) found = s;
    tries++;
  }
  if (found != NULL) revive(store, found);
  return found;
}

/* --- sealed segments by what they are ------------------------------------------------------- */

static Segment **place (BlockStore *store, dev_t dev, ino_t ino) {
  uint64_t h = ((uint64_t)ino ^ (uint64_t)dev << 32) * 0x9e3779b97f4a7c15u;
  return &store->known[h >> 32 & (STORE_KNOWN - 1)];
}

void store_know (Segment *s) {
  Segment **first = place(store_get(), s->dev, s->ino);
  s->next = *first;
  *first = s;
}

void store_forget (Segment *s) {
  Segment **link = place(store_get(), s->dev, s->ino);
  while (*link != NULL && *link != s) link = &(*link)->next;
  if (*link == s) *link = s->next;
  s->next = NULL;
}

Segment *store_find (dev_t dev, ino_t ino) {
  BlockStore *store = store_get();
  Segment *s = *place(store, dev, ino);
  while (s != NULL && (s->dev != dev || s->ino != ino)) s = s->next;
  if (s != NULL && s->refs == 0 && is_idle(store, s)) revive(store, s);
  return s;
}
