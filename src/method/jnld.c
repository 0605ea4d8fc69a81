/* JNLD (Zhao 2022, "Just noticeable learning for unsupervised anomaly localization and detection", ICME), a
 * reconstruction: only the abstract and what the author's later OmniAL says of it are known to us.
 *
 * Known: anomalies are simulated at several levels of noticeability, guided by a map of just-noticeable differences;
 * labels are corrected where a change cannot be noticed; one network rebuilds the normal picture, another tells where
 * the two differ, and its output is the map. Ours: it runs on features of a frozen tower, not on pixels; three levels
 * (2 x, 5 x the difference and without a limit); pieces of good parts (NSA) instead of foreign textures; both networks
 * in one small transformer; a contrast that what was rebuilt be nearer to the good part than to the changed one; focal
 * and dice for the map; the score is the map's largest average over a patch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "method/jnld_examples.h"
#include "nn/loss.h"

enum { WIDTH = 64, HEADS = 2, LAYERS = 2, BATCH = 8, PAIRS = 24 };
enum { OPTION_STEPS };
#define DECAY 1e-2f
#define FOCAL 5.0f
#define DICE 0.5f
#define CONTRAST 0.25f
#define MARGIN 0.1f /* of the contrast, in the square of the features */
#define GAMMA 2.0f

static const flaw_method_option options[] = {
    {"steps", FLAW_OPTION_WHOLE, 1, 1e6, 200, NULL, "steps of training, of 8 pictures each"},
    {NULL, FLAW_OPTION_WHOLE, 0, 0, 0, NULL, NULL},
};

/* Where things are on a tape. */
typedef struct places {
    int input, rebuilt, logit;
} places;

typedef struct jnld {
    flaw_network net; /* first: see network.h */
    places at;
} jnld;

static int wants(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_JOINED_WANTS;
}

static places write_down(const jnld *j, flaw_tape *t)
{
    const flaw_layer_plan plan = {.heads = HEADS, .inner = 4 * WIDTH};
    places at;
    flaw_tape_begin(t, j->net.grid * j->net.grid);
    at.input = flaw_tape_input(t, j->net.joined);
    int position = flaw_tape_table(t, WIDTH), x = flaw_tape_linear(t, at.input, WIDTH);
    for (int i = 0; i < LAYERS; i++) x = flaw_layer_encode(t, &plan, x, position);
    at.rebuilt = flaw_tape_linear(t, x, j->net.joined);
    int seen = flaw_tape_linear(t, at.input, 2 * WIDTH), rebuilt = flaw_tape_linear(t, at.rebuilt, 2 * WIDTH);
    at.logit = flaw_tape_linear(t, flaw_tape_gelu(t, flaw_tape_add(t, seen, rebuilt)), 1);
    return at;
}

static void close_state(void *state)
{
    jnld *j = state;
    if (!j) return;
    flaw_network_close(&j->net);
    free(j);
}

static flaw_status open_state(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    jnld *j = calloc(1, sizeof *j);
    flaw_status s = j ? flaw_network_open(&j->net, "jnld", setup, (int)setup->value[OPTION_STEPS], err)
                      : flaw_fail(err, FLAW_NO_MEMORY, "jnld: memory was refused");
    if (!s) {
        j->at = write_down(j, &j->net.tape);
        s = flaw_tape_build(&j->net.tape, j->net.compute, 1, false, 0, 0, err);
    }
    if (s) {
        close_state(j);
        return s;
    }
    *state = j;
    return FLAW_OK;
}

/* A batch: every second picture as it is, the others changed at one of the levels. */
typedef struct batch {
    const float *in[BATCH], *clean[BATCH], *target[BATCH];
} batch;

static void choose(batch *b, const flaw_jnld_examples *e, const float *nothing, flaw_random *random)
{
    for (int i = 0; i < BATCH; i++) {
        const flaw_jnld_pair *p = &e->pair[flaw_random_below(random, (int)e->count)];
        int level = flaw_random_below(random, FLAW_JNLD_LEVELS);
        b->clean[i] = p->clean;
        b->in[i] = i % 2 ? p->changed[level] : p->clean;
        b->target[i] = i % 2 ? p->target[level] : nothing;
    }
}

/* Squared error of one row to the good one, and where it changed the contrast to the changed one; gradients are added.
 */
