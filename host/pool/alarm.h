/* alarm.h - calls a function in this thread at a time, whatever it is in the midst of. */
#ifndef ALARM_H
#define ALARM_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct Alarm {
  void (*ring)(void *user); /* in a signal handler */
  void *user;
  volatile sig_atomic_t has_rung;
  bool is_set;
  timer_t timer;
  struct sigaction before;
} Alarm;

/* From `at` on (by uv_hrtime) rings, again and again, until alarm_stop. Where the system has no
   timer left it never rings. *a stays where it is until then. */
void alarm_start (Alarm *a, uint64_t at, void (*ring)(void *user), void *user);

/* Rings no more. True when it has. */
bool alarm_stop (Alarm *a);

#endif
