/* Training of a voice: a run that was stopped goes on with the same bits, another run is refused, the bundle opens and
 * talks, and what the trainer is made of: truths of masks, drawn maps, losses against their definitions. */
#include "../model/tiny_language.h"

#include <math.h>

#include "detect/regions.h"
#include "flaw/metrics.h"
#include "flaw/train_voice.h"
#include "inspect/eyes.h"
#include "learn/voice/voice_loss.h"
#include "learn/voice/voice_train_state.h"
#include "learn/voice/voice_truth.h"
#include "model/bundle/language_part.h"
#include "model/tower/prepare.h"
#include "model/voice/voice_read.h"

static const char *dialogue(char out[1024])
{
    const char *root = getenv("FLAW_SOURCE");
    snprintf(out, 1024, "%s/models/dialogue.txt", root ? root : ".");
    return out;
}

/* A tiny language model in a bundle; its context is long, for it spells every word. */
static void write_language(const char *path, int seed)
{
    flaw_error err = {0};
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_REF);
    flaw_language_shape shape = tiny_language;
    shape.context = 1200;
    flaw_language *m = tiny_trained(&shape, seed, &c);
    m->pieces = tiny_pieces();
    m->bos = 1;
    m->eos = 2;
    assert_ok(flaw_language_bundle_write(path, m, FLAW_KEEP_F32, NULL, &err));
    flaw_language_close(m);
    flaw_compute_close(&c);
}

typedef struct watch {
    int64_t stop_at;
    double words;
    int reports;
} watch;

static void on_report(void *context, const flaw_voice_train_report *r)
{
    watch *w = context;
    w->words = r->words;
    w->reports++;
    assert_true(isfinite(r->words) && r->samples_per_second > 0);
    if (r->step == w->stop_at) w->stop_at = -1;
}

static bool on_stop(void *context)
{
    return ((watch *)context)->stop_at == -1;
}

static flaw_voice_train_options small_run(const char *folder, const char *language, char lists[1024])
{
    flaw_voice_train_options o;
    flaw_voice_train_options_init(&o);
    o.folder = folder;
    o.language = language;
    o.dialogue = dialogue(lists);
    o.steps = 4;
    o.warmup = 1;
    o.batch = 2;
    o.accumulate = 2;
    o.window = 2;
    o.fresh = 0.25;
    o.ground_share = 0.4;
    o.language_rate = 0.5f;
    o.threads = 2;
    o.log_every = 1;
    o.evaluate_every = 0;
    memcpy(o.channels, (const int[]){2, 4, 4, 8, 8}, sizeof o.channels);
    return o;
}

/* The same lists with a comment behind: other bytes. */
static const char *longer_dialogue(char path[512], const char *folder, const char *from)
{
    flaw_error err = {0};
    flaw_bytes text;
    flaw_buffer longer;
    assert_ok(flaw_file_read(&text, from, 1 << 24, &err));
    flaw_buffer_init(&longer, 1 << 24);
    flaw_buffer_text(&longer, (const char *)text.data);
    flaw_buffer_text(&longer, "\n# once more\n");
    assert_ok(flaw_file_write(in_folder(path, folder, "longer.txt"), longer.data, longer.size, &err));
    flaw_buffer_release(&longer);
    flaw_bytes_release(&text);
    return path;
}

static void test_resume(void **state)
{
    char language[512], other[512], whole[512], halves[512], a[600], b[600], lists[1024];
    flaw_error err = {0};
    write_language(in_folder(language, *state, "language.safetensors"), 3);
    watch first = {.stop_at = 0}, second = {.stop_at = 2};
    flaw_voice_train_callbacks callbacks = {.context = &first, .report = on_report, .stop = on_stop};
    flaw_voice_train_options o = small_run(in_folder(whole, *state, "whole"), language, lists);
    assert_ok(flaw_voice_train_run(&o, &callbacks, &err));
    callbacks.context = &second;
    o.folder = in_folder(halves, *state, "halves");
    o.threads = 1; /* any number of threads: the same bits */
    assert_ok(flaw_voice_train_run(&o, &callbacks, &err));
    assert_int_equal(second.reports, 3); /* asked between the step and its report */
    second.stop_at = 0;
    assert_ok(flaw_voice_train_run(&o, &callbacks, &err));
    assert_int_equal(second.reports, 4);
    assert_true(first.words == second.words);
    snprintf(a, sizeof a, "%s/model.safetensors", whole);
    snprintf(b, sizeof b, "%s/model.safetensors", halves);
    same_file(a, b);
    snprintf(a, sizeof a, "%s/loss.png", halves);
    assert_int_equal(access(a, R_OK), 0);
    o.seed = 9;
    assert_int_equal(flaw_voice_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "options");
    o.seed = 1;
    o.dialogue = longer_dialogue(other, *state, lists);
    assert_int_equal(flaw_voice_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "dialogues");
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_anomalygpt m = {0};
    assert_ok(flaw_anomalygpt_open(&m, b, FLAW_KEEP_FILE, &c, &err));
    assert_true(m.voice->shape.fused && m.voice->shape.stage_norm);
    flaw_anomalygpt_close(&m);
    flaw_compute_close(&c);
}

