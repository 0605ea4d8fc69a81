/* Pins and bans: which sentences a choice leaves, what is refused, and what a recipe keeps of it. */
#include "../check.h"

#include "detect/prompts.h"

static const char *const JSON =
    "{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"*\","
    "\"normal\":[\"a clean {}\",\"a clean and smooth {}\",\"a whole {}\",\"a {} of one colour\"],"
    "\"abnormal\":[\"a dirty {}\",\"a {} with a crack\",\"a {} with a hair crack\",\"a {} of one colour\"]}]}";

static flaw_prompt_set open_set(void)
{
    flaw_prompt_set set;
    flaw_error err = {0};
    assert_ok(flaw_prompts_parse(&set, JSON, strlen(JSON), "test", "bottle", &err));
    return set;
}

/* "a|b|c" of the sentences [from, from + n) of a side. */
static const char *joined(char out[2048], const flaw_prompt_set *set, int c, int from, int n)
{
    out[0] = '\0';
    for (int i = 0; i < n; i++)
        snprintf(out + strlen(out), 2048 - strlen(out), "%s%s%s", i ? "|" : "", set->text[c][from + i],
                 from + i < set->count[c] && set->pinned[c] && set->pinned[c][from + i] ? "!" : "");
    return out;
}

typedef struct wishes {
    const char *pin[4], *ban[4];      /* up to a NULL */
    const char *left[2], *banned[2];  /* '!' behind a pinned one; NULL = refused with ... */
    const char *why;                  /* ... this in the message */
} wishes;

static size_t length(const char *const list[4])
{
    size_t n = 0;
    while (n < 4 && list[n]) n++;
    return n;
}

#define ALL_NORMAL "a clean bottle|a clean and smooth bottle|a whole bottle|a bottle of one colour"
#define ALL_ABNORMAL "a dirty bottle|a bottle with a crack|a bottle with a hair crack|a bottle of one colour"

