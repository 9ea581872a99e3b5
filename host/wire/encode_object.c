/* encode_object.c - tables and functions as what they are: plain, named, classes, closures. */
#include "wire/encoder.h"

#include <string.h>
#include <lauxlib.h>
#include "wire/immutable.h"
#include "wire/names.h"
#include "wire/state.h"

/* Writes the object on top by the name that is at the top after it (stack: object, name). */
static void put_named (lua_State *L, Encoder *e) {
  encoder_put(L, e, OP_NAMED);
  encode_string(L, e, -1);
  uint64_t hash = names_hash(L, -1);
  put_le64(encoder_room(L, e, 8), hash);
  e->len += 8;
  lua_pop(L, 2);
}

/* Pushes what the cache has for the object on top: a number, a name, nil when it was never met.
   A name is looked for at the first meeting and kept. */
static int push_cached (lua_State *L, Encoder *e) {
  lua_pushvalue(L, -1);
  int type = lua_rawget(L, e->slots + SLOT_CACHE);
  if (type != LUA_TNIL) return type;
  lua_pop(L, 1);
  if (!names_find(L, e->root->fingerprint, -1)) { /* stack: object, name */
    lua_pushnil(L);
    return LUA_TNIL;
  }
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -2);
  lua_rawset(L, e->slots + SLOT_CACHE);
  return LUA_TSTRING;
}

/* Is the object at the address what package.loaded holds? That is looked through once for each
   encoder, since modules come and go; mostly it is as it was. */
static bool is_module (lua_State *L, Encoder *e, const void *address) {
  if (e->root->fingerprint == 0) e->root->fingerprint = state_modules(L);
  size_t unused;
  return addressmap_find(&e->state->modules, address, &unused);
}

/* Does the table hold a function, under a name that begins with prefix? */
static bool has_function (lua_State *L, int table, const char *prefix) {
  enum { LOOK_AT = 100 };
  bool has = false;
  table = lua_absindex(L, table);
  lua_pushnil(L);
  for (int i = 0; i < LOOK_AT; i++) {
    if (!lua_next(L, table)) return false;
    has = lua_type(L, -1) == LUA_TFUNCTION && lua_type(L, -2) == LUA_TSTRING &&
          strncmp(lua_tostring(L, -2), prefix, strlen(prefix)) == 0;
    lua_pop(L, 1);
    if (has) break;
  }
  lua_pop(L, 1);
  return has;
}

static bool is_metatable (const Encoder *e) {
  return e->n_frames > 0 && e->w.frames[e->n_frames - 1].kind == FRAME_METATABLE;
}

/* The table is about to be written. If it is a class that is being defined, what refers to it is
   more than an object in that definition. */
static void note_wanted (Encoder *e, const void *table) {
  for (Encoder *up = e; up->parent != NULL; up = up->parent) {
    if (up->class == table && (up != e || !is_metatable(e))) up->is_wanted = true;
  }
}

/* The key stands for a part of the class that e defines, or of one that holds that one. */
static void note_shared (Encoder *e, const void *key) {
  size_t unused;
  for (; e->parent != NULL; e = e->parent) {
    if (addressmap_find(&e->parent->w.met, key, &unused)) e->shares = true;
  }
}

/* Does the class on top belong to the object that it is the metatable of? If it is met there,
   has no name, and what it holds is also elsewhere in the message, a definition of its own would
   hold copies. It goes by value then, unless something but objects refers to it: a class is what
   its methods refer to, if only to make objects. An __index that holds data is elsewhere
   sooner or later. */
static int belonging (lua_State *L, const Encoder *e) {
  if (!is_metatable(e)) return CLASS_FREE;
  lua_pushvalue(L, e->slots + SLOT_NAME);
  bool is_free = lua_rawget(L, -2) == LUA_TSTRING;
  lua_pushvalue(L, e->slots + SLOT_INDEX);
  bool has_table = lua_rawget(L, -3) == LUA_TTABLE;
  if (has_table && lua_rawequal(L, -1, -3)) is_free = true;
  bool is_data = has_table && !has_function(L, -1, "");
  lua_pop(L, 2);
  return is_free ? CLASS_FREE : is_data ? CLASS_OF_DATA : CLASS_MAY_BELONG;
}

static void put_class (lua_State *L, Encoder *e, int flags) {
  uint32_t number = state_class(L, e, belonging(L, e));
  if (number == 0) {
    encode_fields(L, e, flags);
    return;
  }
  encoder_put(L, e, OP_CLASS);
  encoder_varint(L, e, number == e->number ? 0 : number);
  encoder_append(L, e, e->state->entries[number - 1].uid, UID_LEN);
  lua_pop(L, 1);
}

/* A class has a raw __name, or an __index that holds methods, or stands where metatables do and
   has metamethods. Metatables that hold data ({__mode = "k"}, {__index = defaults}) cross by
   value with what they belong to. */
static bool is_class (lua_State *L, const Encoder *e, bool look) {
  lua_pushvalue(L, e->slots + SLOT_INDEX);
  int index = lua_rawget(L, -2);
  lua_pushvalue(L, e->slots + SLOT_NAME);
  bool is = lua_rawget(L, -3) == LUA_TSTRING || index == LUA_TFUNCTION ||
            (index == LUA_TTABLE && (lua_rawequal(L, -2, -3) || has_function(L, -2, "")));
  lua_pop(L, 2);
  size_t number;
  return is || (look && has_function(L, -1, "__")) ||
         (addressmap_find(&e->root->defined, lua_topointer(L, -1), &number) && number != 0);
}

