/* Why a score: leaving a sentence out is what a set without it gives, pulls make the margin, and what must not matter
 * does not. */
#include "check.h"

#include "base/buffer.h"
#include "flaw/explain.h"
#include "record/recipe.h"

enum { SENTENCES = 6 }; /* of a side */

static flaw_engine *tiny, *own; /* tiny CLIP; the embedded model, which has a local head */

typedef struct arm {
    const char *method, *rule, *windows, *score;
    double lambda;
    bool embedded; /* needs or takes the embedded model */
    bool good;
} arm;

static const arm ARMS[] = {
    {"winclip", NULL, NULL, NULL, NAN, false, false},
    {"winclip+", NULL, NULL, NULL, NAN, false, true},
    {"alfa", "none", NULL, NULL, NAN, false, false},
    {"alfa", "overlap", NULL, NULL, NAN, false, false},
    {"alfa", "relevance", NULL, NULL, NAN, false, false},
    {"alfa", "soft", NULL, NULL, NAN, false, false},
    {"alfa", "overlap", "on", "both", 1, false, false},
    {"alfa", "soft", "off", "map", INFINITY, false, false},
    {"alfa+", "overlap", NULL, NULL, NAN, false, true},
    {"alfa+", "relevance", "on", "both", 0.3, false, true},
    {"alfa", NULL, NULL, NULL, NAN, true, false},
    {"alfa", "overlap", NULL, NULL, 1, true, false},
    {"few-shot+", NULL, NULL, NULL, NAN, true, true},
};
enum { ARM_COUNT = sizeof ARMS / sizeof *ARMS };

/* Six sentences a side, no two alike, none within another. */
static const char *const WORDS[2][SENTENCES] = {
    {"a clean {}", "a smooth {} of one colour", "a {} fresh from the works", "a photo of a good {}", "an even {}",
     "a whole {} without marks"},
    {"a dirty {}", "a {} with a crack", "a close-up photo of a broken {}", "a {} with a hole in it", "a bent {}",
     "a stained and scratched {}"}};

static void write_prompts(const char *path, bool swapped, bool backwards)
{
    flaw_buffer b;
    flaw_error err = {0};
    flaw_buffer_init(&b, 1 << 16);
    flaw_buffer_text(&b, "{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"*\"");
    for (int c = 0; c < 2; c++) {
        flaw_buffer_printf(&b, ",\"%s\":[", c ? "abnormal" : "normal");
        for (int i = 0; i < SENTENCES; i++)
            flaw_buffer_printf(&b, "%s\"%s\"", i ? "," : "",
                               WORDS[swapped ? 1 - c : c][backwards ? SENTENCES - 1 - i : i]);
        flaw_buffer_text(&b, "]");
    }
    flaw_buffer_text(&b, "}]}");
    assert_ok(flaw_file_write(path, b.data, b.size, &err));
    flaw_buffer_release(&b);
}

static flaw_inspect_options options_of(const arm *a, const char *prompts, const good_files *good)
{
    flaw_inspect_options o;
    flaw_inspect_defaults(&o);
    o.method = a->method;
    o.rule = a->rule;
    o.windows = a->windows;
    o.score = a->score;
    o.lambda = a->lambda;
    o.object = "bottle";
    o.prompts = prompts;
    o.good = a->good ? good->path : NULL;
    o.good_count = a->good ? good->count : 0;
    return o;
}

typedef struct explained {
    flaw_inspector *in;
    double score;
    flaw_explanation e;
} explained;

static explained explain_with(flaw_inspector *in, const flaw_picture *p)
{
    flaw_result r;
    flaw_error err = {0};
    explained x = {.in = in};
    assert_ok(flaw_inspector_judge(in, p, &r, &err));
    assert_ok(flaw_inspector_explain(in, &x.e, &err));
    assert_true(x.e.score == r.score && x.e.threshold == r.threshold && x.e.verdict == r.verdict);
    assert_string_equal(x.e.method, r.method);
    assert_string_equal(x.e.object, r.object);
    x.score = r.score;
    flaw_result_release(&r);
    return x;
}