static const wishes TABLE[] = {
    {{NULL}, {NULL}, {ALL_NORMAL, ALL_ABNORMAL}, {"", ""}, NULL},
    /* A whole sentence is that one only, in any letters; part of some is all of these. */
    {{NULL}, {"A DIRTY Bottle"}, {ALL_NORMAL, "a bottle with a crack|a bottle with a hair crack|a bottle of one colour"},
     {"", "a dirty bottle"}, NULL},
    {{NULL}, {"a {} with a crack"}, {ALL_NORMAL, "a dirty bottle|a bottle with a hair crack|a bottle of one colour"},
     {"", "a bottle with a crack"}, NULL},
    {{NULL}, {"crack"}, {ALL_NORMAL, "a dirty bottle|a bottle of one colour"},
     {"", "a bottle with a crack|a bottle with a hair crack"}, NULL},
    {{NULL}, {"crack", "hair crack"}, {ALL_NORMAL, "a dirty bottle|a bottle of one colour"},
     {"", "a bottle with a crack|a bottle with a hair crack"}, NULL},
    {{NULL}, {"of one colour"}, {"a clean bottle|a clean and smooth bottle|a whole bottle",
     "a dirty bottle|a bottle with a crack|a bottle with a hair crack"},
     {"a bottle of one colour", "a bottle of one colour"}, NULL},
    {{NULL}, {"abnormal: of one colour"}, {ALL_NORMAL, "a dirty bottle|a bottle with a crack|a bottle with a hair crack"},
     {"", "a bottle of one colour"}, NULL},
    /* Pins of sentences that are there, and new ones. */
    {{"a whole {}"}, {NULL}, {"a clean bottle|a clean and smooth bottle|a whole bottle!|a bottle of one colour", ALL_ABNORMAL},
     {"", ""}, NULL},
    {{"Abnormal:a {} with a crack", "a bottle with a crack"}, {NULL},
     {ALL_NORMAL, "a dirty bottle|a bottle with a crack!|a bottle with a hair crack|a bottle of one colour"}, {"", ""}, NULL},
    {{"normal:  a {} without: burrs"}, {NULL}, {ALL_NORMAL "|a bottle without: burrs!", ALL_ABNORMAL}, {"", ""}, NULL},
    {{"abnormal: a burnt {}", "abnormal: A BURNT bottle"}, {NULL}, {ALL_NORMAL, ALL_ABNORMAL "|a burnt bottle!"}, {"", ""}, NULL},
    {{"abnormal: a {} of one colour"}, {NULL}, {ALL_NORMAL,
     "a dirty bottle|a bottle with a crack|a bottle with a hair crack|a bottle of one colour!"}, {"", ""}, NULL},
    /* From one side to the other; a side of new sentences alone. */
    {{"abnormal: a whole {}"}, {"normal: a whole {}"}, {"a clean bottle|a clean and smooth bottle|a bottle of one colour",
     ALL_ABNORMAL "|a whole bottle!"}, {"a whole bottle", ""}, NULL},
    {{"abnormal: a burnt {}"}, {"abnormal: a "}, {ALL_NORMAL, "a burnt bottle!"}, {"", ALL_ABNORMAL}, NULL},
    {{"a bottle of one colour"}, {"normal: a bottle of one colour"}, {"a clean bottle|a clean and smooth bottle|a whole bottle",
     "a dirty bottle|a bottle with a crack|a bottle with a hair crack|a bottle of one colour!"},
     {"a bottle of one colour", ""}, NULL},
    /* What makes no sense. */
    {{NULL}, {"rust"}, {NULL}, {NULL}, "none of the 8 sentences for \"bottle\" is or holds \"rust\""},
    {{NULL}, {"normal: crack"}, {NULL}, {NULL}, "none of the 4 normal sentences"},
    {{NULL}, {"abnormal: a"}, {NULL}, {NULL}, "no abnormal sentence for \"bottle\" is left"},
    {{NULL}, {"bottle"}, {NULL}, {NULL}, "no normal sentence"},
    {{NULL}, {""}, {NULL}, {NULL}, "empty"},
    {{NULL}, {"normal:"}, {NULL}, {NULL}, "empty"},
    {{"a burnt {}"}, {NULL}, {NULL}, {NULL}, "\"normal: ...\" or \"abnormal: ...\""},
    {{"good: a burnt {}"}, {NULL}, {NULL}, {NULL}, "\"good: a burnt bottle\""},
    {{"a bottle of one colour"}, {NULL}, {NULL}, {NULL}, "on both sides"},
    {{"abnormal: a whole {}"}, {NULL}, {NULL}, {NULL}, "among the normal sentences"},
    {{"a whole {}"}, {"whole"}, {NULL}, {NULL}, "both pinned and banned"},
    {{"normal: a whole {}"}, {"whole"}, {NULL}, {NULL}, "both pinned and banned"},
    {{"abnormal: a\nb"}, {NULL}, {NULL}, {NULL}, "control character 10"},
    {{NULL}, {"a\033b"}, {NULL}, {NULL}, "control character 27"},
    {{"abnormal: a\xff"}, {NULL}, {NULL}, {NULL}, "UTF-8"},
};

static void check_side(const flaw_prompt_set *set, int c, const wishes *w)
{
    char text[2048];
    assert_string_equal(joined(text, set, c, 0, set->count[c]), w->left[c]);
    assert_string_equal(joined(text, set, c, set->count[c], set->banned[c]), w->banned[c]);
}

static void test_table(void **state)
{
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        const wishes *w = &TABLE[i];
        flaw_prompt_set set = open_set();
        flaw_error err = {0};
        flaw_status s = flaw_prompts_choose(&set, w->pin, length(w->pin), w->ban, length(w->ban), &err);
        if (w->why) {
            assert_int_equal(s, FLAW_USAGE);
            assert_contains(err.text, w->why);
        } else {
            if (s) fail_msg("row %zu: %s", i, err.text);
            for (int c = 0; c < 2; c++) check_side(&set, c, w);
        }
        flaw_prompts_release(&set);
    }
}

/* The longest sentence, and one byte more; the most sentences, and one more. */
static void test_limits(void **state)
{
    char pin[FLAW_PROMPT_BYTES + 32] = "normal: ";
    const char *list[1] = {pin};
    flaw_error err = {0};
    for (int more = 0; more < 2; more++) {
        flaw_prompt_set set = open_set();
        memset(pin + 8, 'x', (size_t)(FLAW_PROMPT_BYTES - 1 + more));
        pin[8 + FLAW_PROMPT_BYTES - 1 + more] = '\0';
        assert_int_equal(flaw_prompts_choose(&set, list, 1, NULL, 0, &err), more ? FLAW_USAGE : FLAW_OK);
        flaw_prompts_release(&set);
    }
    enum { MOST = FLAW_PROMPTS_MOST - 4 };
    static char text[MOST + 1][32];
    static const char *pins[MOST + 1];
    for (int i = 0; i <= MOST; i++) {
        snprintf(text[i], sizeof text[i], "abnormal: mark %d", i);
        pins[i] = text[i];
    }
    for (int more = 0; more < 2; more++) {
        flaw_prompt_set set = open_set();
        assert_int_equal(flaw_prompts_choose(&set, pins, (size_t)(MOST + more), NULL, 0, &err),
                         more ? FLAW_USAGE : FLAW_OK);
        if (!more) assert_int_equal(set.count[1], FLAW_PROMPTS_MOST);
        flaw_prompts_release(&set);
    }
}

