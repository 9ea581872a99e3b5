/* vectorarray_open.c - VectorArrays as Lua sees them: indexing, length, text, registration. */
#include "array/vectorarray_store.h"

#include <string.h>
#include "array/array.h"
#include "array/args.h"

/* U[i]: a view of vector i, nil outside 1..#U so that ipairs ends */
static int index_number (lua_State *L, const VectorArray *U) {
  int is_integer;
  lua_Integer i = lua_tointegerx(L, 2, &is_integer);
  if (!is_integer) return luaL_error(L, "index %f is no integer", lua_tonumber(L, 2));
  if ((lua_Unsigned)i - 1u >= U->len) return 0;
  vectorarray_push_view(L, 1, 1, vectorarray_place(U, (size_t)i - 1), 1, NULL);
  return 1;
}

/* U[{i, j, k}]: a view in this order, repeats allowed */
static int index_list (lua_State *L, const VectorArray *U) {
  size_t n, few[ARGS_FEW];
  size_t *indices = args_indices(L, 2, U->len, &n, few);
  for (size_t k = 0; k < n; k++) indices[k] = vectorarray_place(U, indices[k]);
  vectorarray_push_view(L, 1, n, 0, 1, indices);
  return 1;
}

/* A method checks its object itself. */
static int index_name (lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  /* Closed or not: it can be closed again. */
  const VectorArray *U = args_check(L, 1, &vectorarray_kind);
  const char *name = lua_tostring(L, 2);
  if (strcmp(name, "dim") == 0) {
    lua_pushinteger(L, (lua_Integer)U->dim);
  } else if (strcmp(name, "is_view") == 0) {
    lua_pushboolean(L, U->is_view);
  } else if (strcmp(name, "is_complex") == 0) {
    lua_pushboolean(L, vectorarray_is_open(U) && vectorarray_is_complex(U));
  } else if (strcmp(name, "is_frozen") == 0) {
    lua_pushboolean(L, vectorarray_is_open(U) && vectorarray_root(U)->frozen);
  } else {
    return 0;
  }
  return 1;
}

static int l_index (lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) return index_name(L);
  args_plain(L, 2);
  const VectorArray *U = vectorarray_check(L, 1);
  switch (lua_type(L, 2)) {
    case LUA_TNUMBER: return index_number(L, U);
    case LUA_TTABLE: return index_list(L, U);
    default: return luaL_error(L, "index or list of indices expected, got %s", args_kind(L, 2));
  }
}

static int l_newindex (lua_State *L) {
  return luaL_error(L,
                    "vectors are not assigned; write with U:set(i, j, x), or through the view "
                    "U[i] with scal and axpy");
}

static int l_len (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)vectorarray_check(L, 1)->len);
  return 1;
}

/* "VectorArray 10000 x 12, view of 40" */
static int l_tostring (lua_State *L) {
  const VectorArray *U = args_check(L, 1, &vectorarray_kind);
  if (!vectorarray_is_open(U)) {
    lua_pushliteral(L, "VectorArray (closed)");
    return 1;
  }
  const VectorArray *root = vectorarray_root(U);
  lua_pushfstring(L, "VectorArray %I x %I%s", (lua_Integer)U->dim, (lua_Integer)U->len,
                  root->is_complex ? ", complex" : "");
  if (U->is_view) lua_pushfstring(L, ", view of %I", (lua_Integer)root->len);
  else lua_pushliteral(L, "");
  lua_pushstring(L, root->frozen ? ", frozen" : "");
  lua_concat(L, 3);
  return 1;
}

static int l_close (lua_State *L) {
  vectorarray_close(args_check(L, 1, &vectorarray_kind));
  return 0;
}

static int l_gc (lua_State *L) {
  l_close(L);
  args_unmark(lua_touserdata(L, 1));
  return 0;
}

static const luaL_Reg metamethods[] = {
  {"__newindex", l_newindex}, {"__len", l_len}, {"__tostring", l_tostring}, {"__gc", l_gc},
  {"__close", l_close},       {NULL, NULL},
};

void vectorarray_open (lua_State *L) {
  args_new_kind(L, &vectorarray_kind);
  luaL_setfuncs(L, metamethods, 0);
  luaL_setfuncs(L, vectorarray_arith_metamethods, 0);
  lua_newtable(L);
  luaL_setfuncs(L, vectorarray_edit_methods, 0);
  luaL_setfuncs(L, vectorarray_arith_methods, 0);
  luaL_setfuncs(L, vectorarray_product_methods, 0);
  luaL_setfuncs(L, vectorarray_entry_methods, 0);
  lua_pushcclosure(L, l_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  vectorarray_push_constructors(L);
}
