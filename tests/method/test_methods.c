/* Properties of the methods on the tiny CLIP of the tree: what must hold whatever the weights are (spec, section 5). */
#include "../inspect/check.h"

#include "base/buffer.h"
#include "method/association.h"
#include "method/gridmap.h"

static flaw_engine *engine; /* tiny CLIP, 4 x 4 patches */

enum { CELLS = 16 };

typedef struct judged {
    double image;
    float map[CELLS];
} judged;

static flaw_inspector *open_with(const flaw_inspect_options *o)
{
    flaw_inspector *in = NULL;
    flaw_error err = {0};
    assert_ok(flaw_inspector_new(&in, engine, o, NULL, NULL, &err));
    return in;
}

static judged look(flaw_inspector *in, const flaw_picture *p)
{
    flaw_score score = measure(in, p);
    judged j = {.image = score.image};
    memcpy(j.map, score.map, sizeof j.map);
    return j;
}

/* Opens, looks once, closes. */
static judged look_once(const flaw_inspect_options *o, const flaw_picture *p)
{
    flaw_inspector *in = open_with(o);
    judged j = look(in, p);
    flaw_inspector_free(in);
    return j;
}

static flaw_inspect_options options_of(const char *method)
{
    flaw_inspect_options o;
    flaw_inspect_defaults(&o);
    o.method = method;
    o.object = "bottle";
    return o;
}

static void assert_near(const judged *a, const judged *b, double within)
{
    assert_true(fabs(a->image - b->image) <= within);
    for (int i = 0; i < CELLS; i++) assert_true(fabs(a->map[i] - b->map[i]) <= within);
}

/* Features do not depend on which pictures share a batch, and go with their picture (the batch-first trap). */
static void test_batch(void **state)
{
    enum { N = 5 };
    const int want = FLAW_WANT_CLS | FLAW_WANT_PATCHES | FLAW_WANT_STAGES | FLAW_WANT_LAST | FLAW_WANT_WINDOWS;
    flaw_picture square[N], turned[N];
    flaw_features one, all[N], other[N];
    flaw_encoder single, batch;
    flaw_error err = {0};
    for (int i = 0; i < N; i++) square[i] = draw(32, 32, (unsigned)i, i == 2 ? 6 : 0);
    for (int i = 0; i < N; i++) turned[i] = square[(i + 2) % N];
    assert_ok(flaw_encoder_open(&single, engine->model, &engine->compute, want, 1, &err));
    assert_ok(flaw_encoder_open(&batch, engine->model, &engine->compute, want, N, &err));
    assert_ok(flaw_features_new(&one, engine->model, want, &err));
    for (int i = 0; i < N; i++) assert_ok(flaw_features_new(&all[i], engine->model, want, &err));
    for (int i = 0; i < N; i++) assert_ok(flaw_features_new(&other[i], engine->model, want, &err));
    size_t joint = (size_t)one.joint, width = (size_t)one.width,
           floats = joint + CELLS * joint + 4 * CELLS * width + 13 * joint;
    assert_ok(flaw_encoder_run(&batch, square, N, all, &err));
    assert_ok(flaw_encoder_run(&batch, turned, N, other, &err));
    for (int i = 0; i < N; i++) {
        assert_ok(flaw_encoder_run(&single, &square[i], 1, &one, &err));
        assert_true(one.sound && all[i].sound);
        assert_memory_equal(one.memory, all[i].memory, floats * sizeof(float));
        assert_memory_equal(all[(i + 2) % N].memory, other[i].memory, floats * sizeof(float));
    }
    /* Windows differ from each other: they hold content. */
    double spread = 0;
    for (size_t d = 0; d < joint; d++) {
        double mean = 0, square_sum = 0;
        for (int w = 0; w < 9; w++) {
            double v = all[2].window[0][(size_t)w * joint + d];
            mean += v / 9;
            square_sum += v * v / 9;
        }
        spread = fmax(spread, sqrt(fmax(0, square_sum - mean * mean)));
    }
    assert_true(spread > 1e-3);
    assert_int_equal(flaw_encoder_run(&single, square, 2, all, &err), FLAW_INTERNAL);
    for (int i = 0; i < N; i++) {
        flaw_picture_release(&square[i]);
        flaw_features_release(&all[i]);
        flaw_features_release(&other[i]);
    }
    flaw_features_release(&one);
    flaw_encoder_close(&single);
    flaw_encoder_close(&batch);
}

