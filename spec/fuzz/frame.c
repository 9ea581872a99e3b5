/* fuzz frame: the reader of frames takes any bytes in any pieces. The first byte says how long
   the pieces are; what comes out must be no longer than what went in. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "wire/frame.h"

enum { LIMIT = 1 << 20 };

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t len) {
  if (len == 0) return 0;
  size_t piece = data[0] == 0 ? len : data[0], total = 0;
  FrameReader *r = frame_reader_new(LIMIT);
  if (r == NULL) return 0;
  data++;
  len--;
  for (size_t at = 0; at < len;) {
    uint8_t *where;
    size_t room;
    frame_reader_space(r, &where, &room);
    assert(room >= 1);
    size_t n = len - at < piece ? len - at : piece;
    if (n > room) n = room;
    memcpy(where, data + at, n);
    at += n;
    if (frame_reader_feed(r, n) < 0) {
      assert(frame_reader_error(r) != NULL);
      break;
    }
    for (Message m; frame_reader_next(r, &m); message_fini(&m)) {
      total += FRAME_HEAD + (m.parcel != NULL ? parcel_total_len(m.parcel) : 0);
      assert(total <= len);
    }
  }
  frame_reader_free(r);
  return 0;
}
