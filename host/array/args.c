/* args.c - arguments of array functions. */
#include "array/args.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include "array/slots.h"

void args_new_kind (lua_State *L, const ArgsKind *kind) {
  luaL_newmetatable(L, kind->name);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, kind);
}

static uintptr_t mark_of (const ArgsKind *kind, const void *userdata) {
  return (uintptr_t)kind ^ (uintptr_t)userdata;
}

void *args_push (lua_State *L, const ArgsKind *kind, size_t size, int user_values) {
  ArgsMark *mark = lua_newuserdatauv(L, size, user_values);
  mark->value = mark_of(kind, mark);
  lua_rawgetp(L, LUA_REGISTRYINDEX, kind);
  lua_setmetatable(L, -2);
  return mark;
}

void args_unmark (void *userdata) {
  ArgsMark *mark = userdata;
  mark->value = 0;
}

/* Without its mark a userdata is one that has been finalized, by the collector or by a script. */
static bool has_metatable (lua_State *L, int index, const ArgsKind *kind) {
  if (!lua_getmetatable(L, index)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, kind);
  bool is_kind = lua_topointer(L, -1) == lua_topointer(L, -2);
  lua_pop(L, 2);
  return is_kind;
}

void *args_test (lua_State *L, int index, const ArgsKind *kind) {
  ArgsMark *mark = lua_touserdata(L, index);
  if (mark == NULL) return NULL;
  bool is_marked = lua_rawlen(L, index) >= sizeof *mark && mark->value == mark_of(kind, mark);
  return is_marked || has_metatable(L, index, kind) ? mark : NULL;
}

void *args_check (lua_State *L, int arg, const ArgsKind *kind) {
  void *p = args_test(L, arg, kind);
  if (p == NULL) luaL_typeerror(L, arg, kind->name);
  return p;
}

int args_fail (lua_State *L, int arg, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const char *message = lua_pushvfstring(L, format, args);
  va_end(args);
  bool is_self = arg == 1 && lua_isuserdata(L, 1);
  return is_self ? luaL_error(L, "%s", message) : luaL_argerror(L, arg, message);
}

static void push_place (lua_State *L) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline > 0) {
      lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
      return;
    }
  }
  lua_pushliteral(L, "");
}

int args_raise (lua_State *L, const char *format, ...) {
  push_place(L);
  va_list args;
  va_start(args, format);
  lua_pushvfstring(L, format, args);
  va_end(args);
  lua_concat(L, 2);
  return lua_error(L);
}

const char *args_operand (lua_State *L, int index) {
  const char *text = luaL_tolstring(L, index, NULL), *end = strchr(text, '\n');
  if (end != NULL) text = lua_pushlstring(L, text, (size_t)(end - text));
  return lua_type(L, index) == LUA_TSTRING ? lua_pushfstring(L, "\"%s\"", text) : text;
}

const char *args_kind (lua_State *L, int index) {
  if (lua_isuserdata(L, index)) {
    static const char closed[] =
      " (closed)"; /* what arrays that are closed say of themselves */
    size_t len, end = sizeof closed - 1;
    const char *text = luaL_tolstring(L, index, &len);
    if (len > end && strcmp(text + len - end, closed) == 0) return text;
    lua_pop(L, 1);
  }
  int type = luaL_getmetafield(L, index, "__name");
  if (type == LUA_TSTRING) return lua_tostring(L, -1);
  if (type != LUA_TNIL) lua_pop(L, 1);
  return lua_pushstring(L, luaL_typename(L, index));
}

size_t args_size (lua_State *L, int arg, const char *name) {
  lua_Integer n = luaL_checkinteger(L, arg);
  if (n < 0) args_fail(L, arg, "%s: at least 0 expected, got %I", name, n);
  return (size_t)n;
}

static const char *range_message (lua_State *L, lua_Integer i, size_t n) {
  if (n == 0) return lua_pushfstring(L, "index %I out of range: there are none", i);
  return lua_pushfstring(L, "index %I out of range 1..%I", i, (lua_Integer)n);
}

size_t args_index (lua_State *L, int arg, size_t n) {
  lua_Integer i = luaL_checkinteger(L, arg);
  if ((lua_Unsigned)i - 1u >= n) luaL_argerror(L, arg, range_message(L, i, n));
  return (size_t)i - 1;
}

int args_fail_number (lua_State *L, int arg, const char *format, va_list args) {
  char what[96];
  vsnprintf(what, sizeof what, format, args);
  return args_fail(L, arg, "%s: number expected, got %s", what, args_kind(L, -1));
}

double args_pop_number (lua_State *L, int arg, const char *format, ...) {
  int is_number;
  double x = lua_tonumberx(L, -1, &is_number);
  if (!is_number || lua_type(L, -1) != LUA_TNUMBER) {
    va_list args;
    va_start(args, format);
    args_fail_number(L, arg, format, args);
    va_end(args);
  }
  lua_pop(L, 1);
  return x;
}

size_t args_list_len (lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_Integer n = luaL_len(L, arg);
  luaL_argcheck(L, n >= 0, arg, "list of negative length");
  return (size_t)n;
}

bool args_is_raw (lua_State *L, int arg) {
  if (!lua_getmetatable(L, arg)) return true;
  lua_pop(L, 1);
  return false;
}

