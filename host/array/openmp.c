/* openmp.c - CHOLMOD, where it is a part of neap, without threads of its own. It copies columns of
   supernodes in four, however many cores there are, and whatever BLAS may use; those that wait spin,
   while workers want to run. Even a team of one costs three system calls, hundreds of thousands of
   times in a factorisation. So what it wants to run in parallel runs here, once. Hidden: an OpenBLAS
   or a module of somebody else's that uses OpenMP has that of the system. */

void GOMP_parallel (void (*work)(void *), void *data, unsigned n_threads, unsigned flags)
  __attribute__((visibility("hidden")));

void GOMP_parallel (void (*work)(void *), void *data, unsigned n_threads, unsigned flags) {
  (void)n_threads;
  (void)flags;
  work(data); /* which asks who it is, and is told: the only one */
}
