/* worker.h - the life of a worker process. */
#ifndef WORKER_H
#define WORKER_H

#include "host.h"

/* Serves the driver whose process id is driver, over descriptor 3, until it goes away. Returns
   the exit code of the process. */
int worker_main (Host *host, long driver);

#endif
