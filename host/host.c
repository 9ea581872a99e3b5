/* host.c - the event loop that all transports of a process share, and interrupts. */
#include "host.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

/* Waking a sleeping process costs some 25 us each way, so that looking again that long pays. */
enum { SPIN_NS = 60000, LOOP_EVERY = 16 };

void host_interrupt (Host *host, lua_State *L, lua_Hook hook) {
  lua_State *thread = host->running == NULL ? L : host->running;
  host->hooked = thread;
  lua_sethook(thread, hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

static void on_timeout (uv_timer_t *timer) {
  (void)timer; /* it has ended uv_run, which is all it is for */
}

static void on_wake (uv_async_t *wake) {
  (void)wake;
}

static void on_closed (uv_handle_t *handle) {
  free(handle);
}

/* libuv's first loop takes a pipe for signals when it has a descriptor already, and ends the process
   where it gets none. */
static int try_pipes (void) {
  int fds[4];
  if (pipe(fds) != 0) return -errno;
  int rc = pipe(fds + 2) == 0 ? 0 : -errno;
  for (int i = rc == 0 ? 4 : 2; i > 0; i--) close(fds[i - 1]);
  return rc;
}

int host_open_loop (Host *host) {
  if (host->loop != NULL) return 0;
  int tried = try_pipes();
  if (tried < 0) return tried;
  uv_loop_t *loop = malloc(sizeof *loop);
  uv_timer_t *timer = malloc(sizeof *timer);
  uv_async_t *wake = malloc(sizeof *wake);
  int rc = loop != NULL && timer != NULL && wake != NULL ? uv_loop_init(loop) : UV_ENOMEM;
  if (rc < 0) goto fail;
  rc = uv_async_init(loop, wake, on_wake);
  if (rc < 0) {
    uv_loop_close(loop);
    goto fail;
  }
  uv_unref((uv_handle_t *)wake);
  uv_timer_init(loop, timer);
  host->loop = loop;
  host->timer = timer;
  host->wake = wake;
  return 0;
fail:
  free(loop);
  free(timer);
  free(wake);
  return rc;
}

void host_close_loop (Host *host) {
  if (host->loop == NULL) return;
  uv_loop_t *loop = host->loop;
  uv_async_t *wake = host->wake;
  host->wake = NULL; /* before it goes: a signal handler may look */
  uv_close((uv_handle_t *)wake, on_closed);
  uv_close((uv_handle_t *)host->timer, on_closed);
  uv_run(loop, UV_RUN_DEFAULT);
  int rc = uv_loop_close(loop);
  assert(rc == 0);
  (void)rc;
  free(loop);
  host->loop = NULL;
  host->timer = NULL;
}

void host_wake (Host *host) {
  uv_async_t *wake = host->wake;
  if (wake != NULL) uv_async_send(wake);
}

void host_add_poller (Host *host, HostPoller *p) {
  p->next = host->pollers;
  host->pollers = p;
}

void host_remove_poller (Host *host, HostPoller *p) {
  HostPoller **link = &host->pollers;
  while (*link != p) link = &(*link)->next;
  *link = p->next;
}

static bool look (const Host *host) {
  bool found = false;
  for (HostPoller *p = host->pollers; p != NULL; p = p->next) found = p->look(p) || found;
  return found;
}

/* Runs what callbacks are due; has something come? Transports' callbacks say so in loop->data. */
static bool run (Host *host, uv_run_mode mode) {
  host->loop->data = NULL;
  uv_run(host->loop, mode);
  return host->loop->data != NULL || host->interrupts != 0;
}

/* Looks again and again; every so many times at the loop, too, which takes a system call. */
static bool spin_for (Host *host, uint64_t until) {
  for (unsigned i = 1; uv_hrtime() < until; i++) {
    sched_yield();
    if (look(host) || host->interrupts != 0) return true;
    if (i % LOOP_EVERY == 0 && run(host, UV_RUN_NOWAIT)) return true;
  }
  return false;
}

static void sleep_for (Host *host, int timeout_ms) {
  bool may_sleep = true;
  for (HostPoller *p = host->pollers; p != NULL; p = p->next)
    may_sleep = p->doze(p) && may_sleep;
  if (timeout_ms > 0 && may_sleep) {
    uv_update_time(host->loop);
    uv_timer_start(host->timer, on_timeout, (uint64_t)timeout_ms, 0);
  }
  run(host, may_sleep ? UV_RUN_ONCE : UV_RUN_NOWAIT);
  if (timeout_ms > 0 && may_sleep) uv_timer_stop(host->timer);
  for (HostPoller *p = host->pollers; p != NULL; p = p->next) p->wake(p);
  look(host);
}

void host_poll (Host *host, int timeout_ms, bool spin) {
  if (look(host)) return;
  uint64_t start = uv_hrtime();
  bool spins = spin && host->spins && timeout_ms != 0;
  if (spins && spin_for(host, start + SPIN_NS)) return;
  if (run(host, UV_RUN_NOWAIT) || timeout_ms == 0) return;
  sleep_for(host, timeout_ms);
  if (spin) host->spins = uv_hrtime() - start < 4 * SPIN_NS;
}
