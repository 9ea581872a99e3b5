/* memory.c - blocks for arrays of a Lua state. */
#include "array/memory.h"

#include <assert.h>
#include <malloc.h>
#include <stdint.h>
#include <lauxlib.h>

/* The collector sees a userdata of a hundred bytes where a block of a gigabyte hangs on it. So it
   is run whenever the blocks of the process have doubled since they were fewest after its last
   cycle; and also when so much has been asked for that a cycle costs little beside it, since the
   fewer bytes are gone through between two cycles, the likelier the next block is still in a cache
   when it is used again. A cycle takes as long as writing 1.5 to 9 times the bytes of the Lua heap,
   small to large (measured); blocks do not slow it down. Hence the factors. */
static const size_t collect_least = (size_t)1 << 20, collect_most = (size_t)64 << 20;
enum { HEAP_FACTOR = 32, NEW_FACTOR = 64 };

/* A block comes with some bytes of the Lua heap. Whatever has a finalizer outlives the cycle that
   finds it dead: counted as alive, it would make the cycles ever rarer in a loop of small arrays,
   until their memory is in no cache any more. And what an array costs beside its numbers counts as
   so many bytes that were asked for. */
enum { USERDATA = 128, BESIDE = 512 };

/* The pace is looked up whenever what is held comes past a multiple of so many bytes: each time it
   would take 30 ns. */
enum { STEP = 64 << 10 };

typedef struct Pace {
  size_t from;  /* no cycle while the blocks are fewer bytes */
  size_t limit; /* the total that starts the next cycle */
  size_t fresh; /* bytes asked for since the last cycle */
  size_t cheap; /* from here on a cycle costs little beside them */
} Pace;

static const char pace_key = 0; /* registry: userdata, a Pace */

static size_t clamp (size_t n, size_t low, size_t high) {
  return n < low ? low : n > high ? high : n;
}

/* The pace after a cycle that has left so many userdata of arrays dead. */
static void begin (lua_State *L, Pace *pace, size_t n_dead) {
  size_t heap = (size_t)lua_gc(L, LUA_GCCOUNT) << 10, dead = n_dead * USERDATA;
  heap = heap > dead ? heap - dead : 0;
  pace->from = clamp(heap * HEAP_FACTOR, collect_least, collect_most);
  pace->cheap = clamp(heap * NEW_FACTOR, collect_least, SIZE_MAX);
  pace->fresh = 0;
}

static Pace *get_pace (lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &pace_key) == LUA_TNIL) {
    lua_pop(L, 1);
    Pace *fresh = lua_newuserdatauv(L, sizeof *fresh, 0);
    begin(L, fresh, block_total_count()); /* before the first cycle most may be */
    fresh->limit = fresh->from;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &pace_key);
  }
  Pace *pace = lua_touserdata(L, -1);
  lua_pop(L, 1); /* the registry keeps it */
  return pace;
}

static size_t limit_from (const Pace *pace, size_t total) {
  if (total <= pace->from / 2) return pace->from;
  return total > SIZE_MAX / 2 ? SIZE_MAX : 2 * total;
}

/* Before len bytes more: runs the collector when the blocks are to exceed factor times the limit,
   or when it costs little. */
static void collect_if_grown (lua_State *L, size_t len, size_t factor) {
  size_t total = block_total_len(), n = block_total_count();
  size_t held = total + n * BESIDE, steps = (held + len + BESIDE) / STEP - held / STEP;
  if (held + len <= collect_least || (steps == 0 && len > 0)) return;
  Pace *pace = get_pace(L);
  size_t limit = limit_from(pace, total);
  if (limit < pace->limit) pace->limit = limit; /* blocks have gone meanwhile */
  pace->fresh += steps * STEP;
  if ((total + len) / factor <= pace->limit && pace->fresh <= pace->cheap) return;
  if (!lua_gc(L, LUA_GCISRUNNING)) return; /* the script has stopped it, and knows why */
  lua_gc(L, LUA_GCCOLLECT);
  size_t left = block_total_count(); /* more than n where finalizers have made some */
  begin(L, pace, n > left ? n - left : 0);
  pace->fresh = len;
  pace->limit = limit_from(pace, block_total_len());
}

int memory_missing (lua_State *L, size_t len) {
  const char *reason =
    block_can_map() ? ""
                    : ": this process may map no more (see vm.max_map_count and ulimit -v)";
  return luaL_error(L, "not enough memory for an array of %f MiB%s", (double)len / 0x1p20,
                    reason);
}

bool memory_multiply (size_t a, size_t b, size_t *product) {
  return !__builtin_mul_overflow(a, b, product);
}

size_t memory_size (lua_State *L, size_t rows, size_t cols, bool is_complex) {
  size_t n = 0, width = (is_complex ? 2 : 1) * sizeof(double);
  if (!memory_multiply(rows, cols, &n) || n > PTRDIFF_MAX / width) {
    luaL_error(L, "an array of %I x %I is too large", (lua_Integer)rows, (lua_Integer)cols);
  }
  return n * width;
}

Block *memory_block (lua_State *L, size_t len, bool zero) {
  collect_if_grown(L, len, 1);
  Block *b;
  int rc = zero ? block_new_zero(&b, len) : block_new(&b, len);
  if (rc < 0) {
    lua_gc(L, LUA_GCCOLLECT);
    rc = zero ? block_new_zero(&b, len) : block_new(&b, len);
    if (rc < 0) memory_missing(L, len);
  }
  return b;
}

void memory_received (lua_State *L) {
  collect_if_grown(L, 0, 4);
}

void memory_rest (lua_State *L) {
  collect_if_grown(L, 0, 1);
}

void *memory_write (lua_State *L, Block **b, size_t keep, size_t n) {
  void *data;
  if (block_is_shared(*b)) collect_if_grown(L, block_len(*b), 1);
  if (block_write_part(b, keep, n, &data) < 0) {
    lua_gc(L, LUA_GCCOLLECT);
    if (block_write_part(b, keep, n, &data) < 0) memory_missing(L, block_len(*b));
  }
  return data;
}

void *memory_own (Block *b) {
  void *data;
  int rc = block_write(&b, 0, &data);
  assert(rc == 0); /* nothing to copy: nobody else holds it */
  (void)rc;
  return data;
}

/* So much of the heap may be free before it is given back: pages that come again cost more than
   the cycle of a small heap. */
static const size_t free_most = (size_t)16 << 20;

/* collectgarbage(...) as in Lua; a full cycle also gives back the memory of freed blocks. */
static int l_collectgarbage (lua_State *L) {
  static const char *const options[] = {"collect",      "stop",        "restart",
                                        "count",        "step",        "isrunning",
                                        "generational", "incremental", "setpause",
                                        "setstepmul",   NULL};
  int option = luaL_checkoption(L, 1, "collect", options);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  if (option == 0) {
    block_trim();
    if (mallinfo2().fordblks > free_most) malloc_trim(0);
  }
  return lua_gettop(L);
}

void memory_open (lua_State *L) {
  /* What a loop frees and needs again at once shall not go back to the system meanwhile, whose
     fresh pages cost more than all else; collectgarbage() gives it back. */
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  lua_getglobal(L, "collectgarbage");
  lua_pushcclosure(L, l_collectgarbage, 1);
  lua_setglobal(L, "collectgarbage");
}