static double rebuild_row(const float *y, const float *clean, const float *in, bool changed, size_t c, float weight,
                          float *dy)
{
    double near = 0, far = 0;
    float scale = 2 * weight / (float)c;
    for (size_t i = 0; i < c; i++) {
        near += (double)(y[i] - clean[i]) * (double)(y[i] - clean[i]);
        far += (double)(y[i] - in[i]) * (double)(y[i] - in[i]);
        dy[i] += scale * (y[i] - clean[i]);
    }
    double over = (double)MARGIN + (near - far) / (double)c;
    if (!changed || over <= 0) return (double)weight * near / (double)c;
    for (size_t i = 0; i < c; i++) dy[i] += CONTRAST * scale * (in[i] - clean[i]);
    return (double)weight * (near / (double)c + (double)CONTRAST * over);
}

/* Loss of the batch and its gradients at both outputs. */
static double compare(const jnld *j, flaw_tape *t, places at, const batch *b)
{
    size_t patches = (size_t)j->net.grid * (size_t)j->net.grid, joined = (size_t)j->net.joined;
    flaw_tape_node *rebuilt = &t->node[at.rebuilt], *logit = &t->node[at.logit];
    double loss = 0;
    for (size_t i = 0; i < BATCH; i++) {
        for (size_t p = 0; p < patches; p++) {
            size_t row = p * joined, here = i * patches * joined + row;
            loss += rebuild_row(rebuilt->y + here, b->clean[i] + row, b->in[i] + row, b->target[i][p] > 0.5f, joined,
                                1.0f / (float)(BATCH * patches), rebuilt->dy + here);
        }
        const float *z = logit->y + i * patches;
        float *dz = logit->dy + i * patches;
        loss += flaw_focal_loss((int)patches, z, b->target[i], GAMMA, FOCAL / BATCH, dz);
        loss += flaw_dice_loss((int)patches, z, b->target[i], DICE / BATCH, dz);
    }
    return loss;
}

/* What a step looks at. */
typedef struct course {
    const jnld *j;
    const flaw_jnld_examples *examples;
    const float *nothing;
} course;

static double look(void *context, flaw_tape *t, flaw_random *random)
{
    const course *c = context;
    const flaw_jnld_examples *e = c->examples;
    batch b;
    choose(&b, e, c->nothing, random);
    for (size_t i = 0; i < BATCH; i++)
        memcpy(t->node[c->j->at.input].y + i * e->floats, b.in[i], e->floats * sizeof(float));
    flaw_tape_forward(t, BATCH);
    return compare(c->j, t, c->j->at, &b);
}

static flaw_status learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    jnld *j = state;
    flaw_jnld_examples examples;
    flaw_tape tape;
    flaw_status s = flaw_jnld_examples_make(&examples, lesson, PAIRS, err);
    if (s) return s;
    float *nothing = calloc(examples.patches, sizeof *nothing);
    write_down(j, &tape); /* its places are those of the other tape */
    s = nothing ? flaw_tape_build(&tape, j->net.compute, BATCH, true, DECAY, lesson->seed, err)
                : flaw_fail(err, FLAW_NO_MEMORY, "jnld: memory was refused");
    course taught = {j, &examples, nothing};
    const flaw_training plan = {"training JNLD", BATCH, 0x6e6c64, look, &taught};
    if (!s) s = flaw_network_train(&j->net, &tape, &plan, lesson, err);
    free(nothing);
    flaw_tape_close(&tape);
    flaw_jnld_examples_release(&examples);
    return s;
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    jnld *j = state;
    flaw_network *net = &j->net;
    if (!net->learnt) return flaw_fail(err, FLAW_USAGE, "no good part has been learnt yet");
    const float *logit = net->tape.node[j->at.logit].y;
    flaw_joined_rows(net->tape.node[j->at.input].y, picture);
    flaw_tape_forward(&net->tape, 1);
    for (int i = 0; i < net->grid * net->grid; i++) net->map[i] = 1 / (1 + exp(-(double)logit[i]));
    flaw_network_score(net, out);
    return FLAW_OK;
}

const flaw_method flaw_method_jnld = {
    .name = "jnld",
    .about = "JNLD (reconstruction): learns from good parts and simulated anomalies, just noticeable to strong, where "
             "a picture "
             "is not as it should be; needs good parts and trains on them",
    .paper = "Zhao 2022, ICME",
    .option = options,
    .needs_good = true,
    .trains = true,
    .folds = 2,
    .scores = {.distance = true, .spread = 0.1},
    .wants = wants,
    .open = open_state,
    .learn = learn,
    .score = score,
    .save = flaw_network_save,
    .load = flaw_network_load,
    .close = close_state,
};
