/* The voice's passes: upsampling and its adjoint, gradients by central differences, the same bits for any number of
 * threads, the few-shot map by plain loops, and the shape in a bundle's metadata with its broken forms. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "model/voice/voice.h"
#include "model/voice/voice_read.h"

enum { D = 12, E = 10, G = 5, P = G * G, W = 6 };
static const flaw_voice_shape tiny = {.width = D, .joint = E, .grid = G, .side = 160, .words = W, .base = 2,
                                      .channels = {2, 3, 4, 5, 4, W}, .scale = 8,
                                      .share = {0.25f, 0.25f, 0.25f, 0.25f}, .few_shot_gain = 1};

typedef struct fixture {
    flaw_compute c;
    flaw_arena arena;
    flaw_random random;
    flaw_voice *v;
    flaw_voice_view grads;
    float *grad, *stage[FLAW_STAGES], *text, *map, *stage_maps, *prompts, *saved, *work, *weight, *d_map;
} fixture;

static float *floats(fixture *f, size_t n, double size)
{
    float *p = flaw_arena_alloc(&f->arena, n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; size > 0 && i < n; i++) p[i] = (float)(size * flaw_random_normal(&f->random));
    return p;
}

static void unit_rows(float *x, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, x += n) {
        double square = 0;
        for (size_t i = 0; i < n; i++) square += (double)x[i] * x[i];
        for (size_t i = 0; i < n; i++) x[i] /= (float)sqrt(square);
    }
}

static void open_fixture(fixture *f, const flaw_voice_shape *shape, int threads)
{
    flaw_error err = {0};
    memset(f, 0, sizeof *f);
    flaw_arena_init(&f->arena, 0);
    flaw_random_init(&f->random, 11, 2);
    assert_ok(flaw_compute_open(&f->c, threads, FLAW_LEVEL_AUTO, FLAW_F32, &err));
    assert_ok(flaw_voice_reserve(&f->c, &err));
    assert_ok(flaw_voice_new(&f->v, shape, &err));
    size_t area = (size_t)shape->side * (size_t)shape->side;
    for (size_t i = 0; i < f->v->list.total; i++) f->v->weights[i] = (float)(0.4 * flaw_random_normal(&f->random));
    f->grad = floats(f, f->v->list.total, 0);
    flaw_voice_view_over(&f->grads, shape, &f->v->list, f->grad);
    for (int s = 0; s < FLAW_STAGES; s++) f->stage[s] = floats(f, P * (size_t)flaw_voice_width(shape, s), 1);
    f->text = floats(f, 2 * E, 1);
    unit_rows(f->text, 2, E);
    f->map = floats(f, area, 0);
    f->stage_maps = floats(f, FLAW_STAGES * area, 0);
    f->prompts = floats(f, (size_t)(flaw_voice_prompts(shape) * W), 0);
    f->saved = floats(f, flaw_prompt_saved(shape), 0);
    size_t decoder = flaw_decoder_workspace(&f->c, shape), prompt = flaw_prompt_workspace(&f->c, shape);
    f->work = floats(f, decoder > prompt ? decoder : prompt, 0);
    f->weight = floats(f, FLAW_STAGES * area, 1);
    f->d_map = floats(f, area, 0);
}

static void close_fixture(fixture *f)
{
    flaw_voice_close(f->v);
    flaw_compute_close(&f->c);
    flaw_arena_release(&f->arena);
}

static void test_upsample(void **state)
{
    float in[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8}, out[25], r[25], back[9] = {0};
    flaw_upsample_corners(3, 5, in, out);
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 5; x++) assert_true(fabsf(out[y * 5 + x] - (1.5f * (float)y + 0.5f * (float)x)) < 1e-6f);
    flaw_random random;
    flaw_random_init(&random, 1, 1);
    double forward = 0, adjoint = 0;
    for (int i = 0; i < 9; i++) in[i] = (float)flaw_random_normal(&random);
    for (int i = 0; i < 25; i++) r[i] = (float)flaw_random_normal(&random);
    flaw_upsample_corners(3, 5, in, out);
    flaw_upsample_corners_backward(3, 5, r, back);
    for (int i = 0; i < 25; i++) forward += (double)r[i] * out[i];
    for (int i = 0; i < 9; i++) adjoint += (double)back[i] * in[i];
    assert_true(fabs(forward - adjoint) < 1e-5);
}

/* sum(weight * stage maps) */
static double decoder_loss(fixture *f)
{
    size_t area = (size_t)f->v->shape.side * (size_t)f->v->shape.side;
    double sum = 0;
    flaw_decoder_map(&f->c, f->v, (const float *const *)f->stage, f->text, f->stage_maps, f->map, f->work);
    for (size_t i = 0; i < FLAW_STAGES * area; i++) sum += (double)f->weight[i] * f->stage_maps[i];
    return sum;
}

