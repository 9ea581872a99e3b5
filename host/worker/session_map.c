/* session_map.c - does chunks of a map: consecutive items with one function. */
#include <string.h>
#include <lauxlib.h>
#include <uv.h>
#include "wire/bytes.h"
#include "worker/chunk_answer.h"
#include "worker/column.h"
#include "worker/protocol.h"
#include "worker/session_internal.h"

enum { MAP_FUNCTION = 1, MAP_KW, MAP_ERROR }; /* fields of what s->maps holds for a call */

/* Every so many items a chunk looks whether it has been taken back; long ones at each. */
enum { LOOK_EVERY = 64, LONG_NS = 200000 };

/* stack: call, f, kw or nil */
void session_map_begin (lua_State *L, Session *s, const Message *m) {
  if (wire_decode(L, m->parcel, &s->context) != 3) luaL_error(L, "malformed request");
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->maps);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, MAP_FUNCTION);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, MAP_KW);
  lua_rawseti(L, -2, lua_tointeger(L, 1));
}

void session_map_fail (lua_State *L, Session *s, const Message *m) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->maps);
  lua_createtable(L, MAP_ERROR, 0);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, MAP_ERROR);
  lua_rawseti(L, -2, (lua_Integer)m->request);
}

void session_map_end (lua_State *L, Session *s, const Message *m) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->maps);
  lua_pushnil(L);
  lua_rawseti(L, -2, (lua_Integer)m->request);
  session_globals_end(L, s, m->request);
}

typedef struct Sequence {
  int kind;
  int index;            /* of the items, or of the first one; the step comes after it */
  const uint8_t *bytes; /* of packed numbers */
} Sequence;

/* A chunk under way, and where on the stack its things are. */
typedef struct Chunk {
  Session *s;
  lua_Integer first, count;
  int order; /* the items' numbers; 0: they are consecutive */
  int f, kw;
  int failures;     /* error by item; 0: the first one ends the chunk */
  int anchor;       /* a table with the columns at 1, 2, ... and what holds them at 0 */
  int columns_slot; /* the userdata that holds the columns; they follow on the stack */
  Sequence *sequences;
  int n_sequences;
  lua_Integer done; /* items, the first ones */
  bool is_plain;    /* one sequence of numbers, no order, no kw; the first error ends it */
  Column *columns;
  int n_columns, room_columns;
} Chunk;

/* Takes apart what stands on the stack from index first to last. */
static void take_sequences (lua_State *L, Chunk *c, int first, int last) {
  c->sequences = lua_newuserdatauv(L, (size_t)(last - first + 2) * sizeof *c->sequences, 0);
  for (int at = first; at < last;) {
    Sequence *q = &c->sequences[c->n_sequences++];
    *q = (Sequence){.kind = (int)lua_tointeger(L, at), .index = at + 1};
    at += q->kind == SEQUENCE_RANGE ? 3 : 2;
    bool good = at <= last + 1;
    if (q->kind == SEQUENCE_INTEGERS || q->kind == SEQUENCE_FLOATS) {
      size_t len;
      q->bytes = good ? wire_bytes(L, q->index, &len) : NULL;
      good = q->bytes != NULL && len / 8 == (size_t)c->count;
    } else if (q->kind == SEQUENCE_LIST) {
      good = good && lua_istable(L, q->index);
    } else if (q->kind != SEQUENCE_ARRAY && q->kind != SEQUENCE_RANGE) {
      good = false;
    }
    if (!good) luaL_error(L, "malformed request");
  }
}

static void push_from_range (lua_State *L, const Chunk *c, int first, lua_Integer i) {
  if (lua_isinteger(L, first) && lua_isinteger(L, first + 1)) {
    lua_pushinteger(L, lua_tointeger(L, first) + (i - 1) * lua_tointeger(L, first + 1));
  } else { /* counted from the map's first item, so that chunks do not matter */
    lua_pushnumber(L, lua_tonumber(L, first) +
                        (lua_Number)(c->first + i - 2) * lua_tonumber(L, first + 1));
  }
}

