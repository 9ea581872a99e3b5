/* map.c - hands out the items of a map in chunks, as workers have room for them. */
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "pool/chunk.h"
#include "pool/holds.h"
#include "pool/ranges.h"
#include "worker/protocol.h"

/* A chunk is to take about so long: much more than a message costs, little enough to share the
   rest fairly. Shorter ones than the last are not worth a message. */
static const double CHUNK_SECONDS = 2e-3, SHORT_SECONDS = 50e-6, QUEUE_SECONDS = 4e-3;
enum { CHUNK_MAX = 1 << 14, CHUNK_GROWTH = 16 };

static int64_t min64 (int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t max64 (int64_t a, int64_t b) {
  return a > b ? a : b;
}

/* As many items as take so long. */
static int64_t items_in (const Map *m, double seconds) {
  double n = seconds / m->item_seconds;
  return n < CHUNK_MAX ? (int64_t)n : CHUNK_MAX;
}

/* How many items the next chunk takes: shrinking towards the end, so that workers end
   together (guided self-scheduling, Polychronopoulos and Kuck 1987), bounded in time. What
   items cost is found out with one at first. */
static int64_t chunk_size (const Map *m, int n_workers) {
  int64_t left = m->total - m->next + 1;
  if (m->chunk > 0) return min64(m->chunk, left);
  if (m->item_seconds <= 0) return min64(1, left);
  int64_t fair = left / (2 * n_workers);
  int64_t size = min64(min64(fair, items_in(m, CHUNK_SECONDS)), CHUNK_GROWTH * m->largest);
  return min64(left, max64(max64(size, 1), items_in(m, SHORT_SECONDS)));
}

/* How many chunks a worker may have: one ahead, once it is known what items cost, unless that one
   could not be taken back and is long. */
static unsigned depth (const Call *c, int64_t size) {
  const Map *m = c->map;
  if (m->item_seconds <= 0) return m->chunk > 0 ? 2 : 1;
  bool is_long = m->item_seconds * (double)size > QUEUE_SECONDS;
  return is_long && c->pool->transport->ops->revoke == NULL ? 1 : 2;
}

static double max_double (double a, double b) {
  return a > b ? a : b;
}

void map_measure (Map *m, int64_t items, double seconds) {
  if (items <= 0) return;
  double mean = max_double(seconds / (double)items, 1e-9);
  /* What was long once may be so again: falling estimates are believed slowly. */
  m->item_seconds = max_double(mean, 0.5 * m->item_seconds);
  m->largest = max64(m->largest, items);
}

/* Items that have not been asked yet. */
static void send_next (lua_State *L, Call *c, int worker, int64_t count) {
  chunk_send(L, c, worker, c->map->next, count, 0);
  c->map->next += count;
}

/* The newest chunk that waits for a worker behind something else; NULL: none does, or another one
   has been taken back and the worker has not seen that yet: it can be told one at a time. */
static Request *waiting_chunk (const Call *c, int worker) {
  Request *newest = NULL;
  const WorkerSlot *w = &c->pool->workers[worker];
  for (Request *r = w->first; r != NULL; r = r->next) {
    if (r->is_revoked) return NULL;
    if (r->call == c && r != w->first) newest = r;
  }
  return newest;
}

/* A worker has nothing to do: what waits for another, the one that has begun its chunk last, is
   taken back, to be shared between the two. */
static bool take_from_others (Call *c, int worker) {
  Pool *p = c->pool;
  Request *best = NULL;
  int victim = -1;
  if (p->transport->ops->revoke == NULL) return false;
  for (int w = 0; w < p->n; w++) {
    if (w == worker || c->map->in_flight[w] == 0) continue;
    if (victim >= 0 && p->workers[w].since < p->workers[victim].since) continue;
    Request *r = waiting_chunk(c, w);
    if (r == NULL) continue;
    best = r;
    victim = w;
  }
  if (best == NULL) return false;
  if (!p->transport->ops->revoke(p->transport, victim, best->message.request)) return false;
  ranges_share(c, best);
  return true;
}

void map_feed (lua_State *L, Call *c, int worker) {
  Map *m = c->map;
  while (!c->is_cancelled && !c->pool->workers[worker].is_lost) {
    Range *range = m->returned;
    if (range == NULL && m->next > m->total) {
      if (m->in_flight[worker] > 0 || m->is_static || !take_from_others(c, worker)) return;
    } else if (range != NULL) {
      if (m->in_flight[worker] >= 1) return;
      int64_t count = min64(range->piece, range->count);
      chunk_send(L, c, worker, range->first, count, range->attempts);
      ranges_sent(m, range, count); /* now: an error above loses nothing */
    } else {
      int64_t size = chunk_size(m, c->pool->n);
      if (m->in_flight[worker] >= depth(c, size)) return;
      send_next(L, c, worker, size);
    }
  }
}

bool map_has_more (const Map *m) {
  return m->next <= m->total || m->returned != NULL;
}

/* Lost workers are started once more; the map does without those that cannot be. Returns how many
   it has. */
static int muster (lua_State *L, Pool *p) {
  int n = 0;
  for (int w = 0; w < p->n; w++) n += pool_revive(L, p, w) == 0;
  return n;
}

/* One share for each of n workers: the first ones one longer. */
static void feed_static (lua_State *L, Call *c, int64_t n) {
  Map *m = c->map;
  int64_t total = m->total, k = 0;
  for (int w = 0; k < n; w++) {
    if (c->pool->workers[w].is_lost) continue;
    int64_t share = total / n + (k++ < total % n ? 1 : 0);
    if (share > 0) send_next(L, c, w, share);
  }
}

static void feed_all (lua_State *L, Call *c) {
  int n = muster(L, c->pool);
  if (n == 0 && c->map->total > 0) { /* asking tells why */
    send_next(L, c, 0, 1);
    return;
  }
  if (c->map->is_static) {
    feed_static(L, c, n);
    return;
  }
  /* In turns, so that the first items are spread over all workers. */
  for (unsigned round = 1; round <= 2; round++) {
    for (int w = 0; w < c->pool->n && c->map->next <= c->map->total; w++) {
      if (c->pool->workers[w].is_lost) continue;
      int64_t size = chunk_size(c->map, c->pool->n);
      if (c->map->in_flight[w] < round && round <= depth(c, size)) send_next(L, c, w, size);
    }
  }
}

void map_forget_worker (lua_State *L, Pool *p, int worker) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->calls);
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    Call *c = lua_touserdata(L, -1);
    if (c->map != NULL) c->map->begun[worker] = false;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void map_cancel (lua_State *L, Call *c) {
  if (c->is_cancelled) return;
  c->is_cancelled = true;
  Message m = {.type = REQUEST_CANCEL, .request = c->number};
  for (int w = 0; w < c->pool->n; w++) {
    if (c->map->in_flight[w] > 0) pool_send(L, c->pool, w, &m);
  }
}

