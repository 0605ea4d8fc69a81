/* The released form in small: ../shared/golden/anomalygpt-small, its towers and its voice. */
#ifndef FLAW_TESTS_GOLDEN_ANOMALYGPT_H
#define FLAW_TESTS_GOLDEN_ANOMALYGPT_H

#include "golden.h"

#include "model/voice/voice_read.h"

#define ANOMALYGPT "golden/anomalygpt-small"
#define BAR_ANOMALYGPT 1e-3 /* relative, of the issue */

/* Stage tokens of a picture without the class token, and its embedding. */
typedef struct tokens {
    image_results results;
    const float *stage[FLAW_STAGES];
} tokens;

static inline tokens tokens_of_picture(flaw_compute *c, const flaw_clip *m, const char *folder, const char *file)
{
    char path[1200];
    tokens t;
    size_t d = (size_t)m->shape.image.width, count = (size_t)flaw_clip_patches(&m->shape) + 1;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    t.results = run_picture(c, m, path);
    for (int s = 0; s < FLAW_STAGES; s++) t.stage[s] = t.results.out.block + (size_t)m->shape.stage[s] * count * d + d;
    return t;
}

static inline flaw_voice *open_released_voice(const char *folder, const flaw_clip_shape *towers)
{
    char path[1200];
    flaw_tensors delta, projection;
    flaw_voice *v = NULL;
    flaw_error err = {0};
    snprintf(path, sizeof path, "%s/anomalygpt_delta.pt", folder);
    assert_ok(flaw_torch_open(&delta, path, &err));
    snprintf(path, sizeof path, "%s/pandagpt_delta.pt", folder);
    assert_ok(flaw_torch_open(&projection, path, &err));
    assert_ok(flaw_voice_read_released(&v, &delta, &projection, towers, &err));
    flaw_tensors_close(&delta);
    flaw_tensors_close(&projection);
    return v;
}

#endif