static explained explain(const arm *a, const flaw_inspect_options *o, const flaw_picture *p)
{
    flaw_inspector *in = NULL;
    flaw_error err = {0};
    assert_ok(flaw_inspector_new(&in, a->embedded ? own : tiny, o, NULL, NULL, &err));
    return explain_with(in, p);
}

static void drop(explained *x)
{
    flaw_explanation_release(&x->e);
    flaw_inspector_free(x->in);
}

static const flaw_sentence *find(const flaw_explanation *e, const char *text)
{
    for (int i = 0; i < e->count; i++)
        if (!strcmp(e->sentence[i].text, text)) return &e->sentence[i];
    fail_msg("\"%s\" is not explained", text);
    return NULL;
}

static bool near(double a, double b, double within)
{
    return fabs(a - b) <= within || (isnan(a) && isnan(b));
}

/* Every sentence banned in turn: the method run again without it gives the score that was foretold, to the last bit;
 * and there, putting it back in is foretold as the score of before (in another order, so but for rounding). */
static void test_leave_one_out(void **state)
{
    char prompts[512], ban[128];
    const char *bans[1] = {ban};
    good_files good;
    draw_good(&good, *state, 2);
    write_prompts(in_folder(prompts, *state, "p.json"), false, false);
    flaw_picture p = draw(48, 40, 31, 7);
    for (int k = 0; k < ARM_COUNT; k++) {
        flaw_inspect_options o = options_of(&ARMS[k], prompts, &good);
        explained all = explain(&ARMS[k], &o, &p);
        bool moved = false;
        assert_int_equal(all.e.count, 2 * SENTENCES);
        for (int i = 0; i < all.e.count; i += ARMS[k].embedded ? 9 : 1) {
            const flaw_sentence *s = &all.e.sentence[i];
            snprintf(ban, sizeof ban, "%s: %s", s->abnormal ? "abnormal" : "normal", s->text);
            o.ban = bans;
            o.ban_count = 1;
            explained without = explain(&ARMS[k], &o, &p);
            if (without.score != s->other)
                fail_msg("arm %d, \"%s\": %.17g was foretold, %.17g it is", k, s->text, s->other, without.score);
            const flaw_sentence *banned = find(&without.e, s->text);
            assert_true(banned->banned && !banned->kept && banned->pull == 0 && banned->weight == 0);
            assert_int_equal(banned->number, SENTENCES);
            assert_true(near(banned->other, all.score, 1e-6));
            assert_int_equal(without.e.total[s->abnormal], SENTENCES - 1);
            moved = moved || s->other != all.score;
            drop(&without);
        }
        assert_true(moved);
        drop(&all);
    }
    flaw_picture_release(&p);
}

/* Weights, pulls and margin hang together; the margin makes the score where words alone make it. */
static void check_sums(const flaw_explanation *e, const arm *a)
{
    double weight[2] = {0, 0}, pull[2] = {0, 0}, least = INFINITY, before = INFINITY;
    int kept[2] = {0, 0};
    for (int i = 0; i < e->count; i++) {
        const flaw_sentence *s = &e->sentence[i];
        weight[s->abnormal] += s->weight;
        pull[s->abnormal] += s->pull;
        kept[s->abnormal] += s->kept;
        assert_int_equal(s->kept, s->weight > 0);
        assert_true(s->abnormal ? s->pull >= 0 : s->pull <= 0);
        assert_true(fabs(s->pull) <= before); /* longest first */
        before = fabs(s->pull);
        if (s->kept) least = fmin(least, fabs(s->pull));
        else assert_true(s->pull == 0);
    }
    for (int c = 0; c < 2; c++) {
        assert_true(fabs(weight[c] - 1) < 1e-12);
        assert_true(fabs(pull[c] - e->pull[c]) < 1e-12);
        assert_int_equal(kept[c], e->kept[c]);
    }
    assert_true(least == 0);
    assert_true(fabs(pull[0] + pull[1] - e->margin) < 1e-12);
    if (!a->good) assert_true(fabs(1 / (1 + exp(-e->margin)) - e->score) < 2e-6);
}

