/* encoder.c - the life of an encoder: memory, and the parcel that it becomes. */
#include "wire/encoder.h"

#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "metatable.h"
#include "wire/state.h"

#define ENCODER_TNAME "neap.wire.encoder"

enum { FIRST_ROOM = 512, DEFS_STEP = 16, SPARE_MAX = 1 << 20 };

int encoder_no_memory (lua_State *L) {
  return luaL_error(L, "not enough memory");
}

static void release_image (ArrayImage *image) {
  for (unsigned i = 0; i < image->n_slices; i++) block_release(image->slices[i].block);
  image->n_slices = 0;
}

void workspace_fini (Workspace *w) {
  free(w->bytes);
  free(w->recent);
  free(w->frames);
  addressmap_fini(&w->met);
  *w = (Workspace){0};
}

/* The workspace becomes the spare one of the Lua state, or is freed. */
static void retire (Encoder *e) {
  WireState *s = e->state;
  if (s == NULL || s->is_closed || s->has_spare || e->w.room > SPARE_MAX ||
      e->w.room_frames > SPARE_MAX / sizeof *e->w.frames) {
    workspace_fini(&e->w);
    return;
  }
  addressmap_clear(&e->w.met);
  if (e->w.recent_used) memset(e->w.recent, 0, RECENT * sizeof *e->w.recent);
  e->w.recent_used = false;
  *s->spare = e->w;
  s->has_spare = true;
  e->w = (Workspace){0};
}

/* Frees all that e owns; may be repeated. */
static void fini (Encoder *e) {
  for (size_t i = 0; i < e->n_attachments; i++) block_release(e->attachments[i].range.block);
  for (uint32_t i = 0; i < e->n_defs; i++) parcel_release(e->defs[i].parcel);
  release_image(&e->image);
  encode_views_fini(e);
  parcel_release(e->result);
  e->result = NULL;
  if (e->w.bytes != NULL) retire(e);
  else workspace_fini(&e->w);
  free(e->attachments);
  free(e->defs);
  addressmap_fini(&e->defined);
  e->attachments = NULL;
  e->defs = NULL;
  e->len = e->n_frames = 0;
  e->n_attachments = e->room_attachments = 0;
  e->n_defs = e->room_defs = e->n_values = 0;
}

/* Lets go of the values that wire_encode keeps alive. */
static void drop_anchors (lua_State *L, const Encoder *e) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, e) != LUA_TNIL) {
    lua_pushnil(L); /* to a key that is there: needs no memory */
    lua_rawsetp(L, LUA_REGISTRYINDEX, e);
  }
  lua_pop(L, 1);
}

void encoder_close (lua_State *L, Encoder *e) {
  fini(e);
  drop_anchors(L, e);
}

static int l_close (lua_State *L) {
  encoder_close(L, luaL_checkudata(L, 1, ENCODER_TNAME));
  return 0;
}

static const luaL_Reg metamethods[] = {{"__gc", l_close}, {"__close", l_close}, {NULL, NULL}};

