/* matrix_open.c - matrices as Lua sees them: fields, text, registration. */
#include "array/matrix_store.h"

#include <stdio.h>
#include <string.h>
#include "array/array.h"
#include "array/matrix_lapack.h"

/* Matrices up to this size are shown with their numbers. */
enum { SHOWN = 10 };

static int l_index (lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1; /* it checks its object */
  const Matrix *M = args_check(L, 1, &matrix_kind);
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(name, "rows") == 0 || strcmp(name, "range") == 0) {
    lua_pushinteger(L, (lua_Integer)M->rows);
  } else if (strcmp(name, "cols") == 0 || strcmp(name, "source") == 0) {
    lua_pushinteger(L, (lua_Integer)M->cols);
  } else if (strcmp(name, "is_complex") == 0) {
    lua_pushboolean(L, M->is_complex);
  } else if (strcmp(name, "is_frozen") == 0) {
    lua_pushboolean(L, M->frozen);
  } else if (lua_type(L, 2) == LUA_TNUMBER) {
    return luaL_error(L, "a Matrix has no index; use M:get(i, j), M:row(i) or M:col(j)");
  } else {
    return 0;
  }
  return 1;
}

static int l_newindex (lua_State *L) {
  return luaL_error(L, "entries are not assigned; use M:set(i, j, x)");
}

static void add_numbers (luaL_Buffer *buffer, const Matrix *M) {
  const double *m = matrix_read(M);
  char text[SHOWN][SHOWN][32];
  int width[SHOWN] = {0};
  for (size_t j = 0; j < M->cols; j++) {
    for (size_t i = 0; i < M->rows; i++) {
      size_t k = i + j * M->rows;
      int n = M->is_complex
                ? snprintf(text[i][j], sizeof text[i][j], "%.5g%+.5gi", m[2 * k], m[2 * k + 1])
                : snprintf(text[i][j], sizeof text[i][j], "%.5g", m[k]);
      if (n > width[j]) width[j] = n;
    }
  }
  for (size_t i = 0; i < M->rows; i++) {
    luaL_addchar(buffer, '\n');
    for (size_t j = 0; j < M->cols; j++) {
      char cell[40];
      snprintf(cell, sizeof cell, "  %*s", width[j], text[i][j]);
      luaL_addstring(buffer, cell);
    }
  }
}

/* "Matrix 2 x 3" and, when it is small, its rows */
static int l_tostring (lua_State *L) {
  const Matrix *M = args_check(L, 1, &matrix_kind);
  if (M->block == NULL) {
    lua_pushliteral(L, "Matrix (closed)");
    return 1;
  }
  lua_pushfstring(L, "Matrix %I x %I%s%s", (lua_Integer)M->rows, (lua_Integer)M->cols,
                  M->is_complex ? ", complex" : "", M->frozen ? ", frozen" : "");
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  if (M->rows <= SHOWN && M->cols <= SHOWN && M->cols > 0) add_numbers(&buffer, M);
  luaL_pushresult(&buffer);
  lua_concat(L, 2);
  return 1;
}

static int l_close (lua_State *L) {
  matrix_close(args_check(L, 1, &matrix_kind));
  return 0;
}

static int l_gc (lua_State *L) {
  l_close(L);
  args_unmark(lua_touserdata(L, 1));
  return 0;
}

static const luaL_Reg metamethods[] = {
  {"__newindex", l_newindex},
  {"__tostring", l_tostring},
  {"__gc", l_gc},
  {"__close", l_close},
  {NULL, NULL},
};

void matrix_open (lua_State *L) {
  args_new_kind(L, &matrix_kind);
  luaL_setfuncs(L, metamethods, 0);
  luaL_setfuncs(L, matrix_arith_metamethods, 0);
  lua_newtable(L);
  luaL_setfuncs(L, matrix_entry_methods, 0);
  luaL_setfuncs(L, matrix_solve_methods, 0);
  luaL_setfuncs(L, matrix_decompose_methods, 0);
  luaL_setfuncs(L, matrix_norm_methods, 0);
  luaL_setfuncs(L, matrix_apply_methods, 0);
  lua_pushcclosure(L, l_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  LAPACKE_set_nancheck(0); /* what it is given is known to be finite */
  matrix_open_factor(L);
  matrix_push_constructors(L);
}
