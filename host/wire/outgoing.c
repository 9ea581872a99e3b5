/* outgoing.c - a message as what is to be written: descriptors, and pieces of memory. */
#include "wire/outgoing.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "block/store.h"

/* The number, from 1, under which the segment is sent; 0 when there are too many. */
static uint32_t number_of (Outgoing *o, Segment *s, unsigned most) {
  /* Ranges of one segment stand side by side in a parcel. */
  for (unsigned i = o->n_segments; i > 0 && i + OUTGOING_FEW > o->n_segments; i--) {
    if (o->segments[i - 1] == s) return i;
  }
  if (o->n_segments == most) return 0;
  o->segments[o->n_segments++] = s;
  return o->n_segments;
}

static void add_piece (Outgoing *o, const void *data, size_t len) {
  if (len == 0) return;
  o->pieces[o->n_pieces++] = (struct iovec){.iov_base = (void *)(uintptr_t)data,
                                            .iov_len = len};
  o->len += len;
}

/* Writes the entries of s, from *entry on; its bytes, where they are to be sent, become a piece. */
static int add_slice (Outgoing *o, uint8_t **entry, Snapshot *s, unsigned most) {
  size_t origin;
  Segment *segment = snapshot_segment(s, &origin);
  uint32_t number = segment != NULL ? number_of(o, segment, most) : 0;
  if (number > 0) {
    Snapshot *patch = snapshot_patch(s);
    frame_put_entry(*entry, snapshot_len(s), origin, number,
                    patch != NULL ? ENTRY_HAS_PATCH : 0);
    *entry += FRAME_ENTRY;
    return patch != NULL ? add_slice(o, entry, patch, most) : 0;
  }
  const void *bytes;
  int rc = snapshot_bytes(s, &bytes);
  if (rc < 0) return rc;
  frame_put_entry(*entry, snapshot_len(s), 0, 0, 0);
  *entry += FRAME_ENTRY;
  add_piece(o, bytes, snapshot_len(s));
  return 0;
}

/* No more entries than that. */
static uint32_t count_entries (const Parcel *p) {
  uint32_t n = p != NULL ? p->n_slices : 0;
  for (uint32_t i = 0; p != NULL && i < p->n_slices; i++) {
    if (snapshot_patch(p->slices[i]) != NULL) n++;
  }
  return n;
}

void outgoing_clear (Outgoing *o) {
  o->head = o->few_heads;
  o->pieces = o->few_pieces;
  o->segments = o->few_segments;
  o->n_pieces = o->n_segments = 0;
  o->len = 0;
}

static bool make_room (Outgoing *o, size_t n) {
  outgoing_clear(o);
  if (n <= OUTGOING_FEW) return true;
  o->head = malloc(FRAME_HEAD + n * FRAME_ENTRY);
  o->pieces = malloc((n + 2) * sizeof *o->pieces);
  o->segments = malloc(n * sizeof *o->segments);
  if (o->head != NULL && o->pieces != NULL && o->segments != NULL) return true;
  outgoing_fini(o);
  return false;
}

int outgoing_init (Outgoing *o, const Message *m, bool descriptors) {
  const Parcel *p = m->parcel;
  uint32_t n = count_entries(p);
  unsigned most = descriptors && n > 0 ? store_message_descriptors() : 0;
  if (!make_room(o, n)) return UV_ENOMEM;
  add_piece(o, o->head, FRAME_HEAD);
  if (p != NULL) add_piece(o, p->bytes, p->len);
  uint8_t *entry = o->head + FRAME_HEAD;
  for (uint32_t i = 0; p != NULL && i < p->n_slices; i++) {
    int rc = add_slice(o, &entry, p->slices[i], most);
    if (rc < 0) {
      outgoing_fini(o);
      return rc;
    }
  }
  size_t table = (size_t)(entry - o->head) - FRAME_HEAD;
  o->pieces[0].iov_len += table;
  o->len += table;
  unsigned last = o->n_segments;
  while (last > FRAME_DESCRIPTORS) last -= FRAME_DESCRIPTORS;
  frame_put_head(o->head, m, (uint32_t)(table / FRAME_ENTRY), last);
  return 0;
}

void outgoing_fini (Outgoing *o) {
  if (o->head != o->few_heads) free(o->head);
  if (o->pieces != o->few_pieces) free(o->pieces);
  if (o->segments != o->few_segments) free(o->segments);
  outgoing_clear(o);
}

unsigned outgoing_batch (uint8_t head[FRAME_HEAD], unsigned n) {
  if (n <= FRAME_DESCRIPTORS) return n;
  frame_put_head(head, &(Message){0}, 0, FRAME_DESCRIPTORS);
  return FRAME_DESCRIPTORS;
}