/* Pushes item i (from 1) of a sequence. */
static inline void push_item (lua_State *L, const Chunk *c, const Sequence *q, lua_Integer i) {
  switch (q->kind) {
    case SEQUENCE_INTEGERS:
      lua_pushinteger(L, (lua_Integer)get_le64(q->bytes + 8 * (i - 1)));
      break;
    case SEQUENCE_FLOATS:
      lua_pushnumber(L, double_of_bits(get_le64(q->bytes + 8 * (i - 1))));
      break;
    case SEQUENCE_LIST: lua_rawgeti(L, q->index, i); break;
    case SEQUENCE_ARRAY: lua_geti(L, q->index, i); break;
    default: push_from_range(L, c, q->index, i);
  }
}

/* Item i is under way from now on. */
static inline void begin_item (lua_State *L, const Chunk *c, lua_Integer i) {
  Session *s = c->s;
  *s->position = c->first + i - 1;
  s->item = chunk_item(L, c->first, c->order, i);
  s->seeded = false;
}

/* Pushes f and the arguments of item i; returns how many arguments. */
static inline int push_call (lua_State *L, const Chunk *c, lua_Integer i) {
  lua_pushvalue(L, c->f);
  for (int k = 0; k < c->n_sequences; k++) push_item(L, c, &c->sequences[k], i);
  begin_item(L, c, i);
  if (c->kw == 0) return c->n_sequences;
  lua_pushvalue(L, c->kw);
  return c->n_sequences + 1;
}

static void add_column (lua_State *L, Chunk *c) {
  luaL_checkstack(L, 8 + c->n_sequences, "too many results");
  if (c->n_columns == c->room_columns) {
    int room = 2 * c->room_columns + 4;
    Column *columns = lua_newuserdatauv(L, (size_t)room * sizeof *columns, 0);
    if (c->n_columns > 0) {
      memcpy(columns, c->columns, (size_t)c->n_columns * sizeof *columns);
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, c->anchor, 0);
    lua_replace(L, c->columns_slot);
    c->columns = columns;
    c->room_columns = room;
  }
  column_push(L, &c->columns[c->n_columns], c->count, c->anchor, c->n_columns + 1);
  Column *column = &c->columns[c->n_columns++];
  column->index = c->columns_slot + c->n_columns;
  lua_insert(L, column->index);
}

/* Moves what f has returned, above the columns, into them as item i. */
static inline void store (lua_State *L, Chunk *c, lua_Integer i) {
  int n = lua_gettop(L) - (c->columns_slot + c->n_columns);
  while (n > c->n_columns) add_column(L, c);
  for (; n > 0; n--) column_put(L, &c->columns[n - 1], i);
}

/* Calls f for item i, where errors are collected: on an error stores it and returns false. */
static bool try_item (lua_State *L, Chunk *c, lua_Integer i) {
  lua_pushcfunction(L, session_traceback);
  int handler = lua_gettop(L);
  int status = lua_pcall(L, push_call(L, c, i), LUA_MULTRET, handler);
  bool ok = status == LUA_OK;
  session_out_of_memory(L, status);
  if (!ok) lua_rawseti(L, c->failures, c->s->item);
  lua_remove(L, handler);
  return ok;
}

/* Is the sequence all numbers that need no look at a table? */
static bool has_numbers (lua_State *L, const Sequence *q) {
  if (q->kind == SEQUENCE_RANGE) {
    return lua_isinteger(L, q->index) && lua_isinteger(L, q->index + 1);
  }
  return q->bytes != NULL;
}

/* The number on top as it is packed; false: it is no number of the column's kind. */
static inline bool number_bits (lua_State *L, int kind, uint64_t *bits) {
  if (kind == SEQUENCE_INTEGERS) {
    if (!lua_isinteger(L, -1)) return false;
    *bits = (uint64_t)lua_tointeger(L, -1);
  } else {
    if (lua_type(L, -1) != LUA_TNUMBER || lua_isinteger(L, -1)) return false;
    *bits = bits_of_double(lua_tonumber(L, -1));
  }
  return true;
}