/* Packed lists are large, and the next map may use their memory again. */
static void free_packed (lua_State *L, const Call *c) {
  int top = lua_gettop(L);
  call_push_anchor(L, c);
  if (lua_isuserdata(L, -1) && lua_getiuservalue(L, -1, CALL_SEQUENCES) == LUA_TTABLE) {
    for (int k = 1; k <= c->map->n_sequences; k++) {
      bool is_list = lua_rawgeti(L, top + 2, 3 * k - 2) == LUA_TNUMBER &&
                     lua_tointeger(L, -1) == SEQUENCE_LIST;
      if (lua_rawgeti(L, top + 2, 3 * k) == LUA_TUSERDATA && is_list) wire_free_packed(L, -1);
      lua_settop(L, top + 2);
    }
  }
  lua_settop(L, top);
}

void map_end (lua_State *L, Call *c) {
  Map *m = c->map;
  Message message = {.type = REQUEST_MAP_END, .request = c->number};
  for (int w = 0; w < c->pool->n; w++) {
    if (!m->begun[w]) continue;
    pool_send(L, c->pool, w, &message);
    c->pool->transport->ops->show(c->pool->transport, w, true);
    m->begun[w] = false;
  }
  /* Now, not when the collector comes to the call: arrays may hang on it. */
  holds_let_go(m->held);
  free_packed(L, c);
  parcel_release(c->parcel);
  c->parcel = NULL;
}

void map_free (Map *m) {
  if (m == NULL) return;
  ranges_free(m->returned);
  free(m->begun);
  free(m->in_flight);
  free(m);
}

static Map *map_new (const Pool *p) {
  size_t n = (size_t)p->n;
  Map *m = calloc(1, sizeof *m);
  if (m == NULL) return NULL;
  m->begun = calloc(n, sizeof *m->begun);
  m->in_flight = calloc(n, sizeof *m->in_flight);
  if (m->begun == NULL || m->in_flight == NULL) {
    map_free(m);
    return NULL;
  }
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

/* The map becomes the call's, with what holds has. stack: the call on top */
static void make_map (lua_State *L, Call *c, Holds *holds, int64_t total) {
  const Pool *p = c->pool;
  Map *m = c->map = map_new(p);
  if (m == NULL) luaL_error(L, "not enough memory");
  for (size_t i = 0; i < p->n_touched; i++) holds_add(L, holds, p->touched[i]);
  m->held = holds_push(L, c->pool);
  lua_setiuservalue(L, -2, CALL_HELD);
  holds_take(m->held, holds);
  m->total = total;
  m->next = 1;
  m->chunk = option(L, "chunk");
  m->is_static = option(L, "static") != 0;
  m->collect = option(L, "collect") != 0;
  m->is_stream = option(L, "stream") != 0;
  m->n_sequences = (int)(lua_rawlen(L, 5) / 3);
}

/* pool:map(f, kw, {total, chunk, static, collect, stream, async, order, held}, sequences) -> call.
   held: what check_items has found the items to refer to, which is taken over. sequences: for each one kind, object, step (of a list: its numbers packed, or false), in one list; all
   checked by the caller. */
int call_map (lua_State *L) {
  Pool *p = pool_check(L, 1);
  luaL_checktype(L, 4, LUA_TTABLE);
  luaL_checktype(L, 5, LUA_TTABLE);
  lua_settop(L, 5);
  int64_t total = option(L, "total");
  pool_enter(L, p);                 /* index 6 */
  Call *c = call_push(L, p, total); /* index 7 */
  c->takes_globals = option(L, "async") != 0;
  lua_pushvalue(L, 5);
  lua_setiuservalue(L, 7, CALL_SEQUENCES);
  lua_getfield(L, 4, "order");
  lua_setiuservalue(L, 7, CALL_ORDER);
  pool_follow_environment(L, p);
  Encoder *e = pool_encoder(L, p);
  lua_pushinteger(L, (lua_Integer)c->number);
  wire_encode(L, e, -1, "call");
  wire_encode(L, e, 2, "function");
  wire_encode(L, e, 3, "kw");
  c->parcel = wire_finish(L, e);
  p->heavy = c->parcel->len > POOL_HEAVY ? c->parcel->len : 0;
  if (c->takes_globals) globals_take(L, p, c->parcel, &c->globals);
  lua_settop(L, 7);
  lua_getfield(L, 4, "held");
  Holds *holds = holds_check(L, -1);
  lua_settop(L, 7);
  make_map(L, c, holds, total);
  call_anchor(L, c);
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
