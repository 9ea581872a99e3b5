/* host.c - the event loop that all transports of a process share, and interrupts. */
#include "host.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>

/* Waking a sleeping process costs some 25 us each way, so that looking again that long pays. */
enum { SPIN_NS = 60000 };

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

int host_open_loop (Host *host) {
  if (host->loop != NULL) return 0;
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

/* Events count themselves by clearing the loop's idle mark: see transports. */
void host_poll (Host *host, int timeout_ms, bool spin) {
  uv_loop_t *loop = host->loop;
  loop->data = NULL; /* a transport's callback sets it to say that something came */
  uv_run(loop, UV_RUN_NOWAIT);
  if (loop->data != NULL || timeout_ms == 0 || host->interrupts != 0) return;
  if (spin) {
    uint64_t until = uv_hrtime() + SPIN_NS;
    do {
      sched_yield();
      uv_run(loop, UV_RUN_NOWAIT);
      if (loop->data != NULL || host->interrupts != 0) return;
    } while (uv_hrtime() < until);
  }
  if (timeout_ms > 0) {
    uv_update_time(loop);
    uv_timer_start(host->timer, on_timeout, (uint64_t)timeout_ms, 0);
  }
  uv_run(loop, UV_RUN_ONCE);
  if (timeout_ms > 0) uv_timer_stop(host->timer);
}
