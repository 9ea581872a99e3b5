/* vectorarray_new.c - the constructors of neap.VectorArray. */
#include "array/vectorarray_store.h"

#include <math.h>
#include <string.h>
#include <lauxlib.h>
#include <lualib.h>
#include "array/args.h"
#include "array/kernels.h"
#include "array/memory.h"
#include "array/random.h"
#include "array/scalar.h"

/* The options at arg of constructors that have this one only. */
static bool check_complex (lua_State *L, int arg) {
  static const char *const names[] = {"complex", NULL};
  args_options(L, arg, names);
  return args_option_boolean(L, arg, "complex", false);
}

/* VectorArray.zeros(dim, len [, {complex = false}]) */
static int l_zeros (lua_State *L) {
  size_t dim = args_size(L, 1, "dim"), len = args_size(L, 2, "len");
  vectorarray_push_kind(L, dim, len, check_complex(L, 3), true);
  return 1;
}

static int push_full (lua_State *L, Scalar value, size_t dim, size_t len) {
  VectorArray *U = vectorarray_push_kind(L, dim, len, value.is_complex, false);
  double *x = memory_own(U->block);
  if (!value.is_complex) {
    kernel_fill(x, creal(value.value), dim * len);
  } else {
    for (size_t k = 0; k < dim * len; k++) memcpy(x + 2 * k, &value.value, sizeof value.value);
  }
  return 1;
}

/* VectorArray.ones(dim, len [, {complex = false}]) */
static int l_ones (lua_State *L) {
  size_t dim = args_size(L, 1, "dim"), len = args_size(L, 2, "len");
  return push_full(L, (Scalar){.value = 1, .is_complex = check_complex(L, 3)}, dim, len);
}

/* VectorArray.full(value, dim, len [, {complex = false}]) */
static int l_full (lua_State *L) {
  Scalar value = scalar_check(L, 1);
  size_t dim = args_size(L, 2, "dim"), len = args_size(L, 3, "len");
  value.is_complex = check_complex(L, 4) || value.is_complex;
  return push_full(L, value, dim, len);
}

/* VectorArray.empty(dim [, {reserve =, complex = false}]) */
static int l_empty (lua_State *L) {
  static const char *const names[] = {"reserve", "complex", NULL};
  size_t dim = args_size(L, 1, "dim"), reserve = 0;
  args_options(L, 2, names);
  if (args_option(L, 2, "reserve") != LUA_TNIL) {
    int is_integer;
    lua_Integer n = lua_tointegerx(L, -1, &is_integer);
    luaL_argcheck(L, is_integer && n >= 0, 2, "option reserve: number of vectors expected");
    reserve = (size_t)n;
  }
  bool is_complex = args_option_boolean(L, 2, "complex", false);
  vectorarray_push_kind(L, dim, reserve, is_complex, false)->len = 0;
  return 1;
}

/* A draw from math.random, so that arrays follow its seed too. */
static uint64_t draw_seed (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, LUA_MATHLIBNAME) != LUA_TTABLE) {
    luaL_error(L, "no library 'math' to draw a seed from; give option seed");
  }
  lua_getfield(L, -1, "random");
  lua_pushinteger(L, 0); /* all 64 bits */
  lua_call(L, 1, 1);
  uint64_t seed = (uint64_t)luaL_checkinteger(L, -1);
  lua_pop(L, 3);
  return seed;
}

static uint64_t get_seed (lua_State *L, int arg) {
  if (args_option(L, arg, "seed") == LUA_TNIL) {
    lua_pop(L, 1);
    return draw_seed(L);
  }
  int is_integer;
  lua_Integer seed = lua_tointegerx(L, -1, &is_integer);
  luaL_argcheck(L, is_integer, arg, "option seed: integer expected");
  lua_pop(L, 1);
  return (uint64_t)seed;
}

/* Raises when the option is given with another distribution than its own. */
static void check_option_absent (lua_State *L, int arg, const char *name,
                                 const char *distribution) {
  if (args_option(L, arg, name) != LUA_TNIL) {
    args_fail(L, arg, "option %s does not belong to distribution '%s'", name, distribution);
  }
  lua_pop(L, 1);
}

/* VectorArray.random(dim, len [, options]): the vectors one after the other, so that the first ones
   do not depend on len. */
