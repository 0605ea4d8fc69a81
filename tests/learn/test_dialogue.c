/* Dialogues: every answer says what the truth says, read by the parser that reads a model's answers. */
#include "../check.h"

#include "base/utf8.h"
#include "flaw/simulate.h"
#include "flaw/talk.h"
#include "learn/language/dialogue_lists.h"
#include "learn/language/pieces_learn.h"

static flaw_dialogues *open_lists(void)
{
    char path[1024];
    const char *root = getenv("FLAW_SOURCE");
    flaw_dialogues *d = NULL;
    flaw_error err = {0};
    snprintf(path, sizeof path, "%s/models/dialogue.txt", root ? root : ".");
    assert_ok(flaw_dialogues_read(&d, path, &err));
    return d;
}

static flaw_random seeded(uint64_t stream)
{
    flaw_random r;
    flaw_random_init(&r, 11, stream);
    return r;
}

static bool has_place(const flaw_truth *t, const char *place)
{
    for (int i = 0; i < t->count; i++)
        if (strcmp(t->anomaly[i].place, place) == 0) return true;
    return false;
}

/* The places of the answer are those of the truth. */
static void check_places(const flaw_truth *t, const flaw_answer *a, const char *text)
{
    int different = 0;
    for (int i = 0; i < t->count; i++) {
        bool earlier = false;
        for (int k = 0; k < i; k++) earlier |= strcmp(t->anomaly[k].place, t->anomaly[i].place) == 0;
        different += !earlier;
    }
    if (a->places != different) fail_msg("\"%s\" names %d places of %d", text, a->places, different);
    for (int i = 0; i < a->places; i++)
        if (!has_place(t, a->place[i])) fail_msg("\"%s\" names %s", text, a->place[i]);
}

/* A parser that does not know the product takes a chip for a damage. */
static void parse(flaw_answer *a, const flaw_truth *t, const char *text)
{
    char without[FLAW_TURN_TEXT];
    const char *name = strcmp(t->object, "chip") == 0 ? strstr(text, "chip") : NULL;
    if (name) snprintf(without, sizeof without, "%.*spart%s", (int)(name - text), text, name + 4);
    flaw_answer_parse(a, name ? without : text);
}

static void check_turn(const flaw_truth *t, const flaw_turn *turn)
{
    const char *text = turn->answer;
    const flaw_question_kind k = turn->kind;
    flaw_answer a = {.count = 77};
    parse(&a, t, text);
    const bool yes = strncmp(text, "Yes", 3) == 0, no = strncmp(text, "No", 2) == 0;
    if (k == FLAW_ASK_ANOMALY) assert_true(t->count ? yes : no);
    else if (yes || no) fail_msg("\"%s\" begins as an answer about anomalies", text);
    if (k == FLAW_ASK_OBJECT) {
        assert_contains(text, t->object);
    } else if (k < FLAW_ASK_KINDS) {
        if (a.verdict != (t->count ? FLAW_ANOMALOUS : FLAW_NORMAL))
            fail_msg("\"%s\" reads as %s, %d anomalies", text, flaw_verdict_name(a.verdict), t->count);
        if (a.count != t->count) fail_msg("\"%s\" counts %d, not %d", text, a.count, t->count);
        if (k != FLAW_ASK_COUNT) check_places(t, &a, text);
    } else if (a.verdict == FLAW_ANOMALOUS && (a.count > 0 || a.places)) {
        fail_msg("\"%s\" tells of %d anomalies at %d places", text, a.count, a.places);
    }
    for (const char *c = text; *c; c++) assert_true(*c >= ' ' && *c <= '~');
    if (strchr(turn->question, '{') || strchr(text, '{')) fail_msg("\"%s\" \"%s\": not filled", turn->question, text);
    assert_true(strlen(turn->question) > 0 && strlen(turn->question) < 300 && strlen(text) < 300);
}

