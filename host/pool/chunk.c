/* chunk.c - some consecutive items of a map on their way to a worker and back. */
#include "pool/chunk.h"

#include <stdio.h>
#include <lauxlib.h>
#include "array/slots.h"
#include "pool/ranges.h"
#include "wire/bytes.h"
#include "worker/protocol.h"

enum { RESULTS_MAX = 1 << 26 }; /* room made in advance, in items */

static void send_begin (lua_State *L, Call *c, int worker) {
  Map *m = c->map;
  if (m->begun[worker]) return;
  globals_give(L, c, worker);
  Message begin = {.type = REQUEST_MAP, .request = c->number, .parcel = c->parcel};
  m->begun[worker] = pool_send(L, c->pool, worker, &begin) == 0;
}

/* Encodes items first .. first + count - 1 of sequence k. Stack: the sequences at index s. */
static void encode_sequence (lua_State *L, Encoder *e, int s, int k, int64_t first,
                             int64_t count) {
  char label[40];
  int top = lua_gettop(L);
  snprintf(label, sizeof label, "sequence %d", k);
  lua_rawgeti(L, s, 3 * k - 2);
  lua_rawgeti(L, s, 3 * k - 1); /* stack: kind, object */
  lua_Integer kind = lua_tointeger(L, -2);
  if (kind == SEQUENCE_LIST && lua_rawgeti(L, s, 3 * k) == LUA_TUSERDATA) {
    wire_encode_packed(L, e, -1, first, first + count - 1);
    lua_settop(L, top);
    return;
  }
  lua_settop(L, top + 2);
  if (kind == SEQUENCE_LIST) {
    wire_encode_items(L, e, -1, first, first + count - 1, label);
    lua_settop(L, top);
    return;
  }
  wire_encode(L, e, -2, label);
  if (kind == SEQUENCE_ARRAY) {
    lua_getfield(L, -1, "slice");
    lua_insert(L, -2);
    lua_pushinteger(L, first);
    lua_pushinteger(L, first + count - 1);
    lua_call(L, 3, 1);
    wire_encode(L, e, -1, label);
  } else {
    lua_rawgeti(L, s, 3 * k); /* first item and step: integers stay integers */
    if (lua_isinteger(L, -1) && lua_isinteger(L, -2)) {
      lua_pushinteger(L, first - 1);
      lua_pushvalue(L, -2);
      lua_arith(L, LUA_OPMUL); /* as Lua does it, around the ends */
      lua_pushvalue(L, -3);
      lua_arith(L, LUA_OPADD);
      lua_replace(L, -3);
    }
    wire_encode(L, e, -2, label);
    wire_encode(L, e, -1, label);
  }
  lua_settop(L, top);
}

/* The numbers of the items, where they have an order. Stack: the call at index call. */
static void encode_order (lua_State *L, Encoder *e, int call, int64_t first, int64_t count) {
  if (lua_getiuservalue(L, call, CALL_ORDER) == LUA_TTABLE) {
    wire_encode_slice(L, e, -1, first, first + count - 1, "order");
  } else {
    wire_encode(L, e, -1, "order");
  }
  lua_pop(L, 1);
}

