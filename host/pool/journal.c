/* journal.c - what a new process must do to be the worker that was lost. */
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "pool/call.h"
#include "pool/idset.h"
#include "worker/protocol.h"

static void drop (WorkerSlot *w) {
  while (w->journal != NULL) {
    Request *r = w->journal;
    w->journal = r->next;
    request_free(r);
  }
  w->journal_last = &w->journal;
  w->journal_newest = NULL;
  w->n_journal = 0;
  w->journal_seconds = 0;
}

static bool touches_live (const Pool *p, const Request *r) {
  for (size_t i = 0; i < r->n_touched; i++) {
    if (objects_is_live(&p->objects, r->touched[i])) return true;
  }
  return false;
}

static void unhold (Pool *p, const Request *r) {
  for (size_t i = 0; i < r->n_touched; i++) {
    if (p->transport != NULL) objects_release(&p->objects, r->touched[i]);
  }
}

void pool_settle (Pool *p, int worker, Request *r) {
  if (!r->is_replay) unhold(p, r);
  if (worker < 0) { /* it has never been asked */
    request_free(r);
    return;
  }
  WorkerSlot *w = &p->workers[worker];
  bool changes = !r->is_void &&
                 (r->message.type == REQUEST_PUSH || r->message.type == REQUEST_APPLY);
  if (changes && p->transport != NULL && p->session == NULL && touches_live(p, r)) {
    r->call = NULL;
    r->next = NULL;
    r->attempts = 0;
    *w->journal_last = r;
    w->journal_last = &r->next;
    w->n_journal++;
    base_journalled(w, r);
  } else {
    request_free(r);
  }
}

/* Keeps of one journal what live objects depend on: going back from the newest entry, an entry
   stays when it touches an object that is live or that a later entry which stays has used; what
   it touches is then needed as well. Without memory for that, everything stays. */
static void prune (Pool *p, WorkerSlot *w) {
  Request **entries = malloc((w->n_journal + 1) * sizeof *entries);
  if (entries == NULL) return;
  size_t n = 0;
  for (Request *r = w->journal; r != NULL; r = r->next) entries[n++] = r;
  IdSet needed = {0};
  bool complete = true;
  for (size_t i = n; i-- > 0 && complete;) {
    Request *r = entries[i];
    bool stays = touches_live(p, r);
    for (size_t k = 0; !stays && k < r->n_touched; k++)
      stays = idset_has(&needed, r->touched[k]);
    if (!stays) {
      entries[i] = NULL;
      base_dropped(w, r);
      request_free(r);
      continue;
    }
    for (size_t k = 0; k < r->n_touched; k++) {
      if (!objects_is_live(&p->objects, r->touched[k])) {
        complete = idset_add(&needed, r->touched[k]) && complete;
      }
    }
  }
  w->journal_last = &w->journal;
  w->n_journal = 0;
  for (size_t i = 0; i < n; i++) {
    if (entries[i] == NULL) continue;
    *w->journal_last = entries[i];
    w->journal_last = &entries[i]->next;
    w->n_journal++;
  }
  *w->journal_last = NULL;
  idset_fini(&needed);
  free(entries);
}

void pool_prune_journals (Pool *p) {
  for (int i = 0; i < p->n; i++) {
    if (p->workers[i].n_journal > 0) prune(p, &p->workers[i]);
  }
}

void pool_drop_journals (Pool *p) {
  for (int i = 0; i < p->n; i++) drop(&p->workers[i]);
}