/* Thousands of truths, all kinds of questions. */
static void test_every_answer(void **state)
{
    flaw_dialogues *d = open_lists();
    flaw_error err = {0};
    int anomalous = 0;
    for (int i = 0; i < 300; i++) {
        flaw_random r = seeded((uint64_t)i);
        flaw_truth t;
        flaw_turn turn;
        flaw_truth_draw(&t, d, &r);
        anomalous += t.count > 0;
        for (int kind = 0; kind <= FLAW_ASK_NO_PICTURE; kind++) {
            assert_ok(flaw_turn_draw(&turn, d, (flaw_question_kind)kind, &t, &r, &err));
            assert_int_equal(turn.kind, kind);
            check_turn(&t, &turn);
        }
    }
    assert_in_range(anomalous, 140, 205);
    flaw_dialogues_free(d);
}

static const char *ask(const flaw_dialogues *d, flaw_question_kind kind, const flaw_truth *t, flaw_turn *turn)
{
    flaw_random r = seeded(5);
    flaw_error err = {0};
    assert_ok(flaw_turn_draw(turn, d, kind, t, &r, &err));
    return turn->answer;
}

/* AnomalyGPT's answers to the letter. */
static void test_fixed_answers(void **state)
{
    flaw_dialogues *d = open_lists();
    flaw_turn turn;
    flaw_truth t = {.object = "bottle"};
    assert_string_equal(ask(d, FLAW_ASK_ANOMALY, &t, &turn), "No, there is no anomaly in the image.");
    t.count = 1;
    t.anomaly[0].place = "top left";
    assert_string_equal(ask(d, FLAW_ASK_ANOMALY, &t, &turn),
                        "Yes, there is an anomaly in the image, at the top left of the image.");
    t.count = 2;
    t.anomaly[1].place = "center";
    assert_string_equal(ask(d, FLAW_ASK_ANOMALY, &t, &turn),
                        "Yes, there are 2 anomalies in the image, they are at the top left and center of the image.");
    char simulated[256];
    flaw_simulate_answer(simulated, sizeof simulated, 2, (const char *const[]){"top left", "center"});
    assert_string_equal(turn.answer, simulated);
    t.anomaly[1].place = "top left";
    assert_string_equal(ask(d, FLAW_ASK_ANOMALY, &t, &turn),
                        "Yes, there are 2 anomalies in the image, they are at the top left of the image.");
    t.count = 4;
    t.anomaly[0].place = "bottom right";
    t.anomaly[2].place = "top";
    t.anomaly[3].place = "left";
    assert_string_equal(
        ask(d, FLAW_ASK_ANOMALY, &t, &turn),
        "Yes, there are 4 anomalies in the image, they are at the top left, top, left and bottom right of the image.");
    flaw_dialogues_free(d);
}

/* Sizes are said where they are known, by the largest; never where one is not. */
static void test_sizes(void **state)
{
    static const struct {
        double area;
        const char *word;
    } sizes[] = {{0.0049, "very small"}, {0.005, "small"}, {0.0199, "small"},
                 {0.02, "medium-sized"}, {0.08, "large"},  {1, "large"}};
    flaw_dialogues *d = open_lists();
    flaw_truth t = {.object = "bottle", .count = 2, .anomaly = {{"top", NULL, 0.001}, {"left", NULL, 0}}};
    flaw_turn turn;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char wanted[64];
        t.anomaly[1].area = sizes[i].area;
        ask(d, FLAW_ASK_SIZE, &t, &turn);
        snprintf(wanted, sizeof wanted, "largest is %s.", sizes[i].word);
        assert_contains(turn.answer, wanted);
    }
    t.anomaly[1].area = 0;
    assert_contains(ask(d, FLAW_ASK_SIZE, &t, &turn), "not measured");
    flaw_dialogues_free(d);
}