Encoder *encoder_push (lua_State *L, Encoder *parent) {
  Encoder *e = lua_newuserdatauv(L, sizeof *e, 0);
  *e = (Encoder){0};
  metatable_set(L, ENCODER_TNAME, metamethods);
  e->root = e;
  e->state = state_get(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  e->globals = lua_topointer(L, -1);
  lua_pop(L, 1);
  if (e->state->has_spare) {
    e->w = *e->state->spare;
    e->state->has_spare = false;
  }
  if (parent != NULL) {
    e->parent = parent;
    e->root = parent->root;
    e->context = parent->context;
    e->depth = parent->depth + 1;
    e->label = parent->label;
    e->slots = parent->slots;
  }
  return e;
}

void encoder_grow (lua_State *L, Encoder *e, size_t n) {
  size_t room = e->w.room < FIRST_ROOM ? FIRST_ROOM : e->w.room;
  while (room - e->len < n) {
    if (room > SIZE_MAX / 2) encoder_no_memory(L);
    room *= 2;
  }
  uint8_t *bytes = realloc(e->w.bytes, room);
  if (bytes == NULL) encoder_no_memory(L);
  e->w.bytes = bytes;
  e->w.room = room;
}

void encoder_append (lua_State *L, Encoder *e, const void *data, size_t len) {
  if (len == 0) return;
  memcpy(encoder_room(L, e, len), data, len);
  e->len += len;
}

/* The root lists d, once for each key, and takes a reference of its own. */
void encoder_define (lua_State *L, Encoder *e, const void *key, Definition d) {
  Encoder *root = e->root;
  if (root->n_defs == root->room_defs) {
    uint32_t room = root->room_defs + root->room_defs / 2 + DEFS_STEP;
    Definition *defs = realloc(root->defs, room * sizeof *defs);
    if (defs == NULL) encoder_no_memory(L);
    root->defs = defs;
    root->room_defs = room;
  }
  if (key != NULL) {
    bool is_new;
    size_t *number = addressmap_at(&root->defined, key, &is_new);
    if (number == NULL) encoder_no_memory(L);
    *number = d.number;
    if (!is_new) return;
  }
  parcel_retain(d.parcel);
  root->defs[root->n_defs++] = d;
}

Encoder *wire_encoder (lua_State *L, const WireContext *context, int self_contained) {
  luaL_checkstack(L, 20, "too many values");
  Encoder *e = encoder_push(L, NULL);
  e->context = context;
  e->contained = self_contained;
  encoder_room(L, e, HEAD_VALUES);
  e->len = HEAD_VALUES;
  return e;
}

/* The definitions stand behind the values, their slices behind the values' own. */
static void append_definitions (lua_State *L, Encoder *e) {
  put_le32(encoder_room(L, e, 4), e->n_defs);
  e->len += 4;
  for (uint32_t i = 0; i < e->n_defs; i++) {
    const Parcel *d = e->defs[i].parcel;
    uint8_t *p = encoder_room(L, e, 12);
    put_le64(p, d->len);
    put_le32(p + 8, d->n_slices);
    e->len += 12;
    encoder_append(L, e, d->bytes, d->len);
  }
}

/* Adds the slices of the definitions to those of p. */
static bool append_slices (const Encoder *e, Parcel *p) {
  uint64_t n = p->n_slices;
  for (uint32_t i = 0; i < e->n_defs; i++) n += e->defs[i].parcel->n_slices;
  if (n == p->n_slices) return true;
  if (n > UINT32_MAX) return false;
  Snapshot **slices = realloc(p->slices, (size_t)n * sizeof *slices);
  if (slices == NULL) return false;
  p->slices = slices;
  for (uint32_t i = 0; i < e->n_defs; i++) {
    const Parcel *d = e->defs[i].parcel;
    for (uint32_t j = 0; j < d->n_slices; j++) {
      slices[p->n_slices++] = snapshot_retain(d->slices[j]);
    }
  }
  return true;
}

Parcel *encoder_parcel (lua_State *L, Encoder *e) {
  Parcel *p = parcel_new();
  if (p == NULL) encoder_no_memory(L);
  if (!encode_attachments(e, p)) goto no_memory;
  if (e->contained && !append_slices(e, p)) goto no_memory;
  if (e->w.room <= SPARE_MAX) { /* the buffer is used again */
    p->bytes = malloc(e->len);
    if (p->bytes == NULL) goto no_memory;
    memcpy(p->bytes, e->w.bytes, e->len);
  } else {
    p->bytes = e->w.bytes;
    e->w.bytes = NULL;
    uint8_t *bytes = realloc(p->bytes, e->len);
    if (bytes != NULL) p->bytes = bytes;
  }
  p->len = e->len;
  if (e->root == e && !e->contained) {
    p->defs = e->defs;
    p->n_defs = e->n_defs;
    e->defs = NULL;
    e->n_defs = 0;
  }
  fini(e);
  return p;
no_memory:
  parcel_release(p);
  encoder_no_memory(L);
  return NULL;
}

Parcel *wire_finish (lua_State *L, Encoder *e) {
  uint64_t end = e->len;
  if (e->contained) append_definitions(L, e);
  e->w.bytes[0] = PARCEL_VALUES;
  e->w.bytes[1] = e->contained ? PARCEL_CONTAINED : 0;
  put_le16(e->w.bytes + 2, 0);
  put_le32(e->w.bytes + 4, e->n_values);
  put_le64(e->w.bytes + 8, end);
  Parcel *p = encoder_parcel(L, e);
  drop_anchors(L, e);
  return p;
}
