/* segment.h - memory that processes share: a memfd, mapped, sealed when it is sent, recycled. */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Counted. It is born with one owner, who writes to it through map. From segment_seal on others may
   have mapped it: then its pages are changed no more until segment_is_exclusive. When the last
   reference goes, a segment that still has its map is kept for the next block (see store.h). */
typedef struct Segment {
  size_t refs;
  size_t len; /* whole pages */
  int fd;     /* born here: reads and writes; received: reads; -1: closed, for want of them */
  int given;  /* born here: only reads, others have it too; -1: not open */
  char *map;  /* of the whole segment, shared and writable; NULL where it was received */
  size_t promised;  /* snapshots of it: they need the descriptor */
  bool is_sealed;   /* and known by device and inode */
  bool is_leaked;   /* others have fd itself, so that it cannot be told who has it */
  bool lacks_pages; /* born here, and most of its pages may not exist yet */
  dev_t dev;
  ino_t ino;
  struct Segment *next;          /* among those known by the same hash */
  struct Segment *newer, *older; /* among the idle ones */
} Segment;

/* At least len bytes, len > 0: recycled (contents undefined), or fresh and zero. 0 or a negative
   UV_E*: UV_EMFILE where descriptors are short. */
int segment_new (Segment **s, size_t len, bool *is_fresh);
Segment *segment_retain (Segment *s);
void segment_release (Segment *s); /* NULL is allowed */
void segment_destroy (Segment *s); /* for the store: it holds no memory by its count any more */

/* Bytes first to last, not included, are about to be written: gives them their pages now where it
   was born without, which is quicker than by faults. */
void segment_populate (Segment *s, size_t first, size_t last);

/* Copies into a segment that nobody else has seen. 0 or negative. */
int segment_fill (Segment *s, bool is_fresh, const void *data, size_t len);

/* Forbids everyone to shrink or grow it or to map it writable. 0 or negative; may be repeated. */
int segment_seal (Segment *s);

/* Does nobody but this process have a descriptor or a mapping of it? False when in doubt. Any
   reference in this process is the caller's to know. */
bool segment_is_exclusive (Segment *s);

/* A descriptor to be sent, still the segment's. It was opened for reading alone, unless the system
   refused that. The segment is sealed and has its descriptor. */
int segment_descriptor (Segment *s);

/* Takes a descriptor that has come from another process, whatever happens. A segment that is here
   already is found again. 0 and a reference; UV_EPROTO: it is no sealed segment; UV_ENOMEM. */
int segment_adopt (Segment **s, int fd);

/* Where descriptors are short, closes those of the segment that nothing needs: the one that is
   sent, which is opened again for the next sending; and that of a segment that was received, unless
   snapshots need it: blocks that map it can then be sent on as bytes only. */
void segment_spare_descriptors (Segment *s);

#endif