enum { WIDTH = 3 };

/* Numbers in place of what a text tower says. */
static void embed(flaw_prompt_set *set)
{
    set->width = WIDTH;
    for (int c = 0; c < 2; c++) {
        int rows = set->count[c] + set->banned[c];
        set->embedding[c] = flaw_arena_alloc(&set->arena, (size_t)rows * WIDTH, sizeof(float));
        for (int i = 0; i < rows * WIDTH; i++) set->embedding[c][i] = (float)(100 * c + i);
    }
}

static flaw_record saved_choice(void)
{
    static const char *const pin[] = {"abnormal: a burnt {}", "a whole bottle"}, *const ban[] = {"crack"};
    flaw_prompt_set set = open_set();
    flaw_record record;
    flaw_error err = {0};
    assert_ok(flaw_prompts_choose(&set, pin, 2, ban, 1, &err));
    embed(&set);
    flaw_record_init(&record);
    assert_ok(flaw_prompts_save(&set, &record, &err));
    flaw_prompts_release(&set);
    return record;
}

static void test_record(void **state)
{
    static const wishes want = {{NULL}, {NULL},
        {"a clean bottle|a clean and smooth bottle|a whole bottle!|a bottle of one colour",
         "a dirty bottle|a bottle of one colour|a burnt bottle!"},
        {"", "a bottle with a crack|a bottle with a hair crack"}, NULL};
    flaw_record record = saved_choice();
    flaw_prompt_set back;
    flaw_error err = {0};
    assert_ok(flaw_prompts_load(&back, &record, WIDTH, &err));
    for (int c = 0; c < 2; c++) {
        check_side(&back, c, &want);
        for (int i = 0; i < (back.count[c] + back.banned[c]) * WIDTH; i++)
            assert_true(back.embedding[c][i] == (float)(100 * c + i));
    }
    assert_null(flaw_record_find(&record, "prompts.normal.banned.text"));
    flaw_prompts_release(&back);
    flaw_record_release(&record);
}

/* A record whose choice does not fit its sentences is refused. */
static void test_record_refused(void **state)
{
    static const struct {
        const char *name, *text;
        size_t rows, columns;
        const char *why;
    } broken[] = {
        {"prompts.normal.pinned", NULL, 3, 1, "3 pins"},
        {"prompts.normal.pinned", NULL, 4, 2, "columns"},
        {"prompts.normal.pinned", "yes", 0, 0, "is a text"},
        {"prompts.abnormal.banned.text", "a bottle with a crack", 0, 0, "1 abnormal sentences and 2 embeddings"},
        {"prompts.abnormal.banned.embedding", NULL, 2, 4, "columns"},
        {"prompts.abnormal.banned.embedding", NULL, 2000, 3, "2000 abnormal embeddings"},
        {"prompts.abnormal.banned.embedding", NULL, 3, 3, "2 abnormal sentences and 3 embeddings"},
    };
    static float zeros[2000 * 4];
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        flaw_record whole = saved_choice(), record;
        flaw_prompt_set back;
        flaw_error err = {0};
        flaw_record_init(&record);
        for (size_t k = 0; k < whole.count; k++) {
            const flaw_record_item *item = &whole.item[k];
            bool other = !strcmp(item->name, broken[i].name);
            if (other && broken[i].text) assert_ok(flaw_record_put_text(&record, item->name, broken[i].text, &err));
            else if (other)
                assert_ok(flaw_record_put_table(&record, item->name, zeros, broken[i].rows, broken[i].columns, &err));
            else if (item->kind == FLAW_RECORD_TEXT)
                assert_ok(flaw_record_put_text(&record, item->name, item->text, &err));
            else assert_ok(flaw_record_put_table(&record, item->name, item->table, item->rows, item->columns, &err));
        }
        assert_int_equal(flaw_prompts_load(&back, &record, WIDTH, &err), FLAW_BAD_DATA);
        assert_contains(err.text, broken[i].why);
        flaw_record_release(&record);
        flaw_record_release(&whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_record_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