static void test_articles(void **state)
{
    static const struct {
        const char *object;
        bool texture;
        const char *wanted;
    } rows[] = {{"metal nut", false, " a metal nut"}, {"egg", false, " an egg"},
                {"usb stick", false, " a usb stick"}, {"O-ring", false, " an O-ring"},
                {"leather", true, " leather"},        {"unit", false, " a unit"}};
    flaw_dialogues *d = open_lists();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        flaw_truth t = {.object = rows[i].object, .texture = rows[i].texture};
        flaw_turn turn;
        assert_contains(ask(d, FLAW_ASK_OBJECT, &t, &turn), rows[i].wanted);
        if (rows[i].texture) assert_null(strstr(turn.answer, " a "));
    }
    flaw_dialogues_free(d);
}

/* A kind is asked about where it is known, and never confirmed. */
static void test_kinds_are_not_named(void **state)
{
    flaw_dialogues *d = open_lists();
    flaw_error err = {0};
    int asked = 0;
    for (int i = 0; i < 500; i++) {
        flaw_truth t = {.object = "bottle", .count = 1, .anomaly = {{"top", i % 2 ? "gouge" : NULL, 0.1}}};
        flaw_random r = seeded((uint64_t)i);
        flaw_turn turn;
        assert_ok(flaw_turn_draw(&turn, d, (flaw_question_kind)(i % FLAW_ASK_KINDS), &t, &r, &err));
        asked += strstr(turn.question, "gouge") != NULL;
        assert_null(strstr(turn.answer, "gouge"));
        assert_ok(flaw_turn_draw(&turn, d, FLAW_ASK_KIND, &t, &r, &err));
        asked += strstr(turn.question, "gouge") != NULL;
        assert_null(strstr(turn.answer, "gouge"));
    }
    assert_true(asked > 10);
    flaw_dialogues_free(d);
}

static void test_wrong_truths(void **state)
{
    static const char long_name[] = "a name of sixty-five bytes, which is one more than is allowed....";
    static const struct {
        flaw_truth t;
        const char *words;
    } rows[] = {
        {{.object = NULL}, "a name of 1 to 64 bytes"},
        {{.object = ""}, "a name of 1 to 64 bytes"},
        {{.object = long_name}, "a name of 1 to 64 bytes"},
        {{.object = "nut", .count = -1}, "-1 anomalies"},
        {{.object = "nut", .count = 5}, "5 anomalies, allowed are 0 to 4"},
        {{.object = "nut", .count = 1}, "anomaly 0 is at \"\""},
        {{.object = "nut", .count = 2, .anomaly = {{"top", NULL, 0}, {"middle", NULL, 0}}},
         "anomaly 1 is at \"middle\""},
        {{.object = "nut", .count = 1, .anomaly = {{"top", NULL, -0.1}}}, "the area -0.1"},
        {{.object = "nut", .count = 1, .anomaly = {{"top", NULL, 1.5}}}, "the area 1.5"},
        {{.object = "nut", .count = 1, .anomaly = {{"top", long_name, 0}}}, "a kind of more than 32 bytes"},
    };
    assert_int_equal(strlen(long_name), 65);
    flaw_dialogues *d = open_lists();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        flaw_random r = seeded(1);
        flaw_turn turn;
        flaw_dialogue dialogue;
        flaw_error err = {0};
        assert_int_equal(flaw_turn_draw(&turn, d, FLAW_ASK_WHERE, &rows[i].t, &r, &err), FLAW_USAGE);
        assert_contains(err.text, rows[i].words);
        assert_int_equal(flaw_dialogue_draw(&dialogue, d, &rows[i].t, &r, &err), FLAW_USAGE);
    }
    flaw_dialogues_free(d);
}

