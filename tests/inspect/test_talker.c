/* Talkers: ../shared/golden/anomalygpt-small through the public interface (answers, turns, few-shot, quirks), and
 * models without a voice, whose facts speak. */
#include "../golden/anomalygpt.h"

#include <jansson.h>
#include <math.h>

#include "flaw/talk.h"
#include "talk/dialogue_prompt.h"

typedef struct golden {
    char folder[1024], file[4][1200]; /* part0.png, part1.png, part2.png */
    const char *good[4];
    json_t *root;
    const char *question;
} golden;

static bool open_golden(golden *g)
{
    char path[1200];
    if (!golden_path(g->folder, true, ANOMALYGPT)) return false;
    for (int i = 0; i < 3; i++) {
        snprintf(g->file[i], sizeof g->file[i], "%s/part%d.png", g->folder, i);
        g->good[i] = g->file[i];
    }
    snprintf(path, sizeof path, "%s/expected.json", g->folder);
    g->root = json_load_file(path, 0, NULL);
    assert_non_null(g->root);
    g->question = json_string_value(json_object_get(g->root, "question"));
    return true;
}

static flaw_talk_options options_of(const char *model)
{
    flaw_talk_options o;
    flaw_talk_defaults(&o);
    o.model = model;
    o.threads = 2;
    o.object = "metal_nut";
    o.max_tokens = 16;
    return o;
}

static flaw_talker *open_talker(const flaw_talk_options *o)
{
    flaw_talker *t = NULL;
    flaw_error err = {0};
    assert_ok(flaw_talker_open(&t, o, &err));
    return t;
}

static flaw_answer ask(flaw_talker *t, const char *question)
{
    flaw_answer a = {0};
    flaw_error err = {0};
    assert_ok(flaw_talker_ask(t, question, NULL, NULL, &a, &err));
    return a;
}

static void check_ids(const flaw_answer *a, const json_t *want)
{
    assert_int_equal(a->id_count, json_array_size(want));
    for (int i = 0; i < a->id_count; i++)
        assert_int_equal(a->ids[i], json_integer_value(json_array_get(want, (size_t)i)));
}

/* The published pipeline's tokens and scores, for both maps and both pictures, by one talker each. */
static void test_golden(void **state)
{
    golden g;
    flaw_error err = {0};
    if (!open_golden(&g)) skip();
    for (int few_shot = 0; few_shot < 2; few_shot++) {
        flaw_talk_options o = options_of(g.folder);
        o.good = g.good;
        o.good_count = (size_t)few_shot;
        flaw_talker *t = open_talker(&o);
        for (size_t i = 0; i < 2; i++) {
            const json_t *entry = json_array_get(json_object_get(g.root, "images"), i);
            assert_ok(flaw_talker_look_file(t, g.file[i + 1], &err));
            flaw_answer a = ask(t, g.question);
            check_ids(&a, json_object_get(entry, few_shot ? "few_shot_greedy_ids" : "decoder_greedy_ids"));
            double score = json_real_value(json_object_get(entry, few_shot ? "few_shot_score" : "decoder_score"));
            assert_true(fabs(a.score - score) < 1e-4);
            assert_int_equal(a.source, FLAW_TALK_LANGUAGE);
            assert_true(a.cut);
            assert_int_equal(a.map_verdict, a.score > a.threshold ? FLAW_ANOMALOUS : FLAW_NORMAL);
            assert_int_equal(a.agree, a.verdict == FLAW_UNKNOWN ? -1 : a.verdict == a.map_verdict);
            flaw_answer_release(&a);
        }
        flaw_talker_close(t);
    }
    json_decref(g.root);
}

/* Another product on the same model: what a talker opened for it says, with and without good parts; a wrong one changes
 * nothing. */
