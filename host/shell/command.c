/* command.c - the command line, taken apart. */
#include "shell/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char command_usage[] = "usage: neap [options] [script [arguments]]   (neap --help)\n";

const char command_help[] =
  "usage: neap [options] [script [arguments]]\n"
  "Runs a Lua script; without one, the prompt or what comes on standard input.\n"
  "\n"
  "  -e code       run the code\n"
  "  -l module     require the module into a global of its name\n"
  "  -l g=module   require the module into the global g\n"
  "  -i            go to the prompt after the script\n"
  "  -v            print the version of Lua\n"
  "  -E            ignore LUA_PATH, LUA_CPATH and LUA_INIT\n"
  "  -W            turn warnings on\n"
  "  -             run standard input\n"
  "  --            end of the options\n"
  "  --workers N   how many workers neap.pool starts when not told (0: none, inline)\n"
  "  --trace FILE  write a trace of the pool's work (not available yet)\n"
  "  --version     print the versions of neap and its libraries\n"
  "  --help        print this\n";

static bool refuse (Command *c, const char *format, const char *word) {
  snprintf(c->problem, sizeof c->problem, format, word);
  return false;
}

static bool parse_workers (Command *c, const char *text) {
  char *end;
  errno = 0;
  long n = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || n < 0 || n > COMMAND_WORKERS_MAX) {
    snprintf(c->problem, sizeof c->problem,
             "--workers: a number from 0 to %d expected, got '%.40s'", COMMAND_WORKERS_MAX,
             text);
    return false;
  }
  c->workers = (int)n;
  return true;
}

/* A long option at argv[*i], its value behind '=' or in the next word. */
static bool parse_long (Command *c, int *i) {
  const char *word = c->argv[*i];
  size_t len = strcspn(word, "=");
  const char *value = word[len] == '=' ? word + len + 1 : NULL;
  bool takes_value = false;
  if (strcmp(word, "--version") == 0) {
    c->show_version = true;
  } else if (strcmp(word, "--help") == 0) {
    c->show_help = true;
  } else if (len == strlen("--workers") && strncmp(word, "--workers", len) == 0) {
    takes_value = true;
  } else if (len == strlen("--trace") && strncmp(word, "--trace", len) == 0) {
    return refuse(c, "%s is not available yet", "--trace");
  } else {
    return refuse(c, "unrecognized option '%.80s'", word);
  }
  if (takes_value && value == NULL) {
    if (*i + 1 >= c->argc) return refuse(c, "'%.80s' needs argument", word);
    value = c->argv[++*i];
  }
  return takes_value ? parse_workers(c, value) : true;
}

/* A short option at argv[*i]; -e and -l may have their argument in the next word. */
static bool parse_short (Command *c, int *i) {
  const char *word = c->argv[*i];
  char option = word[1];
  if (option == 'e' || option == 'l') {
    c->runs_code |= option == 'e';
    if (word[2] != '\0') return true;
    ++*i;
    if (*i < c->argc && c->argv[*i][0] != '-') return true;
    return refuse(c, "'%.80s' needs argument", word);
  }
  if (strchr("ivEW", option) == NULL || word[2] != '\0') {
    return refuse(c, "unrecognized option '%.80s'", word);
  }
  c->interactive |= option == 'i';
  c->show_lua_version |= option == 'i' || option == 'v';
  c->ignore_environment |= option == 'E';
  return true;
}

bool command_parse (Command *c, int argc, char **argv) {
  *c = (Command){.argc = argc, .argv = argv, .workers = -1};
  if (argc >= 2 && strcmp(argv[1], "--worker") == 0) {
    c->is_worker = true;
    c->driver = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    return true;
  }
  int i = 1;
  for (; i < argc; i++) {
    const char *word = argv[i];
    if (word[0] != '-' || word[1] == '\0' || strcmp(word, "--") == 0) break;
    bool good = word[1] == '-' ? parse_long(c, &i) : parse_short(c, &i);
    if (!good) return false;
  }
  c->options = i < argc ? i : argc;
  c->script_is_stdin = i < argc && strcmp(argv[i], "-") == 0;
  if (i < argc && strcmp(argv[i], "--") == 0) i++;
  c->script = i < argc ? i : argc;
  return true;
}

const char *command_argument (const Command *c, int *i) {
  const char *word = c->argv[*i];
  return word[2] != '\0' ? word + 2 : c->argv[++*i];
}
