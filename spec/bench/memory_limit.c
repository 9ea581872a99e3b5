/* memory_limit.c - the bare limit of a push that everybody reads: two processes map one memfd
   privately, each anew, and read all of it at once. Prints the seconds of each round, from the
   word to begin to the word of the second.

   cc -O3 -o memory_limit memory_limit.c; memory_limit MIB ROUNDS */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { READERS = 2, LANES = 8 };

static double now (void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double sum (const double *x, size_t n) {
  double s[LANES] = {0};
  for (size_t i = 0; i + LANES <= n; i += LANES) {
    for (size_t k = 0; k < LANES; k++) s[k] += x[i + k] * x[i + k];
  }
  return s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
}

static void die (const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static void reader (int fd, size_t len, int from, int to) {
  char word;
  while (read(from, &word, 1) == 1) {
    double *x = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (x == MAP_FAILED) die("mmap");
    double s = sum(x, len / sizeof *x);
    if (s != (double)(len / sizeof *x)) die("sum");
    if (write(to, &word, 1) != 1) die("write");
    munmap(x, len);
  }
  exit(EXIT_SUCCESS);
}

int main (int argc, char **argv) {
  size_t len = (argc > 1 ? (size_t)atol(argv[1]) : 256) << 20;
  int rounds = argc > 2 ? atoi(argv[2]) : 9, go[READERS][2], done[2];
  int fd = memfd_create("limit", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, (off_t)len) != 0) die("memfd");
  double *x = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (x == MAP_FAILED || pipe(done) != 0) die("mmap");
  for (size_t i = 0; i < len / sizeof *x; i++) x[i] = 1;
  for (int r = 0; r < READERS; r++) {
    if (pipe(go[r]) != 0) die("pipe");
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) {
      for (int k = 0; k <= r; k++) close(go[k][1]);
      munmap(x, len);
      reader(fd, len, go[r][0], done[1]);
    }
  }
  for (int i = 0; i < rounds; i++) {
    char word = 'x';
    usleep(10000);
    double start = now();
    for (int r = 0; r < READERS; r++) {
      if (write(go[r][1], &word, 1) != 1) die("write");
    }
    for (int r = 0; r < READERS; r++) {
      if (read(done[0], &word, 1) != 1) die("read");
    }
    printf("%.9f\n", now() - start);
  }
  return EXIT_SUCCESS;
}