/* Adapters in place of the prompt learner: the same bits after a stop, a bundle without prompts that opens and answers,
 * and nothing of the language model changed but the four projections. */
static void test_adapters(void **state)
{
    char language[512], other[512], whole[512], halves[512], a[600], b[600], lists[1024];
    flaw_error err = {0};
    write_language(in_folder(language, *state, "language.safetensors"), 3);
    watch first = {.stop_at = 0}, second = {.stop_at = 2};
    flaw_voice_train_callbacks callbacks = {.context = &first, .report = on_report, .stop = on_stop};
    flaw_voice_train_options o = small_run(in_folder(whole, *state, "whole"), language, lists);
    o.adapter = 3;
    o.language_rate = 0; /* theirs is then 1 */
    assert_int_equal(flaw_voice_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "drawn maps");
    o.ground_share = 0;
    assert_ok(flaw_voice_train_run(&o, &callbacks, &err));
    callbacks.context = &second;
    o.folder = in_folder(halves, *state, "halves");
    o.threads = 1;
    assert_ok(flaw_voice_train_run(&o, &callbacks, &err));
    assert_int_equal(second.reports, 3);
    write_language(in_folder(other, *state, "other.safetensors"), 4); /* of the same shape */
    o.language = other;
    assert_int_equal(flaw_voice_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "frozen language model");
    o.language = language;
    o.adapter = 2;
    assert_int_equal(flaw_voice_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "options");
    o.adapter = 3;
    second.stop_at = 0;
    assert_ok(flaw_voice_train_run(&o, &callbacks, &err));
    snprintf(a, sizeof a, "%s/model.safetensors", whole);
    snprintf(b, sizeof b, "%s/model.safetensors", halves);
    same_file(a, b);

    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_anomalygpt m = {0};
    flaw_language *base = NULL, *before = NULL, *after = NULL;
    assert_ok(flaw_anomalygpt_open(&m, b, FLAW_KEEP_FILE, &c, &err));
    assert_int_equal(flaw_voice_prompts(&m.voice->shape), 0);
    assert_ok(flaw_language_open(&base, language, FLAW_KEEP_FILE, NULL, &c, &err));
    assert_ok(flaw_language_thaw(&before, base, &err));
    assert_ok(flaw_language_thaw(&after, m.language, &err));
    for (size_t i = 0; i < before->list.count; i++) {
        const flaw_parameter *p = &before->list.item[i];
        bool same = !memcmp(before->weights + p->offset, after->weights + p->offset, p->count * sizeof(float));
        bool adapted = strstr(p->name, "qkv.w") || strstr(p->name, "out.w");
        if (same == adapted) fail_msg("'%s' %s", p->name, same ? "did not change" : "changed");
    }
    flaw_language_close(before);
    flaw_language_close(after);
    flaw_language_close(base);
    flaw_anomalygpt_close(&m);
    flaw_compute_close(&c);

    o = small_run(whole, b, lists); /* a voice without a prompt learner is no start for one */
    assert_int_equal(flaw_voice_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "no prompt learner");
}

