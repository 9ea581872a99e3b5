/* pool_limit.c - the bare limits of a call to two workers: a message goes to two processes, which
   send it back. Prints the seconds of each round.

   cc -O2 -o pool_limit pool_limit.c -luv; pool_limit asleep|computing|spinning ROUNDS

   asleep: over libuv's pipes, after a pause in which all three sleep; as many bytes as a call of an
   empty function has, and a loop that sees children end, as one does that has started processes.
   computing: the same, but in the pause who asks computes.
   spinning: a word through shared memory, back to back; who waits yields its core. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { WORKERS = 2, MESSAGE = 53 };

static void die (const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

/* One end of a pipe, in its process's loop. */
typedef struct End {
  uv_pipe_t pipe;
  int *n_answers; /* of the driver's; NULL: what comes is sent back */
  char room[64];
} End;

static void on_alloc (uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  (void)suggested;
  End *end = handle->data;
  *buf = uv_buf_init(end->room, sizeof end->room);
}

static void on_read (uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  End *end = stream->data;
  if (n < 0) exit(EXIT_SUCCESS); /* the driver is gone */
  if (n == 0) return;
  uv_buf_t back = uv_buf_init(buf->base, (unsigned)n);
  if (end->n_answers != NULL) ++*end->n_answers;
  else if (uv_try_write(stream, &back, 1) < 0) exit(EXIT_FAILURE);
}

static void start (End *end, uv_loop_t *loop, int fd, int *n_answers) {
  end->n_answers = n_answers;
  end->pipe.data = end;
  if (uv_pipe_init(loop, &end->pipe, 0) < 0 || uv_pipe_open(&end->pipe, fd) < 0 ||
      uv_read_start((uv_stream_t *)&end->pipe, on_alloc, on_read) < 0) {
    die("pipe");
  }
}

static void on_child (uv_signal_t *signal, int signum) {
  (void)signal, (void)signum;
}

static void serve (int fd) {
  uv_loop_t loop;
  End end;
  if (uv_loop_init(&loop) < 0) die("loop");
  start(&end, &loop, fd, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
}

static void compute (void) {
  uint64_t stop = uv_hrtime() + 20000000;
  while (uv_hrtime() < stop) continue;
}

static void piped (int rounds, bool computes) {
  int pairs[WORKERS][2], n_answers;
  uv_loop_t loop;
  uv_signal_t child;
  End ends[WORKERS];
  for (int w = 0; w < WORKERS; w++) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[w]) < 0) die("socketpair");
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) {
      for (int k = 0; k <= w; k++) close(pairs[k][0]);
      serve(pairs[w][1]);
      exit(EXIT_SUCCESS);
    }
    close(pairs[w][1]);
  }
  if (uv_loop_init(&loop) < 0) die("loop");
  for (int w = 0; w < WORKERS; w++) start(&ends[w], &loop, pairs[w][0], &n_answers);
  if (uv_signal_init(&loop, &child) < 0 || uv_signal_start(&child, on_child, SIGCHLD) < 0) {
    die("signal");
  }
  for (int i = 0; i < rounds; i++) {
    char message[MESSAGE] = {0};
    uv_buf_t buf = uv_buf_init(message, sizeof message);
    if (computes) compute();
    else if (system("sleep 0.02") != 0)
      die("sleep"); /* as the benchmark does: caches go cold */
    uint64_t begun = uv_hrtime();
    n_answers = 0;
    for (int w = 0; w < WORKERS; w++) uv_try_write((uv_stream_t *)&ends[w].pipe, &buf, 1);
    while (n_answers < WORKERS) uv_run(&loop, UV_RUN_ONCE);
    printf("%.9f\n", (double)(uv_hrtime() - begun) * 1e-9);
  }
}

typedef struct Word {
  _Alignas(64) _Atomic int asked;
  _Alignas(64) _Atomic int answered;
} Word;

static void spinning (int rounds) {
  Word *words = mmap(NULL, WORKERS * sizeof *words, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (words == MAP_FAILED) die("mmap");
  for (int w = 0; w < WORKERS; w++) {
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (int i = 1; i <= rounds; i++) {
        while (atomic_load(&words[w].asked) < i) sched_yield();
        atomic_store(&words[w].answered, i);
      }
      exit(EXIT_SUCCESS);
    }
  }
  for (int i = 1; i <= rounds; i++) {
    uint64_t begun = uv_hrtime();
    for (int w = 0; w < WORKERS; w++) atomic_store(&words[w].asked, i);
    for (int w = 0; w < WORKERS; w++) {
      while (atomic_load(&words[w].answered) < i) sched_yield();
    }
    printf("%.9f\n", (double)(uv_hrtime() - begun) * 1e-9);
  }
}

int main (int argc, char **argv) {
  int rounds = argc > 2 ? atoi(argv[2]) : 40;
  if (argc > 1 && strcmp(argv[1], "spinning") == 0) spinning(rounds);
  else piped(rounds, argc > 1 && strcmp(argv[1], "computing") == 0);
  return EXIT_SUCCESS;
}
