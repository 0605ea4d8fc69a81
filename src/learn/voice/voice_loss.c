#include "learn/voice/voice_loss.h"

#include <math.h>
#include <stdbool.h>

#define SMOOTH 1e-5f

double flaw_map_focal_loss(size_t n, const float *p, const uint8_t *mask, float weight, float *dp)
{
    double loss = 0;
    const float slope = 1 - 2 * SMOOTH, unit = weight / (float)n;
    for (size_t i = 0; i < n; i++) {
        float right = mask[i] ? p[i] : 1 - p[i]; /* probability of the true channel */
        float pt = slope * right + SMOOTH + SMOOTH, miss = 1 - pt, log_pt = logf(pt);
        loss -= (double)(miss * miss * log_pt);
        float d = slope * (2 * miss * log_pt - miss * miss / pt);
        dp[i] += unit * (mask[i] ? d : -d);
    }
    return (double)weight * loss / (double)n;
}

double flaw_map_dice_loss(size_t n, const float *p, const uint8_t *mask, float weight, float *dp)
{
    double both = 0, sum = 1;
    for (size_t i = 0; i < n; i++) {
        both += mask[i] ? (double)p[i] : 0;
        sum += (double)p[i] + (mask[i] ? 1 : 0);
    }
    double share = (2 * both + 1) / sum;
    float inside = (float)((double)weight * (2 - share) / sum), outside = (float)((double)weight * share / sum);
    for (size_t i = 0; i < n; i++) dp[i] += mask[i] ? -inside : outside;
    return (double)weight * (1 - share);
}

typedef struct stage_pass {
    flaw_stage_losses *out;
    size_t n;
    const float *maps;
    const uint8_t *mask;
    float focal_weight, dice_weight;
    float *d_maps;
} stage_pass;

static void stage_piece(void *context, int piece, int worker)
{
    stage_pass *p = context;
    (void)worker;
    const float *map = p->maps + (size_t)piece * p->n;
    float *d = p->d_maps + (size_t)piece * p->n;
    p->out->focal[piece] = flaw_map_focal_loss(p->n, map, p->mask, p->focal_weight, d);
    p->out->dice[piece] = flaw_map_dice_loss(p->n, map, p->mask, p->dice_weight, d);
}

void flaw_map_stage_losses(flaw_stage_losses *out, flaw_pool *pool, size_t n, const float *maps, const uint8_t *mask,
                           float focal_weight, float dice_weight, float *d_maps)
{
    stage_pass p = {out, n, maps, mask, focal_weight, dice_weight, d_maps};
    flaw_pool_run(pool, stage_piece, &p, FLAW_STAGES);
}
