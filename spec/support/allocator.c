/* allocator.c - a Lua module for specs: asks Lua's allocator for memory as Lua itself does. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <lauxlib.h>

int luaopen_allocator (lua_State *L);

enum { OBJECTS = 200 };

typedef struct Object {
  unsigned char *p;
  size_t size;
  unsigned char mark; /* that all its bytes have */
} Object;

static bool is_whole (const Object *o, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (o->p[i] != o->mark) return false;
  }
  return true;
}

/* exercise(steps, most) -> objects of up to most bytes come, grow, shrink and go: how many of them
   have lost bytes, or lie where they must not */
static int l_exercise (lua_State *L) {
  lua_Integer steps = luaL_checkinteger(L, 1), wrong = 0;
  size_t most = (size_t)luaL_checkinteger(L, 2);
  void *user;
  lua_Alloc allocate = lua_getallocf(L, &user);
  Object objects[OBJECTS] = {{0}};
  uint64_t random = 1;
  for (lua_Integer step = 0; step < steps; step++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    Object *o = &objects[(random >> 33) % OBJECTS];
    size_t size = (random >> 12) % 3 == 0 ? 0 : (random >> 40) % most + 1;
    size_t old_size = o->p == NULL ? LUA_TTABLE : o->size; /* as Lua says what it makes */
    size_t kept = o->size < size ? o->size : size;
    unsigned char *p = allocate(user, o->p, old_size, size);
    o->p = p;
    if ((p == NULL) != (size == 0) || (uintptr_t)p % 16 != 0 || !is_whole(o, kept)) wrong++;
    o->size = p == NULL ? 0 : size;
    o->mark = (unsigned char)step;
    if (p != NULL) memset(p, o->mark, size);
  }
  for (int i = 0; i < OBJECTS; i++) {
    if (objects[i].p != NULL && !is_whole(&objects[i], objects[i].size)) wrong++;
    allocate(user, objects[i].p, objects[i].size, 0);
  }
  lua_pushinteger(L, wrong);
  return 1;
}

/* hold(n, size): n objects of so many bytes, all freed again */
static int l_hold (lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1);
  size_t size = (size_t)luaL_checkinteger(L, 2);
  void *user, **last = NULL;
  lua_Alloc allocate = lua_getallocf(L, &user);
  for (lua_Integer i = 0; i < n; i++) {
    void **p = allocate(user, NULL, LUA_TTABLE, size);
    if (p == NULL) break;
    *p = last;
    last = p;
  }
  while (last != NULL) {
    void *next = *last;
    allocate(user, last, size, 0);
    last = next;
  }
  return 0;
}

int luaopen_allocator (lua_State *L) {
  static const luaL_Reg functions[] = {{"exercise", l_exercise},
                                       {"hold", l_hold},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