/* What run_some does for numbers of one sequence, without order and kw, as long as each gives one
   number of the column's kind: the same with less said again for each item. Returns up to where it
   has come. */
static lua_Integer run_numbers (lua_State *L, Chunk *c, lua_Integer i, lua_Integer to) {
  Session *s = c->s;
  volatile int64_t *position = s->position;
  const Sequence *q = &c->sequences[0];
  Column *column = &c->columns[0];
  const uint8_t *from = q->bytes; /* NULL: a range */
  unsigned char *results = column->bytes;
  const int f = c->f, top = lua_gettop(L), kind = column->kind;
  const bool is_floats = q->kind == SEQUENCE_FLOATS;
  const lua_Integer before_first = c->first - 1;
  lua_Unsigned first = from == NULL ? (lua_Unsigned)lua_tointeger(L, q->index) : 0;
  lua_Unsigned step = from == NULL ? (lua_Unsigned)lua_tointeger(L, q->index + 1) : 0;
  while (i < to) {
    uint64_t bits = from != NULL ? get_le64(from + 8 * i) : first + (lua_Unsigned)i * step;
    lua_pushvalue(L, f);
    if (is_floats) lua_pushnumber(L, double_of_bits(bits));
    else lua_pushinteger(L, (lua_Integer)bits);
    i++;
    s->item = *position = before_first + i;
    s->seeded = false;
    lua_call(L, 1, LUA_MULTRET);
    if (lua_gettop(L) != top + 1 || !number_bits(L, kind, &bits)) {
      store(L, c, i);
      break;
    }
    put_le64(results + 8 * (i - 1), bits);
    column->n = i;
    lua_settop(L, top);
  }
  return i;
}

/* Does items done + 1, ... up to a number that is at most to; returns that. */
static inline lua_Integer run_some (lua_State *L, Chunk *c, lua_Integer done, lua_Integer to) {
  while (done < to) {
    if (c->is_plain && c->n_columns == 1 && c->columns[0].kind > SEQUENCE_LIST &&
        c->columns[0].n == done) {
      done = run_numbers(L, c, done, to);
      continue;
    }
    if (c->failures == 0) lua_call(L, push_call(L, c, done + 1), LUA_MULTRET);
    else if (!try_item(L, c, done + 1)) lua_settop(L, c->columns_slot + c->n_columns);
    done++;
    store(L, c, done);
  }
  return done;
}

/* Does the items until all are done, or what is left has been taken back. */
static lua_Integer run_all (lua_State *L, Chunk *c) {
  Session *s = c->s;
  lua_Integer done = 0;
  luaL_checkstack(L, 8 + c->n_sequences, "too many sequences"); /* and again for each column */
  bool looks_always = false;
  uint64_t before = uv_hrtime();
  while (done < c->count) {
    lua_Integer step = looks_always || done < 3 ? 1 : LOOK_EVERY;
    done = run_some(L, c, done, step < c->count - done ? done + step : c->count);
    uint64_t now = uv_hrtime();
    looks_always = now - before > LONG_NS;
    before = now;
    if (looks_always && done < c->count && s->io.is_cancelled(s->io.user, s->call, true)) break;
  }
  return done;
}

/* stack: what stands on that of the chunk, at the same places, Chunk */
static int l_run (lua_State *L) {
  Chunk *c = lua_touserdata(L, -1);
  lua_settop(L, c->columns_slot);
  session_run(L, c->s);
  c->done = run_all(L, c);
  return 0;
}

/* Does the items; an error ends that, and is left on the stack above the columns. Returns whether
   there was one. */
