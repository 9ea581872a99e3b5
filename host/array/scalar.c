/* scalar.c - complex numbers in Lua. */
#include "array/scalar.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include "array/args.h"
#include "array/slots.h"

void scalar_push (lua_State *L, double complex z) {
  double complex *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = z;
  luaL_setmetatable(L, SCALAR_TNAME);
}

const double *scalar_parts (lua_State *L, int index) {
  return luaL_testudata(L, index, SCALAR_TNAME);
}

bool scalar_test (lua_State *L, int index, Scalar *s) {
  if (lua_type(L, index) == LUA_TNUMBER) {
    *s = (Scalar){.value = lua_tonumber(L, index)};
    return true;
  }
  const double *parts = scalar_parts(L, index);
  if (parts == NULL) return false;
  *s = (Scalar){.value = scalar_of(parts[0], parts[1]), .is_complex = true};
  return true;
}

Scalar scalar_check (lua_State *L, int arg) {
  Scalar s;
  if (!scalar_test(L, arg, &s)) luaL_typeerror(L, arg, "number");
  return s;
}

Scalar scalar_pop (lua_State *L, int arg, const char *format, ...) {
  Scalar s;
  if (!scalar_test(L, -1, &s)) {
    va_list args;
    va_start(args, format);
    args_fail_number(L, arg, format, args);
    va_end(args);
  }
  lua_pop(L, 1);
  return s;
}

void scalar_widen (double *x, size_t n) {
  for (size_t i = n; i-- > 0;) { /* from the last one, in place */
    x[2 * i] = x[i];
    x[2 * i + 1] = 0;
  }
}

double *scalar_list (lua_State *L, int arg, size_t n, bool *is_complex) {
  size_t got = args_list_len(L, arg);
  if (got != n) {
    args_fail(L, arg, "list of %I numbers expected, got %I", (lua_Integer)n, (lua_Integer)got);
  }
  double *x = args_scratch(L, n, 2 * sizeof *x);
  *is_complex = false;
  bool raw = args_is_raw(L, arg);
  size_t done = raw ? (size_t)slots_numbers(L, arg, 1, (lua_Integer)n, x) : 0;
  for (size_t i = done; i < n; i++) {
    args_item(L, arg, raw, i);
    Scalar s = scalar_pop(L, arg, "entry %zu", i + 1);
    if (s.is_complex && !*is_complex) {
      scalar_widen(x, i);
      *is_complex = true;
    }
    if (*is_complex) memcpy(&x[2 * i], &s.value, sizeof s.value);
    else x[i] = creal(s.value);
  }
  return x;
}

