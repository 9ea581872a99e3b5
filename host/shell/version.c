/* version.c - what this neap is and what it runs on. */
#include "shell/version.h"

#include <stdio.h>
#include <string.h>
#include <cblas.h>
#include <cholmod.h>
#include <lua.h>
#include <umfpack.h>
#include <uv.h>

void version_print_short (void) {
  printf("neap " NEAP_VERSION ", " LUA_COPYRIGHT "\n");
  fflush(stdout);
}

void version_print_long (void) {
  /* The configuration reads "OpenBLAS 0.3.21 DYNAMIC_ARCH ... MAX_THREADS=64". */
  const char *config = openblas_get_config();
  const char *space = strchr(config, ' ');
  size_t len = space == NULL ? strlen(config) : (size_t)(space + 1 - config);
  len += strcspn(config + len, " ");
  int threads = openblas_get_num_threads();
  printf("neap         " NEAP_VERSION "\n");
  printf("Lua          " LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE "\n");
  printf("libuv        %s\n", uv_version_string());
  printf("BLAS         %.*s, kernels for %s, %d thread%s\n", (int)len, config,
         openblas_get_corename(), threads, threads == 1 ? "" : "s");
  printf("SuiteSparse  %d.%d.%d (CHOLMOD %d.%d.%d, UMFPACK %d.%d.%d)\n",
         SUITESPARSE_MAIN_VERSION, SUITESPARSE_SUB_VERSION, SUITESPARSE_SUBSUB_VERSION,
         CHOLMOD_MAIN_VERSION, CHOLMOD_SUB_VERSION, CHOLMOD_SUBSUB_VERSION,
         UMFPACK_MAIN_VERSION, UMFPACK_SUB_VERSION, UMFPACK_SUBSUB_VERSION);
  printf("MPI          none\n");
  fflush(stdout);
}