static void test_another_product(void **state)
{
    golden g;
    flaw_error err = {0};
    flaw_answer want, got;
    if (!open_golden(&g)) skip();
    flaw_talk_options o = options_of(g.folder);
    flaw_talker *fresh = open_talker(&o);
    o.object = "screw";
    o.good = g.good;
    o.good_count = 2;
    flaw_talker *t = open_talker(&o);
    assert_ok(flaw_talker_look_file(t, g.file[1], &err));
    const char *missing = "nowhere.png";
    assert_int_equal(flaw_talker_product(t, "cog", &missing, 1, &err), FLAW_MISSING);
    got = ask(t, g.question); /* it is still looking */
    flaw_answer_release(&got);
    assert_ok(flaw_talker_product(t, "metal_nut", NULL, 0, &err));
    assert_null(flaw_talker_facts(t));
    assert_int_equal(flaw_talker_ask(t, g.question, NULL, NULL, &got, &err), FLAW_USAGE);
    for (int k = 1; k < 3; k++) {
        assert_ok(flaw_talker_look_file(t, g.file[k], &err));
        assert_ok(flaw_talker_look_file(fresh, g.file[k], &err));
        want = ask(fresh, g.question);
        got = ask(t, g.question);
        assert_int_equal(got.id_count, want.id_count);
        assert_memory_equal(got.ids, want.ids, (size_t)want.id_count * sizeof *want.ids);
        assert_true(got.score <= want.score && got.score >= want.score);
        flaw_answer_release(&got);
        flaw_answer_release(&want);
    }
    flaw_talker_close(fresh);
    flaw_talker_close(t);
    json_decref(g.root);
}

/* Greedy tokens after the whole prompt, `text` behind the soft prompts, fed at once; blind: without soft prompts. */
static void answer_afresh(const golden *g, const char *text, bool blind, int32_t *out, int count)
{
    flaw_compute c = open_compute(FLAW_LEVEL_AUTO);
    flaw_anomalygpt m;
    flaw_reading *r = NULL;
    flaw_written written = {0};
    flaw_error err = {0};
    static const char *const pieces[] = {"### Human: <Img>", "</Img> "};
    assert_ok(flaw_anomalygpt_open(&m, g->folder, FLAW_KEEP_AUTO, &c, &err));
    const flaw_voice_shape *v = &m.voice->shape;
    size_t words = (size_t)v->words, rows = (size_t)flaw_voice_prompts(v), side = (size_t)v->side;
    tokens query = tokens_of_picture(&c, m.towers, g->folder, "part1.png");
    float *vectors = make_floats(2 * (size_t)v->joint), *map = make_floats(side * side), *token = make_floats(words);
    float *prompts = make_floats(rows * words), *saved = make_floats(flaw_prompt_saved(v));
    float *decode = make_floats(flaw_decoder_workspace(&c, v)), *learn = make_floats(flaw_prompt_workspace(&c, v));
    int32_t ids[2048];
    size_t n;
    assert_ok(flaw_anomalygpt_text(m.towers, &c, "metal nut", vectors, &err));
    flaw_decoder_map(&c, m.voice, query.stage, vectors, NULL, map, decode);
    flaw_prompt_forward(&c, m.voice, map, prompts, saved, learn);
    assert_ok(flaw_picture_token(m.voice, query.results.out.cls, token, &err));
    assert_ok(flaw_reading_open(&r, m.language, &c, &err));
    assert_ok(flaw_reading_ids(r, &(int32_t){1}, 1, &err));
    for (int i = 0; i < 2; i++) {
        assert_ok(flaw_pieces_encode(m.language->pieces, pieces[i], strlen(pieces[i]), ids, 2048, &n, &err));
        assert_ok(flaw_reading_ids(r, ids, (int)n, &err));
        if (i == 0 || !blind) assert_ok(flaw_reading_rows(r, i ? prompts : token, i ? (int)rows : 1, &err));
    }
    assert_ok(flaw_pieces_encode(m.language->pieces, text, strlen(text), ids, 2048, &n, &err));
    assert_ok(flaw_reading_ids(r, ids, (int)n, &err));
    assert_ok(flaw_language_write(r, &(flaw_writing){.max_tokens = count}, &written, &err));
    memcpy(out, written.ids, (size_t)count * sizeof *out);
    flaw_written_release(&written);
    flaw_reading_close(r);
    float *all[] = {vectors, map, token, prompts, saved, decode, learn};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    free_results(&query.results);
    flaw_anomalygpt_close(&m);
    flaw_compute_close(&c);
}