/* The same margin without its pulls: two prototypes, one row, the method's tau. Sentences weighed alike. */
static void check_margin(const explained *x, double tau)
{
    double cosine[2], sum[1024];
    const flaw_prompt_set *set = &x->in->prompts;
    for (int c = 0; c < 2; c++) {
        double square = 0;
        cosine[c] = 0;
        memset(sum, 0, sizeof sum);
        for (int i = 0; i < set->count[c]; i++)
            for (int d = 0; d < set->width; d++) sum[d] += set->embedding[c][i * set->width + d];
        for (int d = 0; d < set->width; d++) square += sum[d] * sum[d];
        for (int i = 0; i < set->count[c]; i++)
            cosine[c] += find(&x->e, set->text[c][i])->similarity / sqrt(square);
    }
    assert_true(fabs((cosine[1] - cosine[0]) / tau - x->e.margin) < 1e-4 * fmax(1, fabs(x->e.margin)));
}

/* Good parts do not change what words say. */
static void check_zero_shot(const arm *plus, const flaw_explanation *e, const char *prompts, const flaw_picture *p)
{
    arm zero = *plus;
    zero.good = false;
    zero.method = !strcmp(zero.method, "alfa+") ? "alfa" : "winclip";
    flaw_inspect_options o = options_of(&zero, prompts, NULL);
    explained y = explain(&zero, &o, p);
    for (int i = 0; i < e->count; i++) assert_true(find(&y.e, e->sentence[i].text)->pull == e->sentence[i].pull);
    drop(&y);
}

static void test_sums(void **state)
{
    char prompts[512];
    good_files good;
    draw_good(&good, *state, 2);
    write_prompts(in_folder(prompts, *state, "p.json"), false, false);
    for (int k = 0; k < ARM_COUNT; k++) {
        flaw_inspect_options o = options_of(&ARMS[k], prompts, &good);
        flaw_inspector *in = NULL;
        flaw_error err = {0};
        assert_ok(flaw_inspector_new(&in, ARMS[k].embedded ? own : tiny, &o, NULL, NULL, &err));
        for (unsigned seed = 0; seed < 3; seed++) {
            flaw_picture p = draw(48, 40, seed, (int)seed * 4);
            explained x = explain_with(in, &p);
            check_sums(&x.e, &ARMS[k]);
            if (!strncmp(ARMS[k].method, "winclip", 7)) check_margin(&x, 0.07);
            if (!strcmp(ARMS[k].method, "few-shot+")) check_margin(&x, exp(-own->model->view.logit_scale[0]));
            if (ARMS[k].good && !ARMS[k].embedded) check_zero_shot(&ARMS[k], &x.e, prompts, &p);
            flaw_explanation_release(&x.e);
            flaw_picture_release(&p);
        }
        flaw_inspector_free(in);
    }
}

/* What each rule says of a sentence, from the similarities alone. */
static void test_ambiguous(void **state)
{
    char prompts[512];
    write_prompts(in_folder(prompts, *state, "p.json"), false, false);
    for (int k = 2; k < 6; k++) {
        flaw_picture p = draw(48, 40, 5, 9);
        flaw_inspect_options o = options_of(&ARMS[k], prompts, NULL);
        explained x = explain(&ARMS[k], &o, &p);
        double least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY};
        assert_string_equal(x.e.rule, ARMS[k].rule);
        for (int i = 0; i < x.e.count; i++) {
            const flaw_sentence *s = &x.e.sentence[i];
            least[s->abnormal] = fmin(least[s->abnormal], s->similarity);
            most[s->abnormal] = fmax(most[s->abnormal], s->similarity);
        }
        int ambiguous = 0;
        for (int i = 0; i < x.e.count; i++) {
            const flaw_sentence *s = &x.e.sentence[i];
            bool inside = s->similarity >= fmax(least[0], least[1]) && s->similarity <= fmin(most[0], most[1]);
            assert_int_equal(s->ambiguous, inside);
            ambiguous += inside;
            if (k == 3 && !inside) assert_true(s->kept);
            assert_int_equal(s->tips, (s->other > x.e.threshold) != (x.score > x.e.threshold));
        }
        assert_true(ambiguous > 0 && ambiguous < x.e.count);
        if (k == 3) assert_true(x.e.kept[0] + x.e.kept[1] < x.e.count); /* overlap drops some here */
        drop(&x);
        flaw_picture_release(&p);
    }
}

