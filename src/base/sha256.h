/* SHA-256 (FIPS 180-4): names models, recipes and golden results. */
#ifndef FLAW_BASE_SHA256_H
#define FLAW_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct flaw_sha256 {
    uint32_t state[8];
    uint64_t length;
    uint8_t block[64]; /* the last length % 64 bytes */
    bool has_x86;      /* this processor has the instructions for it: three times as fast */
} flaw_sha256;

void flaw_sha256_init(flaw_sha256 *h);
void flaw_sha256_update(flaw_sha256 *h, const void *bytes, size_t size);
void flaw_sha256_final(flaw_sha256 *h, uint8_t digest[32]);
void flaw_sha256_hex(const void *bytes, size_t size, char hex[65]);

#endif
