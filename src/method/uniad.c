/* UniAD (You et al. 2022, arXiv 2206.03687): a transformer learns to reconstruct the features of good parts; where it
 * cannot, something is wrong. Three things keep it from copying what it is given: attention does not see the
 * neighbourhood of a patch, each layer of the decoder asks with queries of its own that were learnt, and the features
 * are jittered on their way in.
 *
 * As published: layers, masks (7 x 7 of 14 x 14), jitter (noise of deviation scale |f| / C, scale 20), squared error,
 * distance |f - f'| as the map, the largest average over 16 x 16 pixels as the score, AdamW with decay 1e-4. Otherwise:
 * features of this model's tower; width 64 instead of 256, two layers each instead of four, GELU, no dropout, some
 * hundred steps at a rate of 1e-3 instead of 1000 epochs, for one product instead of fifteen. Few parts are shown in
 * mild changes too. */
#include <math.h>
#include <stdlib.h>

#include "method/network.h"

enum { WIDTH = 64, HEADS = 2, LAYERS = 2, BATCH = 8, EXAMPLES = 64, NOISE = 65536 };
enum { OPTION_STEPS, OPTION_JITTER };
#define DECAY 1e-4f

static const flaw_method_option options[] = {
    {"steps", FLAW_OPTION_WHOLE, 1, 1e6, 200, NULL, "steps of training, of 8 pictures each"},
    {"jitter", FLAW_OPTION_NUMBER, 0, 1000, 20, NULL, "size of the noise on the features while training"},
    {NULL, FLAW_OPTION_WHOLE, 0, 0, 0, NULL, NULL},
};

typedef struct uniad {
    flaw_network net; /* first: see network.h */
    double jitter;
    int input, output;
    uint8_t *hidden; /* [P, P] */
} uniad;

static int wants(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_JOINED_WANTS;
}

static void write_down(const uniad *u, flaw_tape *t, int *input, int *output)
{
    const flaw_layer_plan plan = {.heads = HEADS, .inner = 4 * WIDTH, .hidden = u->hidden};
    flaw_tape_begin(t, u->net.grid * u->net.grid);
    *input = flaw_tape_input(t, u->net.joined);
    int position = flaw_tape_table(t, WIDTH), x = flaw_tape_linear(t, *input, WIDTH);
    for (int i = 0; i < LAYERS; i++) x = flaw_layer_encode(t, &plan, x, position);
    int memory = x;
    for (int i = 0; i < LAYERS; i++) x = flaw_layer_query(t, &plan, memory, x, position);
    *output = flaw_tape_linear(t, flaw_tape_norm(t, x), u->net.joined);
}

static void close_state(void *state)
{
    uniad *u = state;
    if (!u) return;
    flaw_network_close(&u->net);
    free(u->hidden);
    free(u);
}

static flaw_status open_state(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    size_t cells = (size_t)flaw_clip_patches(&setup->model->shape);
    uniad *u = calloc(1, sizeof *u);
    if (u) u->hidden = calloc(cells, cells);
    flaw_status s = u && u->hidden ? flaw_network_open(&u->net, "uniad", setup, (int)setup->value[OPTION_STEPS], err)
                                   : flaw_fail(err, FLAW_NO_MEMORY, "uniad: memory was refused");
    if (!s) {
        u->jitter = setup->value[OPTION_JITTER];
        flaw_neighbours_hide(u->hidden, u->net.grid, 3 * u->net.grid / 14);
        write_down(u, &u->net.tape, &u->input, &u->output);
        s = flaw_tape_build(&u->net.tape, u->net.compute, 1, false, 0, 0, err);
    }
    if (s) {
        close_state(u);
        return s;
    }
    *state = u;
    return FLAW_OK;
}

/* A batch of examples with noise goes in, `clean` keeps which. Each patch takes its noise from another place of one
 * long row of normal numbers: making new ones costs more than the network. */
