/* spawn.c - starts one worker process with its pipes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "transport/descriptors.h"
#include "transport/local.h"

extern char **environ;

/* BLAS reads these once, when it is loaded: they must stand before exec. */
static const char *const thread_variables[] = {
  "OPENBLAS_NUM_THREADS",
  "OMP_NUM_THREADS",
  "MKL_NUM_THREADS",
  "BLIS_NUM_THREADS",
};
enum { N_THREAD_VARIABLES = sizeof thread_variables / sizeof *thread_variables };

static bool is_thread_variable (const char *entry) {
  for (int i = 0; i < N_THREAD_VARIABLES; i++) {
    size_t len = strlen(thread_variables[i]);
    if (strncmp(entry, thread_variables[i], len) == 0 && entry[len] == '=') return true;
  }
  return false;
}

/* The driver's environment with the numbers of threads replaced. The N_THREAD_VARIABLES first
   entries are owned by the list, the others are the driver's own. */
static char **make_environment (int blas_threads) {
  size_t n = 0;
  while (environ[n] != NULL) n++;
  char **list = calloc(n + N_THREAD_VARIABLES + 1, sizeof *list);
  if (list == NULL) return NULL;
  size_t k = 0;
  for (; k < N_THREAD_VARIABLES; k++) {
    size_t size = strlen(thread_variables[k]) + 16;
    list[k] = malloc(size);
    if (list[k] == NULL) break;
    snprintf(list[k], size, "%s=%d", thread_variables[k], blas_threads);
  }
  if (k < N_THREAD_VARIABLES) {
    while (k-- > 0) free(list[k]);
    free(list);
    return NULL;
  }
  for (size_t i = 0; i < n; i++) {
    if (!is_thread_variable(environ[i])) list[k++] = environ[i];
  }
  return list;
}

static void free_environment (char **list) {
  for (int i = 0; i < N_THREAD_VARIABLES; i++) free(list[i]);
  free(list);
}

static void on_closed (uv_handle_t *handle) {
  Peer *peer = handle->data;
  if (--peer->open_handles > 0) return;
  local_drop_waiting(peer);
  frame_reader_free(peer->reader);
  close(peer->channel);
  if (peer->dying_fd >= 0) close(peer->dying_fd);
  mailbox_close(&peer->mailbox);
  for (int i = 0; i < 2; i++) lines_fini(&peer->lines[i]);
  free(peer);
}

static void close_handle (uv_handle_t *handle) {
  bool is_open = uv_handle_get_type(handle) != UV_UNKNOWN_HANDLE;
  if (is_open && !uv_is_closing(handle)) uv_close(handle, on_closed);
}

void local_close_peer (Peer *peer) {
  close_handle((uv_handle_t *)&peer->pipe);
  close_handle((uv_handle_t *)&peer->out[0]);
  close_handle((uv_handle_t *)&peer->out[1]);
  close_handle((uv_handle_t *)&peer->room);
  close_handle((uv_handle_t *)&peer->retry);
  close_handle((uv_handle_t *)&peer->dying);
  close_handle((uv_handle_t *)&peer->process);
}

static void init_pipe (Peer *peer, uv_pipe_t *pipe) {
  uv_pipe_init(peer->local->host->loop, pipe, 0); /* cannot fail on Unix */
  pipe->data = peer;
  peer->open_handles++;
}

static int fetch (void *user, int *fds, int n) {
  const Peer *peer = user;
  return descriptors_receive(peer->channel, fds, n);
}

/* A peer without handles; *channel: the worker's end of the socket pair. 0 or a negative UV_E*. */
static int new_peer (Local *self, int worker, Peer **result, int *channel) {
  Peer *peer = calloc(1, sizeof *peer);
  FrameReader *reader = peer != NULL ? frame_reader_new(UINT64_MAX / 2) : NULL;
  int ends[2], rc = reader != NULL ? descriptors_open(ends) : UV_ENOMEM;
  if (rc < 0) {
    frame_reader_free(reader);
    free(peer);
    return rc;
  }
  peer->local = self;
  peer->worker = worker;
  peer->reader = reader;
  peer->channel = ends[0];
  peer->dying_fd = -1;
  peer->last_waiting = &peer->waiting;
  frame_reader_set_fetch(reader, fetch, peer);
  *channel = ends[1];
  *result = peer;
  return 0;
}