static bool run (lua_State *L, Chunk *c) {
  Session *s = c->s;
  int top = c->columns_slot;
  luaL_checkstack(L, top + 4, "too many sequences");
  lua_pushcfunction(L, session_traceback);
  lua_pushcfunction(L, l_run);
  for (int i = 1; i <= top; i++) lua_pushvalue(L, i);
  lua_pushlightuserdata(L, c);
  int status = lua_pcall(L, top + 1, 0, top + 1);
  session_ran(L, s);
  session_out_of_memory(L, status);
  bool is_of_item = status == LUA_ERRRUN && *s->position >= c->first;
  if (status != LUA_OK && !is_of_item) {
    if (status == LUA_ERRRUN) lua_getfield(L, -1, "value"); /* as it was raised */
    lua_error(L);
  }
  lua_remove(L, top + 1);
  luaL_checkstack(L, c->n_columns + 8, "too many results");
  lua_rawgeti(L, c->anchor, 0);
  lua_replace(L, top);
  for (int k = 0; k < c->n_columns; k++) {
    lua_rawgeti(L, c->anchor, k + 1);
    c->columns[k].index = top + k + 1;
    lua_insert(L, top + k + 1);
  }
  if (status != LUA_OK) c->done = *s->position - c->first; /* the items before that one */
  *s->position = 0;
  return status != LUA_OK;
}

/* Puts function and kw of the call behind the request on the stack. */
static void find_map (lua_State *L, Chunk *c, uint64_t call) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->s->maps);
  if (lua_rawgeti(L, -1, (lua_Integer)call) != LUA_TTABLE) {
    luaL_error(L, "a chunk of an unknown map");
  }
  if (lua_rawgeti(L, -1, MAP_ERROR) != LUA_TNIL) {
    luaL_error(L, "%s", luaL_tolstring(L, -1, NULL)); /* why it could not begin */
  }
  lua_pop(L, 1);
  lua_rawgeti(L, -1, MAP_FUNCTION);
  c->f = lua_gettop(L);
  if (lua_rawgeti(L, -2, MAP_KW) != LUA_TNIL) c->kw = lua_gettop(L);
}

/* stack: call, first, count, order or nil, sequences... */
void session_chunk (lua_State *L, Session *s, const Message *m) {
  if (!s->io.begin(s->io.user, m->request)) { /* another worker does it */
    chunk_answer(L, &(ChunkAnswer){.session = s, .request = m->request});
    return;
  }
  int n = wire_decode_numbers(L, m->parcel, &s->context);
  if (n < 4) luaL_error(L, "malformed request");
  luaL_checkstack(L, 20, "too many sequences");
  Chunk c = {.s = s, .first = lua_tointeger(L, 2), .count = lua_tointeger(L, 3)};
  if (c.count < 0 || c.count > LUA_MAXINTEGER / 16) luaL_error(L, "malformed request");
  if (lua_istable(L, 4)) c.order = 4;
  s->call = (uint64_t)lua_tointeger(L, 1);
  s->is_map = true;
  bool failed = false;
  uint64_t start = uv_hrtime();
  if (!s->io.is_cancelled(s->io.user, s->call, false)) {
    session_globals_enter(L, s, s->call, true);
    find_map(L, &c, s->call);
    take_sequences(L, &c, 5, n);
    if (m->flags & CHUNK_COLLECT) {
      lua_newtable(L);
      c.failures = lua_gettop(L);
    }
    c.is_plain = c.n_sequences == 1 && has_numbers(L, &c.sequences[0]) && c.order == 0 &&
                 c.kw == 0 && c.failures == 0;
    lua_newtable(L);
    c.anchor = lua_gettop(L);
    lua_pushnil(L);
    c.columns_slot = lua_gettop(L);
    failed = run(L, &c);
  }
  ChunkAnswer a = {.session = s,
                   .request = m->request,
                   .first = c.first,
                   .done = c.done,
                   .seconds = (double)(uv_hrtime() - start) * 1e-9,
                   .failures = c.failures,
                   .order = c.order,
                   .columns = c.columns,
                   .n_columns = c.n_columns};
  if (failed) chunk_answer_error(L, &a);
  else chunk_answer(L, &a);
}
