/* main.c - the executable: the command line of lua 5.4, with workers. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <lauxlib.h>
#include <lualib.h>
#include "shell/chunk.h"
#include "shell/command.h"
#include "shell/modules.h"
#include "shell/paths.h"
#include "shell/repl.h"
#include "shell/version.h"
#include "worker/worker.h"

/* arg[0] is the script, or neap when there is none; what stands before it is negative. */
static void set_arg (lua_State *L, const Command *c) {
  int zero = c->script < c->argc ? c->script : 0;
  lua_createtable(L, c->argc - zero, zero);
  for (int i = 0; i < c->argc; i++) {
    lua_pushstring(L, c->argv[i]);
    lua_rawseti(L, -2, i - zero);
  }
  lua_setglobal(L, "arg");
}

/* Pushes arg[1], ..., as earlier code left them, and returns how many. */
static int push_args (lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  int table = lua_gettop(L);
  int n = (int)luaL_len(L, table);
  luaL_checkstack(L, n + 3, "too many arguments to script");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return n;
}

static int run_init (lua_State *L) {
  const char *name = "=LUA_INIT_5_4";
  const char *init = getenv(name + 1);
  if (init == NULL) {
    name = "=LUA_INIT";
    init = getenv(name + 1);
  }
  if (init == NULL) return LUA_OK;
  return init[0] == '@' ? chunk_file(L, init + 1) : chunk_string(L, init, name);
}

/* -l module or -l global=module; the global of module "name-v2" is "name". */
static int run_require (lua_State *L, const char *what) {
  const char *equals = strchr(what, '=');
  size_t len = strcspn(what, equals == NULL ? "-" : "=");
  lua_getglobal(L, "require");
  lua_pushstring(L, equals == NULL ? what : equals + 1);
  int status = chunk_call(L, 1, 1);
  if (status == LUA_OK) {
    lua_pushglobaltable(L); /* stack: module, _G */
    lua_pushlstring(L, what, len);
    lua_pushvalue(L, -3);
    lua_settable(L, -3);
    lua_pop(L, 2);
  }
  return chunk_report(L, status);
}

/* -e, -l and -W, in their order; stops at the first error. */
static int run_options (lua_State *L, const Command *c) {
  int status = LUA_OK;
  for (int i = 1; i < c->options && status == LUA_OK; i++) {
    switch (c->argv[i][1]) {
      case 'e': status = chunk_string(L, command_argument(c, &i), "=(command line)"); break;
      case 'l': status = run_require(L, command_argument(c, &i)); break;
      case 'W': lua_warning(L, "@on", 0); break;
    }
  }
  return status;
}

static int run_script (lua_State *L, const Command *c) {
  int status = luaL_loadfile(L, c->script_is_stdin ? NULL : c->argv[c->script]);
  if (status == LUA_OK) status = chunk_call(L, push_args(L), 0);
  return chunk_report(L, status);
}

static int run (lua_State *L, const Command *c) {
  bool has_script = c->script < c->argc;
  int status = c->ignore_environment ? LUA_OK : run_init(L);
  if (status == LUA_OK) status = run_options(L, c);
  if (status == LUA_OK && has_script) status = run_script(L, c);
  if (status != LUA_OK) return status;
  if (c->interactive) {
    repl_run(L);
  } else if (!has_script && !c->runs_code && !c->show_lua_version) {
    if (!isatty(STDIN_FILENO)) return chunk_file(L, NULL);
    version_print_short();
    repl_run(L);
  }
  return LUA_OK;
}

/* main's work, protected: (command) -> did all go well? */
static int l_main (lua_State *L) {
  const Command *c = lua_touserdata(L, 1);
  lua_settop(L, 0);
  set_arg(L, c);
  lua_pushboolean(L, run(L, c) == LUA_OK);
  return 1;
}

static int run_driver (Host *host, Command *c) {
  lua_State *L = modules_newstate(host);
  if (L == NULL) {
    fprintf(stderr, "neap: cannot create a Lua state: not enough memory\n");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, l_main);
  lua_pushlightuserdata(L, c);
  int status = lua_pcall(L, 1, 1, 0);
  bool good = status == LUA_OK && lua_toboolean(L, -1);
  chunk_report(L, status);
  lua_close(L);
  host_close_loop(host);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main (int argc, char **argv) {
  signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error, no end */
  Command c;
  if (!command_parse(&c, argc, argv)) {
    fprintf(stderr, "neap: %s\n%s", c.problem, command_usage);
    return EXIT_FAILURE;
  }
  Paths paths;
  Host host = {.default_workers = c.workers, .ignore_environment = c.ignore_environment};
  int rc = paths_find(&paths, &host);
  if (rc < 0) {
    fprintf(stderr, "neap: cannot find the executable: %s\n", strerror(-rc));
    return EXIT_FAILURE;
  }
  host.newstate = modules_newstate;
  if (c.is_worker) return worker_main(&host, c.driver);
  if (c.show_help) {
    fputs(command_help, stdout);
    return EXIT_SUCCESS;
  }
  if (c.show_version) {
    version_print_long();
    return EXIT_SUCCESS;
  }
  if (c.show_lua_version) version_print_short();
  return run_driver(&host, &c);
}