/* A dialogue about a picture: one to three different questions, the first mostly whether there is an anomaly. */
static void test_dialogues(void **state)
{
    flaw_dialogues *d = open_lists();
    flaw_error err = {0};
    int turns[4] = {0}, kinds[FLAW_ASK_NO_PICTURE + 1] = {0}, first = 0;
    for (int i = 0; i < 400; i++) {
        flaw_random r = seeded((uint64_t)i);
        flaw_truth t;
        flaw_dialogue talk, about;
        flaw_truth_draw(&t, d, &r);
        assert_ok(flaw_dialogue_draw(&about, d, &t, &r, &err));
        assert_in_range(about.turns, 1, 3);
        turns[about.turns]++;
        first += about.turn[0].kind == FLAW_ASK_ANOMALY;
        for (int k = 0; k < about.turns; k++) {
            check_turn(&t, &about.turn[k]);
            kinds[about.turn[k].kind]++;
            for (int j = 0; j < k; j++) assert_int_not_equal(about.turn[j].kind, about.turn[k].kind);
        }
        flaw_dialogue_talk(&talk, d, &r);
        for (int k = 0; k < talk.turns; k++)
            assert_true(talk.turn[k].kind == FLAW_ASK_ASIDE || talk.turn[k].kind == FLAW_ASK_TALK);
    }
    assert_true(first > 160 && first < 240 && turns[1] > 200 && turns[2] > 70 && turns[3] > 35);
    for (int k = 0; k <= FLAW_ASK_TALK; k++) assert_true(kinds[k] > 8);
    assert_int_equal(kinds[FLAW_ASK_NO_PICTURE], 0);
    flaw_dialogues_free(d);
}