static int init_handles (Peer *peer) {
  uv_loop_t *loop = peer->local->host->loop;
  init_pipe(peer, &peer->pipe);
  init_pipe(peer, &peer->out[0]);
  init_pipe(peer, &peer->out[1]);
  for (int i = 0; i < 2; i++) {
    peer->lines[i].worker = peer->worker;
    peer->lines[i].fd = i + 1;
  }
  uv_timer_init(loop, &peer->retry); /* cannot fail */
  peer->retry.data = peer;
  peer->open_handles++;
  int rc = uv_poll_init(loop, &peer->room, peer->channel);
  peer->room.data = peer;
  if (rc == 0) peer->open_handles++;
  return rc;
}

/* Starts the process; its handle is initialised even where that fails. */
static int start_process (Peer *peer, int channel, int mailbox, char **environment) {
  const Local *self = peer->local;
  uv_stdio_container_t stdio[] = {
    {.flags = UV_IGNORE},
    {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&peer->out[0]},
    {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&peer->out[1]},
    {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
     .data.stream = (uv_stream_t *)&peer->pipe},
    {.flags = UV_INHERIT_FD, .data.fd = channel},
    {.flags = mailbox >= 0 ? UV_INHERIT_FD : UV_IGNORE, .data.fd = mailbox},
    {.flags = mailbox >= 0 ? UV_INHERIT_FD : UV_IGNORE, .data.fd = peer->mailbox.bell},
  };
  char flag[] = "--worker", pid[sizeof self->driver_pid];
  strcpy(pid, self->driver_pid);
  char *args[] = {(char *)(uintptr_t)self->host->executable, flag, pid, NULL};
  uv_process_options_t options = {
    .file = self->host->executable,
    .args = args,
    .env = environment,
    .stdio_count = sizeof stdio / sizeof *stdio,
    .stdio = stdio,
    .exit_cb = local_on_exit,
  };
  int rc = uv_spawn(self->host->loop, &peer->process, &options);
  peer->process.data = peer;
  peer->open_handles++;
  return rc;
}

/* Comes before libuv reaps the process: its signal watcher is the last in a round, and the kernel
   tells the parent last. */
static void on_dying (uv_poll_t *poll, int status, int events) {
  (void)status, (void)events;
  Peer *peer = poll->data;
  uv_poll_stop(poll);
  obituary_note_peak(&peer->end);
}

/* Where that fails nobody knows how much memory the process has used. */
static void watch_end (Peer *peer) {
  peer->end.pid = peer->process.pid;
  peer->dying_fd = obituary_watch(peer->end.pid);
  if (peer->dying_fd < 0) return;
  if (uv_poll_init(peer->local->host->loop, &peer->dying, peer->dying_fd) < 0) return;
  peer->dying.data = peer;
  peer->open_handles++;
  uv_poll_start(&peer->dying, UV_READABLE, on_dying);
}

int local_spawn (Local *self, int worker, Peer **result) {
  Peer *peer;
  int channel;
  *result = NULL;
  char **environment = make_environment(self->blas_threads);
  if (environment == NULL) return UV_ENOMEM;
  int rc = new_peer(self, worker, &peer, &channel);
  if (rc == 0) {
    rc = init_handles(peer);
    int mailbox;
    if (mailbox_create(&peer->mailbox, &mailbox) < 0) mailbox = -1; /* the pipe will do */
    if (rc == 0) rc = start_process(peer, channel, mailbox, environment);
    if (mailbox >= 0) close(mailbox);
    close(channel);
    if (rc == 0) {
      watch_end(peer);
      *result = peer;
    } else {
      peer->local = NULL;
      local_close_peer(peer);
    }
  }
  free_environment(environment);
  return rc;
}