/* The nearest other sentence, found again with the public embedding of texts. */
static void test_twins(void **state)
{
    static float text[64][1024];
    static const char *const pin[] = {"abnormal: a {} with a crack.", "abnormal: a {} that is bent",
                                      "normal: a clean, clean {}"};
    char prompts[512];
    flaw_error err = {0};
    int width = flaw_engine_width(own), twins = 0;
    write_prompts(in_folder(prompts, *state, "p.json"), false, false);
    flaw_picture p = draw(48, 40, 5, 9);
    flaw_inspect_options o = options_of(&ARMS[10], prompts, NULL);
    o.pin = pin;
    o.pin_count = 3;
    explained x = explain(&ARMS[10], &o, &p);
    assert_int_equal(x.e.count, 2 * SENTENCES + 3);
    for (int i = 0; i < x.e.count; i++) assert_ok(flaw_embed_text(own, x.e.sentence[i].text, text[i], NULL, &err));
    for (int i = 0; i < x.e.count; i++) {
        const flaw_sentence *s = &x.e.sentence[i];
        double best = -2;
        for (int j = 0; j < x.e.count; j++) {
            double cosine = 0;
            for (int d = 0; d < width; d++) cosine += (double)text[i][d] * text[j][d];
            if (j != i) best = fmax(best, cosine);
            if (j == s->twin) assert_true(fabs(cosine - s->twin_cosine) < 1e-5);
        }
        assert_true(fabs(best - s->twin_cosine) < 1e-5);
        assert_int_equal(s->twin >= 0, s->twin_cosine >= FLAW_TWIN_COSINE);
        assert_true(s->twin != i);
        twins += s->twin >= 0;
    }
    assert_true(twins >= 2);
    drop(&x);
    flaw_picture_release(&p);
}

static void check_turned(const flaw_explanation *e, const flaw_explanation *turned)
{
    for (int i = 0; i < e->count; i++) {
        const flaw_sentence *one = &e->sentence[i], *other = find(turned, one->text);
        assert_int_equal(other->abnormal, !one->abnormal);
        assert_true(near(one->pull, -other->pull, 1e-5) && near(one->weight, other->weight, 1e-9));
        assert_true(near(one->other, 1 - other->other, 1e-5));
    }
    assert_true(near(e->margin, -turned->margin, 1e-5));
}

/* The two lists the other way round: every sign turns. The lists backwards: nothing changes. */
static void test_swap_and_order(void **state)
{
    char prompts[512], swapped[512], backwards[512];
    good_files good;
    draw_good(&good, *state, 2);
    write_prompts(in_folder(prompts, *state, "p.json"), false, false);
    write_prompts(in_folder(swapped, *state, "s.json"), true, false);
    write_prompts(in_folder(backwards, *state, "b.json"), false, true);
    flaw_picture p = draw(48, 40, 12, 6);
    for (int k = 0; k < ARM_COUNT; k++) {
        if (ARMS[k].embedded && ARMS[k].good) continue; /* learning takes long, and its words are those of alfa */
        bool symmetric = !ARMS[k].good && !ARMS[k].score && !ARMS[k].embedded; /* the top of a map is not */
        flaw_inspect_options o = options_of(&ARMS[k], prompts, &good), s = o, b = o;
        s.prompts = swapped;
        b.prompts = backwards;
        explained x = explain(&ARMS[k], &o, &p), y = explain(&ARMS[k], &b, &p);
        for (int i = 0; i < x.e.count; i++) {
            const flaw_sentence *one = &x.e.sentence[i], *two = find(&y.e, one->text);
            assert_true(one->similarity == two->similarity && one->abnormal == two->abnormal && one->kept == two->kept);
            assert_true(near(one->weight, two->weight, 1e-9) && near(one->pull, two->pull, 1e-5));
            assert_true(near(one->other, two->other, 1e-5));
            assert_int_equal(one->number, SENTENCES + 1 - two->number);
        }
        drop(&y);
        if (symmetric) {
            y = explain(&ARMS[k], &s, &p);
            check_turned(&x.e, &y.e);
            drop(&y);
        }
        drop(&x);
    }
    flaw_picture_release(&p);
}