/* The aligner's limit: a huge lambda is no aligner; the default one does something. */
static void test_alfa_lambda(void **state)
{
    flaw_picture p = draw(64, 48, 3, 8);
    flaw_inspect_options o = options_of("alfa");
    judged with = look_once(&o, &p);
    o.lambda = 1e9;
    judged huge = look_once(&o, &p);
    o.lambda = INFINITY;
    judged none = look_once(&o, &p);
    assert_near(&huge, &none, 1e-5);
    double apart = 0;
    for (int i = 0; i < CELLS; i++) apart = fmax(apart, fabs(with.map[i] - none.map[i]));
    assert_true(apart > 1e-5);
    assert_true(with.image == none.image); /* the aligner moves the map only */
    flaw_picture_release(&p);
}

static void write_prompts(const char *path, const char *first, const char *second, bool backwards)
{
    flaw_buffer b;
    flaw_error err = {0};
    flaw_buffer_init(&b, 1 << 20);
    flaw_buffer_text(&b, "{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"*\"");
    for (int side = 0; side < 2; side++) {
        flaw_buffer_printf(&b, ",\"%s\":[", side ? "abnormal" : "normal");
        for (int i = 0; i < 8; i++)
            flaw_buffer_printf(&b, "%s\"a %s {} of kind %c%d\"", i ? "," : "", side ? second : first,
                               "abcdefgh"[backwards ? 7 - i : i], backwards ? 7 - i : i);
        flaw_buffer_text(&b, "]");
    }
    flaw_buffer_text(&b, "}]}");
    assert_ok(flaw_file_write(path, b.data, b.size, &err));
    flaw_buffer_release(&b);
}

/* The order of the sentences changes nothing; swapping the two lists turns s into 1 - s. */
static void test_alfa_sentences(void **state)
{
    static const char *const rules[] = {"none", "overlap", "relevance", "soft"};
    char plain[512], turned[512], swapped[512];
    flaw_picture p = draw(40, 40, 5, 7);
    write_prompts(in_folder(plain, *state, "plain.json"), "good", "bad", false);
    write_prompts(in_folder(turned, *state, "turned.json"), "good", "bad", true);
    write_prompts(in_folder(swapped, *state, "swapped.json"), "bad", "good", false);
    for (int i = 0; i < 4; i++) {
        flaw_inspect_options o = options_of("alfa");
        o.rule = rules[i];
        o.windows = "off";
        o.lambda = INFINITY;
        o.prompts = plain;
        judged a = look_once(&o, &p);
        o.prompts = turned;
        judged b = look_once(&o, &p);
        assert_near(&a, &b, 1e-5);
        o.prompts = swapped;
        b = look_once(&o, &p);
        b.image = 1 - b.image;
        for (int k = 0; k < CELLS; k++) b.map[k] = 1 - b.map[k];
        assert_near(&a, &b, 1e-5);
    }
    flaw_picture_release(&p);
}

/* `closest` is the abnormal sentence most like the picture when all weigh the same. */
static void test_closest(void **state)
{
    float picture[20], text[20];
    char path[512];
    flaw_inspect_options o = options_of("alfa");
    flaw_error err = {0};
    write_prompts(in_folder(path, *state, "plain.json"), "good", "bad", false);
    o.prompts = path;
    o.rule = "none";
    o.fit = "crop"; /* as embeddings are made */
    flaw_inspector *in = open_with(&o);
    for (unsigned seed = 0; seed < 6; seed++) {
        flaw_picture p = draw(40, 40, seed, (int)seed * 2);
        flaw_result r;
        char best[64] = "";
        double most = -2;
        assert_ok(flaw_embed_picture(engine, &p, picture, &err));
        for (int i = 0; i < 8; i++) {
            char sentence[64];
            double cosine = 0;
            snprintf(sentence, sizeof sentence, "a bad bottle of kind %c%d", "abcdefgh"[i], i);
            assert_ok(flaw_embed_text(engine, sentence, text, NULL, &err));
            for (int d = 0; d < 20; d++) cosine += (double)picture[d] * text[d];
            if (cosine > most) snprintf(best, sizeof best, "%s", sentence);
            most = fmax(most, cosine);
        }
        assert_ok(flaw_inspector_judge(in, &p, &r, &err));
        assert_string_equal(r.closest, best);
        flaw_result_release(&r);
        flaw_picture_release(&p);
    }
    flaw_inspector_free(in);
}

