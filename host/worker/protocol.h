/* protocol.h - what driver and worker say to each other. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

/* Types of messages to a worker. The values in brackets are the parcel's. Those marked * are
   requests: each is answered once, in order, by an ANSWER_* with the same request number. */
enum {
  REQUEST_CONFIGURE = 1, /* [table]: worker, workers, seed, path, cpath, directory,
                            memory_limit */
  REQUEST_DEFINE,        /* a wire definition */
  REQUEST_PUSH,          /* * [id, object, ...] */
  REQUEST_APPLY,         /* * [call, keep id or 0, f, arguments...] */
  REQUEST_MAP,           /* [call, f, kw or nil]: what the chunks of a map have in common */
  REQUEST_CHUNK,   /* * [call, first, count, order or nil, sequences...]; order: the items'
                            numbers; a sequence: kind, what it needs */
  REQUEST_CANCEL,  /* [call]: its chunks that have not begun are not to be done */
  REQUEST_MAP_END, /* [call] */
  REQUEST_GET,     /* * [id] */
  REQUEST_COPY, /* * [ids...]: answered by [id, object, ...], as REQUEST_PUSH has them, complete
                      with all definitions */
  REQUEST_FREE, /* [ids...] */
  REQUEST_GLOBAL, /* the answer to ANSWER_GLOBAL: [name, found, value], or [name, nil, why
                            it cannot be sent] */
  REQUEST_GIVE,   /* the same, told beforehand to the call that is the request number */
  REQUEST_EXIT
};

/* Types of messages from a worker. */
enum {
  ANSWER_READY = 1, /* [pid]: once, when the worker can take requests */
  ANSWER_DEFINE,    /* a wire definition */
  ANSWER_RESULT,    /* [values...]; to a chunk: see chunk_answer.c */
  ANSWER_ERROR,     /* [table]: message, value, traceback, item; to a chunk: see there */
  ANSWER_GLOBAL     /* [name]: the value of a global of the driver is wanted */
};

/* Flags of an answer. */
enum { ANSWER_NOT_BEGUN = 1 }; /* it was cancelled before: nothing has changed */

/* Flags of REQUEST_CHUNK. */
enum { CHUNK_COLLECT = 1 }; /* an item's error stands in its place */

/* Flags of any request. */
enum {
  REQUEST_ANYWHERE = 64, /* random numbers do not depend on which worker does it */
  REQUEST_REPLAY = 128   /* done before by a worker that was lost: print nothing */
};

/* Kinds of a sequence in a chunk, and of the results of one: as wire.h has them, and more. */
enum {
  SEQUENCE_LIST = 1,     /* a list of the items */
  SEQUENCE_ARRAY,        /* a VectorArray of the items */
  SEQUENCE_RANGE,        /* two values: the first item and the step */
  SEQUENCE_INTEGERS = 4, /* a string of eight bytes an item */
  SEQUENCE_FLOATS = 5
};

#endif
