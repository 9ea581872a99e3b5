/* crash.c - where the Lua code was when a signal ended the worker.

   The handler only reads Lua's stack, allocates nothing and takes no lock: it may run while all
   of them are in any state. What it reads may be broken as well; then the signal that comes of that
   ends the process, since the handler is gone by then. */
#include "worker/crash.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <lua.h>
#include "worker/session_internal.h"

enum { N_SIGNALS = 5, FRAMES = 20, STACK = 64 * 1024, TEXT = 4096 };

static const int signals[N_SIGNALS] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* A signal handler has no argument to find this through. */
static struct {
  const Session *session;
  struct sigaction before[N_SIGNALS];
  char stack[STACK]; /* of the handler: the process's own may be what has overflowed */
} crash;

/* The text so far; what does not fit is left out. */
typedef struct Text {
  size_t len;
  char bytes[TEXT];
} Text;

static void add (Text *t, const char *s) {
  size_t len = strlen(s), room = sizeof t->bytes - t->len;
  if (len > room) len = room;
  memcpy(t->bytes + t->len, s, len);
  t->len += len;
}

static void add_number (Text *t, int n) {
  char digits[12], *at = digits + sizeof digits;
  *--at = '\0';
  do *--at = (char)('0' + n % 10);
  while ((n /= 10) > 0);
  add(t, at);
}

/* Adds where a function is: in Lua code, else nothing. */
static bool add_place (Text *t, lua_State *L, lua_Debug *ar, const char *before) {
  if (lua_getinfo(L, "Sl", ar) == 0 || ar->currentline <= 0) return false;
  add(t, before);
  add(t, ar->short_src);
  add(t, ":");
  add_number(t, ar->currentline);
  add(t, "\n");
  return true;
}

static void report (int signum) {
  const Session *s = crash.session;
  if (s == NULL) return;
  const Host *host = &s->host;
  lua_State *L = host->running != NULL ? host->running : s->L;
  Text t = {0};
  add(&t, CRASH_PREFIX);
  add_number(&t, signum);
  lua_Debug ar;
  int found = 0;
  for (int level = 0; level < FRAMES && lua_getstack(L, level, &ar); level++) {
    if (add_place(&t, L, &ar, found == 0 ? CRASH_AT : "\t")) found++;
  }
  size_t done = 0;
  while (found > 0 && done < t.len) {
    ssize_t n = write(STDERR_FILENO, t.bytes + done, t.len - done);
    if (n <= 0) break;
    done += (size_t)n;
  }
}

static void on_signal (int signum) {
  for (int i = 0; i < N_SIGNALS; i++) {
    if (signals[i] == signum) sigaction(signum, &crash.before[i], NULL);
  }
  report(signum);
  raise(signum); /* it comes when the handler returns; a fault does so by itself */
}

void crash_watch (const Session *s) {
  crash.session = s;
  stack_t stack;
  if (sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE)) {
    stack = (stack_t){.ss_sp = crash.stack, .ss_size = sizeof crash.stack};
    sigaltstack(&stack, NULL);
  }
  struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  sigemptyset(&act.sa_mask);
  for (int i = 0; i < N_SIGNALS; i++) sigaction(signals[i], &act, &crash.before[i]);
}

void crash_unwatch (void) {
  crash.session = NULL;
}
