/* Sentences through the text tower, a few at a time. */
#include <math.h>
#include <string.h>

#include "detect/prompts.h"

enum { BATCH = 16 };

typedef struct embedding_job {
    const flaw_clip *model;
    flaw_compute *compute;
    int32_t *ids; /* [BATCH, context] */
    float *out;   /* [BATCH, E] */
    float *work;
} embedding_job;

static flaw_status embed_batch(flaw_prompt_set *set, const embedding_job *job, int c, int from, int n, flaw_error *err)
{
    size_t width = (size_t)set->width, context = (size_t)job->model->shape.context;
    for (int i = 0; i < n; i++) {
        int length, cut;
        flaw_status s = flaw_tokenizer_encode(job->model->tokenizer, set->text[c][from + i],
                                              job->ids + (size_t)i * context, (int)context, &length, &cut, err);
        if (s) return s;
        set->cut += cut > 0;
    }
    flaw_clip_encode_texts(job->compute, job->model, n, job->ids, job->out, job->work);
    for (int i = 0; i < n; i++) {
        const float *row = job->out + (size_t)i * width;
        float *to = set->embedding[c] + (size_t)(from + i) * width;
        double square = 0;
        for (size_t d = 0; d < width; d++) square += (double)row[d] * row[d];
        if (!(square > 0) || !isfinite(square))
            return flaw_fail(err, FLAW_BAD_DATA, "the text tower of %s gives no finite embedding for \"%s\"",
                             job->model->name, set->text[c][from + i]);
        for (size_t d = 0; d < width; d++) to[d] = (float)(row[d] / sqrt(square));
    }
    return FLAW_OK;
}

flaw_status flaw_prompts_embed(flaw_prompt_set *set, const flaw_clip *model, flaw_compute *compute, flaw_error *err)
{
    size_t width = (size_t)model->shape.joint;
    if (!model->tokenizer) return flaw_fail(err, FLAW_USAGE, "%s has no text tower: it cannot read words", model->name);
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    embedding_job job = {.model = model, .compute = compute};
    job.ids = flaw_arena_alloc(&arena, BATCH * (size_t)model->shape.context, sizeof(int32_t));
    job.out = flaw_arena_alloc(&arena, BATCH * width, sizeof(float));
    job.work = flaw_arena_alloc(&arena, flaw_clip_text_workspace(model, BATCH), sizeof(float));
    bool ok = job.ids && job.out && job.work;
    set->width = (int)width;
    set->cut = 0;
    for (int c = 0; c < 2; c++) {
        size_t rows = (size_t)set->count[c] + (size_t)set->banned[c];
        set->embedding[c] = flaw_arena_alloc(&set->arena, rows, width * sizeof(float));
        ok = ok && set->embedding[c];
    }
    flaw_status s = ok ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "memory to embed sentences was refused");
    for (int c = 0; c < 2; c++)
        for (int from = 0, rows = set->count[c] + set->banned[c]; !s && from < rows; from += BATCH) {
            int left = rows - from;
            s = embed_batch(set, &job, c, from, left < BATCH ? left : BATCH, err);
        }
    flaw_arena_release(&arena);
    return s;
}