/* The options choose what the image score is made of. */
static void test_alfa_score(void **state)
{
    flaw_picture p = draw(40, 40, 6, 9);
    flaw_inspect_options o = options_of("alfa");
    judged automatic = look_once(&o, &p);
    o.score = "cls";
    judged cls = look_once(&o, &p);
    o.score = "map";
    judged map = look_once(&o, &p);
    o.score = "both";
    judged both = look_once(&o, &p);
    assert_true(automatic.image == cls.image);
    assert_true(map.image != cls.image);
    assert_true((both.image > cls.image) == (map.image > cls.image) &&
                (both.image > map.image) == (cls.image > map.image));
    double want = (log(cls.image / (1 - cls.image)) + log(map.image / (1 - map.image))) / 2;
    assert_true(fabs(both.image - 1 / (1 + exp(-want))) < 1e-9);
    o.windows = "off";
    judged without = look_once(&o, &p);
    assert_true(memcmp(without.map, both.map, sizeof both.map) != 0);
    flaw_picture_release(&p);
}

/* Zero-shot image scores of all methods keep their order when tau changes; scores move away from 1/2 as tau falls. */
static void test_tau(void **state)
{
    static const char *const methods[] = {"winclip", "alfa"};
    flaw_picture p = draw(40, 40, 7, 5);
    for (int i = 0; i < 2; i++) {
        flaw_inspect_options o = options_of(methods[i]);
        judged warm = look_once(&o, &p);
        o.tau = 0.01;
        judged cold = look_once(&o, &p);
        assert_true((warm.image > 0.5) == (cold.image > 0.5));
        assert_true(fabs(cold.image - 0.5) > fabs(warm.image - 0.5));
    }
    flaw_picture_release(&p);
}

/* Part number 0 of the good ones again: nothing of it is far from memory. Association maps hold that 0 too. */
static void test_reference_itself(void **state)
{
    good_files good;
    draw_good(&good, *state, 3);
    flaw_error err = {0};
    flaw_picture itself, other = draw(48, 40, 999, 14);
    assert_ok(flaw_picture_read(&itself, good.path[0], &err));
    flaw_inspect_options o = options_of("few-shot");
    o.good = good.path;
    o.good_count = good.count;
    flaw_inspector *in = open_with(&o);
    judged a = look(in, &itself), b = look(in, &other);
    assert_true(fabs(a.image) < 1e-5);
    for (int i = 0; i < CELLS; i++) assert_true(fabs(a.map[i]) < 1e-5 && b.map[i] <= b.image + 1e-9);
    assert_true(b.image > 10 * fabs(a.image) && b.image > 0.01);
    flaw_inspector_free(in);
    static const char *const plus[][2] = {{"winclip+", "winclip"}, {"alfa+", "alfa"}};
    for (int i = 0; i < 2; i++) {
        o.method = plus[i][0];
        judged with = look_once(&o, &itself), far = look_once(&o, &other);
        flaw_inspect_options zero = options_of(plus[i][1]);
        judged without = look_once(&zero, &itself), far_without = look_once(&zero, &other);
        assert_true(fabs(2 * with.image - without.image) < 1e-4);
        for (int k = 0; k < CELLS; k++) assert_true(fabs(with.map[k] - without.map[k]) < 1e-4);
        double most = 0;
        for (int k = 0; k < CELLS; k++) most = fmax(most, far.map[k] - far_without.map[k]);
        assert_true(most > 0.001 && fabs(2 * far.image - far_without.image - most) < 1e-5);
    }
    flaw_picture_release(&itself);
    flaw_picture_release(&other);
}

