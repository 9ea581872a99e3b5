/* interrupt.c - Ctrl-C: an error in the Lua code that runs, or news for who waits. */
#include "shell/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <lauxlib.h>

/* A signal handler has no argument to find this through, hence the one variable of the kind. */
static struct {
  Host *host;
  lua_State *volatile L; /* NULL: count only */
  pthread_t thread;      /* the one that runs L */
} target;

/* Does code of the pool run, rather than a function of the user's that it calls? */
static bool is_within_pool (lua_State *L, const Host *host) {
  lua_Debug ar;
  for (int level = 0; lua_getstack(L, level, &ar) && lua_getinfo(L, "S", &ar); level++) {
    if (*ar.what == 'C') continue;
    size_t len = strlen(host->lua_dir);
    static const char folder[] = "/neap/pool/";
    return *ar.source == '@' && strncmp(ar.source + 1, host->lua_dir, len) == 0 &&
           strncmp(ar.source + 1 + len, folder, sizeof folder - 1) == 0;
  }
  return false;
}

static void hook (lua_State *L, lua_Debug *ar) {
  (void)ar;
  Host *host = host_get(L);
  /* Between a request and the wait for it an error would leave workers at what nobody waits for:
     the wait, which comes, takes the interrupt; or else the user's next instruction does. */
  if (is_within_pool(L, host)) return;
  lua_sethook(L, NULL, 0, 0);
  host->hooked = NULL;
  if (host->interrupts == 0) return; /* a wait took it in between */
  host->interrupts = 0;
  luaL_error(L, "interrupted!");
}

static void on_sigint (int number) {
  Host *host = target.host;
  if (!pthread_equal(pthread_self(), target.thread)) {
    pthread_kill(target.thread, number); /* a thread of the BLAS got it */
    return;
  }
  lua_State *L = target.L;
  host->interrupts = host->interrupts + 1;
  void (*on_interrupt)(void *) = host->on_interrupt;
  if (on_interrupt != NULL) {
    on_interrupt(host->interrupt_user);
  } else if (L != NULL && host->interrupts == 1) {
    host_interrupt(host, L, hook);
  } else if (L != NULL && !host->interactive) {
    signal(number, SIG_DFL); /* Lua does not get to run: some C function is at it */
    raise(number);
  }
}

void interrupt_start (Host *host, lua_State *L) {
  host->interrupts = 0;
  target.host = host;
  target.L = L;
  target.thread = pthread_self();
  struct sigaction action = {.sa_handler = on_sigint}; /* no SA_RESTART: reads shall end */
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

void interrupt_stop (Host *host) {
  lua_State *L = target.L;
  target.L = NULL;
  if (!host->interactive) signal(SIGINT, SIG_DFL);
  if (L != NULL && lua_gethook(L) == hook) lua_sethook(L, NULL, 0, 0);
  host->interrupts = 0;
}

bool interrupt_wait_input (Host *host, int fd) {
  sigset_t block, before;
  sigemptyset(&block);
  sigaddset(&block, SIGINT);
  pthread_sigmask(SIG_BLOCK, &block, &before); /* it gets through while we sleep, not earlier */
  struct pollfd input = {.fd = fd, .events = POLLIN};
  int rc = -1;
  while (rc < 0 && host->interrupts == 0) {
    rc = ppoll(&input, 1, NULL, &before);
    if (rc < 0 && errno != EINTR) break; /* let the read say what is wrong */
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return host->interrupts == 0;
}
