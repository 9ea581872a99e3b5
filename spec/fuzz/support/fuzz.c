/* fuzz.c - what the fuzzers share: a Lua state, files in memory. */
#include "fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <lauxlib.h>
#include "array/array.h"
#include "block/block.h"
#include "host.h"
#include "shell/modules.h"

enum { MEMORY = 256 << 20 };

static struct { size_t used; } memory;

static void *allocate (void *user, void *old, size_t old_size, size_t size) {
  (void)user;
  if (old == NULL) old_size = 0; /* then it is a kind of object */
  if (size > old_size && size - old_size > MEMORY - memory.used) return NULL;
  void *fresh = NULL;
  if (size == 0) free(old);
  else fresh = realloc(old, size);
  if (size == 0 || fresh != NULL) memory.used = memory.used - old_size + size;
  return fresh;
}

lua_State *fuzz_state (void) {
  static Host host = {.executable = "/nowhere", .lua_dir = "/nowhere", .default_workers = 0};
  host.newstate = modules_newstate;
  lua_State *L = modules_newstate(&host);
  if (L == NULL || luaL_dostring(L, "package.path, package.cpath = '', ''")) abort();
  void *user;
  lua_Alloc plain = lua_getallocf(L, &user);
  (void)plain; /* it is realloc as well */
  lua_setallocf(L, allocate, NULL);
  block_set_limit(MEMORY);
  luaL_requiref(L, "host.array", luaopen_host_array, 0);
  lua_settop(L, 0);
  return L;
}

typedef struct Load {
  void (*load)(lua_State *L, Reader *r, FilesKind kind);
  FilesKind kind;
} Load;

static int l_load (lua_State *L) {
  const Load *v = lua_touserdata(L, 1);
  Reader *r = reader_push(L, lua_tostring(L, 2));
  v->load(L, r, v->kind);
  return 0;
}

int fuzz_file (const uint8_t *data, size_t size,
               void (*load)(lua_State *L, Reader *r, FilesKind kind)) {
  static lua_State *L;
  if (L == NULL) L = fuzz_state();
  if (size == 0) return 0;
  int fd = memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)size - 1) abort();
  Load v = {.load = load, .kind = data[0] % (FILES_SPARSE + 1)};
  lua_pushcfunction(L, l_load);
  lua_pushlightuserdata(L, &v);
  lua_pushfstring(L, "/proc/self/fd/%d", fd);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK && lua_type(L, -1) != LUA_TSTRING) abort();
  lua_settop(L, 0);
  lua_gc(L, LUA_GCCOLLECT);
  close(fd);
  return 0;
}

/* The linker gives these names to Lua's own function and to what all others call. */
int __real_lua_load (lua_State *L, lua_Reader reader, void *data, const char *chunk,
                     const char *mode);
int __wrap_lua_load (lua_State *L, lua_Reader reader, void *data, const char *chunk,
                     const char *mode);

/* Puts a function with as many upvalues, that does nothing, in the place of the one on top. */
static int disarm (lua_State *L) {
  lua_Debug ar;
  lua_getinfo(L, ">u", &ar);
  char text[4096], *at = text;
  if (ar.nups > 200) {
    lua_pushliteral(L, "too many upvalues for a fuzzer");
    return LUA_ERRSYNTAX;
  }
  for (int round = 0; round < 2; round++) {
    at += sprintf(at, "%s ", round == 0 ? "local x" : "return function() return x");
    for (int i = 1; i < ar.nups; i++) at += sprintf(at, ",x%d", i);
    *at++ = '\n';
  }
  strcpy(at, "end");
  if (ar.nups == 0) strcpy(text, "return function() end");
  if (luaL_dostring(L, text)) abort();
  return LUA_OK;
}

int __wrap_lua_load (lua_State *L, lua_Reader reader, void *data, const char *chunk,
                     const char *mode) {
  int status = __real_lua_load(L, reader, data, chunk, mode);
  bool is_sent = chunk != NULL && strcmp(chunk, "=wire") == 0;
  return status == LUA_OK && is_sent ? disarm(L) : status;
}
