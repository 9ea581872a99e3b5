/* repl.c - the prompt: reads a chunk, runs it, prints what it returns. */
#include "shell/repl.h"

#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include "host.h"
#include "metatable.h"
#include "shell/chunk.h"
#include "shell/interrupt.h"
#include "shell/line.h"

#define READER_TNAME "neap.LineReader"

/* The reader stands behind a userdata, so that an error closes it. */
static int l_close_reader (lua_State *L) {
  LineReader **r = luaL_checkudata(L, 1, READER_TNAME);
  line_close(*r);
  *r = NULL;
  return 0;
}

static const luaL_Reg metamethods[] = {
  {"__gc", l_close_reader},
  {"__close", l_close_reader},
  {NULL, NULL},
};

static LineReader *push_reader (lua_State *L) {
  LineReader **r = lua_newuserdatauv(L, sizeof *r, 0);
  *r = NULL;
  metatable_set(L, READER_TNAME, metamethods);
  *r = line_open(host_get(L));
  if (*r == NULL) luaL_error(L, "not enough memory");
  return *r;
}

/* Pushes the prompt as a string: _PROMPT or _PROMPT2 where the user has set them. */
static const char *push_prompt (lua_State *L, const char *name, const char *standard) {
  bool is_set = lua_getglobal(L, name) != LUA_TNIL;
  const char *prompt = is_set ? luaL_tolstring(L, -1, NULL) : lua_pushstring(L, standard);
  lua_remove(L, -2);
  return prompt;
}

/* Is the message at the top about a chunk that ends too early? */
static bool is_incomplete (lua_State *L, int status) {
  if (status != LUA_ERRSYNTAX) return false;
  size_t len;
  const char *message = lua_tolstring(L, -1, &len);
  const char mark[] = "<eof>";
  size_t n = sizeof mark - 1;
  return len >= n && memcmp(message + len - n, mark, n) == 0;
}

/* Stack: the text. Tries it as an expression, then as a chunk: pushes function or message. */
static int compile (lua_State *L, int text) {
  size_t len;
  const char *code = lua_tolstring(L, text, &len);
  const char *expression = lua_pushfstring(L, "return %s", code[0] == '=' ? code + 1 : code);
  int status = luaL_loadbuffer(L, expression, strlen(expression), "=stdin");
  if (status != LUA_OK) {
    lua_pop(L, 1);
    status = luaL_loadbuffer(L, code, len, "=stdin");
  }
  lua_remove(L, -2); /* the expression */
  return status;
}

/* Reads one whole chunk and pushes its function, or the message when it does not compile. */
static int read_chunk (lua_State *L, LineReader *r, int *status) {
  const char *line;
  int got = line_read(r, push_prompt(L, "_PROMPT", "> "), &line);
  if (got != LINE_READ) return got;
  lua_pop(L, 1);
  lua_pushstring(L, line);
  int text = lua_gettop(L);
  for (;;) {
    *status = compile(L, text);
    if (!is_incomplete(L, *status)) break;
    got = line_read(r, push_prompt(L, "_PROMPT2", ">> "), &line);
    lua_pop(L, 1);
    if (got == LINE_INTERRUPTED) return got;
    if (got == LINE_END) break; /* the message says what is missing */
    lua_pop(L, 1);              /* the message */
    lua_pushfstring(L, "%s\n%s", lua_tostring(L, text), line);
    lua_replace(L, text);
  }
  const char *chunk = lua_tostring(L, text);
  if (chunk[0] != '\0') line_remember(r, chunk);
  lua_remove(L, text);
  return LINE_READ;
}

/* Prints the values on the stack from index first on, through the user's print. */
static void print_results (lua_State *L, int first) {
  int n = lua_gettop(L) - first + 1;
  if (n <= 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, first);
  interrupt_start(host_get(L), L);
  int status = lua_pcall(L, n, 0, 0);
  interrupt_stop(host_get(L));
  if (status != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    lua_pushfstring(L, "error calling 'print' (%s)", message == NULL ? "no message" : message);
    chunk_report(L, status);
  }
}

/* The global neap, unless there is one of that name. */
static void preload_neap (lua_State *L) {
  if (lua_getglobal(L, "neap") == LUA_TNIL) {
    lua_getglobal(L, "require");
    lua_pushstring(L, "neap");
    int status = chunk_call(L, 1, 1);
    if (status == LUA_OK) lua_setglobal(L, "neap");
    else chunk_report(L, status);
  }
}

void repl_run (lua_State *L) {
  Host *host = host_get(L);
  host->interactive = true;
  lua_settop(L, 0);
  LineReader *reader = push_reader(L);
  lua_toclose(L, 1);
  preload_neap(L);
  for (;;) {
    lua_settop(L, 1);
    int status = LUA_OK;
    int got = read_chunk(L, reader, &status);
    if (got == LINE_END) break;
    if (got == LINE_INTERRUPTED) continue;
    if (status == LUA_OK) status = chunk_call(L, 0, LUA_MULTRET);
    if (status == LUA_OK) print_results(L, 2);
    else chunk_report(L, status);
  }
  lua_settop(L, 0);
  fputs("\n", stdout);
  fflush(stdout);
  host->interactive = false;
  interrupt_stop(host); /* for what closes now */
}
