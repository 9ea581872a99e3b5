/* link.h - what a worker process and its driver say to each other, over what it has inherited: the
   pipe for messages, the channel for descriptors, the mailbox for small messages. */
#ifndef LINK_H
#define LINK_H

#include "transport/mailbox.h"
#include "wire/frame.h"

/* Messages that have come and are not yet begun, oldest first. */
typedef struct Link {
  FrameReader *reader;
  Mailbox mailbox;
  struct LinkNode *first, **last;
} Link;

int link_open (Link *l); /* 0 or a negative UV_E* */
void link_close (Link *l);

/* Takes up what has come; with wait set, waits for something, and may return before. 1: something
   came; 0: nothing; negative: the driver is gone, or what it sends is malformed. */
int link_receive (Link *l, bool wait);
/* The same, looking into the mailbox alone: this costs next to nothing. */
int link_look (Link *l);
/* Waits in poll for something to come, without taking it up. False: timeout_ms have passed. */
bool link_wait (Link *l, int timeout_ms);

bool link_next (Link *l, Message *m); /* the oldest message, now the caller's */
/* The oldest definition or answer to a question, past what else has come. */
bool link_next_answer (Link *l, Message *m);
/* Have chunks of the call been taken back, as far as is known here? */
bool link_has_cancelled (const Link *l, uint64_t call);

/* May the request be begun? No: the driver has taken it back. */
bool link_begin (Link *l, uint64_t request);

int link_send (Link *l, Message *m); /* takes the parcel; 0 or a negative UV_E* */

#endif
