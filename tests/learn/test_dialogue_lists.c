/* models/dialogue.txt: what must be in it, and what is refused with its line. */
#include "../check.h"

#include "base/file.h"
#include "learn/language/dialogue_lists.h"

static char *read_lists(void)
{
    char path[1024];
    const char *root = getenv("FLAW_SOURCE");
    flaw_bytes file;
    flaw_error err = {0};
    snprintf(path, sizeof path, "%s/models/dialogue.txt", root ? root : ".");
    assert_ok(flaw_file_read(&file, path, 1 << 20, &err));
    return (char *)file.data;
}

static flaw_status parse(const char *text, flaw_dialogues **out, flaw_error *err)
{
    *out = NULL;
    return flaw_dialogues_parse(out, text, strlen(text), "lists", err);
}

/* Names and questions as somebody could type them: big or small letters, with or without the sign at the end. */
static int compare(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_different(const flaw_lines *l)
{
    const char **sorted = malloc(l->count * sizeof *sorted);
    memcpy(sorted, l->line, l->count * sizeof *sorted);
    qsort(sorted, l->count, sizeof *sorted, compare);
    for (size_t i = 1; i < l->count; i++)
        if (compare(&sorted[i - 1], &sorted[i]) == 0) fail_msg("\"%s\" twice", sorted[i]);
    free(sorted);
}

static void add_all(const char **all, size_t *count, const flaw_lines *l)
{
    for (size_t i = 0; i < l->count; i++) all[(*count)++] = l->line[i];
}

/* Enough of everything, nothing twice, and no question in two places. */
static void test_file(void **state)
{
    flaw_dialogues *d = NULL;
    flaw_error err = {0};
    char *text = read_lists();
    assert_ok(parse(text, &d, &err));
    assert_true(d->object.count >= 150 && d->surface.count >= 20 && d->ask[FLAW_ASK_ANOMALY].count >= 30);
    const char *all[4000];
    size_t asked = 0, names = 0, pairs = 0;
    for (int k = 0; k < FLAW_ASK_KINDS; k++) {
        assert_true(d->ask[k].count >= 12);
        add_all(all, &asked, &d->ask[k]);
        for (int c = 0; c < FLAW_ANSWER_CASES; c++) check_different(&d->answer[k][c]);
    }
    const flaw_talks *talks[2] = {&d->talk, &d->aside};
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < talks[t]->count; i++) {
            const flaw_talk_block *b = &talks[t]->block[i];
            add_all(all, &asked, &b->say);
            check_different(&b->answer);
            pairs += b->say.count * b->answer.count;
            assert_true(asked < 3900);
        }
    assert_true(pairs >= 400);
    check_different(&(flaw_lines){.line = all, .count = asked});
    add_all(all, &names, &d->object);
    add_all(all, &names, &d->surface);
    check_different(&(flaw_lines){.line = all, .count = names});
    flaw_dialogues_free(d);
    free(text);
}

/* The file with one stretch of it replaced: at the beginning of a line, if it stands at one. */
static char *edit(const char *text, const char *from, const char *to)
{
    char *line = NULL, *out = NULL;
    assert_true(asprintf(&line, "\n%s", from) >= 0);
    const char *at = strstr(text, line);
    at = at ? at + 1 : strstr(text, from);
    if (!at) fail_msg("the file has no \"%s\"", from);
    assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) >= 0);
    free(line);
    return out;
}

static const struct {
    const char *what, *from, *to, *words;
} rows[] = {
    {"a line before any section", "[objects]\n", "", "words before any [section]"},
    {"an unknown section", "[ask size]", "[ask weight]", "unknown section"},
    {"a section without its end", "[ask size]", "[ask size", "unknown section"},
    {"a section that is missing", "[no picture]", "[ask size]", "section [no picture] is missing or empty"},
    {"no talks", "[talk]", "[aside]", "section [talk] is missing or empty"},
    {"a blank that nobody fills", "Is there an anomaly?", "Is there an {anomaly}?", "\"{anomaly}?\" cannot be filled"},
    {"a blank that is not closed", "Is there an anomaly?", "Is there an {object", "\"{object\" cannot be filled"},
    {"a blank that is only closed", "Is there an anomaly?", "Is there an object}?", "byte 0x7d has no place here"},
    {"a size in a question", "How large is it?", "Is it {size}?", "\"{size}?\" cannot be filled in section [ask size]"},
    {"a kind in an answer", "Bad: there is", "A {kind}: there is", "cannot be filled in section [good one]"},
    {"places of nothing", "No, there is no anomaly", "No, at the {places} there is no", "in section [anomaly none]"},
    {"a number of one", "I count 1 anomaly", "I count {n} anomaly", "\"{n} anomaly in \" cannot"},
    {"five blanks", "Is there an anomaly?", "{object} {object} {object} {object} {object}", "at most 4 blanks"},
    {"a blank in a talk", "> Thanks.", "> Thanks, {object}.", "cannot be filled in section [aside]"},
    {"a tab", "Is there an anomaly?", "Is there\tan anomaly?", "byte 0x09 has no place here"},
    {"two blanks", "Is there an anomaly?", "Is there  an anomaly?", "byte 0x20 has no place here"},
    {"a blank at the end", "Is there an anomaly?", "Is there an anomaly? ", "byte 0x20 has no place here"},
    {"a letter beyond ASCII", "Is there an anomaly?",
     "Is there an anomal\xc3\xad"
     "e?",
     "byte 0xc3 has no place here"},
    {"an answer to nothing", "> Good night.\n", "\n", "answers nothing"},
    {"a talk without marks", "> Thanks.\n", "Thanks.\n", "begins neither with"},
    {"a talk without words", "> Thanks.\n", "> \n", "begins neither with"},
    {"a talk without an answer", "< Goodbye.\n< Goodbye, and good parts.\n", "", "nothing is answered to \"Goodbye.\""},
    {"two talks in one", "< Gladly.\n\n", "< Gladly.\n", "an empty line is missing"},
    {"sizes only", "There is an anomaly at the {places} of the image, but its size is not measured.\n", "",
     "section [size one] has no line without {size} and {kind}"},
    {"a long name", "bowl\n", "a name of sixty-five bytes, which is one more than a name may have xx\n",
     "bytes, allowed are 1 to 64"},
};

static void test_refused(void **state)
{
    char *text = read_lists();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        flaw_dialogues *d;
        flaw_error err = {0};
        char *broken = edit(text, rows[i].from, rows[i].to);
        flaw_status status = parse(broken, &d, &err);
        if (status != FLAW_BAD_DATA) fail_msg("%s: %s", rows[i].what, flaw_status_name(status));
        assert_contains(err.text, rows[i].words);
        assert_contains(err.text, "lists: ");
        assert_null(d);
        free(broken);
    }
    free(text);
    flaw_dialogues *d;
    flaw_error err = {0};
    assert_int_equal(parse("", &d, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "section [objects] is missing or empty");
    assert_int_equal(flaw_dialogues_read(&d, "no such file", &err), FLAW_MISSING);
}

/* A line too long is refused with its number, however the file ends. */
static void test_long_line(void **state)
{
    flaw_dialogues *d;
    flaw_error err = {0};
    char text[400] = "[objects]\nbowl\n[ask anomaly]\n";
    memset(text + strlen(text), 'a', 257);
    assert_int_equal(parse(text, &d, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "lists: line 4 has 257 bytes, allowed are 1 to 256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
