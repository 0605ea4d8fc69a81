/* Sentences in what language models write. The texts are as assistants answer; none of them was made by the reader. */
#include "../check.h"

#include "base/utf8.h"
#include "talk/sentences.h"

typedef struct example {
    const char *text;
    int side;
    const char *normal, *abnormal; /* what is found, "|" in between */
} example;

static const example examples[] = {
    /* lists */
    {"1. a shiny bolt\n2. a straight bolt\n3) a grey bolt", 0, "a shiny bolt|a straight bolt|a grey bolt", ""},
    {"Sure! Here are 3 descriptions of an abnormal bolt:\n\n- A bent bolt.\n- A rusty bolt.\n\nLet me know!", 1, "",
     "A bent bolt|A rusty bolt"},
    {"* a bent bolt\n* a \"rusty\" bolt\n\xe2\x80\xa2 a torn bolt;", 1, "", "a bent bolt|a \"rusty\" bolt|a torn bolt"},
    {"(1) a bent bolt\n(2) a rusty bolt", 1, "", "a bent bolt|a rusty bolt"},
    {"a) a bent bolt\nb) a rusty bolt", 1, "", "a bent bolt|a rusty bolt"},
    {"  1.  **Bent shaft**: a bolt with a bent shaft.\n  2.  **Rust**: a bolt with red rust.\n", 1, "",
     "a bolt with a bent shaft|a bolt with red rust"},
    {"1. 2.5 mm wide bolt\n2. a bolt of 3.5 mm", 0, "2.5 mm wide bolt|a bolt of 3.5 mm", ""},
    {"1.a bent bolt\r\n2.a rusty bolt\r\n", 1, "", "a bent bolt|a rusty bolt"},
    {"1. a bolt with a bent\n   and rusty shaft\n2. a torn bolt\n\n   All of these are bad.\n", 1, "",
     "a bolt with a bent and rusty shaft|a torn bolt"},
    {"- a bent bolt\n  - a torn bolt\n    - a rusty bolt", 1, "", "a bent bolt|a torn bolt|a rusty bolt"},
    {"1. Normal wear: a bolt with worn edges\n2. a torn bolt", 1, "", "a bolt with worn edges|a torn bolt"},
    {"- Normal: a new and shiny bolt\n- Abnormal: a bent and torn bolt", 1, "a new and shiny bolt",
     "a bent and torn bolt"},
    {"Notebook with a torn page\nNote: these are examples.", 1, "", "Notebook with a torn page"},
    /* headings */
    {"Normal:\n1. a shiny bolt\n2. a new bolt\n\nAbnormal:\n1. a bent bolt\n2. a torn bolt", 0,
     "a shiny bolt|a new bolt", "a bent bolt|a torn bolt"},
    {"## Abnormal descriptions\n- a bent bolt\n- a torn bolt\n## Normal descriptions\n- a new bolt", 0, "a new bolt",
     "a bent bolt|a torn bolt"},
    {"**Defective**\na bent bolt\n**Good**\na new bolt", 0, "a new bolt", "a bent bolt"},
    {"NORMAL\na new bolt\nABNORMAL\na bent bolt", 1, "a new bolt", "a bent bolt"},
    {"Normal: a new shiny bolt\nAbnormal: a bent rusty bolt", 1, "a new shiny bolt", "a bent rusty bolt"},
    /* JSON */
    {"[\"a bent bolt\", \"a rusty bolt\"]", 1, "", "a bent bolt|a rusty bolt"},
    {"```json\n[\n  \"a bent bolt\",\n  \"a rusty bolt\"\n]\n```\nHope this helps!", 1, "", "a bent bolt|a rusty bolt"},
    {"{\"normal\": [\"a new bolt\"], \"abnormal\": [\"a bent bolt\"]}", 0, "a new bolt", "a bent bolt"},
    {"Here you are: {\"descriptions\": [{\"id\": 1, \"text\": \"a bent bolt\"}, {\"id\": 2, \"text\": \"a torn bolt\"}]}", 1, "",
     "a bent bolt|a torn bolt"},
    {"[\"a bent bolt\", \"a rusty bolt\", \"a torn bo", 1, "", "a bent bolt|a rusty bolt"},
    {"{\"abnormal\": [\"a bent bolt\", \"a rusty bolt\",], \"normal\": [\"a new bolt\"]}", 0, "a new bolt",
     "a bent bolt|a rusty bolt"},
    {"[\"a \\u001b[31mbent\\nbolt\"]", 1, "", "a [31mbent bolt"},
    /* plain lines and paragraphs */
    {"a bent bolt\n\na rusty bolt\n", 1, "", "a bent bolt|a rusty bolt"},
    {"The bolt is bent. The bolt is rusty; The head of the bolt is torn.", 1, "",
     "The bolt is bent|The bolt is rusty|The head of the bolt is torn"},
    {"\xe2\x80\x9c" "a bent bolt\xe2\x80\x9d,\n'a rusty bolt',", 1, "", "a bent bolt|a rusty bolt"},
    {"\xe2\x80\x9c" "a bolt that isn\xe2\x80\x99t straight\xe2\x80\x9d\na \xe2\x80\x9c" "bad\xe2\x80\x9d bolt", 1, "",
     "a bolt that isn't straight|a \"bad\" bolt"},
    {"> a bent bolt\n> a rusty bolt", 1, "", "a bent bolt|a rusty bolt"},
    {"```\na bent bolt\na rusty bolt\n```", 1, "", "a bent bolt|a rusty bolt"},
    /* thoughts */
    {"<think>\n1. maybe a bolt\n2. or two\n</think>\n\na bent bolt\na rusty bolt", 1, "", "a bent bolt|a rusty bolt"},
    {"<think>\n1. a bolt that is thought of\n2. endlessly", 1, "", ""},
    /* nothing */
    {"", 0, "", ""},
    {"\n\n  \n", 0, "", ""},
    {"I'm sorry, I cannot see pictures.", 1, "", ""},
    {"As an AI I do not look at bolts.", 1, "", ""},
    {"```\n```", 0, "", ""},
    {"[]", 0, "", ""},
    {"{\"error\": null}", 0, "", ""},
    {"Abnormal:", 0, "", ""},
    {"\xff\xfe\x80", 0, "", ""},
};