static int l_random (lua_State *L) {
  static const char *const names[] = {"distribution", "low",  "high",    "loc",
                                      "scale",        "seed", "complex", NULL};
  static const char *const distributions[] = {"uniform", "normal", NULL};
  size_t dim = args_size(L, 1, "dim"), len = args_size(L, 2, "len");
  args_options(L, 3, names);
  args_option(L, 3, "distribution");
  const char *name = lua_isnil(L, -1) ? "uniform" : lua_tostring(L, -1);
  int which = 0;
  while (name != NULL && distributions[which] != NULL &&
         strcmp(name, distributions[which]) != 0) {
    which++;
  }
  if (name == NULL || distributions[which] == NULL) {
    args_fail(L, 3,
              "option distribution: 'uniform' or 'normal' expected, "
              "got %s",
              luaL_tolstring(L, -1, NULL));
  }
  check_option_absent(L, 3, which == 0 ? "loc" : "low", distributions[which]);
  check_option_absent(L, 3, which == 0 ? "scale" : "high", distributions[which]);
  double a = args_option_number(L, 3, which == 0 ? "low" : "loc", 0);
  double b = args_option_number(L, 3, which == 0 ? "high" : "scale", 1);
  luaL_argcheck(L, isfinite(a) && isfinite(b), 3,
                "parameters of the distribution are not finite");
  if (which == 0) luaL_argcheck(L, a < b, 3, "option high: larger than low expected");
  else luaL_argcheck(L, b >= 0, 3, "option scale: at least 0 expected");
  bool is_complex = args_option_boolean(L, 3, "complex", false);
  Random r;
  random_init(&r, get_seed(L, 3));
  VectorArray *U = vectorarray_push_kind(L, dim, len, is_complex, false);
  size_t n = vectorarray_run(U) * len; /* both parts are drawn */
  if (which == 0) random_uniform(&r, a, b, memory_own(U->block), n);
  else random_normal(&r, a, b, memory_own(U->block), n);
  return 1;
}

/* Of an array that nobody else has: the first complex entry makes it complex. */
static void set_entry (lua_State *L, VectorArray *U, size_t i, size_t j, Scalar s) {
  if (s.is_complex) vectorarray_promote(L, U);
  double *x = memory_own(U->block);
  size_t k = j * U->dim + i;
  if (U->is_complex) memcpy(x + 2 * k, &s.value, sizeof s.value);
  else x[k] = creal(s.value);
}

/* VectorArray.from_table { {...}, {...} } */
static int l_from_table (lua_State *L) {
  size_t len = args_list_len(L, 1), dim = 0;
  lua_settop(L, 1);
  if (len > 0) {
    if (lua_geti(L, 1, 1) != LUA_TTABLE) {
      args_fail(L, 1, "vector 1: list of numbers expected, got %s", args_kind(L, -1));
    }
    dim = args_list_len(L, 2);
    lua_settop(L, 1);
  }
  VectorArray *U = vectorarray_push_raw(L, dim, len); /* stack: list, U */
  for (size_t j = 0; j < len; j++) {
    if (lua_geti(L, 1, (lua_Integer)j + 1) != LUA_TTABLE) {
      args_fail(L, 1, "vector %I: list of numbers expected, got %s", (lua_Integer)j + 1,
                args_kind(L, -1));
    }
    size_t n = args_list_len(L, 3);
    if (n != dim) {
      args_fail(L, 1, "vector %I has %I entries, vector 1 has %I", (lua_Integer)j + 1,
                (lua_Integer)n, (lua_Integer)dim);
    }
    for (size_t i = 0; i < dim; i++) {
      lua_geti(L, 3, (lua_Integer)i + 1);
      set_entry(L, U, i, j, scalar_pop(L, 1, "entry %zu of vector %zu", i + 1, j + 1));
    }
    lua_settop(L, 2);
  }
  return 1;
}

/* VectorArray.from_function(dim, len, f): f(i, j), vector after vector */
static int l_from_function (lua_State *L) {
  size_t dim = args_size(L, 1, "dim"), len = args_size(L, 2, "len");
  if (!lua_isfunction(L, 3) && luaL_getmetafield(L, 3, "__call") == LUA_TNIL) {
    luaL_typeerror(L, 3, "function");
  }
  VectorArray *U = vectorarray_push_raw(L, dim, len);
  for (size_t j = 0; j < len; j++) {
    for (size_t i = 0; i < dim; i++) {
      lua_pushvalue(L, 3);
      lua_pushinteger(L, (lua_Integer)i + 1);
      lua_pushinteger(L, (lua_Integer)j + 1);
      lua_call(L, 2, 1);
      set_entry(L, U, i, j, scalar_pop(L, 3, "f(%zu, %zu)", i + 1, j + 1));
    }
  }
  return 1;
}

