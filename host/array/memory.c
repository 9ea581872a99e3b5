/* memory.c - blocks for arrays of a Lua state. */
#include "array/memory.h"

#include <assert.h>
#include <stdint.h>
#include <lauxlib.h>

/* The collector sees a userdata of a hundred bytes where a block of a gigabyte hangs on it. So it
   is run whenever the blocks of the process have doubled since they were fewest after its last
   cycle. */
static const size_t collect_from = (size_t)64 << 20;
static const char limit_key = 0; /* registry: userdata, the total that starts the next cycle */

static size_t *get_limit (lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &limit_key) == LUA_TNIL) {
    lua_pop(L, 1);
    size_t *fresh = lua_newuserdatauv(L, sizeof *fresh, 0);
    *fresh = collect_from;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &limit_key);
  }
  size_t *limit = lua_touserdata(L, -1);
  lua_pop(L, 1); /* the registry keeps it */
  return limit;
}

static size_t limit_from (size_t total) {
  if (total <= collect_from / 2) return collect_from;
  return total > SIZE_MAX / 2 ? SIZE_MAX : 2 * total;
}

/* Runs the collector when the blocks are to exceed factor times the limit. */
static void collect_if_grown (lua_State *L, size_t len, size_t factor) {
  size_t total = block_total_len();
  if (total + len <= collect_from) return;
  size_t *limit = get_limit(L);
  if (limit_from(total) < *limit) *limit = limit_from(total); /* blocks have gone meanwhile */
  if ((total + len) / factor <= *limit) return;
  if (!lua_gc(L, LUA_GCISRUNNING)) return; /* the script has stopped it, and knows why */
  lua_gc(L, LUA_GCCOLLECT);
  *limit = limit_from(block_total_len());
}

static int no_memory (lua_State *L, size_t len) {
  return luaL_error(L, "not enough memory for an array of %f MiB", (double)len / 0x1p20);
}

bool memory_multiply (size_t a, size_t b, size_t *product) {
  if (a != 0 && b > SIZE_MAX / a) return false;
  *product = a * b;
  return true;
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
    if (rc < 0) no_memory(L, len);
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
    if (block_write_part(b, keep, n, &data) < 0) no_memory(L, block_len(*b));
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
  if (option == 0) block_trim();
  return lua_gettop(L);
}

void memory_open (lua_State *L) {
  lua_getglobal(L, "collectgarbage");
  lua_pushcclosure(L, l_collectgarbage, 1);
  lua_setglobal(L, "collectgarbage");
}
