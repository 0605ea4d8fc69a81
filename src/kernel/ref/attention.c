/* Reference attention of one head: out = softmax(scale q k^T) v, row by row. */
#include <math.h>
#include <string.h>

#include "kernel/ref/ref.h"

static float dot_plain(int n, const float *a, const float *b)
{
    float s = 0.0f;
    for (int i = 0; i < n; i++) s += a[i] * b[i];
    return s;
}

/* y[0 .. n) += alpha x */
static void add_scaled(int n, float alpha, const float *x, float *y)
{
    for (int i = 0; i < n; i++) y[i] += alpha * x[i];
}

/* Scaled scores of query i with its keys. */
static void scores(const flaw_attention *a, int i, int seen, float *p)
{
    const uint8_t *hidden = a->hidden ? a->hidden + (ptrdiff_t)i * a->tokens : NULL;
    for (int j = 0; j < seen; j++)
        p[j] = hidden && hidden[j] ? FLAW_HIDDEN_SCORE : a->scale * dot_plain(a->width, a->q + i * a->row, a->k + j * a->row);
}

size_t flaw_ref_attention_scratch(int tokens, int width)
{
    return ((size_t)tokens + 1) * sizeof(float);
}

void flaw_ref_attention(const flaw_attention *a, void *scratch)
{
    int t = a->tokens, w = a->width, asked = a->queries ? a->queries : t;
    for (int i = 0; i < asked; i++) {
        int seen = a->causal ? i + 1 : t;
        float *p = a->probs ? a->probs + (size_t)i * (size_t)t : scratch, top = -INFINITY, sum = 0.0f;
        scores(a, i, seen, p);
        for (int j = 0; j < seen; j++) top = p[j] > top ? p[j] : top;
        for (int j = 0; j < seen; j++) {
            p[j] = expf(p[j] - top);
            sum += p[j];
        }
        for (int j = 0; j < seen; j++) p[j] *= 1.0f / sum;
        for (int j = seen; j < t; j++) p[j] = 0.0f;
        float *out = a->out + i * a->out_row;
        memset(out, 0, (size_t)w * sizeof *out);
        for (int j = 0; j < seen; j++) add_scaled(w, p[j], a->v + j * a->row, out);
        if (a->stats) {
            a->stats[2 * i] = top;
            a->stats[2 * i + 1] = 1.0f / sum;
        }
    }
}

size_t flaw_ref_attention_backward_scratch(int tokens, int width)
{
    return 2 * ((size_t)tokens + 1) * sizeof(float);
}

/* Probabilities of query i, kept or from the stats, into p. */
static void probabilities(const flaw_attention *a, int i, int seen, float *p)
{
    if (!a->stats) {
        memcpy(p, a->probs + (size_t)i * (size_t)a->tokens, (size_t)seen * sizeof *p);
        return;
    }
    scores(a, i, seen, p);
    for (int j = 0; j < seen; j++) p[j] = expf(p[j] - a->stats[2 * i]) * a->stats[2 * i + 1];
}

/* With P the probabilities and D = sum_j P dP: dP = dO V^T, dS = scale P (dP - D), dV = P^T dO, dQ = dS K,
 * dK = dS^T Q. */
void flaw_ref_attention_backward(const flaw_attention_grad *g, void *scratch)
{
    const flaw_attention *a = &g->forward;
    int t = a->tokens, w = a->width;
    float *ds = scratch, *p = ds + t + 1;
    for (int i = 0; i < t; i++) {
        memset(g->d_q + i * g->d_row, 0, (size_t)w * sizeof(float));
        if (g->accumulate) continue;
        memset(g->d_k + i * g->d_row, 0, (size_t)w * sizeof(float));
        memset(g->d_v + i * g->d_row, 0, (size_t)w * sizeof(float));
    }
    for (int i = 0; i < t; i++) {
        int seen = a->causal ? i + 1 : t;
        const float *d_out = g->d_out + i * a->out_row;
        float sum = 0.0f;
        probabilities(a, i, seen, p);
        for (int j = 0; j < seen; j++) {
            ds[j] = dot_plain(w, d_out, a->v + j * a->row);
            sum += p[j] * ds[j];
        }
        for (int j = 0; j < seen; j++) {
            ds[j] = a->scale * p[j] * (ds[j] - sum);
            add_scaled(w, ds[j], a->k + j * a->row, g->d_q + i * g->d_row);
            add_scaled(w, ds[j], a->q + i * a->row, g->d_k + j * g->d_row);
            add_scaled(w, p[j], d_out, g->d_v + j * g->d_row);
        }
    }
}
