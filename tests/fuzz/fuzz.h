/* What a fuzz target looks like. It takes any bytes, must return 0 and must not crash, hang or leak; a property that
 * does not hold is reported with flaw_fuzz_require. libFuzzer (tools/fuzz.sh) or replay.c calls it. */
#ifndef FLAW_TESTS_FUZZ_H
#define FLAW_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define flaw_fuzz_require(condition)                                                                                   \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
