/* patch.h - the written pages of a range, as bytes that make another mapping of it the same. */
#ifndef PATCH_H
#define PATCH_H

#include "block/pages.h"
#include "block/snapshot.h"

/* What stands in the runs of the len bytes at data. 0 or UV_ENOMEM. */
int patch_new (Snapshot **patch, const PageRuns *runs, const char *data, size_t len);

/* Writes a patch to the len bytes at data. 0; UV_EPROTO when it is malformed, and data partly
   written; or what snapshot_bytes returns. */
int patch_apply (Snapshot *patch, char *data, size_t len);

#endif