static void test_written(void **state)
{
    flaw_dialogue d = {.turns = 2,
                       .turn = {{.question = "Q1?", .answer = "A1."}, {.question = "Q2?", .answer = "A2."}}};
    flaw_truth t = {.object = "metal nut", .count = 2, .anomaly = {{"top left", NULL, 0.01}, {"center", NULL, 0}}};
    flaw_buffer b;
    flaw_buffer_init(&b, 4096);
    flaw_dialogue_write(&b, &d, NULL);
    assert_string_equal(b.data, "### Human: Q1?\n### Assistant: A1.\n### Human: Q2?\n### Assistant: A2.\n###");
    flaw_buffer_release(&b);
    d.turns = 1;
    flaw_dialogue_write(&b, &d, &t);
    assert_string_equal(
        b.data, "### Human: <Img> metal nut </Img>  2 regions: small, top left; center. Q1?\n### Assistant: A1.\n###");
    flaw_buffer_release(&b);
    t.count = 0;
    flaw_dialogue_write(&b, &d, &t);
    assert_string_equal(b.data, "### Human: <Img> metal nut </Img>  no region. Q1?\n### Assistant: A1.\n###");
    flaw_buffer_release(&b);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Splits a corpus at its empty lines; the dialogues in it, in place. */
static size_t split(char *text, const char **out, size_t room)
{
    size_t count = 0;
    for (char *at = text; *at; count++) {
        char *stop = at;
        while (*stop && !(stop[0] == '\n' && stop[1] == '\n')) stop++;
        assert_true(*stop && count < room);
        *stop = '\0';
        out[count] = at;
        at = stop + 2;
    }
    return count;
}

/* "### Human: " and "### Assistant: " in turns, "\n###" at the end. */
static void check_form(const char *text)
{
    int lines = 0;
    for (const char *at = text;; lines++) {
        if (strcmp(at, "###") == 0) break;
        const char *head = lines % 2 ? "### Assistant: " : "### Human: ", *stop = strchr(at, '\n');
        if (strncmp(at, head, strlen(head)) != 0 || !stop) fail_msg("no dialogue: \"%s\"", text);
        at = stop + 1;
    }
    assert_true(lines == 2 || lines == 4 || lines == 6);
}

static void test_corpus(void **state)
{
    enum { COUNT = 6000 };
    static const char *dialogue[COUNT];
    flaw_dialogues *d = open_lists();
    flaw_error err = {0};
    flaw_buffer b, less, other;
    flaw_buffer_init(&b, 1 << 24);
    flaw_buffer_init(&less, 1 << 24);
    flaw_buffer_init(&other, 1 << 24);
    assert_ok(flaw_dialogue_corpus(&b, d, 3, COUNT, &err));
    assert_ok(flaw_dialogue_corpus(&less, d, 3, 100, &err));
    assert_memory_equal(b.data, less.data, less.size); /* a longer corpus goes on where a shorter one ended */
    assert_ok(flaw_dialogue_corpus(&other, d, 4, 100, &err));
    assert_true(other.size != less.size || memcmp(other.data, less.data, less.size) != 0);
    assert_int_equal(split(b.data, dialogue, COUNT), COUNT);
    size_t pictures = 0, different = 1, longest = 0;
    for (size_t i = 0; i < COUNT; i++) {
        check_form(dialogue[i]);
        pictures += strstr(dialogue[i], "<Img>") != NULL;
        if (strlen(dialogue[i]) > longest) longest = strlen(dialogue[i]);
    }
    assert_in_range(pictures, COUNT * 72 / 100, COUNT * 80 / 100);
    assert_true(longest < 1200);
    qsort(dialogue, COUNT, sizeof *dialogue, by_bytes);
    for (size_t i = 1; i < COUNT; i++) different += strcmp(dialogue[i - 1], dialogue[i]) != 0;
    if (different < COUNT * 85 / 100)
        fail_msg("%zu of %d dialogues are different", different, COUNT); /* short talks come again */
    assert_int_equal(flaw_dialogue_corpus(&b, d, 1, -1, &err), FLAW_USAGE);
    flaw_buffer_release(&b);
    flaw_buffer_init(&b, 100);
    assert_int_equal(flaw_dialogue_corpus(&b, d, 1, 100, &err), FLAW_NO_MEMORY);
    flaw_buffer_release(&b);
    flaw_buffer_release(&less);
    flaw_buffer_release(&other);
    flaw_dialogues_free(d);
}

static size_t encode(const flaw_pieces *p, const char *text, size_t size, int32_t *ids, size_t room)
{
    size_t count = 0;
    flaw_error err = {0};
    assert_ok(flaw_pieces_encode(p, text, size, ids, room, &count, &err));
    assert_true(count <= room);
    return count;
}

/* With a vocabulary learnt from the corpus, a dialogue is short, and reads the same tokens whether it is read at once
 * or, as a model that sees a picture reads it, piece by piece. */
static void test_tokens(void **state)
{
    static const char head[] = "### Human: <Img>", tail[] = "</Img> ",
                      rest[] = "no region. Is there any anomaly in the image?";
    flaw_dialogues *d = open_lists();
    flaw_error err = {0};
    flaw_buffer b;
    flaw_arena arena;
    flaw_word_counts counts;
    flaw_pieces *p = NULL;
    static int32_t ids[400000], piecewise[100];
    flaw_arena_init(&arena, 0);
    flaw_word_counts_init(&counts, &arena);
    flaw_buffer_init(&b, 1 << 24);
    assert_ok(flaw_dialogue_corpus(&b, d, 3, 1500, &err));
    assert_ok(flaw_piece_words_add(&counts, b.data, b.size, 1, &err));
    assert_ok(flaw_pieces_learn(&p, &counts, 1024, &err));
    const size_t tokens = encode(p, b.data, b.size, ids, 400000);
    assert_true(tokens < 1500 * 80); /* a dialogue takes some 70 */
    static const char whole[] = "### Human: <Img> metal nut </Img>  no region. Is there any anomaly in the image?";
    size_t count = encode(p, head, strlen(head), piecewise, 100);
    count += encode(p, "metal nut", 9, piecewise + count, 100 - count);
    count += encode(p, tail, strlen(tail), piecewise + count, 100 - count);
    count += encode(p, rest, strlen(rest), piecewise + count, 100 - count);
    assert_int_equal(encode(p, whole, strlen(whole), ids, 100), count);
    assert_memory_equal(ids, piecewise, count * sizeof *ids);
    flaw_pieces_free(p);
    flaw_arena_release(&arena);
    flaw_buffer_release(&b);
    flaw_dialogues_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_answer),
        cmocka_unit_test(test_fixed_answers),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_articles),
        cmocka_unit_test(test_kinds_are_not_named),
        cmocka_unit_test(test_wrong_truths),
        cmocka_unit_test(test_dialogues),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
