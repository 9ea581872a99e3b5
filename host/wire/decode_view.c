/* decode_view.c - views of arrays in the same message. */
#include "wire/decoder.h"

#include <lauxlib.h>

/* Reads what is shown of a base; pushes the memory of the indices, or nil. */
static void take_shown (lua_State *L, Decoder *d, ArrayView *view) {
  int form = decoder_byte(L, d);
  *view = (ArrayView){0};
  if (form == VIEW_INDICES) {
    view->n = decoder_length(L, d); /* each takes a byte at least */
    size_t *indices = lua_newuserdatauv(L, (view->n + 1) * sizeof *indices, 0);
    for (size_t j = 0; j < view->n; j++) indices[j] = (size_t)decoder_varint(L, d);
    view->indices = indices;
    return;
  }
  if (form != VIEW_STEP) decoder_malformed(L, d, "unknown view");
  view->n = (size_t)decoder_varint(L, d);
  view->first = (size_t)decoder_varint(L, d);
  uint64_t zigzag = decoder_varint(L, d);
  view->step = (ptrdiff_t)((zigzag >> 1) ^ (~(zigzag & 1) + 1));
  lua_pushnil(L);
}

/* Looked at before it is read: a view of a view of a view would be recursion in C. */
static int next_op (const Decoder *d) {
  return d->at < d->end ? d->bytes[d->at] & ~OP_SHARED : OP_NIL;
}

void decode_base (lua_State *L, Decoder *d) {
  luaL_checkstack(L, 20, NULL);
  if (next_op(d) != OP_ARRAY) decoder_malformed(L, d, "a base that is no array");
  decode_read(L, d);
  for (uint64_t n = decoder_varint(L, d); n > 0; n--) {
    ArrayView view;
    decoder_ref(L, d, NULL);
    take_shown(L, d, &view); /* stack: base, array, indices */
    const char *wrong = array_make_view(L, -2, -3, &view);
    if (wrong != NULL) decoder_malformed(L, d, wrong);
    lua_pop(L, 2);
  }
}

void decode_view (lua_State *L, Decoder *d) {
  ArrayView view;
  luaL_checkstack(L, 20, NULL);
  int op = next_op(d);
  if (op != OP_REF && op != OP_ARRAY && op != OP_BASE) {
    decoder_malformed(L, d, "a view of no array");
  }
  decode_read(L, d);
  take_shown(L, d, &view);
  const char *wrong = array_push_view(L, -2, &view);
  if (wrong != NULL) decoder_malformed(L, d, wrong);
  lua_replace(L, -3);
  lua_pop(L, 1);
}