/* Pushes the arrays of the list at 1 as one where they are parts of one block that was sent, as
   after a scatter, so that nothing need be copied. Returns whether they are. */
static bool cat_by_joining (lua_State *L, size_t n, size_t dim, size_t len, bool is_complex) {
  if (n < 2 || dim == 0 || len == 0 || luaL_getmetafield(L, 1, "__index") != LUA_TNIL) {
    lua_settop(L, 1);
    return false;
  }
  BlockSlice *slices = args_scratch(L, n, sizeof *slices);
  size_t n_slices = 0, total = 0, bytes = dim * (is_complex ? 2 : 1) * sizeof(double);
  for (size_t k = 0; k < n; k++) {
    lua_rawgeti(L, 1, (lua_Integer)k + 1);
    const VectorArray *U = vectorarray_test(L, -1), *root;
    size_t ld, first;
    if (U == NULL || U->dim != dim || vectorarray_is_complex(U) != is_complex ||
        !vectorarray_is_panel(U, &ld) || (U->len > 1 && ld != dim) || U->len > len - total) {
      lua_settop(L, 1);
      return false;
    }
    if (U->len > 0) {
      root = vectorarray_root(U);
      first = root->offset + vectorarray_place(U, 0) * bytes;
      slices[n_slices++] = (BlockSlice){root->block, first, U->len * bytes};
    }
    total += U->len;
    lua_pop(L, 1);
  }
  VectorArray *result = vectorarray_push_closed(L);
  Block *block = total == len ? block_join(slices, n_slices) : NULL;
  if (block != NULL) vectorarray_adopt(result, block, 0, dim, len, is_complex);
  else lua_settop(L, 1);
  return block != NULL;
}

/* VectorArray.cat { U, V, ... } */
static int l_cat (lua_State *L) {
  args_plain(L, 1);
  size_t n = args_list_len(L, 1), dim = 0, len = 0;
  bool is_complex = false;
  luaL_argcheck(L, n > 0, 1, "at least one VectorArray expected");
  for (size_t k = 0; k < n; k++) {
    lua_geti(L, 1, (lua_Integer)k + 1);
    const VectorArray *U = vectorarray_test(L, -1);
    if (U == NULL) {
      args_fail(L, 1, "entry %I: VectorArray expected, got %s", (lua_Integer)k + 1,
                args_kind(L, -1));
    }
    if (k > 0 && U->dim != dim) {
      args_fail(L, 1, "entry %I: dimension %I expected, got %I", (lua_Integer)k + 1,
                (lua_Integer)dim, (lua_Integer)U->dim);
    }
    dim = U->dim;
    is_complex = is_complex || vectorarray_is_complex(U);
    luaL_argcheck(L, len <= SIZE_MAX - U->len, 1, "too many vectors");
    len += U->len;
    lua_pop(L, 1);
  }
  if (cat_by_joining(L, n, dim, len, is_complex)) return 1;
  VectorArray *result = vectorarray_push_kind(L, dim, len, is_complex, false);
  double *x = memory_own(result->block);
  size_t run = vectorarray_run(result);
  for (size_t k = 0, j = 0; k < n; k++) {
    lua_geti(L, 1, (lua_Integer)k + 1);
    const VectorArray *U = vectorarray_test(L, -1);
    /* A list with metamethods may have changed. */
    if (U == NULL || U->dim != dim || U->len > len - j) luaL_argerror(L, 1, "list has changed");
    if (is_complex) U = vectorarray_push_complex(L, lua_gettop(L), U);
    else if (vectorarray_is_complex(U)) luaL_argerror(L, 1, "list has changed");
    vectorarray_gather(U, x + j * run);
    j += U->len;
    lua_pop(L, is_complex ? 2 : 1);
    if (k == n - 1 && j != len) luaL_argerror(L, 1, "list has changed");
  }
  return 1;
}

static const luaL_Reg constructors[] = {
  {"zeros", l_zeros},
  {"ones", l_ones},
  {"full", l_full},
  {"empty", l_empty},
  {"random", l_random},
  {"from_table", l_from_table},
  {"from_function", l_from_function},
  {"cat", l_cat},
  {NULL, NULL},
};

void vectorarray_push_constructors (lua_State *L) {
  luaL_newlib(L, constructors);
}
