/* interrupt.h - Ctrl-C: an error in the Lua code that runs, or news for who waits. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <lua.h>
#include "host.h"

/* From here on SIGINT raises "interrupted!" in L, which is running or about to run; with L
   NULL it is only counted in host->interrupts. A second SIGINT that comes before the first
   one was taken ends the process, unless host->interactive. */
void interrupt_start (Host *host, lua_State *L);

/* SIGINT ends the process again, or does nothing where host->interactive. What was not taken
   is forgotten. */
void interrupt_stop (Host *host);

/* Between interrupt_start and interrupt_stop: waits until fd can be read. False when Ctrl-C
   came instead, also when it had come before. */
bool interrupt_wait_input (Host *host, int fd);

#endif
