/* event_queue.c - a ring of events that grows. */
#include <stdlib.h>
#include "transport/transport.h"

int event_queue_push (EventQueue *q, const TransportEvent *e) {
  if (q->n == q->size) {
    size_t size = q->size != 0 ? 2 * q->size : 16;
    TransportEvent *events = malloc(size * sizeof *events);
    if (events == NULL) return UV_ENOMEM;
    for (size_t i = 0; i < q->n; i++) events[i] = q->events[(q->first + i) % q->size];
    free(q->events);
    q->events = events;
    q->size = size;
    q->first = 0;
  }
  q->events[(q->first + q->n) % q->size] = *e;
  q->n++;
  return 0;
}

bool event_queue_pop (EventQueue *q, TransportEvent *e) {
  if (q->n == 0) return false;
  *e = q->events[q->first];
  q->first = (q->first + 1) % q->size;
  q->n--;
  return true;
}

void event_queue_fini (EventQueue *q) {
  TransportEvent e;
  while (event_queue_pop(q, &e)) message_fini(&e.message);
  free(q->events);
  *q = (EventQueue){0};
}