/* The second turn is that of the format of the published program, whatever the cache held. */
static void test_turns(void **state)
{
    golden g;
    flaw_error err = {0};
    char text[4096];
    int32_t want[16];
    if (!open_golden(&g)) skip();
    flaw_talk_options o = options_of(g.folder);
    flaw_talker *t = open_talker(&o);
    assert_ok(flaw_talker_look_file(t, g.file[1], &err));
    flaw_answer first = ask(t, g.question), second = ask(t, "Where is it?"), again = {0};
    snprintf(text, sizeof text, "%s\n### Assistant: %s\n### Human: Where is it?\n### Assistant:", g.question,
             first.text);
    answer_afresh(&g, text, false, want, 16);
    assert_int_equal(second.id_count, 16);
    for (int i = 0; i < 16; i++) assert_int_equal(second.ids[i], want[i]);
    assert_true(memcmp(first.ids, second.ids, sizeof want) != 0);
    flaw_talker_restart(t);
    again = ask(t, g.question);
    assert_memory_equal(again.ids, first.ids, sizeof want);
    flaw_answer_release(&again);
    assert_ok(flaw_talker_look_file(t, g.file[1], &err)); /* taking up a picture begins anew, too */
    again = ask(t, g.question);
    assert_memory_equal(again.ids, first.ids, sizeof want);
    flaw_answer_release(&first);
    flaw_answer_release(&second);
    flaw_answer_release(&again);
    flaw_talker_close(t);
    json_decref(g.root);
}

/* More normal pictures, turned ones too, can only bring the nearest patch nearer. */
/* The language model alone: no soft prompts, until the next picture. */
static void test_blindfold(void **state)
{
    golden g;
    flaw_error err = {0};
    char text[4096];
    int32_t want[16];
    if (!open_golden(&g)) skip();
    flaw_talk_options o = options_of(g.folder);
    flaw_talker *t = open_talker(&o);
    assert_int_equal(flaw_talker_blindfold(t, &err), FLAW_USAGE);
    assert_ok(flaw_talker_look_file(t, g.file[1], &err));
    flaw_answer seeing = ask(t, g.question);
    assert_ok(flaw_talker_blindfold(t, &err));
    flaw_answer blind = ask(t, g.question);
    snprintf(text, sizeof text, "%s\n### Assistant:", g.question);
    answer_afresh(&g, text, true, want, 16);
    assert_int_equal(blind.id_count, 16);
    for (int i = 0; i < 16; i++) assert_int_equal(blind.ids[i], want[i]);
    assert_true(memcmp(seeing.ids, blind.ids, sizeof want) != 0);
    assert_true(seeing.score == blind.score);
    flaw_answer_release(&blind);
    assert_ok(flaw_talker_look_file(t, g.file[1], &err));
    flaw_answer again = ask(t, g.question);
    assert_memory_equal(again.ids, seeing.ids, sizeof want);
    flaw_answer_release(&seeing);
    flaw_answer_release(&again);
    flaw_talker_close(t);
    json_decref(g.root);
}

