/* decode.c - the values of parcels whose bytes need not be any. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "wire/wire.h"

/* The parcel's slices: those that the seeds refer to, and two more. */
static const size_t lengths[] = {8192, 8192, 48, 7};
enum { N_SLICES = sizeof lengths / sizeof *lengths };

static Parcel *make (const uint8_t *data, size_t size) {
  Parcel *p = parcel_new();
  if (p == NULL) abort();
  p->bytes = malloc(size > 0 ? size : 1);
  p->slices = calloc(N_SLICES, sizeof *p->slices);
  if (p->bytes == NULL || p->slices == NULL) abort();
  memcpy(p->bytes, data, size);
  p->len = size;
  for (; p->n_slices < N_SLICES; p->n_slices++) {
    Block *b;
    if (block_new_zero(&b, lengths[p->n_slices]) < 0 ||
        snapshot_of_block(&p->slices[p->n_slices], b) < 0) {
      abort();
    }
  }
  return p;
}

static int l_decode (lua_State *L) {
  const Parcel *p = lua_touserdata(L, 1);
  lua_newtable(L);
  WireContext context = {.definitions = luaL_ref(L, LUA_REGISTRYINDEX)};
  lua_pushinteger(L, context.definitions); /* freed by the caller, also after an error */
  lua_setfield(L, LUA_REGISTRYINDEX, "fuzz.definitions");
  if (p->len > 0 && (p->bytes[0] & 3) > 1) {
    wire_define(L, p, &context);
    return 0;
  }
  int n = wire_decode(L, p, &context);
  for (int i = -n; i < 0; i++) { /* arrays are read as well */
    if (lua_type(L, i) != LUA_TUSERDATA) continue;
    lua_getfield(L, i, "to_table");
    lua_pushvalue(L, i - 1);
    lua_call(L, 1, 0);
  }
  return 0;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static lua_State *L;
  if (L == NULL) L = fuzz_state();
  Parcel *p = make(data, size);
  lua_pushcfunction(L, l_decode);
  lua_pushlightuserdata(L, p);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK && lua_type(L, -1) != LUA_TSTRING) abort();
  lua_settop(L, 0);
  lua_getfield(L, LUA_REGISTRYINDEX, "fuzz.definitions");
  luaL_unref(L, LUA_REGISTRYINDEX, (int)lua_tointeger(L, -1));
  lua_settop(L, 0);
  parcel_release(p);
  lua_gc(L, LUA_GCCOLLECT);
  return 0;
}