int args_item (lua_State *L, int arg, bool raw, size_t k) {
  lua_Integer i = (lua_Integer)k + 1;
  return raw ? lua_rawgeti(L, arg, i) : lua_geti(L, arg, i);
}

void args_plain (lua_State *L, int arg) {
  if (!lua_istable(L, arg) || args_is_raw(L, arg)) return;
  size_t n = args_list_len(L, arg);
  lua_createtable(L, n < 1024 ? (int)n : 0, 0);
  for (size_t k = 0; k < n; k++) {
    lua_geti(L, arg, (lua_Integer)k + 1);
    lua_rawseti(L, -2, (lua_Integer)k + 1);
  }
  lua_replace(L, arg);
}

void *args_scratch (lua_State *L, size_t n, size_t size) {
  if (n > (size_t)PTRDIFF_MAX / size) luaL_error(L, "not enough memory");
  return lua_newuserdatauv(L, n * size, 0);
}

static void check_len (lua_State *L, int arg, size_t n) {
  size_t got = args_list_len(L, arg);
  if (got != n) {
    args_fail(L, arg, "list of %I numbers expected, got %I", (lua_Integer)n, (lua_Integer)got);
  }
}

void args_read_numbers (lua_State *L, int arg, size_t n, double *x) {
  check_len(L, arg, n);
  bool raw = args_is_raw(L, arg);
  size_t done = raw ? (size_t)slots_numbers(L, arg, 1, (lua_Integer)n, x) : 0;
  for (size_t i = done; i < n; i++) {
    args_item(L, arg, raw, i);
    x[i] = args_pop_number(L, arg, "entry %zu", i + 1);
  }
}

double *args_numbers (lua_State *L, int arg, size_t n) {
  check_len(L, arg, n);
  double *x = args_scratch(L, n, sizeof *x);
  args_read_numbers(L, arg, n, x);
  return x;
}

/* What stands at the top of the stack, an item of the list at arg of the given type, as an index
   counted from 0. */
static size_t to_index (lua_State *L, int arg, int type, size_t k, size_t limit) {
  int is_integer;
  lua_Integer i = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || type != LUA_TNUMBER) {
    const char *got = type == LUA_TNUMBER ? "a fraction" : args_kind(L, -1);
    args_fail(L, arg, "entry %I: index expected, got %s", (lua_Integer)k + 1, got);
  }
  if ((lua_Unsigned)i - 1u >= limit) luaL_argerror(L, arg, range_message(L, i, limit));
  return (size_t)i - 1;
}

size_t *args_indices (lua_State *L, int arg, size_t limit, size_t *n, size_t few[ARGS_FEW]) {
  enum { AT_ONCE = 8 }; /* items on the stack, which has room for twice as many */
  if (lua_type(L, arg) == LUA_TNUMBER) {
    *few = args_index(L, arg, limit);
    *n = 1;
    lua_pushnil(L);
    return few;
  }
  if (!lua_istable(L, arg)) luaL_typeerror(L, arg, "index or list of indices");
  *n = args_list_len(L, arg);
  size_t *indices = few;
  if (*n > ARGS_FEW) indices = args_scratch(L, *n, sizeof *indices);
  else lua_pushnil(L);
  bool raw = args_is_raw(L, arg);
  int top = lua_gettop(L);
  for (size_t k = raw ? slots_indices(L, arg, limit, *n, indices) : 0; k < *n; k++) {
    if (lua_gettop(L) >= top + AT_ONCE) lua_settop(L, top);
    indices[k] = to_index(L, arg, args_item(L, arg, raw, k), k, limit);
  }
  lua_settop(L, top);
  return indices;
}

void args_options (lua_State *L, int arg, const char *const names[]) {
  if (lua_isnoneornil(L, arg)) {
    if (lua_gettop(L) < arg) lua_settop(L, arg);
    return;
  }
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, arg) != 0) {
    lua_pop(L, 1);
    size_t k = 0;
    if (lua_type(L, -1) == LUA_TSTRING) {
      while (names[k] != NULL && strcmp(names[k], lua_tostring(L, -1)) != 0) k++;
    }
    if (lua_type(L, -1) != LUA_TSTRING || names[k] == NULL) {
      args_fail(L, arg, "unknown option '%s'", luaL_tolstring(L, -1, NULL));
    }
  }
}

int args_option (lua_State *L, int arg, const char *name) {
  if (!lua_isnil(L, arg)) return lua_getfield(L, arg, name);
  lua_pushnil(L);
  return LUA_TNIL;
}

bool args_option_boolean (lua_State *L, int arg, const char *name, bool standard) {
  int type = args_option(L, arg, name);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
    args_fail(L, arg, "option %s: boolean expected, got %s", name, args_kind(L, -1));
  }
  bool value = type == LUA_TNIL ? standard : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

double args_option_number (lua_State *L, int arg, const char *name, double standard) {
  if (args_option(L, arg, name) == LUA_TNIL) {
    lua_pop(L, 1);
    return standard;
  }
  return args_pop_number(L, arg, "option %s", name);
}

void args_check_dim (lua_State *L, int arg, size_t expected, size_t got) {
  if (expected == got) return;
  args_fail(L, arg, "dimension %I expected, got %I", (lua_Integer)expected, (lua_Integer)got);
}

void args_check_len (lua_State *L, int arg, size_t expected, size_t got) {
  if (expected == got) return;
  args_fail(L, arg, "%I vectors expected, got %I", (lua_Integer)expected, (lua_Integer)got);
}
