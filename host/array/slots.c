/* slots.c - numbers of a list, read and written where Lua keeps them. */
#include "array/slots.h"

#include <assert.h>
#include <string.h>
#include <lauxlib.h>
#include "host.h"

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

static_assert(sizeof(lua_Integer) == 8 && sizeof(lua_Number) == 8, "items of eight bytes");
static_assert(sizeof(Slot) == 16, "a value and its tag");

static List *list_at (lua_State *L, int index) {
  return (List *)(uintptr_t)lua_topointer(L, index);
}

bool slots_look (lua_State *L) {
#if LUA_VERSION_NUM == 504 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
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

/* The slots of items first, ... first + *n - 1, where *n becomes how many have some. */
static Slot *find (lua_State *L, int index, lua_Integer first, lua_Integer *n) {
  const List *t = host_get(L)->has_slots ? list_at(L, index) : NULL;
  if (t == NULL || first < 1 || first > (lua_Integer)t->n) {
    *n = 0;
    return NULL;
  }
  lua_Integer room = (lua_Integer)t->n - first + 1;
  if (*n > room) *n = room;
  return t->slots + (first - 1);
}

lua_Integer slots_read (lua_State *L, int index, lua_Integer first, lua_Integer n,
                        bool integers, void *to) {
  const Slot *slots = find(L, index, first, &n);
  uint8_t tag = integers ? TAG_INTEGER : TAG_FLOAT, *p = to;
  lua_Integer i = 0;
  for (; i < n && slots[i].tag == tag; i++) memcpy(p + 8 * i, &slots[i].value, 8);
  return i;
}

lua_Integer slots_numbers (lua_State *L, int index, lua_Integer first, lua_Integer n,
                           double *x) {
  const Slot *slots = find(L, index, first, &n);
  lua_Integer i = 0;
  for (; i < n; i++) {
    if (slots[i].tag == TAG_FLOAT) x[i] = slots[i].value.n;
    else if (slots[i].tag == TAG_INTEGER) x[i] = (double)slots[i].value.i;
    else break;
  }
  return i;
}

size_t slots_indices (lua_State *L, int index, size_t limit, size_t n, size_t *indices) {
  lua_Integer most = (lua_Integer)n;
  const Slot *slots = find(L, index, 1, &most);
  size_t i = 0;
  for (; i < (size_t)most && slots[i].tag == TAG_INTEGER; i++) {
    size_t k = (size_t)slots[i].value.i - 1;
    if (k >= limit) break;
    indices[i] = k;
  }
  return i;
}

lua_Integer slots_write (lua_State *L, int index, lua_Integer first, lua_Integer n,
                         bool integers, const void *from) {
  Slot *slots = find(L, index, first, &n);
  uint8_t tag = integers ? TAG_INTEGER : TAG_FLOAT;
  const uint8_t *p = from;
  for (lua_Integer i = 0; i < n; i++) {
    memcpy(&slots[i].value, p + 8 * i, 8);
    slots[i].tag = tag;
  }
  return n;
}

void slots_put_numbers (lua_State *L, int index, size_t first, size_t n, const double *x) {
  lua_Integer at = (lua_Integer)first + 1;
  index = lua_absindex(L, index);
  for (size_t i = (size_t)slots_write(L, index, at, (lua_Integer)n, false, x); i < n; i++) {
    lua_pushnumber(L, x[i]);
    lua_rawseti(L, index, at + (lua_Integer)i);
  }
}

void slots_put_integers (lua_State *L, int index, size_t first, size_t n,
                         const lua_Integer *x) {
  lua_Integer at = (lua_Integer)first + 1;
  index = lua_absindex(L, index);
  for (size_t i = (size_t)slots_write(L, index, at, (lua_Integer)n, true, x); i < n; i++) {
    lua_pushinteger(L, x[i]);
    lua_rawseti(L, index, at + (lua_Integer)i);
  }
}
