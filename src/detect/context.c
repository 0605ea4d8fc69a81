#include "detect/context.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define RELEVANT_SHARE 0.5 /* rule R: share kept of each class */
#define LEAST_SHARE 0.2    /* rule O: a class keeps at least this share ... */
#define LEAST_COUNT 3      /* ... and this many sentences, or the prototypes rest on noise */
#define SOFT_WIDTH 0.05    /* rule S: temperature over similarities */

static const char *const names[] = {"none", "overlap", "relevance", "soft"};

flaw_status flaw_context_named(flaw_context_rule *out, const char *name, flaw_error *err)
{
    *out = FLAW_CONTEXT_OVERLAP;
    if (!name || !*name) return FLAW_OK;
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i])) continue;
        *out = (flaw_context_rule)i;
        return FLAW_OK;
    }
    return flaw_fail(err, FLAW_USAGE, "rule \"%s\" is unknown, allowed are overlap, relevance, soft and none", name);
}

const char *flaw_context_name(flaw_context_rule rule)
{
    return names[rule];
}

static double least(const double *x, int n)
{
    double m = x[0];
    for (int i = 1; i < n; i++) m = fmin(m, x[i]);
    return m;
}

static double most(const double *x, int n)
{
    double m = x[0];
    for (int i = 1; i < n; i++) m = fmax(m, x[i]);
    return m;
}

static double mean(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

/* Sentences that stand before sentence i when ordered by `key`, largest first, then by index. */
static int rank_of(const double *key, int n, int i)
{
    int before = 0;
    for (int j = 0; j < n; j++) before += key[j] > key[i] || (key[j] == key[i] && j < i);
    return before;
}

static void share_out(const bool *kept, int n, double *weight)
{
    int count = 0;
    for (int i = 0; i < n; i++) count += kept[i];
    for (int i = 0; i < n; i++) weight[i] = kept[i] ? 1.0 / count : 0.0;
}

/* Rule O for one class: keep what lies outside the overlap; fill up to the minimum by distance from the other class. */
static void weigh_overlap(const double *s, int n, const bool *pinned, const double overlap[2], double other,
                          double *weight)
{
    bool kept[FLAW_PROMPTS_MOST];
    double distance[FLAW_PROMPTS_MOST];
    int count = 0, needed = (int)ceil(LEAST_SHARE * n);
    if (needed < LEAST_COUNT) needed = LEAST_COUNT;
    for (int i = 0; i < n; i++) {
        kept[i] = overlap[0] > overlap[1] || s[i] < overlap[0] || s[i] > overlap[1] || (pinned && pinned[i]);
        count += kept[i];
        distance[i] = fabs(s[i] - other);
    }
    if (count < needed) {
        /* Kept ones stay; the others join in the order of their distance. */
        double key[FLAW_PROMPTS_MOST];
        for (int i = 0; i < n; i++) key[i] = kept[i] ? INFINITY : distance[i];
        for (int i = 0; i < n; i++) kept[i] = rank_of(key, n, i) < needed;
    }
    share_out(kept, n, weight);
}

/* Rule R for one class: the `relevant` most similar ones, pinned ones before all. */
static void weigh_relevance(const double *s, int n, const bool *pinned, int relevant, double *weight)
{
    bool kept[FLAW_PROMPTS_MOST];
    double key[FLAW_PROMPTS_MOST];
    for (int i = 0; i < n; i++) key[i] = pinned && pinned[i] ? INFINITY : s[i];
    for (int i = 0; i < n; i++) kept[i] = rank_of(key, n, i) < relevant || (pinned && pinned[i]);
    share_out(kept, n, weight);
}

static void weigh_soft(const double *s, int n, const bool *pinned, double own, double other, double variance,
                       double *weight)
{
    double top = most(s, n), total = 0, middle = (own + other) / 2;
    for (int i = 0; i < n; i++) {
        double clear = 1.0 / (1.0 + exp(-(own - other) * (s[i] - middle) / variance));
        if (pinned && pinned[i]) clear = 1;
        weight[i] = clear * exp((s[i] - top) / SOFT_WIDTH);
        total += weight[i];
    }
    /* Sentences far on the wrong side may all underflow: then similarity alone decides. */
    if (!(total > 1e-200)) {
        total = 0;
        for (int i = 0; i < n; i++) total += weight[i] = exp((s[i] - top) / SOFT_WIDTH);
    }
    for (int i = 0; i < n; i++) weight[i] /= total;
}

static double pooled_variance(const double *const s[2], const int n[2], const double mu[2])
{
    double sum = 0;
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < n[c]; i++) sum += (s[c][i] - mu[c]) * (s[c][i] - mu[c]);
    double variance = sum / (n[0] + n[1]);
    return variance > 1e-12 ? variance : 1e-12;
}

void flaw_context_overlap(double overlap[2], const double *const s[2], const int n[2])
{
    overlap[0] = fmax(least(s[0], n[0]), least(s[1], n[1]));
    overlap[1] = fmin(most(s[0], n[0]), most(s[1], n[1]));
}

void flaw_context_weigh(flaw_context_rule rule, const double *const s[2], const int n[2], const bool *const pinned[2],
                        double *const weight[2])
{
    double mu[2] = {mean(s[0], n[0]), mean(s[1], n[1])}, overlap[2];
    double variance = pooled_variance(s, n, mu);
    int fewer = n[0] < n[1] ? n[0] : n[1], relevant = (int)ceil(RELEVANT_SHARE * fewer);
    flaw_context_overlap(overlap, s, n);
    for (int c = 0; c < 2; c++) {
        const bool *pins = pinned ? pinned[c] : NULL;
        switch (rule) {
        case FLAW_CONTEXT_OVERLAP: weigh_overlap(s[c], n[c], pins, overlap, mu[1 - c], weight[c]); break;
        case FLAW_CONTEXT_RELEVANCE: weigh_relevance(s[c], n[c], pins, relevant, weight[c]); break;
        case FLAW_CONTEXT_SOFT: weigh_soft(s[c], n[c], pins, mu[c], mu[1 - c], variance, weight[c]); break;
        case FLAW_CONTEXT_NONE:
            for (int i = 0; i < n[c]; i++) weight[c][i] = 1.0 / n[c];
        }
    }
}
