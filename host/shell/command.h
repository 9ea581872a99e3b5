/* command.h - the command line, taken apart. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>

enum { COMMAND_WORKERS_MAX = 4096 };

typedef struct Command {
  int argc;
  char **argv;
  int script;              /* index of the script's name in argv; argc when there is none */
  int options;             /* options stand before this index, checked */
  int workers;             /* --workers; -1 when not given */
  bool interactive;        /* -i */
  bool show_lua_version;   /* -v, or -i */
  bool runs_code;          /* -e */
  bool ignore_environment; /* -E */
  bool script_is_stdin;    /* the script is a lone "-" */
  bool show_version;       /* --version */
  bool show_help;          /* --help */
  bool is_worker;          /* --worker */
  long driver;             /* --worker: process id of the driver that has started it */
  char problem[160];       /* what is wrong with it */
} Command;

/* Returns false, and says why in c->problem, when argv is no command line of neap. c refers
   to argv from then on. */
bool command_parse (Command *c, int argc, char **argv);

/* The argument of -e or -l at index i of argv; moves i to the last word it took. */
const char *command_argument (const Command *c, int *i);

extern const char command_usage[];
extern const char command_help[];

#endif
