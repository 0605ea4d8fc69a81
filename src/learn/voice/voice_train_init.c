/* Weights of a new voice. The decoder starts as the tower's local head where there is one: each stage reads words about
 * as well as it can alone, from the first step. Rows for the language model start as large as the words it knows. */
#include <math.h>
#include <string.h>

#include "learn/voice/voice_train_state.h"
#include "model/voice/voice.h"

enum { STREAM_INIT = 6 };

static void normal(flaw_random *r, float *x, size_t n, double deviation)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)(deviation * flaw_random_normal(r));
}

/* y = local_w (norm_w * LN(x) + norm_b) + local_b / stages, LN's factors folded into the layer. */
static void decoder_from_head(flaw_voice *v, const flaw_clip_view *tower, int stage)
{
    size_t joint = (size_t)v->shape.joint, width = (size_t)v->shape.width;
    for (size_t e = 0; e < joint; e++) {
        const float *row = tower->local_w[stage] + e * width;
        double bias = (double)tower->local_b[e] / FLAW_STAGES;
        for (size_t k = 0; k < width; k++) {
            v->view.decoder_w[stage][e * width + k] = row[k] * tower->local_norm_w[stage][k];
            bias += (double)row[k] * (double)tower->local_norm_b[stage][k];
        }
        v->view.decoder_b[stage][e] = (float)bias;
    }
}

void flaw_voice_init_decoder(flaw_voice *v, const flaw_clip *towers, flaw_random *r)
{
    size_t joint = (size_t)v->shape.joint;
    for (int i = 0; i < FLAW_STAGES; i++) {
        size_t width = (size_t)flaw_voice_width(&v->shape, i);
        memset(v->view.decoder_b[i], 0, joint * sizeof(float));
        if (v->shape.fused && i == FLAW_STAGES - 1) {
            memset(v->view.decoder_w[i], 0, joint * joint * sizeof(float));
            for (size_t e = 0; e < joint; e++) v->view.decoder_w[i][e * joint + e] = 1;
        } else if (towers->view.local_w[i] && v->shape.stage_norm) {
            decoder_from_head(v, &towers->view, i);
        } else {
            normal(r, v->view.decoder_w[i], joint * width, sqrt(1.0 / (double)width));
        }
    }
}

static double deviation_of_words(const flaw_language *m)
{
    double square = 0;
    size_t count = (size_t)m->shape.vocab * (size_t)m->shape.block.width;
    for (size_t i = 0; i < count; i++) square += (double)m->view.token[i] * (double)m->view.token[i];
    return sqrt(square / (double)count);
}

void flaw_voice_init(flaw_voice *v, const flaw_clip *towers, const flaw_language *language, uint64_t seed)
{
    flaw_random r;
    double word = deviation_of_words(language);
    flaw_random_init(&r, seed * 8 + STREAM_INIT, 0);
    flaw_voice_init_decoder(v, towers, &r);
    normal(&r, v->view.base, (size_t)v->shape.base * (size_t)v->shape.words, word);
    for (int i = 0; i < FLAW_PROMPT_CONVS && v->shape.base; i++) {
        flaw_conv conv = flaw_voice_conv(&v->shape, i);
        size_t taps = (size_t)(conv.in * conv.kernel * conv.kernel);
        bool last = i == FLAW_PROMPT_CONVS - 1;
        normal(&r, v->view.conv_w[i], (size_t)conv.out * taps, sqrt(2.0 / (double)taps) * (last ? word : 1));
        memset(v->view.conv_b[i], 0, (size_t)conv.out * sizeof(float));
    }
    normal(&r, v->view.project_w, (size_t)v->shape.words * (size_t)v->shape.joint, word);
    memset(v->view.project_b, 0, (size_t)v->shape.words * sizeof(float));
}
