/* state.c - the definitions that a Lua state has made: codes and classes under numbers. */
#include "wire/state.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <lauxlib.h>
#include "metatable.h"
#include "wire/encoder.h"

#define STATE_TNAME "neap.wire.state"
static const char state_key; /* its address is the key in the registry */

enum { ENTRIES_STEP = 32 };

static int l_gc (lua_State *L) {
  WireState *s = luaL_checkudata(L, 1, STATE_TNAME);
  for (uint32_t i = 0; i < s->n; i++) parcel_release(s->entries[i].parcel);
  free(s->entries);
  s->entries = NULL;
  s->n = s->room = 0;
  if (s->has_spare) workspace_fini(s->spare);
  addressmap_fini(&s->tables);
  s->has_spare = false;
  addressmap_fini(&s->modules);
  s->is_closed = true; /* encoders may be collected after this */
  free(s->spare);
  s->spare = NULL;
  return 0;
}

static void new_table (lua_State *L, int which, const char *mode) {
  lua_newtable(L);
  if (mode != NULL) {
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
  }
  lua_setiuservalue(L, -2, which);
}

WireState *state_push (lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key) == LUA_TUSERDATA) {
    return lua_touserdata(L, -1);
  }
  lua_pop(L, 1);
  WireState *s = lua_newuserdatauv(L, sizeof *s, STATE_TABLES);
  *s = (WireState){0};
  if (getrandom(&s->id, sizeof s->id, 0) != (ssize_t)sizeof s->id) {
    luaL_error(L, "no random bytes: %s", strerror(errno));
  }
  static const luaL_Reg metamethods[] = {{"__gc", l_gc}, {NULL, NULL}};
  metatable_set(L, STATE_TNAME, metamethods);
  s->spare = calloc(1, sizeof *s->spare);
  if (s->spare == NULL) encoder_no_memory(L);
  new_table(L, STATE_CACHE, "k");
  new_table(L, STATE_NAMES, "k");
  new_table(L, STATE_MODULES, "k");
  new_table(L, STATE_CLASSES, "v");
  new_table(L, STATE_OBJECTS, "v");
  new_table(L, STATE_UIDS, "k");
  new_table(L, STATE_HASHES, NULL);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
  return s;
}

WireState *state_get (lua_State *L) {
  WireState *s = state_push(L);
  lua_pop(L, 1); /* the registry keeps it */
  return s;
}

void state_table (lua_State *L, int which) {
  state_push(L);
  lua_getiuservalue(L, -1, which);
  lua_remove(L, -2);
}

/* The numbers of all values, mixed in any order. */
static uint64_t mix_modules (lua_State *L) {
  uint64_t sum = 0;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    sum += (uint64_t)(uintptr_t)lua_topointer(L, -1) * 0x9e3779b97f4a7c15u;
    lua_pop(L, 1);
  }
  return sum | 1;
}

uint64_t state_modules (lua_State *L) {
  WireState *s = state_get(L);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  uint64_t fingerprint = mix_modules(L);
  if (fingerprint != s->modules_fingerprint) {
    s->modules_fingerprint = 0;
    addressmap_fini(&s->modules);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
      bool is_new;
      const void *value = lua_topointer(L, -1);
      if (value != NULL && addressmap_at(&s->modules, value, &is_new) == NULL) {
        encoder_no_memory(L);
      }
      lua_pop(L, 1);
    }
    s->modules_fingerprint = fingerprint;
  }
  lua_pop(L, 1);
  return fingerprint;
}

static uint32_t new_number (lua_State *L, WireState *s) {
  if (s->n == s->room) {
    uint32_t room = s->room + s->room / 2 + ENTRIES_STEP;
    StateEntry *entries = realloc(s->entries, room * sizeof *entries);
    if (entries == NULL) encoder_no_memory(L);
    s->entries = entries;
    s->room = room;
  }
  s->entries[s->n] = (StateEntry){0};
  return ++s->n;
}

static Definition definition (const WireState *s, uint32_t number) {
  const StateEntry *entry = &s->entries[number - 1];
  return (Definition){.number = number, .version = entry->version, .parcel = entry->parcel};
}

static void put_number (uint8_t *head, uint8_t kind, uint32_t number, uint32_t version) {
  head[0] = kind;
  head[1] = head[2] = head[3] = 0;
  put_le32(head + 4, number);
  put_le32(head + 8, version);
}