/* The decoder in two steps says the same as in one; a flat grid of any side gives a flat map. */
static void test_two_steps(void **state)
{
    (void)state;
    fixture fixed, *f = &fixed;
    open_fixture(f, &tiny, 2);
    const flaw_voice_shape *s = &f->v->shape;
    size_t area = (size_t)s->side * (size_t)s->side, patches = (size_t)s->grid * (size_t)s->grid;
    float *logits = calloc(FLAW_STAGES * 4 * patches, sizeof *logits), *map = calloc(area, sizeof *map);
    const float *const *stage = (const float *const *)f->stage;
    flaw_decoder_map(&f->c, f->v, stage, f->text, NULL, f->map, f->work);
    flaw_decoder_logits(&f->c, f->v, stage, f->text, logits, f->work);
    flaw_decoder_map_of(&f->c, f->v, logits, s->grid, map, f->work);
    assert_memory_equal(map, f->map, area * sizeof *map);
    for (size_t i = 0; i < FLAW_STAGES * 4 * patches; i++) logits[i] = 0.5f - s->bias;
    flaw_decoder_map_of(&f->c, f->v, logits, 2 * s->grid, map, f->work);
    double share = 0, want = 1 / (1 + exp(-0.5));
    for (int i = 0; i < FLAW_STAGES; i++) share += (double)s->share[i];
    for (size_t i = 0; i < area; i++) assert_true(fabs((double)map[i] - share * want) < 1e-5);
    free(logits);
    free(map);
    close_fixture(f);
}

/* sum(weight * prompts), of the map that stands in f->map */
static double prompt_loss(fixture *f)
{
    double sum = 0;
    flaw_prompt_forward(&f->c, f->v, f->map, f->prompts, f->saved, f->work);
    for (int i = 0; i < flaw_voice_prompts(&f->v->shape) * W; i++) sum += (double)f->weight[i] * f->prompts[i];
    return sum;
}

static void check_gradient(fixture *f, double (*loss)(fixture *), const char *what, float *x, const float *grad,
                           size_t n, double step)
{
    enum { PROBES = 12 };
    double most = 0, worst = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(grad[i]));
    assert_true(most > 0);
    for (size_t probe = 0; probe < PROBES; probe++) {
        size_t i = n <= PROBES ? probe % n : probe * (n - 1) / (PROBES - 1);
        float kept = x[i];
        x[i] = kept + (float)step;
        double up = loss(f), width = x[i];
        x[i] = kept - (float)step;
        double down = loss(f);
        width -= x[i];
        x[i] = kept;
        worst = fmax(worst, fabs((up - down) / width - grad[i]));
    }
    if (!(worst <= 5e-3 * most)) fail_msg("%s: off by %g of %g", what, worst, most);
}

static void check_decoder(bool stage_norm, bool fused)
{
    fixture f;
    flaw_voice_shape shape = tiny;
    shape.stage_norm = stage_norm;
    shape.fused = fused;
    open_fixture(&f, &shape, 2);
    flaw_decoder_backward(&f.c, f.v, (const float *const *)f.stage, f.text, f.weight, &f.grads, f.work);
    for (int s = 0; s < FLAW_STAGES; s++) {
        check_gradient(&f, decoder_loss, "decoder weights", f.v->view.decoder_w[s], f.grads.decoder_w[s],
                       E * (size_t)flaw_voice_width(&shape, s), 2e-3);
        check_gradient(&f, decoder_loss, "decoder biases", f.v->view.decoder_b[s], f.grads.decoder_b[s], E, 2e-3);
    }
    for (size_t i = 0; i < f.v->list.total; i++) /* nothing else is touched */
        if (f.grad + i < f.grads.decoder_w[0] || f.grad + i >= f.grads.base) assert_true(f.grad[i] == 0);
    close_fixture(&f);
}

static void test_decoder_gradient(void **state)
{
    check_decoder(false, false);
    check_decoder(true, false);
    check_decoder(true, true);
}

