/* What "normal" and "abnormal" mean in words: 7 and 5 states of a product in two sentences each. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/voice/anomalygpt.h"

static const char *const normal[] = {"%s", "flawless %s", "perfect %s", "unblemished %s", "%s without flaw", "%s without defect",
                                     "%s without damage", NULL};
static const char *const abnormal[] = {"damaged %s", "broken %s", "%s with flaw", "%s with defect", "%s with damage", NULL};
static const char *const sentences[] = {"a photo of a ", "a photo of the "};
enum { SENTENCES = 2, MOST = 7 * SENTENCES };

/* "damaged %s" -> "a photo of a damaged metal nut." The states are fixed, the object's name is foreign. */
static flaw_status write_sentence(flaw_buffer *out, const char *sentence, const char *state, const char *object, flaw_error *err)
{
    const char *hole = state;
    while (hole[0] != '%') hole++;
    flaw_buffer_text(out, sentence);
    flaw_buffer_append(out, state, (size_t)(hole - state));
    flaw_buffer_text(out, object);
    flaw_buffer_text(out, hole + 2);
    flaw_buffer_text(out, ".");
    return out->failed ? flaw_fail(err, FLAW_USAGE, "the name of an object is too long: %.40s...", object) : FLAW_OK;
}

typedef struct text_job {
    const flaw_clip *towers;
    flaw_compute *c;
    const char *object;
    int32_t *ids;
    float *rows, *work;
} text_job;

/* x to unit length. */
static flaw_status unit(double *x, size_t n, const text_job *job, flaw_error *err)
{
    double square = 0;
    for (size_t i = 0; i < n; i++) square += x[i] * x[i];
    if (!(square > 0) || !isfinite(square))
        return flaw_fail(err, FLAW_BAD_DATA, "the text tower of %s gives no finite embedding for \"%.80s\"", job->towers->name,
                         job->object);
    for (size_t i = 0; i < n; i++) x[i] /= sqrt(square);
    return FLAW_OK;
}

static flaw_status encode(const text_job *job, const char *const *states, int *count, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    *count = 0;
    for (; *states && !status; states++)
        for (int k = 0; k < SENTENCES && !status; k++) {
            flaw_buffer text;
            flaw_buffer_init(&text, 4096);
            status = write_sentence(&text, sentences[k], *states, job->object, err);
            int32_t *ids = job->ids + (ptrdiff_t)(*count)++ * job->towers->shape.context;
            if (!status)
                status = flaw_tokenizer_encode(job->towers->tokenizer, text.data, ids, job->towers->shape.context, NULL, NULL, err);
            flaw_buffer_release(&text);
        }
    if (!status) flaw_clip_encode_texts(job->c, job->towers, *count, job->ids, job->rows, job->work);
    return status;
}

/* Mean of the sentences' unit vectors, of unit length again. */
static flaw_status side(const text_job *job, const char *const *states, float *out, flaw_error *err)
{
    size_t joint = (size_t)job->towers->shape.joint;
    int count;
    flaw_status status = encode(job, states, &count, err);
    double *row = malloc(2 * joint * sizeof *row), *sum = row + joint;
    if (!row) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the embeddings of sentences");
    for (size_t e = 0; e < joint; e++) sum[e] = 0;
    for (int i = 0; i < count && !status; i++) {
        for (size_t e = 0; e < joint; e++) row[e] = job->rows[(size_t)i * joint + e];
        status = unit(row, joint, job, err);
        for (size_t e = 0; e < joint; e++) sum[e] += row[e];
    }
    if (!status) status = unit(sum, joint, job, err);
    for (size_t e = 0; e < joint && !status; e++) out[e] = (float)sum[e];
    free(row);
    return status;
}

flaw_status flaw_anomalygpt_text(const flaw_clip *towers, flaw_compute *c, const char *object, float *out, flaw_error *err)
{
    const flaw_clip_shape *s = &towers->shape;
    if (!towers->tokenizer) return flaw_fail(err, FLAW_USAGE, "%s has no text tower: it cannot read words", towers->name);
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    text_job job = {.towers = towers, .c = c, .object = object};
    job.ids = flaw_arena_alloc(&arena, MOST * (size_t)s->context, sizeof *job.ids);
    job.rows = flaw_arena_alloc(&arena, MOST * (size_t)s->joint, sizeof *job.rows);
    job.work = flaw_arena_alloc(&arena, flaw_clip_text_workspace(towers, MOST), sizeof *job.work);
    flaw_status status = job.ids && job.rows && job.work ? FLAW_OK
                                                        : flaw_fail(err, FLAW_NO_MEMORY, "no memory to encode sentences");
    if (!status) status = side(&job, normal, out, err);
    if (!status) status = side(&job, abnormal, out + s->joint, err);
    flaw_arena_release(&arena);
    return status;
}
