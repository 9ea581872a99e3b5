/* alarm.c - calls a function in this thread at a time, whatever it is in the midst of. */
#include "pool/alarm.h"

#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* Where the first ring was caught by what it is to stop, the next one may not be. */
enum { AGAIN_NS = 100000000 };

static void on_signal (int signum, siginfo_t *info, void *context) {
  (void)signum, (void)context;
  if (info->si_code != SI_TIMER) return; /* somebody else's */
  Alarm *a = info->si_value.sival_ptr;
  a->has_rung = 1;
  a->ring(a->user);
}

void alarm_start (Alarm *a, uint64_t at, void (*ring)(void *user), void *user) {
  *a = (Alarm){.ring = ring, .user = user};
  struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigemptyset(&act.sa_mask);
  if (sigaction(SIGRTMIN, &act, &a->before) != 0) return;
  /* To this thread, which has thus seen it when timer_delete returns. */
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                           .sigev_signo = SIGRTMIN,
                           .sigev_value.sival_ptr = a};
  event.sigev_notify_thread_id = gettid();
  if (timer_create(CLOCK_MONOTONIC, &event, &a->timer) != 0) {
    sigaction(SIGRTMIN, &a->before, NULL);
    return;
  }
  struct itimerspec when = {.it_interval.tv_nsec = AGAIN_NS,
                            .it_value.tv_sec = (time_t)(at / 1000000000u),
                            .it_value.tv_nsec = (long)(at % 1000000000u)};
  timer_settime(a->timer, TIMER_ABSTIME, &when, NULL);
  a->is_set = true;
}

bool alarm_stop (Alarm *a) {
  if (!a->is_set) return false;
  timer_delete(a->timer);
  sigaction(SIGRTMIN, &a->before, NULL);
  a->is_set = false;
  return a->has_rung != 0;
}
