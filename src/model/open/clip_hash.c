/* Hash of a model: SHA-256 over the digests of its parameters, each over "name rows columns\n" and the float32 values.
 * Digests of single parameters can be computed side by side. */
#include <stdio.h>
#include <stdlib.h>

#include "base/sha256.h"
#include "model/open/clip_load.h"

static void digest_floats(const flaw_clip *m, size_t index, const float *x, uint8_t out[32])
{
    const flaw_parameter *p = &m->list.item[index];
    char head[128];
    flaw_sha256 h;
    int length = snprintf(head, sizeof head, "%s %zu %zu\n", p->name, p->shape[0], p->shape[1]);
    flaw_sha256_init(&h);
    flaw_sha256_update(&h, head, (size_t)length);
    flaw_sha256_update(&h, x, p->count * sizeof *x);
    flaw_sha256_final(&h, out);
}

/* False when memory was refused. */
static bool digest(const flaw_clip *m, size_t index, uint8_t out[32])
{
    flaw_pages read = {0};
    if (!m->origin) {
        digest_floats(m, index, m->weights + m->list.item[index].offset, out);
        return true;
    }
    flaw_status status = flaw_pages_reserve(&read, m->list.item[index].count * sizeof(float), NULL);
    if (!status) status = flaw_binding_read_one(&m->origin->binding, index, read.data, NULL);
    if (!status) digest_floats(m, index, read.data, out);
    flaw_pages_release(&read);
    return !status;
}

typedef struct hash_pass {
    const flaw_clip *m;
    uint8_t *digest; /* [count, 32] */
    bool *done;      /* [count] */
} hash_pass;

static void hash_piece(void *context, int piece, int worker)
{
    const hash_pass *p = context;
    (void)worker;
    p->done[piece] = digest(p->m, (size_t)piece, p->digest + 32 * (size_t)piece);
}

void flaw_clip_hash(const flaw_clip *m, const flaw_compute *c, char hex[65])
{
    uint8_t whole[32];
    flaw_sha256 all;
    hash_pass pass = {.m = m, .digest = malloc(32 * m->list.count), .done = calloc(m->list.count, sizeof *pass.done)};
    bool done = pass.digest && pass.done;
    if (done) flaw_pool_run(c ? c->pool : NULL, hash_piece, &pass, (int)m->list.count);
    flaw_sha256_init(&all);
    for (size_t i = 0; i < m->list.count && done; i++) {
        done = pass.done[i];
        flaw_sha256_update(&all, pass.digest + 32 * i, 32);
    }
    flaw_sha256_final(&all, whole);
    hex[0] = '\0';
    for (int i = 0; i < 32 && done; i++) snprintf(hex + 2 * i, 3, "%02x", whole[i]);
    free(pass.digest);
    free(pass.done);
}