/* The association of opposite vectors is 1, of equal ones 0, whatever the space. */
static void test_association_ends(void **state)
{
    const int want = flaw_association_wants(true) | flaw_association_wants(false);
    for (int windows = 0; windows < 2; windows++) {
        flaw_association a;
        flaw_features good, opposite;
        flaw_error err = {0};
        double map[CELLS] = {0}, spare[CELLS], image = 0.5;
        flaw_inspect_options o = options_of("winclip+");
        assert_ok(flaw_features_new(&good, engine->model, want, &err));
        assert_ok(flaw_features_new(&opposite, engine->model, want, &err));
        size_t joint = (size_t)good.joint, width = (size_t)good.width, floats = 4 * CELLS * width + 13 * joint;
        for (size_t i = 0; i < floats; i++) { /* every row the first unit vector */
            size_t stages = 4 * CELLS * width;
            bool first = i < stages ? i % width == 0 : (i - stages) % joint == 0;
            good.memory[i] = first ? 1 : 0;
            opposite.memory[i] = first ? -1 : 0;
        }
        const flaw_features *parts[1] = {&good};
        const flaw_lesson lesson = {.good = parts, .count = 1};
        assert_ok(flaw_association_open(&a, &engine->model->shape, &engine->compute, &o, windows, &err));
        assert_int_equal(flaw_association_join(&a, &good, map, spare, &image, &err),
                         FLAW_USAGE); /* nothing learnt yet */
        assert_ok(flaw_association_learn(&a, &lesson, &err));
        assert_ok(flaw_association_join(&a, &opposite, map, spare, &image, &err));
        for (int i = 0; i < CELLS; i++) assert_true(fabs(map[i] - 1) < 1e-6);
        assert_true(fabs(image - 0.75) < 1e-6);
        assert_ok(flaw_association_join(&a, &good, map, spare, &image, &err));
        for (int i = 0; i < CELLS; i++) assert_true(fabs(map[i] - 1) < 1e-5);
        assert_true(fabs(image - 0.375) < 1e-5);
        flaw_association_close(&a);
        flaw_features_release(&good);
        flaw_features_release(&opposite);
    }
}

/* One far patch in a corner, where smoothing keeps most of it: the map stays under the image score all the same. */
static void test_map_under_score(void **state)
{
    good_files good;
    flaw_error err = {0};
    draw_good(&good, *state, 2);
    flaw_inspect_options o = options_of("few-shot");
    o.good = good.path;
    o.good_count = good.count;
    flaw_inspector *in = open_with(&o);
    flaw_picture p;
    assert_ok(flaw_picture_read(&p, good.path[0], &err));
    look(in, &p);
    for (int s = 0; s < FLAW_BANK_STAGES; s++)
        for (int d = 0; d < in->features.width; d++) in->features.stage[s][d] *= -1;
    flaw_score score = {.map = in->map};
    assert_ok(in->method->score(in->state, &in->features, &score, &err));
    assert_true(score.image > 0.1);
    for (int i = 0; i < CELLS; i++) assert_true((double)score.map[i] <= score.image + 1e-7);
    assert_true(score.map[0] > score.map[10]);
    flaw_picture_release(&p);
    flaw_inspector_free(in);
}

