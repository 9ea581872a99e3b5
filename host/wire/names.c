/* names.c - the index of what modules hold. */
#include "wire/names.h"

#include <string.h>
#include <lauxlib.h>
#include <lualib.h>
#include "wire/sources.h"
#include "wire/state.h"
#include "wire/wire.h"

/* What the index is being made of. */
typedef struct Module {
  int names; /* stack index of the table: object -> name */
  const char *name;
  int file; /* stack index of the path of its source, or of nil */
  bool is_standard;
} Module;

/* Is the Lua function on top from the source of m? A function that a script has put into a
   module crosses by value. */
static bool is_own (lua_State *L, const Module *m) {
  if (lua_type(L, m->file) != LUA_TSTRING) return false;
  lua_Debug ar;
  lua_pushvalue(L, -1);
  lua_getinfo(L, ">S", &ar);
  return ar.source[0] == '@' && strcmp(ar.source + 1, lua_tostring(L, m->file)) == 0;
}

/* Enters the object on top under the name that is built of the parts; pops nothing. The first
   name stays, or the lesser, so that an order of tables does not matter. */
static void enter (lua_State *L, int names, const char *kind, const char *const parts[], int n,
                   bool keep) {
  luaL_Buffer b;
  int object = lua_gettop(L);
  lua_pushvalue(L, object);
  int type = lua_rawget(L, names);
  if (keep && type != LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  luaL_buffinit(L, &b);
  luaL_addstring(&b, kind);
  for (int i = 0; i < n; i++) {
    luaL_addchar(&b, '\0');
    luaL_addstring(&b, parts[i]);
  }
  luaL_pushresult(&b);
  if (type == LUA_TNIL || lua_compare(L, -1, object + 1, LUA_OPLT)) {
    lua_pushvalue(L, object);
    lua_pushvalue(L, -2);
    lua_rawset(L, names);
  }
  lua_settop(L, object);
}

/* The key below the top as a part of a name; NULL: it cannot be one. */
static const char *part_of_name (lua_State *L) {
  size_t len;
  if (lua_type(L, -2) != LUA_TSTRING) return NULL;
  const char *part = lua_tolstring(L, -2, &len);
  return strlen(part) == len ? part : NULL;
}

static bool is_named_function (lua_State *L, const Module *m) {
  return lua_type(L, -1) == LUA_TFUNCTION && (lua_iscfunction(L, -1) || is_own(L, m));
}

/* Is the table on top a class of the module: one with __name or __index, and where it has
   functions of Lua, some are of the module's source? */
static bool is_class (lua_State *L, const Module *m) {
  static const char *const marks[] = {"__index", "__name"};
  bool is = false, is_foreign = false;
  for (int i = 0; i < 2 && !is; i++) {
    lua_pushstring(L, marks[i]);
    is = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 1);
  }
  if (!is) return false;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -1) == LUA_TFUNCTION) {
      is_foreign = !is_named_function(L, m);
      if (!is_foreign) {
        lua_pop(L, 2);
        return true;
      }
    }
    lua_pop(L, 1);
  }
  return !is_foreign;
}

/* Enters the fields of the module on top, and the methods of its classes. */
static void enter_fields (lua_State *L, const Module *m) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const char *parts[3] = {m->name, part_of_name(L), NULL};
    if (parts[1] != NULL) {
      if (is_named_function(L, m)) {
        enter(L, m->names, "M", parts, 2, m->is_standard);
      } else if (lua_istable(L, -1) && !m->is_standard && is_class(L, m)) {
        enter(L, m->names, "M", parts, 2, false);
        lua_pushnil(L);
        while (lua_next(L, -2)) {
          parts[2] = part_of_name(L);
          if (parts[2] != NULL && is_named_function(L, m)) {
            enter(L, m->names, "M", parts, 3, false);
          }
          lua_pop(L, 1);
        }
      }
    }
    lua_pop(L, 1);
  }
}

/* Does the table on top hold C functions that have no name so far? */
static bool holds_nameless (lua_State *L, const Module *m) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    bool is = lua_iscfunction(L, -1) && part_of_name(L) != NULL &&
              lua_rawget(L, m->names) == LUA_TNIL;
    if (is) {
      lua_pop(L, 2);
      return true;
    }
    lua_pop(L, 1);
  }
  return false;
}

/* Enters the tables of C functions among the fields of the module on top, such as
   neap.VectorArray, and those functions. They could not cross by value. */
static void enter_tables (lua_State *L, const Module *m) {
  WireState *s = state_get(L);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const char *parts[3] = {m->name, part_of_name(L), NULL};
    const void *address = lua_topointer(L, -1);
    size_t unused;
    bool is_known = lua_istable(L, -1) && addressmap_find(&s->tables, address, &unused);
    if (parts[1] != NULL && lua_istable(L, -1) && (is_known || holds_nameless(L, m))) {
      bool is_new;
      if (addressmap_at(&s->tables, address, &is_new) == NULL)
        luaL_error(L, "not enough memory");
      enter(L, m->names, "M", parts, 2, false);
      lua_pushnil(L);
      while (lua_next(L, -2)) {
        parts[2] = part_of_name(L);
        if (parts[2] != NULL && lua_iscfunction(L, -1))
          enter(L, m->names, "M", parts, 3, false);
        lua_pop(L, 1);
      }
    }
    lua_pop(L, 1);
  }
}