void chunk_send (lua_State *L, Call *c, int worker, int64_t first, int64_t count,
                 unsigned attempts) {
  Map *m = c->map;
  int top = lua_gettop(L);
  call_push_anchor(L, c);
  lua_getiuservalue(L, top + 1, CALL_SEQUENCES);
  RemoteLender lender = {.pool = c->pool, .held = m->held};
  WireContext context = c->pool->context;
  context.user = &lender;
  context.remote_id = remote_lent_id;
  Encoder *e = pool_encoder_for(L, c->pool, &context);
  lua_Integer head[] = {(lua_Integer)c->number, first, count};
  for (int i = 0; i < 3; i++) {
    lua_pushinteger(L, head[i]);
    wire_encode(L, e, -1, "chunk");
    lua_pop(L, 1);
  }
  encode_order(L, e, top + 1, first, count);
  for (int k = 1; k <= m->n_sequences; k++) encode_sequence(L, e, top + 2, k, first, count);
  send_begin(L, c, worker);
  Message message = {.type = REQUEST_CHUNK,
                     .flags = m->collect ? CHUNK_COLLECT : 0,
                     .parcel = wire_finish(L, e)};
  Request *r = request_make(L, c->pool, &message, c);
  r->first = first;
  r->count = count;
  r->attempts = attempts;
  if (!ranges_make_room(r)) {
    c->outstanding--;
    pool_settle(c->pool, -1, r);
    luaL_error(L, "not enough memory");
  }
  m->in_flight[worker]++;
  request_put(L, c->pool, worker, r);
  lua_settop(L, top);
}

lua_Integer map_item (lua_State *L, const Call *c, int64_t position) {
  int top = lua_gettop(L);
  lua_Integer item = position;
  call_push_anchor(L, c);
  if (lua_getiuservalue(L, -1, CALL_ORDER) == LUA_TTABLE) {
    lua_rawgeti(L, -1, position);
    item = lua_tointeger(L, -1);
  }
  lua_settop(L, top);
  return item;
}

void map_push_arguments (lua_State *L, const Call *c, int64_t position) {
  call_push_anchor(L, c);
  lua_getiuservalue(L, -1, CALL_SEQUENCES);
  lua_replace(L, -2);
  int s = lua_gettop(L);
  lua_createtable(L, c->map->n_sequences, 0);
  for (int k = 1; k <= c->map->n_sequences; k++) {
    lua_rawgeti(L, s, 3 * k - 2);
    lua_rawgeti(L, s, 3 * k - 1);
    if (lua_tointeger(L, -2) == SEQUENCE_RANGE) {
      lua_rawgeti(L, s, 3 * k);
      lua_pushinteger(L, position - 1);
      lua_arith(L, LUA_OPMUL);
      lua_arith(L, LUA_OPADD);
    } else {
      lua_geti(L, -1, position);
    }
    lua_rawseti(L, s + 1, k);
    lua_settop(L, s + 1);
  }
  lua_replace(L, s);
}

void map_note_arguments (lua_State *L, const Call *c, const Request *r) {
  lua_Integer item = lua_getfield(L, -1, "item") != LUA_TNIL ? lua_tointeger(L, -1) : 0;
  lua_pop(L, 1);
  for (int64_t at = r->first; item != 0 && at - r->first < r->count; at++) {
    if (map_item(L, c, at) != item) continue;
    map_push_arguments(L, c, at);
    lua_setfield(L, -2, "arguments");
    return;
  }
}

/* The table at index failures, error by item, becomes errors of the call. */
static void take_failures (lua_State *L, Call *c, int worker, const Request *r, int failures) {
  lua_pushnil(L);
  while (lua_next(L, failures) != 0) {
    Failure f = {.kind = "error"};
    char text[64];
    if (r->overdue != 0) { /* what it says is that it was interrupted */
      f = limits_failure(r, text, sizeof text);
      lua_pushstring(L, f.message);
      lua_setfield(L, -2, "message");
    }
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "item");
    map_note_arguments(L, c, r);
    lua_pushstring(L, f.kind);
    lua_setfield(L, -2, "kind");
    lua_pushinteger(L, worker + 1);
    lua_setfield(L, -2, "worker");
    call_failed(L, c);
    lua_pop(L, 1);
  }
}

/* One value of each item of a chunk, as it has come. */
typedef struct Column {
  int index; /* of a list, or of packed numbers */
  const uint8_t *bytes;
  bool is_integer;
  int64_t first, n;
  int order; /* index of position -> item, or 0 */
} Column;

