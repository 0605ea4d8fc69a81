/* The inner loop of SHA-256, plain and with the instructions x86 has for it. Both give the same bits. */
#ifndef FLAW_BASE_SHA256_BLOCKS_H
#define FLAW_BASE_SHA256_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FIPS 180-4, section 4.2.2: first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
extern const uint32_t flaw_sha256_constants[64];

/* `blocks` blocks of 64 bytes into the state. */
void flaw_sha256_blocks_plain(uint32_t state[8], const uint8_t *bytes, size_t blocks);
void flaw_sha256_blocks_x86(uint32_t state[8], const uint8_t *bytes, size_t blocks);
bool flaw_sha256_has_x86(void);

#endif