static void choose(const uniad *u, const flaw_examples *e, flaw_random *random, const float *noise, float *in,
                   const float *clean[BATCH])
{
    size_t joined = (size_t)u->net.joined;
    for (int b = 0; b < BATCH; b++) {
        clean[b] = e->rows + (size_t)flaw_random_below(random, (int)e->count) * e->floats;
        for (size_t i = 0; i < e->floats; i += joined) {
            double square = (double)u->net.compute->kernels->dot(joined, clean[b] + i, clean[b] + i);
            float deviation = (float)(u->jitter * sqrt(square) / (double)joined);
            const float *here = noise + flaw_random_below(random, NOISE);
            for (size_t c = 0; c < joined; c++) *in++ = clean[b][i + c] + deviation * here[c];
        }
    }
}

/* Mean squared error of the batch; its gradient goes to dy. */
static double compare(const flaw_tape_node *out, const flaw_examples *e, const float *const clean[BATCH])
{
    double sum = 0;
    float scale = (float)(2.0 / ((double)BATCH * (double)e->floats));
    for (size_t b = 0; b < BATCH; b++)
        for (size_t i = 0; i < e->floats; i++) {
            float apart = out->y[b * e->floats + i] - clean[b][i];
            sum += (double)apart * (double)apart;
            out->dy[b * e->floats + i] = scale * apart;
        }
    return sum / ((double)BATCH * (double)e->floats);
}

static float *make_noise(size_t count, uint64_t seed)
{
    flaw_random random;
    float *noise = malloc(count * sizeof *noise);
    flaw_random_init(&random, seed, 0x6e6f6973);
    for (size_t i = 0; noise && i < count; i++) noise[i] = (float)flaw_random_normal(&random);
    return noise;
}

/* What a step looks at. */
typedef struct course {
    const uniad *u;
    const flaw_examples *examples;
    const float *noise;
} course;

static double look(void *context, flaw_tape *t, flaw_random *random)
{
    const course *c = context;
    const float *clean[BATCH];
    choose(c->u, c->examples, random, c->noise, t->node[c->u->input].y, clean);
    flaw_tape_forward(t, BATCH);
    return compare(&t->node[c->u->output], c->examples, clean);
}

static flaw_status learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    uniad *u = state;
    flaw_examples examples;
    flaw_tape tape;
    int input, output; /* where they are on the other tape too */
    flaw_status s = flaw_examples_make(&examples, lesson, EXAMPLES, err);
    if (s) return s;
    write_down(u, &tape, &input, &output);
    float *noise = make_noise(NOISE + (size_t)u->net.joined, lesson->seed);
    s = noise ? flaw_tape_build(&tape, u->net.compute, BATCH, true, DECAY, lesson->seed, err)
              : flaw_fail(err, FLAW_NO_MEMORY, "uniad: memory was refused");
    course taught = {u, &examples, noise};
    const flaw_training plan = {"training UniAD", BATCH, 0x756e6961, look, &taught};
    if (!s) s = flaw_network_train(&u->net, &tape, &plan, lesson, err);
    free(noise);
    flaw_tape_close(&tape);
    flaw_examples_release(&examples);
    return s;
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    uniad *u = state;
    flaw_network *net = &u->net;
    if (!net->learnt) return flaw_fail(err, FLAW_USAGE, "no good part has been learnt yet");
    size_t joined = (size_t)net->joined, cells = (size_t)(net->grid * net->grid);
    float *in = net->tape.node[u->input].y;
    const float *rebuilt = net->tape.node[u->output].y;
    flaw_joined_rows(in, picture);
    flaw_tape_forward(&net->tape, 1);
    for (size_t i = 0; i < cells; i++) {
        double square = 0;
        for (size_t c = i * joined; c < (i + 1) * joined; c++)
            square += ((double)rebuilt[c] - (double)in[c]) * ((double)rebuilt[c] - (double)in[c]);
        net->map[i] = sqrt(square / (double)joined);
    }
    flaw_network_score(net, out);
    return FLAW_OK;
}

const flaw_method flaw_method_uniad = {
    .name = "uniad",
    .about = "UniAD: a transformer learns to rebuild the features of good parts, what it cannot rebuild is wrong; "
             "needs good "
             "parts and trains on them",
    .paper = "You et al. 2022, arXiv 2206.03687",
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
