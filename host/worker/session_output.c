/* session_output.c - print, io.write and io.stderr of a session that has no process of its own:
   what they write goes through its SessionIo, marked there like the output of a worker. */
#include <stdio.h>
#include <lauxlib.h>
#include <lualib.h>
#include "worker/session_internal.h"

static ssize_t write_out (void *cookie, const char *bytes, size_t n) {
  const Session *s = cookie;
  s->io.write(s->io.user, 1, bytes, n);
  return (ssize_t)n;
}

static ssize_t write_err (void *cookie, const char *bytes, size_t n) {
  const Session *s = cookie;
  s->io.write(s->io.user, 2, bytes, n);
  return (ssize_t)n;
}

/* As with the process's own: closing them is refused. */
static int l_keep_open (lua_State *L) {
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  stream->closef = l_keep_open;
  luaL_pushfail(L);
  lua_pushliteral(L, "cannot close standard file");
  return 2;
}

/* Field name of the library io, on top, becomes a file that writes to f. */
static void set_stream (lua_State *L, const char *name, FILE *f) {
  luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
  *stream = (luaL_Stream){.f = f, .closef = l_keep_open};
  luaL_setmetatable(L, LUA_FILEHANDLE);
  lua_setfield(L, -2, name);
}

static int l_print (lua_State *L) {
  const Session *s = lua_touserdata(L, lua_upvalueindex(1));
  int n = lua_gettop(L);
  for (int i = 1; i <= n; i++) {
    size_t len;
    const char *text = luaL_tolstring(L, i, &len);
    if (i > 1) putc('\t', s->out);
    fwrite(text, 1, len, s->out);
    lua_pop(L, 1);
  }
  putc('\n', s->out);
  return 0;
}

void session_output_open (lua_State *L, Session *s) {
  if (s->io.write == NULL) return;
  s->out = fopencookie(s, "w", (cookie_io_functions_t){.write = write_out});
  s->err = fopencookie(s, "w", (cookie_io_functions_t){.write = write_err});
  if (s->out == NULL || s->err == NULL) luaL_error(L, "not enough memory");
  setvbuf(s->out, NULL, _IOLBF, BUFSIZ);
  setvbuf(s->err, NULL, _IONBF, 0);
  lua_getglobal(L, LUA_IOLIBNAME);
  set_stream(L, "stdout", s->out);
  set_stream(L, "stderr", s->err);
  lua_getfield(L, -1, "output"); /* io.write writes there */
  lua_getfield(L, -2, "stdout");
  lua_call(L, 1, 0);
  lua_pop(L, 1);
  lua_pushlightuserdata(L, s);
  lua_pushcclosure(L, l_print, 1);
  lua_setglobal(L, "print");
}

void session_output_flush (const Session *s) {
  fflush(s->out != NULL ? s->out : stdout);
}

void session_output_close (Session *s) {
  if (s->out != NULL) fclose(s->out);
  if (s->err != NULL) fclose(s->err);
  s->out = s->err = NULL;
}
