/* slots.c - numbers of a list, read and written where Lua keeps them. */
#include "wire/slots.h"

#include <assert.h>
#include <stddef.h>
#include <lauxlib.h>
#include "wire/bytes.h"
#include "wire/state.h"

/* As in lobject.h of all releases of Lua 5.4. Numbers are no objects of the collector's, so that it
   need not be told of those that are written. */
typedef struct Slot {
  union {
    lua_Integer i;
    lua_Number n;
  } value;
  uint8_t tag;
} Slot;

typedef struct List {
  void *next;
  uint8_t type, marked, flags, log_size;
  unsigned n; /* that many items at least stand in slots */
  Slot *slots;
} List;

enum { TAG_INTEGER = LUA_TNUMBER, TAG_FLOAT = LUA_TNUMBER | 1 << 4 };

/* Fewer items are not worth the way here. */
enum { SLOTS_MIN = 16 };

static_assert(sizeof(lua_Integer) == 8 && sizeof(lua_Number) == 8, "items of eight bytes");
static_assert(sizeof(Slot) == 16, "a value and its tag");

static List *list_at (lua_State *L, int index) {
  return (List *)(uintptr_t)lua_topointer(L, index);
}

bool slots_look (lua_State *L) {
#if LUA_VERSION_NUM == 504
  enum { N = 2 };
  if (lua_version(L) != 504) return false;
  lua_createtable(L, N, 0);
  lua_pushinteger(L, 0x123456789abcdef0);
  lua_rawseti(L, -2, 1);
  lua_pushnumber(L, -0.75);
  lua_rawseti(L, -2, 2);
  const List *t = list_at(L, -1);
  bool known = t->type == (LUA_TTABLE | 0) && t->n == N && t->slots != NULL &&
               t->slots[0].tag == TAG_INTEGER && t->slots[0].value.i == 0x123456789abcdef0 &&
               t->slots[1].tag == TAG_FLOAT && t->slots[1].value.n == -0.75;
  lua_pop(L, 1);
  return known;
#else
  (void)L, (void)list_at;
  return false;
#endif
}

/* How many of items first, ... first + n - 1 have slots. */
static lua_Integer count (lua_State *L, const List *t, lua_Integer first, lua_Integer n) {
  if (n < SLOTS_MIN || !state_get(L)->has_slots) return 0;
  if (first < 1 || first > (lua_Integer)t->n) return 0;
  lua_Integer room = (lua_Integer)t->n - first + 1;
  return n < room ? n : room;
}

lua_Integer slots_read (lua_State *L, int index, lua_Integer first, lua_Integer n,
                        bool integers, uint8_t *to) {
  const List *t = list_at(L, index);
  n = count(L, t, first, n);
  if (n == 0) return 0;
  const Slot *slots = t->slots + (first - 1);
  uint8_t tag = integers ? TAG_INTEGER : TAG_FLOAT;
  lua_Integer i = 0;
  for (; i < n && slots[i].tag == tag; i++) put_le64(to + 8 * i, (uint64_t)slots[i].value.i);
  return i;
}

lua_Integer slots_write (lua_State *L, int index, lua_Integer first, lua_Integer n,
                         bool integers, const uint8_t *from) {
  List *t = list_at(L, index);
  n = count(L, t, first, n);
  if (n == 0) return 0;
  Slot *slots = t->slots + (first - 1);
  uint8_t tag = integers ? TAG_INTEGER : TAG_FLOAT;
  for (lua_Integer i = 0; i < n; i++) {
    slots[i].value.i = (lua_Integer)get_le64(from + 8 * i);
    slots[i].tag = tag;
  }
  return n;
}