/* ReLU has corners, where differences say nothing: positive weights keep values over 0. What happens below is in
 * tests/nn/test_conv.c, and compared with PyTorch in tests/learn. */
static void test_prompt_gradient(void **state)
{
    fixture f;
    open_fixture(&f, &tiny, 2);
    size_t area = 160 * 160;
    for (size_t i = 0; i < area; i++) f.map[i] = (float)flaw_random_uniform(&f.random);
    for (float *w = f.v->view.conv_w[0]; w < f.v->view.project_w; w++) *w = 0.3f * fabsf(*w);
    prompt_loss(&f);
    flaw_prompt_backward(&f.c, f.v, f.map, f.saved, f.weight, f.d_map, &f.grads, f.work);
    check_gradient(&f, prompt_loss, "base", f.v->view.base, f.grads.base, 2 * W, 1e-2);
    for (int i = 0; i < FLAW_PROMPT_CONVS; i++) {
        flaw_conv conv = flaw_voice_conv(&tiny, i);
        size_t taps = (size_t)(conv.in * conv.kernel * conv.kernel), out = (size_t)conv.out;
        check_gradient(&f, prompt_loss, "conv weights", f.v->view.conv_w[i], f.grads.conv_w[i], out * taps, 1e-3);
        check_gradient(&f, prompt_loss, "conv biases", f.v->view.conv_b[i], f.grads.conv_b[i], out, i ? 1e-2 : 1e-3);
    }
    /* One pixel changes next to nothing: all of them at once, along the gradient. */
    double square = 0, side[2];
    for (size_t i = 0; i < area; i++) square += (double)f.d_map[i] * f.d_map[i];
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < area; i++) f.map[i] += (float)((k ? -2e-2 : 1e-2) / sqrt(square)) * f.d_map[i];
        side[k] = prompt_loss(&f);
    }
    assert_true(fabs((side[0] - side[1]) / 2e-2 - sqrt(square)) < 3e-3 * sqrt(square));
    close_fixture(&f);
}

static void test_threads(void **state)
{
    fixture f[2];
    for (int i = 0; i < 2; i++) {
        open_fixture(&f[i], &tiny, 1 + 2 * i);
        decoder_loss(&f[i]);
        prompt_loss(&f[i]);
        flaw_prompt_backward(&f[i].c, f[i].v, f[i].map, f[i].saved, f[i].weight, f[i].d_map, &f[i].grads, f[i].work);
        flaw_decoder_backward(&f[i].c, f[i].v, (const float *const *)f[i].stage, f[i].text, f[i].weight, &f[i].grads,
                              f[i].work);
    }
    assert_memory_equal(f[0].map, f[1].map, 160 * 160 * sizeof(float));
    assert_memory_equal(f[0].prompts, f[1].prompts, (size_t)(flaw_voice_prompts(&tiny) * W) * sizeof(float));
    assert_memory_equal(f[0].grad, f[1].grad, f[0].v->list.total * sizeof(float));
    assert_memory_equal(f[0].d_map, f[1].d_map, 160 * 160 * sizeof(float));
    close_fixture(&f[0]);
    close_fixture(&f[1]);
}

/* A bias moves every logit by as much, and travels with the shape. */
static void test_bias(void **state)
{
    enum { AREA = 160 * 160 };
    flaw_voice_shape biased = tiny, read;
    biased.bias = 1.5f;
    fixture f[2];
    open_fixture(&f[0], &tiny, 2);
    open_fixture(&f[1], &biased, 2);
    for (int i = 0; i < 2; i++) decoder_loss(&f[i]);
    for (int i = 0; i < AREA; i += 97) {
        double from = f[0].stage_maps[i], to = f[1].stage_maps[i];
        assert_true(fabs(log(to / (1 - to)) - log(from / (1 - from)) - 1.5) < 1e-4);
    }
    close_fixture(&f[0]);
    close_fixture(&f[1]);
    flaw_buffer json;
    flaw_error err = {0};
    flaw_buffer_init(&json, 4096);
    flaw_voice_config_write(&json, &biased);
    assert_ok(flaw_voice_config(&read, json.data, json.size, "x", &err));
    assert_true(read.bias == 1.5f);
    flaw_buffer_release(&json);
}

