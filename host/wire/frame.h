/* frame.h - messages as bytes: a fixed little-endian header, the parcel's bytes, its slices. */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include "wire/parcel.h"

enum { FRAME_HEAD = 32 };

/* type and flags mean nothing here. */
typedef struct Message {
  uint8_t type, flags;
  uint64_t request;
  Parcel *parcel; /* one reference; NULL for an empty body */
} Message;

void message_fini (Message *m); /* may be called any number of times */

/* Layout on the wire, all little-endian: u32 magic, u8 type, u8 flags, u16 zero, u64 request,
   u64 len of the bytes, u32 n_slices, u32 zero (FRAME_HEAD bytes); then n_slices lengths of
   u64 (the table); then the bytes; then the slices one after the other. */
void frame_put_head (uint8_t head[FRAME_HEAD], const Message *m);
void frame_put_table (uint8_t *table, const Parcel *p); /* 8 * n_slices bytes */

/* A pull-style reader: the caller reads as many bytes as it likes, at most room, to where the
   reader wants them, so that slices land in fresh blocks without another copy. Pieces of any
   size, one byte included. */
typedef struct FrameReader FrameReader;

FrameReader *frame_reader_new (uint64_t limit); /* limit: bytes and slices of one message */
void frame_reader_free (FrameReader *r);        /* NULL is allowed */
void frame_reader_space (FrameReader *r, uint8_t **where, size_t *room); /* room >= 1 */
int frame_reader_feed (FrameReader *r, size_t n);      /* 0, UV_EPROTO (malformed), UV_ENOMEM */
bool frame_reader_next (FrameReader *r, Message *m);   /* a whole message, now the caller's */
bool frame_reader_is_idle (const FrameReader *r);      /* no message begun */
const char *frame_reader_error (const FrameReader *r); /* what was malformed, or NULL */

#endif
