/* inflater.c - inflates a stated number of a reader's bytes, piece by piece. */
#include "mat/inflater.h"

#include <lauxlib.h>

void inflater_open (lua_State *L, Inflater *f, Reader *r, uint64_t len) {
  f->z = (z_stream){0};
  if (inflateInit(&f->z) != Z_OK) luaL_error(L, "not enough memory");
  f->is_open = true;
  f->r = r;
  f->packed = len;
}

/* Inflates on; `what` is read where the compressed bytes end. Returns what zlib says. */
static int step (lua_State *L, Inflater *f, const char *what) {
  if (f->z.avail_in == 0 && f->packed > 0) {
    size_t n = f->packed < INFLATER_CHUNK ? (size_t)f->packed : INFLATER_CHUNK;
    reader_bytes(L, f->r, f->in, n, what);
    f->packed -= n;
    f->z.next_in = f->in;
    f->z.avail_in = (unsigned)n;
  }
  return inflate(&f->z, Z_NO_FLUSH);
}

const char *inflater_read (lua_State *L, Inflater *f, void *target, size_t len,
                           const char *what) {
  f->z.next_out = target;
  f->z.avail_out = (unsigned)len;
  while (f->z.avail_out > 0) {
    int rc = step(L, f, what);
    if (rc == Z_OK || (rc == Z_STREAM_END && f->z.avail_out == 0)) continue;
    if (rc == Z_MEM_ERROR) luaL_error(L, "not enough memory");
    if (rc == Z_STREAM_END || rc == Z_BUF_ERROR) {
      return lua_pushfstring(L, "compressed data end in %s", what);
    }
    return lua_pushfstring(L, "compressed data are damaged: %s",
                           f->z.msg != NULL ? f->z.msg : "no stream");
  }
  return NULL;
}

const char *inflater_finish (lua_State *L, Inflater *f) {
  unsigned char byte;
  f->z.next_out = &byte;
  f->z.avail_out = 1;
  int rc = Z_OK;
  while (rc == Z_OK && f->z.avail_out == 1) { /* what is left is the checksum */
    rc = step(L, f, "the variable's checksum");
  }
  if (f->z.avail_out == 0) return "compressed data go on behind the variable";
  if (rc != Z_STREAM_END) return "compressed data are damaged or end too early";
  if (f->packed > 0 || f->z.avail_in > 0) return "bytes behind the compressed data";
  return NULL;
}

void inflater_close (Inflater *f) {
  if (f->is_open) inflateEnd(&f->z);
  f->is_open = false;
}