/* Same contents from offset `from` on? */
static bool same (const Parcel *p, const Parcel *q, size_t from) {
  if (p == NULL || p->len != q->len || p->n_slices != q->n_slices) return false;
  if (p->bytes[0] != q->bytes[0]) return false;
  for (uint32_t i = 0; i < p->n_slices; i++) {
    if (!snapshot_is_same(p->slices[i], q->slices[i])) return false;
  }
  return memcmp(p->bytes + from, q->bytes + from, p->len - from) == 0;
}

/* The number under which the same contents are known, or 0. */
static uint32_t find_same (lua_State *L, const WireState *s, const Parcel *p, size_t from,
                           uint64_t hash) {
  state_table(L, STATE_HASHES);
  lua_rawgeti(L, -1, (lua_Integer)hash);
  uint32_t number = (uint32_t)lua_tointeger(L, -1);
  lua_pop(L, 2);
  return number != 0 && same(s->entries[number - 1].parcel, p, from) ? number : 0;
}

/* The result of e becomes the next version of number. */
static void define (lua_State *L, WireState *s, uint32_t number, Encoder *e, uint64_t hash) {
  state_table(L, STATE_HASHES);
  lua_pushinteger(L, number);
  lua_rawseti(L, -2, (lua_Integer)hash);
  lua_pop(L, 1);
  StateEntry *entry = &s->entries[number - 1];
  put_number(e->result->bytes, e->result->bytes[0], number, ++entry->version);
  parcel_release(entry->parcel);
  entry->parcel = e->result;
  e->result = NULL;
}

static int write_code (lua_State *L, const void *data, size_t len, void *user) {
  encoder_append(L, user, data, len); /* raises without memory; nothing is held here */
  return 0;
}