void encode_table (lua_State *L, Encoder *e, bool look) {
  const void *address = lua_topointer(L, -1);
  note_wanted(e, address);
  if (encoder_met(L, e, address)) {
    lua_pop(L, 1);
    return;
  }
  if (address == e->globals) {
    encoder_put(L, e, OP_GLOBALS);
    lua_pop(L, 1);
    return;
  }
  if (is_module(L, e, address)) {
    if (names_module(L, -1)) put_named(L, e);
    else put_class(L, e, 0); /* require cannot find it: the script has put it there */
    return;
  }
  int flags = 0;
  if (lua_getmetatable(L, -1)) {
    flags = FRAME_HAS_META;
    lua_pop(L, 1);
    if (immutable_check(L, -1)) {
      if (encode_remote(L, e)) return;
      if (immutable_contents(L, -1)) {
        immutable_metatable(L, -2);
        flags = FRAME_IMMUTABLE | (lua_isnil(L, -1) ? 0 : FRAME_HAS_META);
        lua_pop(L, 1); /* stack: proxy, contents */
        note_shared(e, address);
        encoder_put(L, e, OP_IMMUTABLE);
        encode_fields(L, e, flags);
        return;
      }
    }
  }
  if (is_class(L, e, look)) {
    int type = push_cached(L, e);
    if (type == LUA_TSTRING) {
      put_named(L, e);
    } else {
      lua_pop(L, 1);
      put_class(L, e, flags);
    }
    return;
  }
  if (names_may_have(L, e->state, e->root->fingerprint, address)) {
    if (push_cached(L, e) == LUA_TSTRING) {
      put_named(L, e);
      return;
    }
    lua_pop(L, 1);
  }
  note_shared(e, address);
  encode_fields(L, e, flags);
}

/* Lists the code under number once for each root. */
static void need_code (lua_State *L, Encoder *e, uint32_t number) {
  const StateEntry *entry = &e->state->entries[number - 1];
  const void *key = (const void *)((uintptr_t)number * 2 + 1); /* odd: no address of a class */
  size_t unused;
  if (addressmap_find(&e->root->defined, key, &unused)) return;
  encoder_define(L, e, key,
                 (Definition){.number = number,
                              .version = entry->version,
                              .parcel = entry->parcel});
}

void encode_function (lua_State *L, Encoder *e) {
  const void *address = lua_topointer(L, -1);
  if (encoder_met(L, e, address)) {
    lua_pop(L, 1);
    return;
  }
  lua_pushvalue(L, -1);
  if (lua_rawget(L, e->slots + SLOT_CACHE) == LUA_TNIL) { /* the first meeting */
    lua_pop(L, 1);
    if (is_module(L, e, address) && names_module(L, -1)) {
      put_named(L, e);
      return;
    }
    push_cached(L, e);
  }
  if (lua_type(L, -1) == LUA_TSTRING) {
    put_named(L, e);
    return;
  }
  uint32_t number = (uint32_t)lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (lua_iscfunction(L, -1)) encode_refuse_kind(L, e);
  if (number == 0) number = state_code(L, e).number;
  need_code(L, e, number);
  int n = 0;
  while (lua_getupvalue(L, -1, n + 1) != NULL) {
    lua_pop(L, 1);
    n++;
  }
  encoder_put(L, e, OP_FUNCTION);
  encoder_varint(L, e, number);
  encoder_put(L, e, (uint8_t)n);
  EncoderFrame *f = encode_open(L, e, FRAME_FUNCTION);
  f->n_upvalues = (uint8_t)n;
}

/* Is the upvalue on top the globals, or an _ENV that computes what it gives, as busted puts
   before the globals of each spec? A table that holds what it gives crosses as a table. */
static bool is_environment (lua_State *L, const Encoder *e, const char *name) {
  bool is_env = strcmp(name, "_ENV") == 0;
  if (!is_env && name[0] != '\0') return false;
  if (lua_topointer(L, -1) == e->globals) return true;
  if (!is_env || luaL_getmetafield(L, -1, "__index") == LUA_TNIL) return false;
  bool computes = lua_isfunction(L, -1);
  lua_pop(L, 1);
  return computes;
}

void encode_step_function (lua_State *L, Encoder *e) {
  size_t depth = e->n_frames;
  EncoderFrame *f = &e->w.frames[depth - 1];
  while (f->upvalue < f->n_upvalues) {
    f->upvalue++;
    const char *name = lua_getupvalue(L, f->object, f->upvalue);
    if (is_environment(L, e, name)) {
      encoder_put(L, e, OP_GLOBALS); /* nobody shares an _ENV to assign to it */
      lua_pop(L, 1);
      continue;
    }
    if (encoder_met(L, e, lua_upvalueid(L, f->object, f->upvalue))) {
      lua_pop(L, 1);
      continue;
    }
    note_shared(e, lua_upvalueid(L, f->object, f->upvalue));
    encoder_put(L, e, OP_UPVALUE);
    if (lua_istable(L, -1))
      encode_table(L, e, true); /* classes are upvalues of their methods */
    else encode_value(L, e);
    if (e->n_frames > depth) return;
    f = &e->w.frames[depth - 1];
  }
  lua_settop(L, f->object - 1);
  e->n_frames--;
}
