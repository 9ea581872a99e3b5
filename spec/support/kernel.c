/* kernel.c - a Lua module for specs: what the kernel lets a process do to memory of others, a
   process that may map nothing more, and what control groups grant. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <lua.h>
#include <lauxlib.h>
#include "block/available.h"

int luaopen_kernel (lua_State *L);

/* "done", or the name of the error. */
static void note (lua_State *L, const char *what, bool is_done) {
  lua_pushstring(L, is_done ? "done" : strerrorname_np(errno));
  lua_setfield(L, -2, what);
}

/* harm(fd) -> table: what comes of shrinking, growing, writing to and mapping the file behind a
   descriptor, after it was opened again for everything; and those seals it has of SHRINK, GROW and
   FUTURE_WRITE */
static int l_harm (lua_State *L) {
  char path[64];
  struct stat st;
  int given = (int)luaL_checkinteger(L, 1);
  snprintf(path, sizeof path, "/proc/self/fd/%d", given);
  lua_newtable(L);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &st) != 0) return luaL_error(L, "open: %s", strerrorname_np(errno));
  note(L, "shrink", ftruncate(fd, st.st_size - 4096) == 0);
  note(L, "empty", ftruncate(fd, 0) == 0);
  note(L, "grow", ftruncate(fd, st.st_size + 4096) == 0);
  note(L, "punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0);
  note(L, "write", pwrite(fd, "x", 1, 0) == 1);
  void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  note(L, "map", map != MAP_FAILED);
  if (map != MAP_FAILED) munmap(map, 4096);
  map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
  note(L, "protect", map == MAP_FAILED || mprotect(map, 4096, PROT_READ | PROT_WRITE) == 0);
  if (map != MAP_FAILED) munmap(map, 4096);
  lua_pushinteger(L, fcntl(fd, F_GET_SEALS) & (F_SEAL_SHRINK | F_SEAL_GROW | 0x10));
  lua_setfield(L, -2, "seals");
  close(fd);
  return 1;
}

/* Room for more mappings than the kernel grants: every second page of it can be another. */
enum { PAGES = 1 << 22 };

/* crowd() -> address: takes all mappings that this process may still have (vm.max_map_count) */
static int l_crowd (lua_State *L) {
  char *room = mmap(NULL, (size_t)PAGES * 4096, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return luaL_error(L, "mmap: %s", strerrorname_np(errno));
  size_t i = 1;
  while (i < PAGES && mprotect(room + i * 4096, 4096, PROT_READ) == 0) i += 2;
  if (i >= PAGES) return luaL_error(L, "the kernel grants more mappings than %d", PAGES / 2);
  /* A mapping in between would still be two more: take what is left one by one. */
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  for (int k = 0; k < 4; k++) {
    int protection = k % 2 == 0 ? PROT_READ : PROT_NONE;
    if (mmap(NULL, 4096, protection, flags, -1, 0) == MAP_FAILED) break;
  }
  lua_pushlightuserdata(L, room);
  return 1;
}

/* disperse(address): gives them back */
static int l_disperse (lua_State *L) {
  munmap(lua_touserdata(L, 1), (size_t)PAGES * 4096);
  return 0;
}

/* available(groups, mount) -> limit, left: of available_in_groups, nil: no limit */
static int l_available (lua_State *L) {
  GroupMemory m = available_in_groups(luaL_checkstring(L, 1), luaL_checkstring(L, 2));
  uint64_t both[] = {m.limit, m.left};
  for (int i = 0; i < 2; i++) {
    if (both[i] == UINT64_MAX) lua_pushnil(L);
    else lua_pushinteger(L, (lua_Integer)both[i]);
  }
  return 2;
}

/* at_most(limit) -> bytes: of available_at_most; limit: nil, none */
static int l_at_most (lua_State *L) {
  uint64_t limit = lua_isnoneornil(L, 1) ? UINT64_MAX : (uint64_t)luaL_checkinteger(L, 1);
  lua_pushinteger(L, (lua_Integer)available_at_most(limit));
  return 1;
}

int luaopen_kernel (lua_State *L) {
  static const luaL_Reg functions[] = {{"harm", l_harm},         {"crowd", l_crowd},
                                       {"disperse", l_disperse}, {"available", l_available},
                                       {"at_most", l_at_most},   {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