static void cache_number (lua_State *L, int index, uint32_t number) {
  state_table(L, STATE_CACHE);
  lua_pushvalue(L, index);
  lua_pushinteger(L, number);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

Definition state_code (lua_State *L, Encoder *parent) {
  luaL_checkstack(L, FRAME_SLOTS, NULL);
  int function = lua_gettop(L);
  WireState *s = parent->state;
  Encoder *e = encoder_push(L, parent);
  put_number(encoder_room(L, e, HEAD_CODE), PARCEL_CODE, 0, 0);
  e->len = HEAD_CODE;
  lua_pushvalue(L, function);
  lua_dump(L, write_code, e, 0);
  lua_pop(L, 1);
  uint64_t hash = hash_bytes(e->w.bytes + HEAD_CODE, e->len - HEAD_CODE);
  put_le64(e->w.bytes + HEAD_DEFINITION, hash);
  e->result = encoder_parcel(L, e);
  uint32_t number = find_same(L, s, e->result, HEAD_DEFINITION, hash);
  if (number == 0) {
    number = new_number(L, s);
    define(L, s, number, e, hash);
  }
  cache_number(L, function, number);
  lua_settop(L, function);
  return definition(s, number);
}

/* The class has the uid on top, which stays there. */
static void set_uid (lua_State *L, int class) {
  state_table(L, STATE_UIDS);
  lua_pushvalue(L, class);
  lua_pushvalue(L, -3);
  lua_rawset(L, -3);
  state_table(L, STATE_OBJECTS);
  lua_pushvalue(L, -3);
  lua_pushvalue(L, class);
  lua_rawset(L, -3);
  lua_pop(L, 2);
}

void state_set_uid (lua_State *L, int class, const char *uid) {
  lua_pushlstring(L, uid, UID_LEN);
  set_uid(L, class);
  lua_pop(L, 1);
}

/* Pushes the uid of the class, which gets one where it has none. */
static void push_uid (lua_State *L, WireState *s, int class) {
  state_table(L, STATE_UIDS);
  lua_pushvalue(L, class);
  int type = lua_rawget(L, -2);
  lua_remove(L, -2);
  if (type == LUA_TSTRING) return;
  lua_pop(L, 1);
  uint8_t uid[UID_LEN];
  put_le64(uid, s->id);
  put_le64(uid + 8, ++s->n_classes);
  lua_pushlstring(L, (const char *)uid, sizeof uid);
  set_uid(L, class);
}

/* The class gets a number: a new one, with its uid. */
static uint32_t number_class (lua_State *L, WireState *s, int class) {
  uint32_t number = new_number(L, s);
  push_uid(L, s, class);
  memcpy(s->entries[number - 1].uid, lua_tostring(L, -1), UID_LEN);
  lua_pop(L, 1);
  state_table(L, STATE_CLASSES);
  lua_pushvalue(L, class);
  lua_rawseti(L, -2, number);
  lua_pop(L, 1);
  cache_number(L, class, number);
  return number;
}

/* The class under number has been collected, and one with the same contents has come: it takes
   over number and uid, so that metatables made anew for each call are not sent anew. */
static bool take_over (lua_State *L, const WireState *s, uint32_t number, int class) {
  state_table(L, STATE_CLASSES);
  if (lua_rawgeti(L, -1, number) != LUA_TNIL) {
    lua_pop(L, 2);
    return false;
  }
  lua_pushvalue(L, class);
  lua_rawseti(L, -3, number);
  lua_pop(L, 2);
  state_set_uid(L, class, (const char *)s->entries[number - 1].uid);
  cache_number(L, class, number);
  return true;
}

/* Takes back what was noted for the class: it crosses by value. */
static void decline (lua_State *L, Encoder *e, int class, bool is_new) {
  WireState *s = e->state;
  bool added;
  *addressmap_at(&e->root->defined, lua_topointer(L, class), &added) = 0; /* cannot fail */
  if (is_new && e->number == s->n) { /* metatables made anew for each call must not pile up */
    state_table(L, STATE_CACHE);
    lua_pushvalue(L, class);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    s->n--;
  }
  encoder_close(L, e);
  lua_settop(L, class);
}

uint32_t state_class (lua_State *L, Encoder *parent, int belongs) {
  Encoder *root = parent->root;
  size_t met;
  int class = lua_gettop(L);
  const void *address = lua_topointer(L, class);
  if (addressmap_find(&root->defined, address, &met) && met != 0) return (uint32_t)met;
  if (parent->depth >= CLASS_DEPTH) encode_refuse(L, parent, "a class nested too deep", NULL);
  luaL_checkstack(L, 2 * FRAME_SLOTS, NULL);
  WireState *s = parent->state;
  lua_pushvalue(L, class);
  lua_rawget(L, parent->slots + SLOT_CACHE);
  bool is_new = lua_type(L, -1) != LUA_TNUMBER;
  uint32_t number = is_new ? number_class(L, s, class) : (uint32_t)lua_tointeger(L, -1);
  lua_settop(L, class);
  bool added;
  size_t *slot = addressmap_at(&root->defined, address, &added);
  if (slot == NULL) encoder_no_memory(L);
  *slot = number; /* from here on a reference to it is enough */

  Encoder *e = encoder_push(L, parent);
  e->number = number;
  e->class = address;
  e->shares = belongs == CLASS_OF_DATA;
  put_number(encoder_room(L, e, HEAD_CLASS), PARCEL_CLASS, 0, 0);
  memcpy(e->w.bytes + HEAD_DEFINITION, s->entries[number - 1].uid, UID_LEN);
  e->len = HEAD_CLASS;
  lua_pushvalue(L, class);
  int flags = lua_getmetatable(L, -1) ? FRAME_HAS_META : 0;
  if (flags != 0) lua_pop(L, 1);
  uint32_t n_entries = s->n;
  encode_fields(L, e, flags);
  encode_run(L, e);
  if (belongs != CLASS_FREE && e->shares && !e->is_wanted) {
    decline(L, e, class, is_new);
    return 0;
  }
  e->result = encoder_parcel(L, e);

  if (!same(s->entries[number - 1].parcel, e->result, HEAD_CLASS)) {
    const Parcel *p = e->result;
    uint64_t hash = hash_bytes(p->bytes + HEAD_CLASS, p->len - HEAD_CLASS);
    /* Where other classes came up on the way they may refer to this one by its number. */
    uint32_t old = is_new && s->n == n_entries ? find_same(L, s, p, HEAD_CLASS, hash) : 0;
    if (old != 0 && take_over(L, s, old, class)) {
      if (number == s->n) s->n--;
      number = old;
      *addressmap_at(&root->defined, address, &added) = number; /* it is there: cannot fail */
    } else {
      define(L, s, number, e, hash);
    }
  }
  lua_settop(L, class);
  encoder_define(L, root, NULL, definition(s, number));
  return number;
}
