/* mat.c - files that need not be any .mat. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  return fuzz_file(data, size, mat_load);
}
