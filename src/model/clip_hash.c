/* Hash of a model: SHA-256 over the digests of its parameters, each over "name rows columns\n" and the float32 values.
 * Digests of single parameters can be computed side by side. */
#include <stdio.h>
#include <stdlib.h>

#include "base/sha256.h"
#include "model/clip.h"

static void digest(const flaw_clip *m, size_t index, uint8_t out[32])
{
    const flaw_parameter *p = &m->list.item[index];
    char head[128];
    flaw_sha256 h;
    int length = snprintf(head, sizeof head, "%s %zu %zu\n", p->name, p->shape[0], p->shape[1]);
    flaw_sha256_init(&h);
    flaw_sha256_update(&h, head, (size_t)length);
    flaw_sha256_update(&h, m->weights + p->offset, p->count * sizeof *m->weights);
    flaw_sha256_final(&h, out);
}

typedef struct hash_pass {
    const flaw_clip *m;
    uint8_t *digest; /* [count, 32] */
} hash_pass;

static void hash_piece(void *context, int piece, int worker)
{
    const hash_pass *p = context;
    (void)worker;
    digest(p->m, (size_t)piece, p->digest + 32 * (size_t)piece);
}

void flaw_clip_hash(const flaw_clip *m, const flaw_compute *c, char hex[65])
{
    uint8_t one[32];
    flaw_sha256 all;
    hash_pass pass = {.m = m, .digest = c ? malloc(32 * m->list.count) : NULL};
    if (pass.digest) flaw_pool_run(c->pool, hash_piece, &pass, (int)m->list.count);
    flaw_sha256_init(&all);
    for (size_t i = 0; i < m->list.count; i++) {
        if (!pass.digest) digest(m, i, one);
        flaw_sha256_update(&all, pass.digest ? pass.digest + 32 * i : one, 32);
    }
    free(pass.digest);
    flaw_sha256_final(&all, one);
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", one[i]);
}