/* The prompt learner of a voice that is trained on is dropped, the rest of it kept. */
static void test_dropped_prompts(void **state)
{
    flaw_error err = {0};
    flaw_voice *v = NULL, *kept = NULL;
    flaw_voice_shape shape = {.width = 8, .joint = 6, .grid = 7, .side = 224, .words = 24, .base = 2, .scale = 30,
                              .channels = {2, 2, 2, 2, 2, 24}, .share = {0.25f, 0.25f, 0.25f, 0.25f}, .few_shot_gain = 2,
                              .bias = 1.5f};
    assert_ok(flaw_voice_new(&v, &shape, &err));
    assert_ok(flaw_voice_new(&kept, &shape, &err));
    for (size_t i = 0; i < v->list.total; i++) kept->weights[i] = v->weights[i] = (float)i;
    assert_ok(flaw_voice_drop_prompts(&v, &err));
    assert_int_equal(v->list.count, 2 * FLAW_STAGES + 2);
    assert_memory_equal(v->view.decoder_w[3], kept->view.decoder_w[3], 48 * sizeof(float));
    assert_memory_equal(v->view.project_w, kept->view.project_w, 24 * 6 * sizeof(float));
    assert_memory_equal(v->view.project_b, kept->view.project_b, 24 * sizeof(float));
    assert_true(v->shape.base == 0 && v->shape.channels[5] == 0 && v->shape.bias > 1);
    assert_ok(flaw_voice_drop_prompts(&v, &err));
    v->shape.channels[2] = 1;
    assert_int_equal(flaw_voice_shape_check(&v->shape, "x", &err), FLAW_BAD_DATA);
    flaw_voice_close(v);
    flaw_voice_close(kept);
}