/* Enters what package.loaded holds: the standard libraries first, whose names are the best. */
static void enter_modules (lua_State *L, int names, bool are_standard,
                           void (*enter_parts)(lua_State *L, const Module *m)) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const char *name = part_of_name(L);
    if (name != NULL && lua_istable(L, -1) && sources_is_standard(name) == are_standard) {
      uint64_t hash;
      if (sources_look(L, name, -1, &hash) != SOURCE_NONE) {
        Module m = {.names = names,
                    .name = name,
                    .file = lua_gettop(L),
                    .is_standard = are_standard};
        lua_pushvalue(L, -2);
        enter_parts(L, &m);
        lua_pop(L, 1);
      }
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* Enters the functions of the table on top, fields of a registered metatable. */
static void enter_methods (lua_State *L, int names, const char *parts[], int n) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    parts[n] = part_of_name(L);
    if (parts[n] != NULL && lua_iscfunction(L, -1)) enter(L, names, "U", parts, n + 1, true);
    lua_pop(L, 1);
  }
}

/* Pushes the methods of the metatable on top: the table that is __index, or that a C function that
   is __index has for its first upvalue, where it computes fields as well. False, and nothing is pushed: there
   are none. */
static bool push_methods (lua_State *L, bool *is_table) {
  lua_pushliteral(L, "__index");
  *is_table = lua_rawget(L, -2) == LUA_TTABLE;
  if (*is_table) return true;
  if (names_methods(L, -1)) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 1);
  return false;
}

/* Enters the metatables that C code has made with luaL_newmetatable, and their methods. */
static void enter_metatables (lua_State *L, int names) {
  lua_pushnil(L);
  while (lua_next(L, LUA_REGISTRYINDEX)) {
    const char *parts[3] = {part_of_name(L), "__index", NULL};
    if (parts[0] != NULL && lua_istable(L, -1)) {
      lua_pushliteral(L, "__name");
      bool is = lua_rawget(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -1), parts[0]) == 0;
      lua_pop(L, 1);
      if (is) {
        enter(L, names, "U", parts, 1, true);
        bool is_table;
        if (push_methods(L, &is_table)) {
          if (is_table && !lua_rawequal(L, -1, -2)) enter(L, names, "U", parts, 2, true);
          enter_methods(L, names, parts, 2);
          lua_pop(L, 1);
        }
        enter_methods(L, names, parts, 1);
      }
    }
    lua_pop(L, 1);
  }
}

static void make_index (lua_State *L) {
  state_table(L, STATE_NAMES);
  int names = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, names)) { /* what modules no longer hold has no name */
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, names);
  }
  addressmap_clear(&state_get(L)->tables);
  enter_modules(L, names, true, enter_fields);
  enter_metatables(L, names);
  enter_modules(L, names, false, enter_fields);
  enter_modules(L, names, false, enter_tables); /* when all that has a better name has got it */
  lua_pop(L, 1);
}

bool names_may_have (lua_State *L, WireState *s, uint64_t fingerprint, const void *address) {
  if (s->fingerprint != fingerprint) {
    luaL_checkstack(L, 30, NULL);
    make_index(L);
    s->fingerprint = fingerprint;
  }
  size_t unused;
  return addressmap_find(&s->tables, address, &unused);
}

bool names_find (lua_State *L, uint64_t fingerprint, int index) {
  luaL_checkstack(L, 30, NULL);
  index = lua_absindex(L, index);
  WireState *s = state_get(L);
  /* A C function without a name cannot cross at all: for it the index is made again. */
  int attempts = lua_iscfunction(L, index) ? 2 : 1;
  for (int i = 0; i < attempts; i++) {
    if (s->fingerprint != fingerprint || i > 0) {
      make_index(L);
      s->fingerprint = fingerprint;
      i = 1;
    }
    state_table(L, STATE_NAMES);
    lua_pushvalue(L, index);
    int type = lua_rawget(L, -2);
    lua_remove(L, -2);
    if (type == LUA_TSTRING) return true;
    lua_pop(L, 1);
  }
  return false;
}

bool wire_push_name (lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (!names_find(L, state_modules(L), index)) return false;
  size_t len;
  const char *name = lua_tolstring(L, -1, &len);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (size_t i = 2; i < len; i++) luaL_addchar(&b, (char)(name[i] == '\0' ? '.' : name[i]));
  luaL_pushresult(&b);
  lua_remove(L, -2);
  return true;
}

bool names_module (lua_State *L, int index) {
  luaL_checkstack(L, 20, NULL);
  index = lua_absindex(L, index);
  state_table(L, STATE_CACHE);
  int cache = lua_gettop(L);
  lua_pushvalue(L, index);
  if (lua_rawget(L, cache) == LUA_TSTRING) {
    lua_remove(L, cache);
    return true;
  }
  lua_settop(L, cache);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushnil(L); /* stack: cache, loaded, the best name so far */
  lua_pushnil(L);
  while (lua_next(L, cache + 1)) {
    if (lua_rawequal(L, -1, index) && part_of_name(L) != NULL) {
      uint64_t hash;
      int kind = sources_look(L, lua_tostring(L, -2), index, &hash);
      lua_pop(L, 1);
      bool is_better = lua_isnil(L, cache + 2) || lua_compare(L, -2, cache + 2, LUA_OPLT);
      if (kind != SOURCE_NONE && is_better) {
        lua_pushvalue(L, -2);
        lua_replace(L, cache + 2);
      }
    }
    lua_pop(L, 1);
  }
  bool found = !lua_isnil(L, cache + 2);
  if (found) {
    lua_pushlstring(L, "M", 2); /* with its '\0' */
    lua_pushvalue(L, cache + 2);
    lua_concat(L, 2);
    lua_pushvalue(L, index);
    lua_pushvalue(L, -2);
    lua_rawset(L, cache);
    lua_replace(L, cache);
  }
  lua_settop(L, found ? cache : cache - 1);
  return found;
}
