/* crash.h - where the Lua code was when a signal ended the worker. */
#ifndef CRASH_H
#define CRASH_H

#include "worker/session.h"

/* What the first of the lines begins with that a worker ended by a signal writes to standard error:
   the place of the Lua function that ran, or had called what ran. Those of its callers follow, one
   a line. Nothing is written where no Lua function ran. */
#define CRASH_PREFIX "neap: signal "
#define CRASH_AT " at "

/* From now on signals that mean a fault of native code are reported so, and then end the process
   as they would have without. Once per process, until crash_unwatch. */
void crash_watch (const Session *s);
void crash_unwatch (void);

#endif