static void test_refusals(void **state)
{
    char lists[1024];
    flaw_error err = {0};
    flaw_voice_train_options o = small_run(*state, "no such file", lists);
    assert_int_equal(flaw_voice_train_run(&o, NULL, &err), FLAW_MISSING);
    o.warmup = 4;
    assert_int_equal(flaw_voice_train_run(&o, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "4 warm-up steps of 4");
    o = small_run("", "x", lists);
    assert_int_equal(flaw_voice_train_run(&o, NULL, &err), FLAW_USAGE);
    o = small_run(*state, "x", lists);
    o.ground_share = 2;
    assert_int_equal(flaw_voice_train_run(&o, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "share of drawn maps is 2");
}

/* Several views: the decoder must stay as it is, what was stopped goes on with the same bits, and a run on joined maps is
 * another run. */
static void test_views(void **state)
{
    char language[512], whole[512], halves[512], a[600], b[600], lists[1024];
    flaw_error err = {0};
    write_language(in_folder(language, *state, "language.safetensors"), 3);
    watch first = {.stop_at = 0}, second = {.stop_at = 2};
    flaw_voice_train_callbacks callbacks = {.context = &first, .report = on_report, .stop = on_stop};
    flaw_voice_train_options o = small_run(in_folder(whole, *state, "whole"), language, lists);
    o.views = 2;
    assert_int_equal(flaw_voice_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "decoder rate");
    o.decoder_rate = 0;
    o.views = 3;
    assert_int_equal(flaw_voice_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "3 views");
    o.views = 1;
    o.even_levels = true;
    assert_int_equal(flaw_voice_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "levels");
    o.views = 2;
    o.ground_share = 0.2;
    o.swap_share = 0.5;
    assert_ok(flaw_voice_train_run(&o, &callbacks, &err));
    callbacks.context = &second;
    o.folder = in_folder(halves, *state, "halves");
    o.threads = 1;
    assert_ok(flaw_voice_train_run(&o, &callbacks, &err));
    o.even_levels = false;
    assert_int_equal(flaw_voice_train_run(&o, &callbacks, &err), FLAW_USAGE);
    assert_contains(err.text, "options");
    o.even_levels = true;
    second.stop_at = 0;
    assert_ok(flaw_voice_train_run(&o, &callbacks, &err));
    assert_true(first.words == second.words);
    snprintf(a, sizeof a, "%s/model.safetensors", whole);
    snprintf(b, sizeof b, "%s/model.safetensors", halves);
    same_file(a, b);
}

/* A picture's map as training joins it, and as a dialogue makes it: the same bits. */
static void test_views_as_used(void **state)
{
    enum { VIEWS = 7 };
    flaw_error err = {0};
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_anomalygpt m = {0};
    flaw_scene scene;
    flaw_scene_options drawing;
    flaw_eyes eyes;
    flaw_voice_looks looks;
    flaw_sight sight;
    const flaw_talk_options options = {.views = VIEWS};
    flaw_scene_options_init(&drawing);
    drawing.anomalous = 1;
    assert_ok(flaw_scene_draw(&scene, &drawing, 5, &err));
    assert_ok(flaw_anomalygpt_open(&m, NULL, FLAW_KEEP_FILE, &c, &err));
    const flaw_voice_shape *v = &m.voice->shape;
    assert_ok(flaw_eyes_open(&eyes, &m, &c, &options, "bottle", &err));
    assert_ok(flaw_eyes_look(&eyes, &scene.picture, &err));
    assert_ok(flaw_voice_looks_open(&looks, m.towers, m.voice, &c, VIEWS, &err));
    assert_ok(flaw_sight_new(&sight, v, &err));
    size_t area = (size_t)v->side * (size_t)v->side, cells = (size_t)flaw_views_cells(v);
    float *pixels = malloc(VIEWS * 3 * area * sizeof *pixels), *map = malloc(area * sizeof *map);
    float *joined = malloc(FLAW_STAGES * cells * cells * sizeof *joined);
    flaw_prepare_normalise(pixels, &scene.picture, &m.towers->shape.prepare);
    assert_ok(flaw_voice_looks_cut(pixels, &looks, &err));
    flaw_voice_looks_take(&looks, &c, pixels, eyes.text, &sight, joined);
    flaw_decoder_map_of(&c, m.voice, joined, (int)cells, map, looks.work);
    assert_memory_equal(map, eyes.map, area * sizeof *map);
    assert_memory_equal(sight.embedding, eyes.sight.embedding, (size_t)v->joint * sizeof(float));
    free(pixels);
    free(map);
    free(joined);
    flaw_sight_release(&sight);
    flaw_voice_looks_close(&looks);
    flaw_eyes_close(&eyes);
    flaw_anomalygpt_close(&m);
    flaw_scene_release(&scene);
    flaw_compute_close(&c);
}

static void rectangle(uint8_t *mask, int side, int x, int y, int w, int h)
{
    for (int k = y; k < y + h; k++) memset(mask + k * side + x, 255, (size_t)w);
}

static void test_truth(void **state)
{
    enum { SIDE = 224 };
    static uint8_t mask[SIDE * SIDE];
    flaw_truth t = {.object = "nut"};
    flaw_error err = {0};
    assert_ok(flaw_truth_of_mask(&t, mask, SIDE, &err));
    assert_int_equal(t.count, 0);
    rectangle(mask, SIDE, 10, 10, 20, 20);
    rectangle(mask, SIDE, 40, 10, 10, 20); /* ten pixels away: the same one */
    rectangle(mask, SIDE, 180, 180, 40, 40);
    rectangle(mask, SIDE, 100, 20, 3, 3); /* a speck */
    assert_ok(flaw_truth_of_mask(&t, mask, SIDE, &err));
    assert_int_equal(t.count, 2);
    assert_string_equal(t.object, "nut");
    assert_string_equal(t.anomaly[0].place, "bottom right");
    assert_string_equal(t.anomaly[1].place, "top left");
    assert_true(fabs(t.anomaly[0].area - 1600.0 / (SIDE * SIDE)) < 1e-9);
    assert_true(fabs(t.anomaly[1].area - 600.0 / (SIDE * SIDE)) < 1e-9);
    memset(mask, 0, sizeof mask);
    for (int i = 0; i < 9; i++) rectangle(mask, SIDE, 5 + i % 3 * 80, 5 + i / 3 * 80, 20, 20);
    assert_ok(flaw_truth_of_mask(&t, mask, SIDE, &err));
    assert_in_range(t.count, 1, FLAW_TRUTH_ANOMALIES);
}

static void test_drawn_maps(void **state)
{
    enum { SIDE = 224, GRID = 14, MANY = 200 };
    static float map[SIDE * SIDE];
    int seen[4] = {0};
    flaw_random r;
    flaw_random_init(&r, 5, 5);
    for (int i = 0; i < MANY; i++) {
        flaw_truth t = {.object = "nut"};
        flaw_error err = {0};
        flaw_truth_draw_map(&t, map, GRID, SIDE, &r);
        assert_ok(flaw_truth_check(&t, &err));
        assert_in_range(t.count, 0, 3);
        seen[t.count]++;
        float top = 0;
        for (int k = 0; k < SIDE * SIDE; k++) {
            assert_true(map[k] >= 0 && map[k] <= 1);
            top = fmaxf(top, map[k]);
        }
        if (t.count == 0) assert_true(top < 0.9f);
    }
    for (int i = 0; i < 4; i++) assert_true(seen[i] > 5);
}

/* Maps drawn as joined ones: the largest value tells the anomalous from the others, and lies at the place that is told where
 * there is one. */
static void test_drawn_joined_maps(void **state)
{
    enum { SIDE = 224, GRID = 14, CELLS = 56, MANY = 200 };
    static float map[SIDE * SIDE];
    float score[MANY];
    uint8_t label[MANY];
    int seen[4] = {0}, alone = 0, there = 0;
    flaw_random r;
    flaw_random_init(&r, 5, 5);
    for (int i = 0; i < MANY; i++) {
        flaw_truth t = {.object = "nut"};
        flaw_error err = {0};
        flaw_truth_draw_joined(&t, map, GRID, CELLS, SIDE, &r);
        assert_ok(flaw_truth_check(&t, &err));
        assert_in_range(t.count, 0, 3);
        seen[t.count]++;
        int top = 0;
        for (int k = 0; k < SIDE * SIDE; k++) {
            assert_true(map[k] >= 0 && map[k] <= 1);
            if (map[k] > map[top]) top = k;
        }
        score[i] = map[top];
        label[i] = t.count > 0;
        if (t.count != 1) continue;
        alone++;
        there += !strcmp(t.anomaly[0].place, flaw_place_name((top % SIDE + 0.5) / SIDE, (top / SIDE + 0.5) / SIDE));
    }
    double auroc;
    flaw_error err = {0};
    assert_ok(flaw_auroc(&auroc, score, label, MANY, &err));
    assert_true(auroc > 0.97);
    assert_true(there > alone * 3 / 4); /* the top of a wide one may lie in the next place */
    for (int i = 0; i < 4; i++) assert_true(seen[i] > 5);
}

/* AnomalyGPT's focal loss on two channels, and dice, by their definitions. */
static double focal_by_definition(const float *p, const uint8_t *mask, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double hot[2] = {mask[i] ? 1e-5 : 1 - 1e-5, mask[i] ? 1 - 1e-5 : 1e-5};
        double pt = hot[0] * (1 - (double)p[i]) + hot[1] * (double)p[i] + 1e-5;
        sum += -(1 - pt) * (1 - pt) * log(pt);
    }
    return sum / n;
}

static double dice_by_definition(const float *p, const uint8_t *mask, int n)
{
    double both = 0, sum = 0;
    for (int i = 0; i < n; i++) {
        both += (double)p[i] * mask[i];
        sum += (double)p[i] + mask[i];
    }
    return 1 - (2 * both + 1) / (sum + 1);
}

static void test_losses(void **state)
{
    enum { N = 40 };
    float p[N], dp[N] = {0};
    uint8_t mask[N];
    flaw_random r;
    flaw_random_init(&r, 1, 1);
    for (int i = 0; i < N; i++) {
        p[i] = (float)flaw_random_range(&r, 0.02, 0.98);
        mask[i] = (uint8_t)flaw_random_below(&r, 2);
    }
    double (*const loss[])(const float *, const uint8_t *, int) = {focal_by_definition, dice_by_definition};
    for (int kind = 0; kind < 2; kind++) {
        memset(dp, 0, sizeof dp);
        double got = kind ? flaw_map_dice_loss(N, p, mask, 3, dp) : flaw_map_focal_loss(N, p, mask, 3, dp);
        assert_true(fabs(got - 3 * loss[kind](p, mask, N)) < 1e-5);
        for (int i = 0; i < N; i++) {
            float kept = p[i];
            p[i] = kept + 1e-3f;
            double up = loss[kind](p, mask, N);
            p[i] = kept - 1e-3f;
            double down = loss[kind](p, mask, N), width = (double)(kept + 1e-3f) - (double)(kept - 1e-3f);
            p[i] = kept;
            assert_true(fabs(3 * (up - down) / width - (double)dp[i]) < 2e-3 * (fabs((double)dp[i]) + 1e-2));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_resume, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_adapters, make_scratch, remove_scratch),
        cmocka_unit_test(test_dropped_prompts),
        cmocka_unit_test_setup_teardown(test_refusals, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_views, make_scratch, remove_scratch),
        cmocka_unit_test(test_views_as_used),
        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_drawn_maps),
        cmocka_unit_test(test_drawn_joined_maps),
        cmocka_unit_test(test_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