static void test_few_shot(void **state)
{
    enum { ROWS = 1100 }; /* more than one span */
    fixture f;
    open_fixture(&f, &tiny, 2);
    float *bank[FLAW_STAGES], *work = floats(&f, flaw_few_shot_workspace(&f.c, &tiny, ROWS), 0), mean[P],
                              want[160 * 160];
    for (int s = 0; s < FLAW_STAGES; s++) bank[s] = floats(&f, ROWS * D, 1);
    memcpy(bank[1] + (ROWS - 1) * D, f.stage[1] + 3 * D, D * sizeof(float)); /* found again at the very end */
    for (int i = 0; i < P; i++) {
        double sum = 0;
        for (int s = 0; s < FLAW_STAGES; s++) {
            double best = -2;
            for (int j = 0; j < ROWS; j++) {
                double dot = 0, a = 0, b = 0;
                for (int k = 0; k < D; k++) {
                    double x = f.stage[s][i * D + k], y = bank[s][j * D + k];
                    dot += x * y, a += x * x, b += y * y;
                }
                best = fmax(best, dot / sqrt(a * b));
            }
            sum += best;
        }
        mean[i] = (float)(1 - sum / FLAW_STAGES);
    }
    flaw_upsample_corners(G, 160, mean, want);
    flaw_few_shot_map(&f.c, &tiny, (const float *const *)f.stage, (const float *const *)bank, ROWS, f.map, work);
    for (int i = 0; i < 160 * 160; i++) assert_true(fabsf(f.map[i] - want[i]) < 2e-6f);
    close_fixture(&f);
}

static void test_config(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } broken[] = {
        {"\"version\": 1", "\"version\": 2", "version 1"},       {"\"width\": 12, ", "", "voice.width is absent"},
        {"\"side\": 160", "\"side\": 159", "side of the map"},   {"[2, 3, 4, 5, 4, 6]", "[2, 3, 4, 5, 4]", "six numbers"},
        {"[2, 3, 4, 5, 4, 6]", "[2, 3, 0, 5, 4, 6]", "convolution 2 has 0 channels"},
        {"5, 4, 6]", "5, 4, 7]", "language model is 6 wide"},
        {"\"scale\": 8", "\"scale\": 0", "scale of the logits"}, {"gain\": 1}", "gain\": 1, \"more\": 1}", "voice.more is 1"},
        {"[0.25, 0.25,", "[0.25, 0.5,", "their sum is 1.25"},     {"[0.25, 0.25,", "[0.25,", "four numbers"},
        {"[0.25, 0.25,", "[-0.25, 0.75,", "no shares"},          {"gain\": 1}", "gain\": 0}", "gain of the few-shot map"},
        {"\"grid\": 5", "\"grid\": 1", "patch grid"},            {"{\"version", "[{\"version", "JSON"},
    };
    flaw_buffer json;
    flaw_voice_shape s;
    flaw_error err = {0};
    flaw_buffer_init(&json, 4096);
    flaw_voice_config_write(&json, &tiny);
    assert_ok(flaw_voice_config(&s, json.data, json.size, "x", &err));
    assert_memory_equal(&s, &tiny, offsetof(flaw_voice_shape, scale));
    assert_true(s.scale == tiny.scale && s.stage_norm == tiny.stage_norm);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char text[1024];
        const char *at = strstr(json.data, broken[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - json.data), json.data, broken[i].to,
                 at + strlen(broken[i].from));
        assert_int_equal(flaw_voice_config(&s, text, strlen(text), "file", &err), FLAW_BAD_DATA);
        assert_contains(err.text, broken[i].says);
    }
    flaw_buffer_release(&json);
}

static void test_fit(void **state)
{
    flaw_clip_shape towers = {.image = {.width = D}, .joint = E, .grid = G};
    flaw_error err = {0};
    assert_ok(flaw_voice_check_fit(&tiny, &towers, W, "x", &err));
    assert_int_equal(flaw_voice_check_fit(&tiny, &towers, W + 1, "x", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "language model of width 6, this one has 7");
    towers.grid++;
    assert_int_equal(flaw_voice_check_fit(&tiny, &towers, W, "x", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "grid of 5, these have 12, 10 and 6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upsample), cmocka_unit_test(test_decoder_gradient), cmocka_unit_test(test_prompt_gradient),
        cmocka_unit_test(test_threads),  cmocka_unit_test(test_few_shot),         cmocka_unit_test(test_config),
        cmocka_unit_test(test_fit),      cmocka_unit_test(test_bias),             cmocka_unit_test(test_two_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
