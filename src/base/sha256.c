#include "base/sha256.h"

#include <string.h>

#include "base/sha256_blocks.h"

const uint32_t flaw_sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int bits)
{
    return x >> bits | x << (32 - bits);
}

/* One block of 64 bytes into the state: section 6.2.2, letters as there. */
static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    for (int t = 0; t < 16; t++) {
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 |
               block[4 * t + 3];
    }
    for (int t = 16; t < 64; t++) {
        const uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
        const uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int t = 0; t < 64; t++) {
        const uint32_t sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        const uint32_t sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        const uint32_t t1 = h + sum1 + ((e & f) ^ (~e & g)) + flaw_sha256_constants[t] + w[t];
        const uint32_t t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1;
        d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void flaw_sha256_blocks_plain(uint32_t state[8], const uint8_t *bytes, size_t blocks)
{
    for (; blocks > 0; blocks--, bytes += 64) compress(state, bytes);
}

static void take_blocks(flaw_sha256 *h, const uint8_t *bytes, size_t blocks)
{
    if (h->has_x86) flaw_sha256_blocks_x86(h->state, bytes, blocks);
    else flaw_sha256_blocks_plain(h->state, bytes, blocks);
}

void flaw_sha256_init(flaw_sha256 *h)
{
    *h = (flaw_sha256){
        .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
        .has_x86 = flaw_sha256_has_x86()};
}

void flaw_sha256_update(flaw_sha256 *h, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    size_t held = (size_t)(h->length % 64);
    h->length += size;
    if (held > 0) {
        const size_t take = size < 64 - held ? size : 64 - held;
        if (take > 0) memcpy(h->block + held, at, take);
        if (held + take < 64) return;
        take_blocks(h, h->block, 1);
        at += take;
        size -= take;
    }
    if (size >= 64) take_blocks(h, at, size / 64);
    if (size % 64 > 0) memcpy(h->block, at + size / 64 * 64, size % 64);
}

/* Section 5.1.1: a one bit, zeros, and the length in bits as 64 bits, so that the last block is full. */
void flaw_sha256_final(flaw_sha256 *h, uint8_t digest[32])
{
    const uint64_t bits = h->length * 8;
    const size_t held = (size_t)(h->length % 64);
    const size_t zeros = (held < 56 ? 55 : 119) - held;
    uint8_t padding[64 + 8 + 8] = {0x80};
    for (int i = 0; i < 8; i++) padding[1 + zeros + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
    flaw_sha256_update(h, padding, 1 + zeros + 8);
    for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
}

void flaw_sha256_hex(const void *bytes, size_t size, char hex[65])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[32];
    flaw_sha256 h;
    flaw_sha256_init(&h);
    flaw_sha256_update(&h, bytes, size);
    flaw_sha256_final(&h, digest);
    for (int i = 0; i < 32; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[64] = '\0';
}