/* A bank over its limit is cut to it; a picture of the memory stays near, results stay usable. */
static void test_bank_limit(void **state)
{
    good_files good;
    draw_good(&good, *state, 6);
    flaw_inspect_options o = options_of("few-shot");
    flaw_picture bad = draw(48, 40, 7, 14);
    o.good = good.path;
    o.good_count = good.count;
    judged all = look_once(&o, &bad);
    o.bank_limit = 24;
    judged cut = look_once(&o, &bad), again = look_once(&o, &bad);
    flaw_inspector *in = open_with(&o);
    flaw_record record;
    flaw_error err = {0};
    const float *rows;
    size_t count;
    flaw_record_init(&record);
    assert_ok(in->method->save(in->state, &record, &err));
    for (int i = 0; i < FLAW_BANK_STAGES; i++) {
        char name[16];
        snprintf(name, sizeof name, "bank.%d", i);
        assert_ok(flaw_record_table(&record, name, 0, &rows, &count, &err));
        assert_int_equal(count, 24);
    }
    flaw_record_release(&record);
    flaw_inspector_free(in);
    assert_near(&cut, &again, 0);
    assert_true(cut.image >= all.image - 1e-6 && cut.image < all.image + 0.3);
    flaw_picture_release(&bad);
}

static void test_table(void **state)
{
    const int count = flaw_method_count();
    assert_true(count >= 6);
    for (int i = 0; i < flaw_method_count(); i++) {
        assert_non_null(flaw_method_about(i));
        assert_ptr_equal(flaw_method_find(flaw_method_name(i)), flaw_method_at(i));
        flaw_method_facts facts = flaw_method_tell(i);
        assert_string_equal(facts.name, flaw_method_name(i));
        assert_true(facts.paper && *facts.paper);
        assert_int_equal(flaw_method_needs(facts.name), facts.needs);
        assert_int_equal((facts.needs & FLAW_NEEDS_GOOD) != 0, flaw_method_at(i)->needs_good);
    }
    assert_null(flaw_method_name(count));
    assert_null(flaw_method_tell(count).name);
    assert_int_equal(flaw_method_needs("auto"), 0);
    for (int i = 0; flaw_method_absent(i).name; i++) { /* what is not there is not in the table either, and says why */
        const flaw_method *m;
        flaw_error err = {0};
        assert_null(flaw_method_find(flaw_method_absent(i).name));
        assert_int_equal(flaw_method_choose(&m, flaw_method_absent(i).name, engine->model, 1, &err), FLAW_USAGE);
        assert_contains(err.text, flaw_method_absent(i).reason);
    }
    assert_null(flaw_method_name(-1));
}

/* "auto" and the refusals, on a model with text, one without, and one with a local head (the embedded default). */
static void test_choose(void **state)
{
    const flaw_method *m;
    flaw_error err = {0};
    flaw_engine *timm = open_tiny_engine("timm"), *local = open_engine("");
    const flaw_clip *text = engine->model, *pictures = timm->model;
    assert_true(local->model->shape.local_head);
    assert_ok(flaw_method_choose(&m, NULL, text, 0, &err));
    assert_string_equal(m->name, "alfa");
    assert_ok(flaw_method_choose(&m, "auto", text, 2, &err));
    assert_string_equal(m->name, "few-shot");
    assert_ok(flaw_method_choose(&m, "auto", pictures, 2, &err));
    assert_string_equal(m->name, "few-shot");
    assert_ok(flaw_method_choose(&m, "", local->model, 2, &err));
    assert_string_equal(m->name, "few-shot+");
    assert_int_equal(flaw_method_choose(&m, "auto", pictures, 0, &err), FLAW_USAGE);
    assert_contains(err.text, "good parts");
    assert_int_equal(flaw_method_choose(&m, "winclip", pictures, 0, &err), FLAW_USAGE);
    assert_contains(err.text, "text tower");
    assert_int_equal(flaw_method_choose(&m, "few-shot+", text, 1, &err), FLAW_USAGE);
    assert_contains(err.text, "local head");
    assert_int_equal(flaw_method_choose(&m, "winclip+", text, 0, &err), FLAW_USAGE);
    assert_int_equal(flaw_method_choose(&m, "fantasy", text, 0, &err), FLAW_USAGE);
    assert_contains(err.text, "fantasy");
    assert_contains(err.text, "few-shot+"); /* what is allowed */
    flaw_engine_close(timm);
    flaw_engine_close(local);
}

/* Few-shot+: words only ever add to distances, add nothing to a part of the memory that has the usual text score, and
 * at no more than their weight. */
