/* died.c - what an error says of a worker that has ended. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <lauxlib.h>
#include "pool/pool.h"
#include "worker/crash.h"

enum { TAIL_LINES = 10 };

void died_describe (const Obituary *o, int worker, char *text, size_t size) {
  const char *memory = o->out_of_memory ? ", likely out of memory" : "";
  if (o->driver_was_short) {
    snprintf(text, size, "worker %d was ended: not enough memory for a message to or from it",
             worker + 1);
  } else if (o->signal != 0) {
    snprintf(text, size, "worker %d died (signal %d, %s%s)", worker + 1, o->signal,
             strsignal(o->signal), memory);
  } else {
    snprintf(text, size, "worker %d died (exit code %d)", worker + 1, (int)o->exit_status);
  }
}

static void set_integer (lua_State *L, const char *name, lua_Integer x) {
  lua_pushinteger(L, x);
  lua_setfield(L, -2, name);
}

/* The last lines of the text, at most TAIL_LINES; the first may be cut. */
static const char *last_lines (const char *text, size_t len) {
  const char *at = text + len;
  if (len > 0 && at[-1] == '\n') at--;
  for (int lines = 0; at > text; at--) {
    if (at[-1] == '\n' && ++lines == TAIL_LINES) return at;
  }
  return at;
}

/* Where Lua was, as crash.c has written it last; pushes nil when it has not. */
static void push_last_line (lua_State *L, const char *text) {
  const char *found = NULL;
  for (const char *at = strstr(text, CRASH_PREFIX); at != NULL;
       at = strstr(at + 1, CRASH_PREFIX)) {
    found = at;
  }
  const char *line = found != NULL ? strstr(found, CRASH_AT) : NULL;
  if (line == NULL) {
    lua_pushnil(L);
    return;
  }
  line += strlen(CRASH_AT);
  lua_pushlstring(L, line, strcspn(line, "\n"));
}

void died_set_fields (lua_State *L, const Obituary *o) {
  luaL_checkstack(L, 4, NULL);
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  lua_pushstring(L, host);
  lua_setfield(L, -2, "host");
  set_integer(L, "pid", (lua_Integer)o->pid);
  if (o->signal != 0) set_integer(L, "signal", o->signal);
  else set_integer(L, "exit_code", (lua_Integer)o->exit_status);
  if (o->peak != 0) set_integer(L, "peak_memory", (lua_Integer)o->peak);
  lua_pushboolean(L, o->out_of_memory);
  lua_setfield(L, -2, "out_of_memory");
  if (o->tail_len == 0) return;
  const char *text = lua_pushlstring(L, o->tail, o->tail_len); /* ends with a 0 */
  push_last_line(L, text);
  lua_setfield(L, -3, "last_line");
  const char *lines = last_lines(text, o->tail_len);
  lua_pushlstring(L, lines, o->tail_len - (size_t)(lines - text));
  lua_setfield(L, -3, "stderr");
  lua_pop(L, 1);
}
