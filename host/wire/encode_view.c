/* encode_view.c - views that share vectors with what else stands in the message. A view alone
   crosses as an array of its own; when its base, or a view that overlaps it, comes later, the
   base crosses and takes it over. */
#include "wire/encoder.h"

#include <stdlib.h>
#include <lauxlib.h>

enum { FIRST_VIEWS = 8 };

void encode_views_fini (Encoder *e) {
  for (size_t i = 0; i < e->n_bases; i++) free(e->bases[i].owner);
  free(e->bases);
  free(e->views);
  addressmap_fini(&e->base_numbers);
  e->bases = NULL;
  e->views = NULL;
  e->n_bases = e->room_bases = e->n_views = e->room_views = 0;
}

/* Room for one more; returns where the items are now. */
static void *grow (lua_State *L, void *items, size_t n, size_t *room, size_t size) {
  if (n < *room) return items;
  size_t more = *room + *room / 2 + FIRST_VIEWS;
  void *grown = more <= UINT32_MAX ? realloc(items, more * size) : NULL;
  if (grown == NULL) encoder_no_memory(L);
  *room = more;
  return grown;
}

static ViewBase *base_at (lua_State *L, Encoder *e, const void *address) {
  e->bases = grow(L, e->bases, e->n_bases, &e->room_bases, sizeof *e->bases);
  bool is_new;
  size_t *i = addressmap_at(&e->base_numbers, address, &is_new);
  if (i == NULL) encoder_no_memory(L);
  if (is_new) {
    *i = e->n_bases++;
    e->bases[*i] = (ViewBase){0};
  }
  return &e->bases[*i];
}

static size_t place (const ArrayView *v, size_t j) {
  if (v->indices != NULL) return v->indices[j];
  return (size_t)((ptrdiff_t)v->first + (ptrdiff_t)j * v->step);
}

static void own (ViewBase *b, const ArrayView *v, size_t number) {
  for (size_t j = 0; j < v->n; j++) b->owner[place(v, j)] = (uint32_t)number;
}

/* Notes a view that is written at the present offset. */
static void note (lua_State *L, Encoder *e, ViewBase *b, const ArrayView *v, bool is_base) {
  e->views = grow(L, e->views, e->n_views, &e->room_views, sizeof *e->views);
  e->views[e->n_views++] = (SentView){.at = e->len,
                                      .previous = b->last,
                                      .view = *v,
                                      .is_base = is_base};
  b->last = e->n_views;
  if (is_base && b->owner != NULL) own(b, v, b->last);
}

/* The second view of a base begins to ask which vectors the first one has. */
static void begin_owners (lua_State *L, const Encoder *e, ViewBase *b, size_t len) {
  if (b->owner != NULL || b->last == 0) return;
  b->owner = calloc(len > 0 ? len : 1, sizeof *b->owner);
  if (b->owner == NULL) encoder_no_memory(L);
  own(b, &e->views[b->last - 1].view, b->last);
}

/* What has the vectors of v: OWNED_BY_NONE, a number when they all are of one view that is evenly
   spaced, or OWNED_BY_MANY. */
static const uint32_t OWNED_BY_NONE = 0, OWNED_BY_MANY = UINT32_MAX;
static uint32_t owner_of (const Encoder *e, const ViewBase *b, const ArrayView *v) {
  if (b->owner == NULL || v->n == 0) return OWNED_BY_NONE;
  uint32_t number = b->owner[place(v, 0)];
  for (size_t j = 1; j < v->n; j++) {
    if (b->owner[place(v, j)] != number) return OWNED_BY_MANY;
  }
  bool fits = number == 0 || e->views[number - 1].view.indices == NULL;
  return fits ? number : OWNED_BY_MANY;
}

/* The number in w, evenly spaced, of what is vector i of the base. */
static size_t within (const ArrayView *w, size_t i) {
  return (size_t)(((ptrdiff_t)i - (ptrdiff_t)w->first) / w->step);
}

static void put_zigzag (lua_State *L, Encoder *e, ptrdiff_t x) {
  encoder_varint(L, e, ((uint64_t)x << 1) ^ (x < 0 ? UINT64_MAX : 0));
}

/* Writes what v shows of its base, or of w. */
static void put_shown (lua_State *L, Encoder *e, const ArrayView *v, const ArrayView *w) {
  encoder_put(L, e, v->indices != NULL ? VIEW_INDICES : VIEW_STEP);
  encoder_varint(L, e, v->n);
  if (v->indices != NULL) {
    for (size_t j = 0; j < v->n; j++) {
      encoder_varint(L, e, w != NULL ? within(w, v->indices[j]) : v->indices[j]);
    }
    return;
  }
  if (v->n == 0 || w == NULL) {
    encoder_varint(L, e, v->first);
    put_zigzag(L, e, v->step);
    return;
  }
  size_t first = within(w, v->first);
  encoder_varint(L, e, first);
  put_zigzag(L, e, v->n > 1 ? (ptrdiff_t)within(w, place(v, 1)) - (ptrdiff_t)first : 1);
}

void encode_base (lua_State *L, Encoder *e) {
  size_t i;
  size_t last = 0, n = 0;
  if (addressmap_find(&e->base_numbers, lua_topointer(L, -1), &i)) last = e->bases[i].last;
  if (last == 0) {
    encode_array(L, e);
    return;
  }
  encoder_put(L, e, OP_BASE);
  encode_array(L, e);
  for (size_t k = last; k > 0; k = e->views[k - 1].previous) n++;
  encoder_varint(L, e, n);
  /* From the last to the first: a view of what is taken over comes before that. */
  for (size_t k = last; k > 0; k = e->views[k - 1].previous) {
    const SentView *sent = &e->views[k - 1];
    e->w.bytes[sent->at] |= OP_SHARED;
    encoder_varint(L, e, sent->at);
    put_shown(L, e, &sent->view, NULL);
  }
}

bool encode_view (lua_State *L, Encoder *e) {
  ArrayView v;
  size_t at;
  if (!array_view(L, -1, &v)) {
    if (e->n_bases == 0 || !addressmap_find(&e->base_numbers, lua_topointer(L, -1), &at)) {
      return false;
    }
    encode_base(L, e);
    return true;
  }
  if (addressmap_find(&e->w.met, v.base, &at)) {
    encoder_put(L, e, OP_VIEW);
    encoder_ref(L, e, at);
    put_shown(L, e, &v, NULL);
    return true;
  }
  ViewBase *b = base_at(L, e, v.base);
  begin_owners(L, e, b, v.base_len);
  uint32_t owner = owner_of(e, b, &v);
  if (owner == OWNED_BY_NONE) {
    note(L, e, b, &v, true);
    return false;
  }
  if (owner != OWNED_BY_MANY) {
    note(L, e, b, &v, false);
    encoder_put(L, e, OP_VIEW);
    encoder_ref(L, e, e->views[owner - 1].at);
    put_shown(L, e, &v, &e->views[owner - 1].view);
    return true;
  }
  encoder_put(L, e, OP_VIEW);
  array_push_base(L, -1);
  if (!encoder_met(L, e, lua_topointer(L, -1))) encode_base(L, e);
  lua_pop(L, 1);
  put_shown(L, e, &v, NULL);
  return true;
}
