/* session_random.c - math.random of a worker depends on the pool's seed, call and item only. */
#include <lauxlib.h>
#include "worker/session_internal.h"

/* One step of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
   2014): neighbouring seeds and calls give unrelated states. */
static uint64_t mix (uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/* Upvalues: session, the library's random and randomseed, which share their generator. Seeding
   waits for the first number, so that items that draw none pay nothing. */
static int l_random (lua_State *L) {
  Session *s = lua_touserdata(L, lua_upvalueindex(1));
  if (s->running && !s->seeded) {
    s->seeded = true;
    uint64_t stream = mix(s->seed) ^ mix(2 * s->call + (s->is_map ? 1 : 0));
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_pushinteger(L, (lua_Integer)mix(stream));
    lua_pushinteger(L, s->item);
    lua_call(L, 2, 0);
  }
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static int l_randomseed (lua_State *L) {
  Session *s = lua_touserdata(L, lua_upvalueindex(1));
  s->seeded = true; /* the function chose its own seed */
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

void session_random_open (lua_State *L, Session *s) {
  lua_getglobal(L, "math");
  lua_pushlightuserdata(L, s);
  lua_getfield(L, -2, "random");
  lua_getfield(L, -3, "randomseed");
  lua_pushlightuserdata(L, s);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, l_randomseed, 2);
  lua_setfield(L, -5, "randomseed");
  lua_pushcclosure(L, l_random, 3);
  lua_setfield(L, -2, "random");
  lua_pop(L, 1);
}
