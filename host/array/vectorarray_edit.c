/* vectorarray_edit.c - entries, length and life of a VectorArray. */
#include "array/vectorarray_store.h"

#include <string.h>
#include "array/args.h"
#include "array/memory.h"
#include "array/scalar.h"

/* U:get(i, j): component i of vector j */
static int l_get (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  size_t i = args_index(L, 2, U->dim), j = args_index(L, 3, U->len);
  const double *x = vectorarray_vector(U, j);
  if (vectorarray_is_complex(U)) scalar_push(L, scalar_of(x[2 * i], x[2 * i + 1]));
  else lua_pushnumber(L, x[i]);
  return 1;
}

/* U:set(i, j, x): a complex x makes U complex */
static int l_set (lua_State *L) {
  VectorArray *U = vectorarray_check(L, 1);
  size_t i = args_index(L, 2, U->dim), j = args_index(L, 3, U->len);
  Scalar x = scalar_check(L, 4);
  if (x.is_complex) vectorarray_promote(L, U);
  double *u = vectorarray_entry_write(L, U, i, j);
  if (vectorarray_is_complex(U)) memcpy(u, &x.value, sizeof x.value);
  else *u = creal(x.value);
  lua_settop(L, 1);
  return 1;
}

/* U:copy(): of a base it is the same block until one of the two is written. A view is copied at
   once: sharing would make the next write to its base copy all of that. */
static int l_copy (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  if (U->is_view) {
    VectorArray *copy = vectorarray_push_kind(L, U->dim, U->len, vectorarray_is_complex(U),
                                              false);
    vectorarray_gather(U, memory_own(copy->block));
  } else {
    VectorArray *copy = vectorarray_push_closed(L);
    vectorarray_adopt(copy, block_retain(U->block), U->offset, U->dim, U->len, U->is_complex);
  }
  return 1;
}

/* Moves V's memory to U, which is empty. */
static void move_all (lua_State *L, VectorArray *U, VectorArray *V) {
  Block *empty = memory_block(L, 0, false);
  block_release(U->block);
  U->block = NULL;
  vectorarray_adopt(U, V->block, V->offset, V->dim, V->len, V->is_complex);
  V->block = NULL;
  vectorarray_adopt(V, empty, 0, V->dim, 0, V->is_complex);
}

/* U:append(V [, {remove_from_other = false}]) */
static int l_append (lua_State *L) {
  static const char *const names[] = {"remove_from_other", NULL};
  bool remove = false;
  if (!lua_isnoneornil(L, 3)) { /* first: a metamethod could close an array */
    args_options(L, 3, names);
    remove = args_option_boolean(L, 3, "remove_from_other", false);
  }
  VectorArray *V = vectorarray_check(L, 2);
  VectorArray *U = vectorarray_check_resizable(L, 1);
  args_check_dim(L, 2, U->dim, V->dim);
  if (remove) {
    luaL_argcheck(L, U != V, 2, "a VectorArray cannot be moved into itself");
    vectorarray_check_resizable(L, 2);
  }
  luaL_argcheck(L, V->len <= PTRDIFF_MAX - U->len, 2, "too many vectors");
  if (vectorarray_is_complex(V)) vectorarray_promote(L, U);
  bool move = remove && U->len == 0 && U->capacity < V->len;
  if (move && U->is_complex == V->is_complex) {
    move_all(L, U, V);
  } else {
    size_t len = V->len; /* V may be U */
    const VectorArray *from = U->is_complex ? vectorarray_push_complex(L, 2, V) : V;
    double *x = vectorarray_reserve(L, U, U->len + len);
    vectorarray_gather(from, x + U->len * vectorarray_run(U));
    U->len += len;
    if (remove) vectorarray_clear(L, 2);
  }
  lua_settop(L, 1);
  return 1;
}

/* U:delete(indices): an index or a list of them, repeats allowed */
static int l_delete (lua_State *L) {
  args_plain(L, 2);
  VectorArray *U = vectorarray_check_resizable(L, 1);
  size_t n, few[ARGS_FEW];
  const size_t *indices = args_indices(L, 2, U->len, &n, few);
  bool *gone = args_scratch(L, U->len, sizeof *gone);
  memset(gone, 0, U->len * sizeof *gone);
  for (size_t k = 0; k < n; k++) gone[indices[k]] = true;
  if (n > 0) {
    double *x = vectorarray_write(L, U);
    size_t left = 0, run = vectorarray_run(U);
    for (size_t j = 0; j < U->len; j++) {
      if (gone[j]) continue;
      if (left < j) memcpy(x + left * run, x + j * run, run * sizeof *x);
      left++;
    }
    U->len = left;
  }
  lua_settop(L, 1);
  return 1;
}

/* U:freeze() */
static int l_freeze (lua_State *L) {
  VectorArray *U = vectorarray_check(L, 1);
  if (U->is_view) return luaL_error(L, "a view cannot be frozen; freeze its base, or a copy");
  U->frozen = true;
  lua_settop(L, 1);
  return 1;
}

/* U:slice(first, last [, step]): a view of vectors first, first + step, ..., up to last */
static int l_slice (lua_State *L) {
  const VectorArray *U = vectorarray_check(L, 1);
  lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
  lua_Integer step = luaL_optinteger(L, 4, 1), len = (lua_Integer)U->len;
  luaL_argcheck(L, step != 0, 4, "step is 0");
  bool is_empty = step > 0 ? last < first : last > first;
  lua_Integer slack = is_empty ? 1
                               : 0; /* the slice before the first vector, or after the last */
  if (first < 1 - slack || first > len + slack) {
    args_fail(L, 2, "index %I out of range 1..%I", first, len);
  }
  if (last < 1 - slack || last > len + slack) {
    args_fail(L, 3, "index %I out of range 1..%I", last, len);
  }
  size_t n = is_empty ? 0 : (size_t)((last - first) / step) + 1;
  if (n <= 1) step = 1;
  if (!U->is_view) {
    vectorarray_push_view(L, 1, n, (size_t)(first - 1), (ptrdiff_t)step, NULL);
  } else if (U->indices == NULL) {
    ptrdiff_t start = (ptrdiff_t)U->first + (n == 0 ? 0 : (ptrdiff_t)(first - 1) * U->step);
    vectorarray_push_view(L, 1, n, (size_t)start, (ptrdiff_t)step * U->step, NULL);
  } else {
    size_t *indices = args_scratch(L, n, sizeof *indices);
    for (size_t k = 0; k < n; k++) {
      indices[k] = U->indices[(first - 1) + (lua_Integer)k * step];
    }
    vectorarray_push_view(L, 1, n, 0, 1, indices);
  }
  return 1;
}

static int l_close (lua_State *L) {
  vectorarray_close(args_check(L, 1, &vectorarray_kind));
  return 0;
}

const luaL_Reg vectorarray_edit_methods[] = {
  {"get", l_get},       {"set", l_set},       {"copy", l_copy},
  {"append", l_append}, {"delete", l_delete}, {"freeze", l_freeze},
  {"slice", l_slice},   {"close", l_close},   {NULL, NULL},
};