/* A sentence that a rule drops, pinned: it counts, and the explanation says both. */
static void test_pinned(void **state)
{
    char prompts[512];
    write_prompts(in_folder(prompts, *state, "p.json"), false, false);
    flaw_picture p = draw(48, 40, 5, 9);
    for (int k = 3; k < 5; k++) {
        flaw_inspect_options o = options_of(&ARMS[k], prompts, NULL);
        explained x = explain(&ARMS[k], &o, &p);
        const flaw_sentence *dropped = NULL;
        for (int i = 0; i < x.e.count; i++)
            if (!x.e.sentence[i].kept) dropped = &x.e.sentence[i];
        assert_non_null(dropped);
        o.pin = &dropped->text;
        o.pin_count = 1;
        explained y = explain(&ARMS[k], &o, &p);
        const flaw_sentence *pinned = find(&y.e, dropped->text);
        assert_true(pinned->pinned && pinned->kept && pinned->weight > 0 && !dropped->pinned);
        assert_int_equal(pinned->ambiguous, dropped->ambiguous);
        assert_true(y.score != x.score);
        check_sums(&y.e, &ARMS[k]);
        drop(&x);
        drop(&y);
    }
    flaw_picture_release(&p);
}

static void check_same(const flaw_explanation *a, const flaw_explanation *b)
{
    assert_int_equal(a->count, b->count);
    assert_true(a->margin == b->margin && a->score == b->score && a->threshold == b->threshold);
    assert_string_equal(a->source, b->source);
    for (int i = 0; i < a->count; i++) {
        const flaw_sentence *x = &a->sentence[i], *y = &b->sentence[i];
        assert_string_equal(x->text, y->text);
        assert_true(x->abnormal == y->abnormal && x->number == y->number && x->twin == y->twin);
        assert_true(x->pinned == y->pinned && x->banned == y->banned && x->kept == y->kept);
        assert_true(x->pull == y->pull && x->weight == y->weight && near(x->other, y->other, 1e-12));
    }
}

/* The recipe without one item, written over. */
static void take_out(const char *path, const char *name)
{
    flaw_record whole, less;
    flaw_error err = {0};
    assert_ok(flaw_recipe_read(&whole, path, &err));
    flaw_record_init(&less);
    for (size_t i = 0; i < whole.count; i++) {
        const flaw_record_item *item = &whole.item[i];
        if (!strcmp(item->name, name)) continue;
        if (item->kind == FLAW_RECORD_NUMBER) assert_ok(flaw_record_put_number(&less, item->name, item->number, &err));
        if (item->kind == FLAW_RECORD_TEXT) assert_ok(flaw_record_put_text(&less, item->name, item->text, &err));
        if (item->kind == FLAW_RECORD_TABLE)
            assert_ok(flaw_record_put_table(&less, item->name, item->table, item->rows, item->columns, &err));
    }
    assert_ok(flaw_recipe_write(&less, path, &err));
    flaw_record_release(&whole);
    flaw_record_release(&less);
}