static void test_good(void **state)
{
    golden g;
    flaw_error err = {0};
    double last = 1e9;
    if (!open_golden(&g)) skip();
    flaw_talk_options o = options_of(g.folder);
    o.good = g.good;
    for (int k = 0; k < 3; k++) {
        o.good_count = k < 2 ? 1 : 2;
        o.rotations = k == 1;
        flaw_talker *t = open_talker(&o);
        assert_ok(flaw_talker_look_file(t, g.file[2], &err));
        const flaw_result *facts = flaw_talker_facts(t);
        if (k < 2) assert_true(facts->score <= last);
        last = facts->score;
        assert_string_equal(facts->rule, "good-parts");
        assert_string_equal(facts->method, "anomalygpt");
        assert_string_equal(facts->object, "metal nut");
        if (k == 0) { /* a picture that is itself the normal one has nothing new */
            assert_ok(flaw_talker_look_file(t, g.file[0], &err));
            assert_true(fabs(facts->score) < 1e-5);
            assert_int_equal(facts->verdict, FLAW_NORMAL);
        }
        if (k == 2) assert_true(facts->false_alarm_rate >= 1.0 / 3 - 1e-9);
        else assert_true(isnan(facts->false_alarm_rate));
        flaw_talker_close(t);
    }
    o.good = (const char *[]){"none.png"};
    o.good_count = 1;
    flaw_talker *none = NULL;
    assert_int_equal(flaw_talker_open(&none, &o, &err), FLAW_MISSING);
    assert_contains(err.text, "none.png");
    json_decref(g.root);
}

/* Published weights see the middle square; --fit squash shows all. The facts say what was not looked at. */
static void test_fit(void **state)
{
    golden g;
    flaw_error err = {0};
    if (!open_golden(&g)) skip();
    flaw_talk_options o = options_of(g.folder);
    double score[2];
    for (int k = 0; k < 2; k++) {
        o.fit = k ? "squash" : NULL;
        flaw_talker *t = open_talker(&o);
        assert_ok(flaw_talker_look_file(t, g.file[1], &err));
        const flaw_result *facts = flaw_talker_facts(t);
        assert_int_equal(facts->width, 260);
        assert_int_equal(facts->height, 224);
        assert_true(fabs(facts->unseen - (k ? 0 : 1 - 224.0 / 260)) < 1e-9);
        assert_true(facts->regions > 0);
        if (!k) assert_contains(facts->words, "were not looked at");
        score[k] = facts->score;
        flaw_talker_close(t);
    }
    assert_true(score[0] != score[1]);
    json_decref(g.root);
}

/* Published weights get what was typed: blanks at the ends of a question are tokens, "pcb1" is the name of a class. */
static void test_as_typed(void **state)
{
    golden g;
    flaw_error err = {0};
    int32_t want[16];
    if (!open_golden(&g)) skip();
    flaw_talk_options o = options_of(g.folder);
    flaw_talker *t = open_talker(&o);
    assert_ok(flaw_talker_look_file(t, g.file[1], &err));
    flaw_answer a = ask(t, "  Is it good? \n");
    answer_afresh(&g, "  Is it good? \n\n### Assistant:", false, want, 16);
    assert_int_equal(a.id_count, 16);
    assert_memory_equal(a.ids, want, sizeof want);
    flaw_answer_release(&a);
    assert_int_equal(flaw_talker_ask(t, " \t\n", NULL, NULL, &a, &err), FLAW_USAGE);
    flaw_talker_close(t);
    o.object = "pcb1_";
    t = open_talker(&o);
    assert_ok(flaw_talker_look_file(t, g.file[1], &err));
    assert_string_equal(flaw_talker_facts(t)->object, "pcb1");
    flaw_talker_close(t);
    json_decref(g.root);
}

