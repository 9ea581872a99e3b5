/* fuzz decode: any bytes are values or an error. They are the bytes of a parcel of values, with
   two blocks beside them that they may refer to. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include <lualib.h>
#include "array/array.h"
#include "host.h"
#include "wire/wire.h"

enum { BLOCK_LEN = 8192, RUNS = 1000 /* of one Lua state */ };

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t len);

static int l_open (lua_State *L) {
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_host_array);
  lua_setfield(L, -2, "host.array");
  lua_pop(L, 1);
  lua_getglobal(L, "package");
  lua_pushliteral(L, ""); /* a name in the bytes must not load what it finds on this machine */
  lua_setfield(L, -2, "path");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  return 0;
}

/* One of the two ways in: a parcel of values, or a definition. */
static int l_take (lua_State *L) {
  const Parcel *p = lua_touserdata(L, 1);
  if (p->len > 0 && (p->bytes[0] & 3) != 1) wire_define(L, p, NULL);
  else wire_decode(L, p, NULL);
  return 0;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t len) {
  static lua_State *L;
  static int runs;
  if (L == NULL) {
    L = luaL_newstate();
    assert(L != NULL);
    host_set(L, NULL);
    lua_pushcfunction(L, l_open);
    int status = lua_pcall(L, 0, 0, 0);
    assert(status == LUA_OK);
    (void)status;
  }
  Parcel *p = parcel_new();
  assert(p != NULL);
  p->bytes = malloc(len > 0 ? len : 1);
  p->slices = calloc(2, sizeof *p->slices);
  assert(p->bytes != NULL && p->slices != NULL);
  memcpy(p->bytes, data, len);
  p->len = len;
  for (; p->n_slices < 2; p->n_slices++) {
    Block *block;
    if (block_new_zero(&block, BLOCK_LEN) < 0) abort();
    if (snapshot_of_block(&p->slices[p->n_slices], block) < 0) abort();
  }
  lua_pushcfunction(L, l_take);
  lua_pushlightuserdata(L, p);
  lua_pcall(L, 1, 0, 0);
  lua_settop(L, 0);
  parcel_release(p);
  if (++runs % RUNS == 0) {
    lua_close(L);
    L = NULL;
  }
  return 0;
}