void scalar_push_list (lua_State *L, const double *x, bool is_complex, size_t n,
                       size_t stride) {
  lua_createtable(L, n > INT_MAX ? 0 : (int)n, 0);
  if (!is_complex && stride == 1) {
    slots_put_numbers(L, -1, 0, n, x);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    size_t k = i * stride;
    if (is_complex) scalar_push(L, scalar_of(x[2 * k], x[2 * k + 1]));
    else lua_pushnumber(L, x[k]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

int scalar_l_complex (lua_State *L) {
  double re = luaL_checknumber(L, 1), im = luaL_optnumber(L, 2, 0);
  scalar_push(L, scalar_of(re, im));
  return 1;
}

/* --- arithmetic ------------------------------------------------------------------------------ */

/* Both operands, or false when the second is no number: then its own metamethod, if it has one, has
   been called and its result pushed. That of a first operand has been asked before; and strings
   know numerals only. */
static bool get_operands (lua_State *L, const char *event, double complex *a,
                          double complex *b) {
  Scalar s[2];
  for (int i = 0; i < 2; i++) {
    if (scalar_test(L, i + 1, &s[i])) continue;
    bool may_know = i == 1 && lua_type(L, 2) != LUA_TSTRING;
    if (!may_know || luaL_getmetafield(L, 2, event) == LUA_TNIL) {
      args_raise(L, "cannot combine a complex number and a %s by %s", args_kind(L, i + 1),
                 event + 2);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return false;
  }
  *a = s[0].value;
  *b = s[1].value;
  return true;
}

static int l_add (lua_State *L) {
  double complex a, b;
  if (get_operands(L, "__add", &a, &b)) scalar_push(L, a + b);
  return 1;
}

static int l_sub (lua_State *L) {
  double complex a, b;
  if (get_operands(L, "__sub", &a, &b)) scalar_push(L, a - b);
  return 1;
}

static int l_mul (lua_State *L) {
  double complex a, b;
  if (get_operands(L, "__mul", &a, &b)) scalar_push(L, a * b);
  return 1;
}

static int l_div (lua_State *L) {
  double complex a, b;
  if (get_operands(L, "__div", &a, &b)) scalar_push(L, a / b);
  return 1;
}

/* Small whole exponents by multiplication, so that i^2 is -1 exactly. */
static double complex power (double complex a, double complex b) {
  double n = creal(b);
  if (cimag(b) != 0 || n != floor(n) || fabs(n) > 64) return cpow(a, b);
  double complex result = 1;
  for (int k = 0; k < (int)fabs(n); k++) result *= a;
  return n < 0 ? 1 / result : result;
}

static int l_pow (lua_State *L) {
  double complex a, b;
  if (get_operands(L, "__pow", &a, &b)) scalar_push(L, power(a, b));
  return 1;
}

static double complex check_complex (lua_State *L, int arg) {
  const double *parts = luaL_checkudata(L, arg, SCALAR_TNAME);
  return scalar_of(parts[0], parts[1]);
}

static int l_unm (lua_State *L) {
  scalar_push(L, -check_complex(L, 1));
  return 1;
}

/* Lua asks only when both are userdata; a complex number never equals a plain one by ==. */
static int l_eq (lua_State *L) {
  const double *a = scalar_parts(L, 1), *b = scalar_parts(L, 2);
  lua_pushboolean(L, a != NULL && b != NULL && a[0] == b[0] && a[1] == b[1]);
  return 1;
}

/* z:abs(): neither overflows nor underflows */
static int l_abs (lua_State *L) {
  lua_pushnumber(L, cabs(check_complex(L, 1)));
  return 1;
}

/* z:arg(): in (-pi, pi] */
static int l_arg (lua_State *L) {
  lua_pushnumber(L, carg(check_complex(L, 1)));
  return 1;
}

static int l_conj (lua_State *L) {
  scalar_push(L, conj(check_complex(L, 1)));
  return 1;
}

static int l_sqrt (lua_State *L) {
  scalar_push(L, csqrt(check_complex(L, 1)));
  return 1;
}

static int l_exp (lua_State *L) {
  scalar_push(L, cexp(check_complex(L, 1)));
  return 1;
}

/* "1.5-2i" */
static int l_tostring (lua_State *L) {
  double complex z = check_complex(L, 1);
  char text[96];
  snprintf(text, sizeof text, "%.14g%+.14gi", creal(z), cimag(z));
  lua_pushstring(L, text);
  return 1;
}

static int l_index (lua_State *L) {
  const double *parts = luaL_checkudata(L, 1, SCALAR_TNAME);
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(name, "re") == 0) {
    lua_pushnumber(L, parts[0]);
  } else if (strcmp(name, "im") == 0) {
    lua_pushnumber(L, parts[1]);
  } else {
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
  }
  return 1;
}

static int l_newindex (lua_State *L) {
  return luaL_error(L, "complex numbers do not change: field '%s' cannot be set",
                    luaL_tolstring(L, 2, NULL));
}

static const luaL_Reg methods[] = {
  {"abs", l_abs},   {"arg", l_arg}, {"conj", l_conj},
  {"sqrt", l_sqrt}, {"exp", l_exp}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
  {"__add", l_add},           {"__sub", l_sub}, {"__mul", l_mul}, {"__div", l_div},
  {"__pow", l_pow},           {"__unm", l_unm}, {"__eq", l_eq},   {"__tostring", l_tostring},
  {"__newindex", l_newindex}, {NULL, NULL},
};

void scalar_open (lua_State *L) {
  luaL_newmetatable(L, SCALAR_TNAME);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, l_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