/* Quirks: the object by words in the text, answers cut by two tokens. */
static void test_quirks(void **state)
{
    golden g;
    flaw_error err = {0};
    if (!open_golden(&g)) skip();
    flaw_talk_options quirk = options_of(g.folder), plain = options_of(g.folder);
    quirk.upstream_quirks = 1;
    flaw_talker *t = open_talker(&quirk);
    assert_ok(flaw_talker_look_file(t, g.file[1], &err));
    static const struct {
        const char *question, *object;
    } rows[] = {{"Is there any anomaly?", "object"},
                {"Are the capsules good?", "capsule"},
                {"Is the chewinggom good?", "object"},
                {"Is the pipe fryum good?", "fryum"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        plain.object = rows[i].object;
        flaw_talker *other = open_talker(&plain);
        assert_ok(flaw_talker_look_file(other, g.file[1], &err));
        flaw_talker_restart(t);
        flaw_answer a = ask(t, rows[i].question), b = ask(other, rows[i].question);
        assert_string_equal(flaw_talker_facts(t)->object, rows[i].object);
        assert_true(a.score == b.score);
        assert_int_equal(a.id_count, b.id_count);
        assert_memory_equal(a.ids, b.ids, (size_t)a.id_count * sizeof *a.ids);
        assert_true(strlen(a.text) < strlen(b.text)); /* two tokens less */
        flaw_answer_release(&a);
        flaw_answer_release(&b);
        flaw_talker_close(other);
    }
    flaw_talker_close(t);
    json_decref(g.root);
}

typedef struct listener {
    flaw_buffer text;
    int calls, most;
} listener;

static int listen_to(void *context, const char *text, size_t size)
{
    listener *l = context;
    flaw_buffer_append(&l->text, text, size);
    return size && ++l->calls == l->most;
}

/* Words come as they are written; who has heard enough ends the answer, and the dialogue goes on. */
static void test_listening(void **state)
{
    golden g;
    flaw_error err = {0};
    if (!open_golden(&g)) skip();
    flaw_talk_options o = options_of(g.folder);
    flaw_talker *t = open_talker(&o);
    assert_ok(flaw_talker_look_file(t, g.file[1], &err));
    flaw_answer whole = ask(t, g.question), part = {0};
    for (int most = 0; most <= 3; most += 3) {
        listener l = {.most = most};
        flaw_buffer_init(&l.text, 1000);
        flaw_talker_restart(t);
        assert_ok(flaw_talker_ask(t, g.question, listen_to, &l, &part, &err));
        assert_string_equal(l.text.data, part.text);
        assert_int_equal(strncmp(part.text, whole.text, strlen(part.text)), 0);
        if (most) assert_true(strlen(part.text) < strlen(whole.text) && l.calls == most && !part.cut);
        flaw_answer_release(&part);
        part = ask(t, "Where?");
        flaw_answer_release(&part);
        flaw_buffer_release(&l.text);
    }
    flaw_answer_release(&whole);
    flaw_talker_close(t);
    json_decref(g.root);
}

static void test_wrong_use(void **state)
{
    golden g;
    flaw_error err = {0};
    flaw_talker *t = NULL;
    flaw_answer a = {0};
    if (!open_golden(&g)) skip();
    flaw_talk_options o = options_of(g.folder);
    t = open_talker(&o);
    assert_null(flaw_talker_facts(t));
    assert_int_equal(flaw_talker_ask(t, "Is it good?", NULL, NULL, &a, &err), FLAW_USAGE);
    assert_contains(err.text, "no picture");
    assert_int_equal(flaw_talker_look_file(t, "none.png", &err), FLAW_MISSING);
    assert_ok(flaw_talker_look_file(t, g.file[1], &err));
    assert_int_equal(flaw_talker_look_file(t, "none.png", &err), FLAW_MISSING); /* nothing lost */
    assert_non_null(flaw_talker_facts(t));
    assert_int_equal(flaw_talker_ask(t, "  \n", NULL, NULL, &a, &err), FLAW_USAGE);
    char *longest = calloc(1, 60001);
    memset(longest, 'x', 60000);
    assert_int_equal(flaw_talker_ask(t, longest, NULL, NULL, &a, &err), FLAW_USAGE);
    free(longest);
    a = ask(t, g.question);
    flaw_answer_release(&a);
    flaw_talker_close(t);
    static const struct {
        flaw_talk_options change;
        const char *says;
    } rows[] = {
        {{.max_tokens = -1}, "-1 tokens"}, {{.top_p = 2}, "top-p 2"},       {{.temperature = -1}, "temperature -1"},
        {{.threads = -2}, "-2 threads"},   {{.fit = "stretch"}, "stretch"}, {{.precision = "f8"}, "f8"},
        {{.level = "mmx"}, "mmx"},         {{.object = "a\nb"}, "control"}, {{.llm = "nonsense"}, "no address"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        o = options_of(g.folder);
        if (rows[i].change.max_tokens) o.max_tokens = rows[i].change.max_tokens;
        if (rows[i].change.top_p > 0) o.top_p = rows[i].change.top_p;
        if (rows[i].change.temperature < 0) o.temperature = rows[i].change.temperature;
        if (rows[i].change.threads) o.threads = rows[i].change.threads;
        if (rows[i].change.fit) o.fit = rows[i].change.fit;
        if (rows[i].change.precision) o.precision = rows[i].change.precision;
        if (rows[i].change.level) o.level = rows[i].change.level;
        if (rows[i].change.object) o.object = rows[i].change.object;
        if (rows[i].change.llm) o.llm = rows[i].change.llm;
        assert_int_equal(flaw_talker_open(&t, &o, &err), FLAW_USAGE);
        assert_contains(err.text, rows[i].says);
    }
    json_decref(g.root);
}

/* A folder that has some of the released files is one of AnomalyGPT, and what it lacks is named. */
static void test_half_a_folder(void **state)
{
    char path[512];
    flaw_error err = {0};
    flaw_talker *t = NULL;
    flaw_talk_options o = options_of(*state);
    assert_ok(flaw_file_write(in_folder(path, *state, "anomalygpt_delta.pt"), "x", 1, &err));
    assert_int_equal(flaw_talker_open(&t, &o, &err), FLAW_MISSING);
    assert_contains(err.text, "it lacks imagebind_huge.pth, vicuna, pandagpt_delta.pt");
}

static flaw_picture stained(void)
{
    flaw_picture p;
    flaw_error err = {0};
    assert_ok(flaw_picture_new(&p, 96, 96, &err));
    for (int i = 0; i < 96 * 96; i++) {
        int x = i % 96, y = i / 96;
        bool stain = x < 30 && y < 30 && (x - 15) * (x - 15) + (y - 15) * (y - 15) < 100;
        memset(p.rgb + 3 * i, stain ? 0 : 150 + (x * 7 + y * 13) % 12, 3);
    }
    return p;
}

/* Views: the embedded model's map changes with them, without the option it looks as often as it can, numbers that are not
 * allowed and views beside normal pictures are refused. */
static void test_views(void **state)
{
    (void)state;
    const char *good[] = {"good.png"}; /* refused before it is read */
    const int counts[] = {0, 1, 2, 11};
    double sum[4];
    flaw_error err = {0};
    flaw_picture p = stained();
    flaw_talk_options o = options_of(NULL);
    flaw_talker *t;
    for (int i = 0; i < 4; i++) {
        o.views = counts[i];
        t = open_talker(&o);
        assert_ok(flaw_talker_look(t, &p, &err));
        const flaw_result *facts = flaw_talker_facts(t);
        sum[i] = 0;
        for (int k = 0; k < facts->width * facts->height; k++) sum[i] += (double)facts->map[k];
        assert_true(isfinite(sum[i]) && facts->score >= 0 && facts->score <= 1);
        flaw_talker_close(t);
    }
    assert_true(sum[0] == sum[3] && sum[1] != sum[2] && sum[2] != sum[3]);
    o.views = 3;
    assert_int_equal(flaw_talker_open(&t, &o, &err), FLAW_USAGE);
    assert_contains(err.text, "allowed are 1, 2, 6, 7 and 11");
    o.views = 6;
    o.good = good;
    o.good_count = 1;
    assert_int_equal(flaw_talker_open(&t, &o, &err), FLAW_USAGE);
    assert_contains(err.text, "beside normal pictures");
    flaw_picture_release(&p);
}

/* Towers alone, as the file of the model inside: the facts speak, and say so. */
static void test_no_voice(void **state)
{
    char model[1024], path[512];
    flaw_error err = {0};
    const char *source = getenv("FLAW_SOURCE");
    if (!source) skip();
    snprintf(model, sizeof model, "%s/models/default.safetensors", source);
    flaw_talk_options o = options_of(model);
    flaw_talker *t = open_talker(&o);
    flaw_picture p = stained();
    assert_ok(flaw_picture_write_png(&p, in_folder(path, *state, "p.png"), &err));
    assert_ok(flaw_talker_look_file(t, path, &err));
    flaw_answer a = ask(t, "Is it good?");
    const flaw_result *facts = flaw_talker_facts(t);
    assert_int_equal(a.source, FLAW_TALK_FACTS);
    assert_string_equal(a.text, facts->words);
    assert_contains(a.note, "no voice");
    assert_null(a.ids);
    assert_int_equal(a.verdict, facts->verdict);
    assert_int_equal(a.agree, 1);
    assert_int_equal(a.count, facts->regions);
    assert_true(a.score == facts->score && a.threshold == facts->threshold);
    for (int i = 0; i < a.places; i++)
        for (int k = 0; k < i; k++) assert_string_not_equal(a.place[i], a.place[k]);
    flaw_answer_release(&a);
    char *sheet = flaw_facts_text(facts);
    assert_contains(sheet, "object: metal nut\n");
    free(sheet);
    assert_int_equal(flaw_talker_blindfold(t, &err), FLAW_UNAVAILABLE);
    flaw_talker_close(t);
    o.rotations = 1;
    assert_int_equal(flaw_talker_open(&t, &o, &err), FLAW_USAGE);
    o = options_of(model);
    o.good = (const char *[]){path};
    o.good_count = 1;
    t = open_talker(&o);
    assert_ok(flaw_talker_look(t, &p, &err));
    assert_string_equal(flaw_talker_facts(t)->rule, "good-parts");
    assert_ok(flaw_talker_product(t, "cog", NULL, 0, &err));
    assert_null(flaw_talker_facts(t));
    assert_ok(flaw_talker_look(t, &p, &err));
    assert_string_not_equal(flaw_talker_facts(t)->rule, "good-parts");
    assert_contains(flaw_talker_facts(t)->words, "cog");
    flaw_talker_close(t);
    flaw_picture_release(&p);
}

/* An endpoint that is not there: the status says so, and the facts stand in. */
static void test_no_endpoint(void **state)
{
    char model[1024];
    flaw_error err = {0};
    const char *source = getenv("FLAW_SOURCE");
    if (!source) skip();
    snprintf(model, sizeof model, "%s/models/default.safetensors", source);
    flaw_talk_options o = options_of(model);
    o.llm = "http://127.0.0.1:1/v1";
    o.llm_timeout = 0.3; /* no time to try again */
    flaw_talker *t = open_talker(&o);
    flaw_picture p = stained();
    flaw_answer a = {0};
    assert_ok(flaw_talker_look(t, &p, &err));
    for (int turn = 0; turn < 2; turn++) {
        assert_int_equal(flaw_talker_ask(t, "Is it good?", NULL, NULL, &a, &err), FLAW_UNAVAILABLE);
        assert_contains(err.text, "127.0.0.1:1");
        assert_contains(a.note, "127.0.0.1:1");
        assert_int_equal(a.source, FLAW_TALK_FACTS);
        assert_string_equal(a.text, flaw_talker_facts(t)->words);
        flaw_answer_release(&a);
    }
    flaw_talker_close(t);
    flaw_picture_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_another_product),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_blindfold),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_as_typed),
        cmocka_unit_test(test_quirks),
        cmocka_unit_test(test_listening),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_wrong_use),
        cmocka_unit_test_setup_teardown(test_half_a_folder, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_no_voice, make_scratch, remove_scratch),
        cmocka_unit_test(test_no_endpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
