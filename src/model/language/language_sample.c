/* Choosing the next token from its logits. Nothing is sorted: the threshold of the set that remains is found by
 * bisection over the bits of the probabilities, which are ordered like the numbers (all are positive). */
#include <math.h>
#include <string.h>

#include "model/language/language.h"

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static int32_t likeliest(const float *logits, int vocab)
{
    int32_t best = 0;
    for (int32_t i = 1; i < vocab; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

/* Number and sum of the probabilities whose bits are at least `floor`. */
typedef struct mass {
    int count;
    double sum;
} mass;

static mass above(const float *p, int n, uint32_t floor)
{
    mass m = {0, 0};
    for (int i = 0; i < n; i++)
        if (bits_of(p[i]) >= floor) {
            m.count++;
            m.sum += (double)p[i];
        }
    return m;
}

/* Of the probabilities p, set to 0 what does not belong to the smallest set of the likeliest (the first of equals) that
 * has `count` members (0: any number) and a sum of at least `sum` (0: any sum). */
static void keep_likeliest(float *p, int n, int count, double sum)
{
    uint32_t low = 0, high = bits_of(1.0f) + 1; /* the set at `low` is enough, the one at `high` is not */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        mass m = above(p, n, middle);
        if (m.count >= count && m.sum >= sum && m.count > 0) low = middle;
        else high = middle;
    }
    mass taken =
        above(p, n, low + 1); /* what is above the threshold stays; of the equals at it as many as are needed */
    for (int i = 0; i < n; i++) {
        uint32_t bits = bits_of(p[i]);
        if (bits > low) continue;
        bool needed = taken.count < count || taken.sum < sum || taken.count == 0;
        if (bits < low || !needed) {
            p[i] = 0;
            continue;
        }
        taken.count++;
        taken.sum += (double)p[i];
    }
}

/* In place; float32 values, so that ties are the ties of the logits. */
static void probabilities(float *logits, int n, double temperature)
{
    double top = (double)logits[likeliest(logits, n)], total = 0;
    for (int i = 0; i < n; i++) total += exp(((double)logits[i] - top) / temperature);
    for (int i = 0; i < n; i++) logits[i] = (float)(exp(((double)logits[i] - top) / temperature) / total);
}

int32_t flaw_language_sample(float *logits, int vocab, const flaw_sampling *s, flaw_random *random)
{
    if (!(s->temperature > 0)) return likeliest(logits, vocab);
    probabilities(logits, vocab, s->temperature);
    if (s->top_k > 0 && s->top_k < vocab) keep_likeliest(logits, vocab, s->top_k, 0);
    if (s->top_p < 1) keep_likeliest(logits, vocab, 0, s->top_p * above(logits, vocab, 1).sum);
    double draw = flaw_random_uniform(random) * above(logits, vocab, 1).sum;
    int32_t last = 0;
    for (int32_t i = 0; i < vocab; i++) {
        if (!(logits[i] > 0)) continue;
        last = i;
        draw -= (double)logits[i];
        if (draw < 0) break;
    }
    return last;
}
