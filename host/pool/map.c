/* map.c - hands out the items of a map in chunks, as workers have room for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "worker/protocol.h"

/* A chunk is to take about so long: much more than a message costs, little enough to share the
   rest fairly. Longer ones are not queued behind each other. */
static const double CHUNK_SECONDS = 0.02, QUEUE_SECONDS = 0.004;
enum { CHUNK_MAX = 1 << 16, CHUNK_FIRST = 64 };

static int64_t min64 (int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t max64 (int64_t a, int64_t b) {
  return a > b ? a : b;
}

/* How many items the next chunk takes: shrinking towards the end, so that workers end
   together (guided self-scheduling, Polychronopoulos and Kuck 1987), bounded in time. */
static int64_t chunk_size (const Map *m, int n_workers) {
  int64_t left = m->total - m->next + 1;
  if (m->chunk > 0) return min64(m->chunk, left);
  int64_t fair = max64(1, left / (2 * n_workers));
  if (m->item_seconds <= 0)
    return min64(min64(fair, CHUNK_FIRST), max64(1, m->total / (16 * n_workers)));
  double in_time = CHUNK_SECONDS / m->item_seconds;
  int64_t bound = in_time < CHUNK_MAX ? (int64_t)in_time : CHUNK_MAX;
  /* Below a hundredth of that a chunk is not worth its message. */
  return max64(1, min64(left, max64(min64(fair, bound), bound / 100)));
}

/* How many chunks a worker may have: one ahead, unless they are long. */
static unsigned depth (const Map *m, int64_t size) {
  return m->item_seconds * (double)size > QUEUE_SECONDS ? 1 : 2;
}

static void send_begin (lua_State *L, Call *c, int worker) {
  Map *m = c->map;
  if (m->begun[worker]) return;
  Message begin = {.type = REQUEST_MAP, .parcel = m->begin};
  m->begun[worker] = pool_send(L, c->pool, worker, &begin) == 0;
}

/* Encodes items first .. first + count - 1 of sequence k. Stack: the sequences at index s. */
static void encode_sequence (lua_State *L, Encoder *e, int s, int k, int64_t first,
                             int64_t count) {
  char label[40];
  snprintf(label, sizeof label, "sequence %d", k);
  lua_rawgeti(L, s, 3 * k - 2);
  lua_Integer kind = lua_tointeger(L, -1);
  wire_encode(L, e, -1, label);
  lua_rawgeti(L, s, 3 * k - 1);
  if (kind == SEQUENCE_LIST) {
    wire_encode_slice(L, e, -1, first, first + count - 1, label);
  } else if (kind == SEQUENCE_ARRAY) {
    lua_getfield(L, -1, "slice");
    lua_insert(L, -2);
    lua_pushinteger(L, first);
    lua_pushinteger(L, first + count - 1);
    lua_call(L, 3, 1);
    wire_encode(L, e, -1, label);
  } else {
    lua_rawgeti(L, s, 3 * k); /* first item and step: integers stay integers */
    if (lua_isinteger(L, -1) && lua_isinteger(L, -2)) {
      lua_pushinteger(L, lua_tointeger(L, -2) + (first - 1) * lua_tointeger(L, -1));
      lua_replace(L, -3);
    }
    wire_encode(L, e, -2, label);
    wire_encode(L, e, -1, label);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}

static void send_chunk (lua_State *L, Call *c, int worker, int64_t first, int64_t count,
                        unsigned attempts) {
  Map *m = c->map;
  int top = lua_gettop(L);
  call_push_anchor(L, c);
  lua_getiuservalue(L, -1, CALL_SEQUENCES);
  int s = lua_gettop(L);
  Encoder *e = pool_encoder(L, c->pool);
  lua_Integer head[] = {(lua_Integer)c->number, first, count};
  for (int i = 0; i < 3; i++) {
    lua_pushinteger(L, head[i]);
    wire_encode(L, e, -1, "chunk");
    lua_pop(L, 1);
  }
  for (int k = 1; k <= m->n_sequences; k++) encode_sequence(L, e, s, k, first, count);
  send_begin(L, c, worker);
  Message message = {.type = REQUEST_CHUNK,
                     .flags = m->collect ? CHUNK_COLLECT : 0,
                     .parcel = wire_finish(L, e)};
  Request *r = pool_request(L, c->pool, worker, &message, c);
  r->first = first;
  r->count = count;
  r->attempts = attempts;
  c->outstanding++;
  m->in_flight[worker]++;
  lua_settop(L, top);
}

/* Items that have not been asked yet. */
static void send_next (lua_State *L, Call *c, int worker, int64_t count) {
  send_chunk(L, c, worker, c->map->next, count, 0);
  c->map->next += count;
}

void map_feed (lua_State *L, Call *c, int worker) {
  Map *m = c->map;
  while (!c->is_cancelled && !c->pool->workers[worker].is_lost) {
    Range *range = m->returned;
    if (range != NULL) {
      if (m->in_flight[worker] >= 1) return;
      Range r = *range;
      m->returned = range->next;
      free(range);
      send_chunk(L, c, worker, r.first, r.count, r.attempts);
    } else {
      int64_t size = chunk_size(m, c->pool->n);
      if (m->next > m->total || m->in_flight[worker] >= depth(m, size)) return;
      send_next(L, c, worker, size);
    }
  }
}

bool map_has_more (const Map *m) {
  return m->next <= m->total || m->returned != NULL;
}

/* One share for each worker: the first ones one longer. */
static void feed_static (lua_State *L, Call *c) {
  Map *m = c->map;
  int64_t n = c->pool->n, total = m->total;
  for (int w = 0; w < n; w++) {
    int64_t share = total / n + (w < total % n ? 1 : 0);
    if (share > 0) send_next(L, c, w, share);
  }
}

static void feed_all (lua_State *L, Call *c) {
  if (c->map->is_static) {
    feed_static(L, c);
    return;
  }
  /* In turns, so that the first items are spread over all workers. */
  for (int round = 1; round <= 2; round++) {
    for (int w = 0; w < c->pool->n; w++) {
      if (c->map->in_flight[w] < (unsigned)round && c->map->next <= c->map->total) {
        send_next(L, c, w, chunk_size(c->map, c->pool->n));
      }
    }
  }
}

void map_forget_worker (lua_State *L, Pool *p, int worker) {
  luaL_checkstack(L, 4, NULL);
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->calls);
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    Call *c = lua_touserdata(L, -1);
    if (c->map != NULL) c->map->begun[worker] = false;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static bool give_back (Map *m, int64_t first, int64_t count, unsigned attempts) {
  Range *range = malloc(sizeof *range);
  if (range == NULL) return false;
  *range = (Range){.next = m->returned, .first = first, .count = count, .attempts = attempts};
  m->returned = range;
  return true;
}

void map_take_back (lua_State *L, Call *c, int worker, const Request *r, bool was_under_way) {
  Map *m = c->map;
  c->outstanding--;
  m->in_flight[worker]--;
  bool ok = true;
  if (was_under_way) {
    unsigned attempts = r->count == 1 ? r->attempts : 0;
    for (int64_t i = r->count; i-- > 0;) ok = give_back(m, r->first + i, 1, attempts) && ok;
  } else {
    ok = give_back(m, r->first, r->count, r->attempts);
  }
  if (!ok) luaL_error(L, "not enough memory");
}

/* The table at index failures, error by item, becomes errors of the call. */
static void take_failures (lua_State *L, Call *c, int worker, int failures) {
  lua_pushnil(L);
  while (lua_next(L, failures) != 0) {
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "item");
    lua_pushliteral(L, "error");
    lua_setfield(L, -2, "kind");
    lua_pushinteger(L, worker + 1);
    lua_setfield(L, -2, "worker");
    call_failed(L, c);
    lua_pop(L, 1);
  }
}

/* Answer: first, count done, seconds, failures or nil, lists... */
void map_answered (lua_State *L, Call *c, int worker, const Request *r, int values) {
  Map *m = c->map;
  int n_lists = lua_gettop(L) - values - 4;
  if (n_lists < 0) luaL_error(L, "malformed answer to a chunk");
  lua_Integer done = lua_tointeger(L, values + 2);
  double seconds = lua_tonumber(L, values + 3);
  if (done > 0 && r->count > 0) m->item_seconds = seconds / (double)done;
  call_push_anchor(L, c);
  lua_getiuservalue(L, -1, CALL_RESULTS);
  int results = lua_gettop(L);
  luaL_checkstack(L, 4, NULL);
  for (int k = 1; k <= n_lists; k++) {
    if (lua_rawgeti(L, results, k) != LUA_TTABLE) {
      lua_pop(L, 1);
      lua_createtable(L, m->total < 1 << 26 ? (int)m->total : 0, 1);
      lua_pushvalue(L, -1);
      lua_rawseti(L, results, k);
    }
    int from = values + 4 + k;
    for (lua_Integer i = 1; i <= done && i <= r->count; i++) {
      lua_rawgeti(L, from, i);
      lua_rawseti(L, -2, r->first + i - 1);
    }
    lua_pop(L, 1);
  }
  if (lua_istable(L, values + 4)) take_failures(L, c, worker, values + 4);
}

void map_cancel (lua_State *L, Call *c) {
  if (c->is_cancelled) return;
  c->is_cancelled = true;
  Message m = {.type = REQUEST_CANCEL, .request = c->number};
  for (int w = 0; w < c->pool->n; w++) {
    if (c->map->in_flight[w] > 0) pool_send(L, c->pool, w, &m);
  }
}

void map_end (lua_State *L, Call *c) {
  Map *m = c->map;
  Encoder *e = wire_encoder(L, &c->pool->context, 0);
  lua_pushinteger(L, (lua_Integer)c->number);
  wire_encode(L, e, -1, "call");
  Message message = {.type = REQUEST_MAP_END, .parcel = wire_finish(L, e)};
  lua_pop(L, 2);
  for (int w = 0; w < c->pool->n; w++) {
    if (m->begun[w]) pool_send(L, c->pool, w, &message);
    m->begun[w] = false;
  }
  message_fini(&message);
}

void map_free (Pool *p, Map *m) {
  if (m == NULL) return;
  for (size_t i = 0; i < m->n_held; i++) {
    if (p->transport != NULL) objects_release(&p->objects, m->held[i]);
  }
  while (m->returned != NULL) {
    Range *range = m->returned;
    m->returned = range->next;
    free(range);
  }
  parcel_release(m->begin);
  free(m->begun);
  free(m->in_flight);
  free(m->held);
  free(m);
}

static Map *map_new (Pool *p) {
  size_t n = (size_t)p->n;
  Map *m = calloc(1, sizeof *m);
  if (m == NULL) return NULL;
  m->begun = calloc(n, sizeof *m->begun);
  m->in_flight = calloc(n, sizeof *m->in_flight);
  m->held = malloc((p->n_touched + 1) * sizeof *m->held);
  if (m->begun == NULL || m->in_flight == NULL || m->held == NULL) {
    map_free(p, m);
    return NULL;
  }
  for (size_t i = 0; i < p->n_touched; i++) {
    m->held[i] = p->touched[i];
    objects_retain(&p->objects, p->touched[i]);
  }
  m->n_held = p->n_touched;
  return m;
}

static lua_Integer option (lua_State *L, const char *name) {
  lua_getfield(L, 4, name);
  lua_Integer x = lua_isboolean(L, -1) ? lua_toboolean(L, -1) : lua_tointeger(L, -1);
  lua_pop(L, 1);
  return x;
}

static int l_feed_all (lua_State *L) {
  feed_all(L, lua_touserdata(L, 1));
  return 0;
}

/* pool:map(f, kw, {total, chunk, static, collect}, sequences) -> call. sequences: for each one
   kind, object, step, in one list; all checked by the caller. */
int call_map (lua_State *L) {
  Pool *p = pool_check(L, 1);
  luaL_checktype(L, 4, LUA_TTABLE);
  luaL_checktype(L, 5, LUA_TTABLE);
  lua_settop(L, 5);
  int64_t total = option(L, "total");
  pool_follow_environment(L, p);
  Encoder *e = pool_encoder(L, p);
  lua_pushinteger(L, (lua_Integer)p->next_call + 1);
  wire_encode(L, e, -1, "call");
  wire_encode(L, e, 2, "function");
  wire_encode(L, e, 3, "kw");
  Call *c = call_push(L, 1, total);
  lua_pushvalue(L, 5);
  lua_setiuservalue(L, -2, CALL_SEQUENCES);
  c->map = map_new(p);
  if (c->map == NULL) return luaL_error(L, "not enough memory");
  c->map->begin = wire_finish(L, e);
  c->map->total = total;
  c->map->next = 1;
  c->map->chunk = option(L, "chunk");
  c->map->is_static = option(L, "static") != 0;
  c->map->collect = option(L, "collect") != 0;
  c->map->n_sequences = (int)(lua_rawlen(L, 5) / 3);
  lua_pushcfunction(L, l_feed_all);
  lua_pushlightuserdata(L, c);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) { /* an item cannot be sent: take back what was */
    map_cancel(L, c);
    call_finish(L, c);
    return lua_error(L);
  }
  call_finish(L, c);
  return 1;
}