static void check_column (lua_State *L, Column *c, lua_Integer kind) {
  if (kind == SEQUENCE_LIST && lua_istable(L, c->index)) return;
  size_t len;
  c->bytes = wire_bytes(L, c->index, &len);
  c->is_integer = kind == SEQUENCE_INTEGERS;
  bool good = c->bytes != NULL && len / 8 == (size_t)c->n;
  if (!good || (!c->is_integer && kind != SEQUENCE_FLOATS)) {
    luaL_error(L, "malformed answer to a chunk");
  }
}

/* Stores the column in the table at index results. */
static void store_column (lua_State *L, const Column *c, int results) {
  int64_t done = 0;
  if (c->bytes != NULL && c->order == 0) {
    done = slots_write(L, results, c->first, c->n, c->is_integer, c->bytes);
  }
  for (int64_t i = done; i < c->n; i++) {
    lua_Integer at = c->first + i;
    if (c->order != 0) {
      lua_rawgeti(L, c->order, at);
      at = lua_tointeger(L, -1);
      lua_pop(L, 1);
    }
    if (c->bytes == NULL) lua_rawgeti(L, c->index, i + 1);
    else if (c->is_integer) lua_pushinteger(L, (lua_Integer)get_le64(c->bytes + 8 * i));
    else lua_pushnumber(L, double_of_bits(get_le64(c->bytes + 8 * i)));
    lua_rawseti(L, results, at);
  }
}

/* Pushes list k of the results, made at its first value. */
static void push_results (lua_State *L, int results, int k, int64_t total) {
  if (lua_rawgeti(L, results, k) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_createtable(L, total < RESULTS_MAX ? (int)total : 0, 1);
  lua_pushvalue(L, -1);
  lua_rawseti(L, results, k);
}

/* Keeps the first column as a list with n, until it is taken. */
static void keep_column (lua_State *L, Column c, int results) {
  int64_t at = c.first;
  lua_createtable(L, (int)c.n, 1);
  c.first = 1;
  store_column(L, &c, lua_gettop(L));
  lua_pushinteger(L, c.n);
  lua_setfield(L, -2, "n");
  lua_rawseti(L, results, at);
}

/* Answer: first, count done, seconds, failures or nil, kind and items of each value */
void map_answered (lua_State *L, Call *c, int worker, const Request *r, int values) {
  Map *m = c->map;
  int n_columns = (lua_gettop(L) - values - 4) / 2;
  if (lua_gettop(L) < values + 4) luaL_error(L, "malformed answer to a chunk");
  lua_Integer done = lua_tointeger(L, values + 2);
  if (done < 0 || done > r->count) luaL_error(L, "malformed answer to a chunk");
  map_measure(m, done, lua_tonumber(L, values + 3));
  c->n_done += done;
  luaL_checkstack(L, 8, NULL);
  call_push_anchor(L, c);
  lua_getiuservalue(L, -1, CALL_RESULTS);
  int results = lua_gettop(L);
  int order = lua_getiuservalue(L, -2, CALL_ORDER) == LUA_TTABLE ? results + 1 : 0;
  for (int k = 1; k <= n_columns; k++) {
    Column column = {.index = values + 4 + 2 * k, .first = r->first, .n = done, .order = order};
    check_column(L, &column, lua_tointeger(L, column.index - 1));
    if (m->is_stream) {
      if (k == 1) keep_column(L, column, results);
      continue;
    }
    push_results(L, results, k, m->total);
    store_column(L, &column, results + 2);
    lua_pop(L, 1);
  }
  if (lua_istable(L, values + 4)) take_failures(L, c, worker, r, values + 4);
}

int map_take (lua_State *L, Call *c) {
  Map *m = c->map;
  lua_getiuservalue(L, 1, CALL_RESULTS);
  if (lua_rawgeti(L, -1, m->taken + 1) != LUA_TTABLE) return 0;
  lua_pushnil(L);
  lua_rawseti(L, -3, m->taken + 1);
  lua_getfield(L, -1, "n");
  m->taken += lua_tointeger(L, -1);
  return 2;
}