/* A recipe keeps pins and bans and explains as what wrote it; one of old (few-shot+) without what it cannot know. */
static void test_recipe(void **state)
{
    static const char *const pin[] = {"abnormal: a {} with rust", "a clean bottle"}, *const ban[] = {"a bent {}",
                                                                                                     "crack"};
    char prompts[512], path[512];
    good_files good;
    flaw_error err = {0};
    draw_good(&good, *state, 2);
    in_folder(path, *state, "a.recipe");
    write_prompts(in_folder(prompts, *state, "p.json"), false, false);
    flaw_picture p = draw(48, 40, 12, 6);
    for (int k = 0; k < ARM_COUNT; k++) {
        if (k != 3 && k != 8 && k != 12) continue; /* alfa and alfa+ by overlap, few-shot+ */
        flaw_inspector *back = NULL;
        flaw_inspect_options o = options_of(&ARMS[k], prompts, &good);
        o.pin = pin;
        o.pin_count = 2;
        o.ban = ban;
        o.ban_count = 2;
        explained x = explain(&ARMS[k], &o, &p);
        assert_ok(flaw_inspector_save(x.in, path, &err));
        assert_ok(flaw_inspector_from_recipe(&back, ARMS[k].embedded ? own : tiny, path, &err));
        explained y = explain_with(back, &p);
        check_same(&x.e, &y.e);
        assert_true(find(&y.e, "a bottle with rust")->pinned && find(&y.e, "a bottle with a crack")->banned);
        if (k == 12) {
            drop(&y);
            take_out(path, "few-shot.usual.other");
            assert_ok(flaw_inspector_from_recipe(&back, own, path, &err));
            y = explain_with(back, &p);
            for (int i = 0; i < y.e.count; i++) assert_true(isnan(y.e.sentence[i].other) && !y.e.sentence[i].tips);
            assert_true(y.e.margin == x.e.margin);
        }
        drop(&x);
        drop(&y);
    }
    flaw_picture_release(&p);
}

/* Where there is nothing to explain, it is said why; the last sentence of a side has no score without it. */
static void test_refused(void **state)
{
    static const char *const ban[] = {"normal: a "}, *const pin[] = {"normal: an even {}"};
    char prompts[512], path[512];
    good_files good;
    flaw_error err = {0};
    flaw_inspector *in = NULL;
    flaw_explanation e = {0};
    draw_good(&good, *state, 2);
    write_prompts(in_folder(prompts, *state, "p.json"), false, false);
    flaw_picture p = draw(48, 40, 12, 6);
    flaw_inspect_options o = options_of(&ARMS[3], prompts, &good);
    assert_ok(flaw_inspector_new(&in, tiny, &o, NULL, NULL, &err));
    assert_int_equal(flaw_inspector_sentences(in), 2 * SENTENCES);
    assert_int_equal(flaw_inspector_explain(in, &e, &err), FLAW_USAGE);
    assert_contains(err.text, "no picture was judged");
    explained x = explain_with(in, &p);
    assert_ok(flaw_inspector_save(in, in_folder(path, *state, "a.recipe"), &err)); /* its self-check is another picture */
    assert_int_equal(flaw_inspector_explain(in, &e, &err), FLAW_USAGE);
    assert_int_equal(e.count, 0);
    drop(&x);
    o.ban = ban;
    o.ban_count = 1;
    o.pin = pin;
    o.pin_count = 1;
    x = explain(&ARMS[3], &o, &p);
    assert_int_equal(x.e.total[0], 1);
    assert_true(isnan(find(&x.e, "an even bottle")->other) && !find(&x.e, "an even bottle")->tips);
    drop(&x);
    o = options_of(&(arm){.method = "few-shot", .lambda = NAN, .good = true}, NULL, &good);
    assert_ok(flaw_inspector_new(&in, tiny, &o, NULL, NULL, &err));
    assert_int_equal(flaw_inspector_sentences(in), 0);
    assert_int_equal(flaw_inspector_explain(in, &e, &err), FLAW_USAGE);
    assert_contains(err.text, "few-shot");
    flaw_inspector_free(in);
    o.ban = ban;
    o.ban_count = 1;
    assert_int_equal(flaw_inspector_new(&in, tiny, &o, NULL, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "nothing to pin or ban");
    flaw_explanation_release(&e); /* of nothing */
    flaw_picture_release(&p);
}

static int open_both(void **state)
{
    tiny = open_tiny_engine("open_clip");
    own = open_engine("");
    return make_scratch(state);
}

static int close_both(void **state)
{
    flaw_engine_close(tiny);
    flaw_engine_close(own);
    return remove_scratch(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leave_one_out), cmocka_unit_test(test_sums),   cmocka_unit_test(test_ambiguous),
        cmocka_unit_test(test_twins),         cmocka_unit_test(test_pinned), cmocka_unit_test(test_swap_and_order),
        cmocka_unit_test(test_recipe),        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, open_both, close_both);
}
