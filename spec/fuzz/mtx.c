/* mtx.c - files that need not be any .mtx. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  return fuzz_file(data, size, mtx_load);
}
