/* frame.c - the head of a message and the entries of its table as bytes. */
#include "wire/frame.h"

#include "wire/bytes.h"

void message_fini (Message *m) {
  parcel_release(m->parcel);
  m->parcel = NULL;
}

void frame_put_head (uint8_t head[FRAME_HEAD], const Message *m, uint32_t n_entries,
                     unsigned n_descriptors) {
  const Parcel *p = m->parcel;
  put_le32(head, FRAME_MAGIC);
  head[4] = m->type;
  head[5] = m->flags;
  put_le16(head + 6, (uint16_t)n_descriptors);
  put_le64(head + 8, m->request);
  put_le64(head + 16, p != NULL ? p->len : 0);
  put_le32(head + 24, n_entries);
  put_le32(head + 28, 0);
}

void frame_put_entry (uint8_t entry[FRAME_ENTRY], uint64_t len, uint64_t origin,
                      uint32_t descriptor, uint32_t flags) {
  put_le64(entry, len);
  put_le64(entry + 8, origin);
  put_le32(entry + 16, descriptor);
  put_le32(entry + 20, flags);
}