static void test_words_over_distances(void **state)
{
    enum { MOST_CELLS = 4096 };
    static float plain[MOST_CELLS];
    good_files good;
    flaw_inspector *in[2] = {NULL, NULL};
    flaw_error err = {0};
    flaw_seen seen;
    flaw_score score;
    bool sound;
    flaw_engine *local = open_engine("");
    flaw_picture bad = draw(90, 90, 31, 20);
    draw_good(&good, *state, 3);
    flaw_inspect_options o = options_of("few-shot");
    o.good = good.path;
    o.good_count = good.count;
    for (int i = 0; i < 2; i++) {
        o.method = i ? "few-shot+" : "few-shot";
        assert_ok(flaw_inspector_new(&in[i], local, &o, NULL, NULL, &err));
    }
    int cells = local->model->shape.grid * local->model->shape.grid;
    assert_true(cells <= MOST_CELLS);
    assert_ok(flaw_inspector_measure(in[0], &bad, &seen, &score, &sound, &err));
    memcpy(plain, score.map, (size_t)cells * sizeof(float));
    double distance = score.image;
    assert_ok(flaw_inspector_measure(in[1], &bad, &seen, &score, &sound, &err));
    assert_true(score.image >= distance - 1e-9 && score.image <= distance + 0.2);
    for (int i = 0; i < cells; i++)
        assert_true(score.map[i] >= plain[i] - 1e-6 && score.map[i] <= plain[i] + 0.2 + 1e-6);
    flaw_picture itself;
    assert_ok(flaw_picture_read(&itself, good.path[1], &err));
    assert_ok(flaw_inspector_measure(in[1], &itself, &seen, &score, &sound, &err));
    assert_true(score.image < 0.01); /* what good parts reach counts for nothing, however near to "damaged" it is */
    for (int i = 0; i < 2; i++) flaw_inspector_free(in[i]);
    flaw_picture_release(&itself);
    flaw_picture_release(&bad);
    flaw_engine_close(local);
}

static void test_gridmap(void **state)
{
    double flat[16], out[16], point[16] = {[5] = 16};
    for (int i = 0; i < 16; i++) flat[i] = 0.3;
    flaw_gridmap_smooth(out, flat, 4);
    for (int i = 0; i < 16; i++) assert_true(fabs(out[i] - 0.3) < 1e-12);
    flaw_gridmap_smooth(out, point, 4);
    assert_true(out[5] == 4 && out[6] == 2 && out[1] == 2 && out[0] == 1 && out[10] == 1 && out[7] == 0);
    const double values[6] = {1, 5, 5, 2, 5, 3};
    assert_true(flaw_gridmap_top(values, 6, 1) == 5 && flaw_gridmap_top(values, 6, 2) == 5);
    assert_true(flaw_gridmap_top(values, 6, 4) == 4.5 && flaw_gridmap_top(values, 6, 100) == 3.5);
    const double broken[3] = {1, NAN, 2};
    assert_true(isnan(flaw_gridmap_top(broken, 3, 2)) && isnan(flaw_gridmap_peak(broken, 3)));
    assert_true(flaw_gridmap_peak(values, 6) == 5);
}

static int open_it(void **state)
{
    engine = open_tiny_engine("open_clip");
    return engine ? 0 : -1;
}

static int close_it(void **state)
{
    flaw_engine_close(engine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_alfa_lambda),
        cmocka_unit_test_setup_teardown(test_alfa_sentences, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_closest, make_scratch, remove_scratch),
        cmocka_unit_test(test_alfa_score),
        cmocka_unit_test(test_association_ends),
        cmocka_unit_test_setup_teardown(test_map_under_score, make_scratch, remove_scratch),
        cmocka_unit_test(test_tau),
        cmocka_unit_test_setup_teardown(test_reference_itself, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_bank_limit, make_scratch, remove_scratch),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_choose),
        cmocka_unit_test_setup_teardown(test_words_over_distances, make_scratch, remove_scratch),
        cmocka_unit_test(test_gridmap),
    };
    return cmocka_run_group_tests(tests, open_it, close_it);
}
