/* frame.h - messages as bytes: a fixed little-endian header, the parcel's bytes, its slices. */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include "wire/parcel.h"

enum {
  FRAME_MAGIC = 0x7061656e, /* "neap" */
  FRAME_HEAD = 32,
  FRAME_ENTRY = 24,
  FRAME_DESCRIPTORS =
    32 /* of one frame: a process that is short of them can still take so many;
                            the kernel would pass on 253 at once */
};

/* type and flags mean nothing here. */
typedef struct Message {
  uint8_t type, flags;
  uint64_t request;
  Parcel *parcel; /* one reference; NULL for an empty body */
} Message;

void message_fini (Message *m); /* may be called any number of times */

/* Layout on the wire, all little-endian: u32 magic, u8 type, u8 flags, u16 descriptors, u64 request,
   u64 len of the bytes, u32 entries, u32 zero (FRAME_HEAD bytes); then the table; then the bytes;
   then, one after the other, the slices that stand in the table as bytes.

   An entry of the table, FRAME_ENTRY bytes: u64 len, u64 origin, u32 descriptor, u32 flags. It
   is a slice; or, after an entry that announces it, the written pages of that slice. descriptor 0:
   its bytes follow. k: it is the range of len bytes from origin on of the segment whose descriptor
   is the k-th of the message. Descriptors go another way, before the frame that announces how
   many; a message with more of them than a frame can announce has frames of type 0 before it,
   which announce descriptors and nothing else. */
enum { ENTRY_HAS_PATCH = 1 };
void frame_put_head (uint8_t head[FRAME_HEAD], const Message *m, uint32_t n_entries,
                     unsigned n_descriptors);
void frame_put_entry (uint8_t entry[FRAME_ENTRY], uint64_t len, uint64_t origin,
                      uint32_t descriptor, uint32_t flags);

/* A pull-style reader: the caller reads as many bytes as it likes, at most room, to where the
   reader wants them, so that slices land in fresh blocks without another copy. Pieces of any
   size, one byte included. */
typedef struct FrameReader FrameReader;

/* Reads a frame that is there as a whole and has no descriptors. 0 and *m, the caller's; UV_EPROTO
   where that is no such frame, or UV_ENOMEM. */
int frame_read (const uint8_t *bytes, size_t len, Message *m);

/* Fetches n descriptors that have come, in order; the caller closes them. How many there were, or a
   negative UV_E*: fewer than n where this process could not hold more, and the rest is lost. */
typedef int (*FrameFetch)(void *user, int *fds, int n);

FrameReader *
frame_reader_new (uint64_t limit); /* limit: bytes of one message, those of segments
                                                   aside */
/* Without it a frame that announces descriptors is malformed. */
void frame_reader_set_fetch (FrameReader *r, FrameFetch fetch, void *user);
void frame_reader_free (FrameReader *r);                                 /* NULL is allowed */
void frame_reader_space (FrameReader *r, uint8_t **where, size_t *room); /* room >= 1 */
int frame_reader_feed (FrameReader *r, size_t n);      /* 0, UV_EPROTO (malformed), UV_ENOMEM */
bool frame_reader_next (FrameReader *r, Message *m);   /* a whole message, now the caller's */
bool frame_reader_is_idle (const FrameReader *r);      /* no message begun */
const char *frame_reader_error (const FrameReader *r); /* what was malformed, or NULL */

#endif