static void join(char *out, size_t room, const flaw_sentences *s, int side)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < s->count[side]; i++)
        n += (size_t)snprintf(out + n, room - n, "%s%s", i ? "|" : "", s->text[side][i]);
}

static void test_examples(void **state)
{
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const example *e = &examples[i];
        flaw_sentences s;
        flaw_error err = {0};
        char found[4096];
        assert_ok(flaw_sentences_read(&s, e->text, strlen(e->text), e->side, &err));
        for (int side = 0; side < 2; side++) {
            const char *want = side ? e->abnormal : e->normal;
            join(found, sizeof found, &s, side);
            if (strcmp(found, want) != 0)
                fail_msg("%s\n%s: found \"%s\", not \"%s\"", e->text, side ? "abnormal" : "normal", found, want);
        }
        flaw_sentences_release(&s);
    }
}

/* Neither one line of a megabyte nor ten thousand lines are too much, and what does not fit is counted. */
static void test_bounds(void **state)
{
    const size_t size = 1 << 20;
    char *text = malloc(size + 1);
    flaw_sentences s;
    flaw_error err = {0};
    assert_non_null(text);
    memset(text, 'a', size);
    assert_ok(flaw_sentences_read(&s, text, size, 0, &err));
    assert_int_equal(s.count[0], 0);
    assert_int_equal(s.dropped, 1);
    flaw_sentences_release(&s);
    for (size_t i = 0; i < size; i += 16) memcpy(text + i, "- a bolt in row\n", 16);
    assert_ok(flaw_sentences_read(&s, text, size, 0, &err));
    assert_int_equal(s.count[0], FLAW_SENTENCES_MOST);
    assert_int_equal(s.dropped, size / 16 - FLAW_SENTENCES_MOST);
    flaw_sentences_release(&s);
    memset(text, '[', size);
    assert_ok(flaw_sentences_read(&s, text, size, 0, &err));
    assert_int_equal(s.count[0] + s.count[1], 0);
    flaw_sentences_release(&s);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples), cmocka_unit_test(test_bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
