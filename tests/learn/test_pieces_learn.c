/* A vocabulary of pieces learnt from texts: what its merges are, that every text comes back, and that nothing else
 * decides than the words. */
#include "../check.h"

#include "learn/language/pieces_learn.h"
#include "model/text/pieces_impl.h"

#define MARK FLAW_SPACE_MARK

typedef struct corpus {
    flaw_arena arena;
    flaw_word_counts counts;
} corpus;

static void add(corpus *c, const char *text, int weight)
{
    flaw_error err = {0};
    assert_ok(flaw_piece_words_add(&c->counts, text, strlen(text), weight, &err));
}

/* In place: the counts point at the arena beside them. */
static void begin(corpus *c, const char *text)
{
    flaw_arena_init(&c->arena, 0);
    flaw_word_counts_init(&c->counts, &c->arena);
    if (text) add(c, text, 1);
}

static int count_of(const corpus *c, const char *word)
{
    for (size_t i = 0; i < c->counts.count; i++)
        if (strcmp(c->counts.item[i].word, word) == 0) return c->counts.item[i].count;
    return 0;
}

/* Learns and gives the corpus back. */
static flaw_pieces *learn(corpus *c, int size)
{
    flaw_pieces *p = NULL;
    flaw_error err = {0};
    assert_ok(flaw_pieces_learn(&p, &c->counts, size, &err));
    flaw_arena_release(&c->arena);
    return p;
}

static void expect_piece(const flaw_pieces *p, int id, const char *text)
{
    assert_true(id < p->count);
    if (p->piece[id].size != strlen(text) || memcmp(p->piece[id].text, text, strlen(text)) != 0)
        fail_msg("piece %d is \"%s\", expected \"%s\"", id, p->piece[id].text, text);
}

static void test_words(void **state)
{
    corpus c;
    begin(&c, "A part, 12 parts.\n### It's a  part\t!\xff\xc3\xa9");
    assert_int_equal(count_of(&c, MARK "A"), 1);
    assert_int_equal(count_of(&c, MARK "part"), 2);
    assert_int_equal(count_of(&c, ","), 1);
    assert_int_equal(count_of(&c, "1"), 1); /* digits stand alone */
    assert_int_equal(count_of(&c, "2"), 1);
    assert_int_equal(count_of(&c, MARK), 2); /* before the 1, and of the two spaces the first */
    assert_int_equal(count_of(&c, "###"), 1);
    assert_int_equal(count_of(&c, MARK "It's"), 1);
    assert_int_equal(count_of(&c, "!"), 1); /* a tab or a broken byte is no word and parts words */
    assert_int_equal(count_of(&c, "\xc3\xa9"), 1);
    flaw_arena_release(&c.arena);
}

/* Sennrich's example, counted by hand. */
static void test_merges(void **state)
{
    corpus c;
    begin(&c, NULL);
    add(&c, "low", 5);
    add(&c, "lower", 2);
    add(&c, "newest", 6);
    add(&c, "widest", 3);
    flaw_pieces *p = learn(&c, 259 + 95 + 6);
    assert_int_equal(p->count, 259 + 95 + 6);
    /* es 9 and st 9: es; then es t 9; lo 7, ow 7 and _l 7: l is first in byte order; then lo w 7, _ low 7. */
    static const char *const wanted[] = {"es", "est", "lo", "low", MARK "low"};
    for (int i = 0; i < 5; i++) {
        expect_piece(p, 259 + i, wanted[i]);
        assert_true(p->piece[259 + i].score == -(float)i);
    }
    expect_piece(p, 0, "<unk>");
    expect_piece(p, 1, "<s>");
    expect_piece(p, 2, "</s>");
    expect_piece(p, 3, "<0x00>");
    expect_piece(p, 258, "<0xFF>");
    expect_piece(p, 259 + 6, "!");
    expect_piece(p, p->count - 1, MARK);
    assert_int_equal(p->rules.bos, 1);
    assert_int_equal(p->rules.eos, 2);
    assert_true(p->rules.bytes && p->rules.dummy_prefix && !p->rules.collapse);
    flaw_pieces_free(p);
}

/* a+bc and ab+c make the same text: one piece. */
static void test_two_ways(void **state)
{
    corpus c;
    begin(&c, NULL);
    add(&c, "\nabx", 9);
    add(&c, "\nbcy", 8);
    add(&c, "\nabc", 7); /* ab 16, bc 8 */
    add(&c, "\nzabc", 2);
    flaw_pieces *p = learn(&c, 500);
    int found = 0;
    for (int i = 0; i < p->count; i++) found += p->piece[i].size == 3 && !memcmp(p->piece[i].text, "abc", 3);
    assert_int_equal(found, 1);
    assert_true(p->count < 500); /* it ends when every word is one piece */
    flaw_pieces_free(p);
}

static void check_back(const flaw_pieces *p, const char *text)
{
    int32_t ids[512];
    size_t count = 0;
    flaw_error err = {0};
    flaw_buffer b;
    flaw_buffer_init(&b, 4096);
    assert_ok(flaw_pieces_encode(p, text, strlen(text), ids, 512, &count, &err));
    assert_true(count <= 512);
    for (size_t i = 0; i < count; i++) flaw_pieces_append(p, ids[i], i == 0, &b);
    assert_string_equal(b.data, text);
    flaw_buffer_release(&b);
}

static const char text[] =
    "### Human: Is there any anomaly in the image?\n### Assistant: Yes, there are 2 anomalies in the image, they "
    "are at the top left and center of the image.\n### Human: Thank you.\n### Assistant: You are welcome.\n###";

/* Every text comes back, the merged words are single pieces, and the line end stays a byte. */
static void test_encode(void **state)
{
    corpus c;
    begin(&c, NULL);
    add(&c, text, 50);
    flaw_pieces *p = learn(&c, 500);
    int32_t ids[8];
    size_t count = 0;
    flaw_error err = {0};
    check_back(p, text);
    check_back(p, "\xf0\x9f\x98\x80 never seen: Zq\xc3\xa9, 3.14 \t#");
    assert_ok(flaw_pieces_encode(p, "anomalies\n### Human:", 20, ids, 8, &count, &err));
    assert_int_equal(count, 5);
    expect_piece(p, ids[0], MARK "anomalies");
    expect_piece(p, ids[1], "<0x0A>");
    expect_piece(p, ids[2], "###");
    expect_piece(p, ids[3], MARK "Human");
    expect_piece(p, ids[4], ":");
    for (int i = 259; i < p->count; i++) {
        if (p->piece[i].size <= FLAW_SPACE_MARK_SIZE) continue; /* one character */
        for (size_t k = 0; k < p->piece[i].size; k++)
            assert_false(p->piece[i].text[k] >= '0' && p->piece[i].text[k] <= '9');
    }
    flaw_pieces_free(p);
}

/* The order in which texts come, and in how many pieces their weight is given, changes nothing. */
static void test_deterministic(void **state)
{
    flaw_buffer written[2];
    for (int way = 0; way < 2; way++) {
        corpus c;
        begin(&c, NULL);
        if (way) add(&c, "another text of other words", 3);
        add(&c, text, 2);
        add(&c, text, 2);
        if (!way) add(&c, "another text of other words", 1), add(&c, "another text of other words", 2);
        flaw_pieces *p = learn(&c, 420);
        flaw_buffer_init(&written[way], 1 << 20);
        flaw_pieces_write(p, &written[way]);
        flaw_pieces_free(p);
    }
    assert_int_equal(written[0].size, written[1].size);
    assert_memory_equal(written[0].data, written[1].data, written[0].size);
    flaw_buffer_release(&written[0]);
    flaw_buffer_release(&written[1]);
}

/* Characters beyond ASCII are pieces when they are frequent, else bytes. */
static void test_characters(void **state)
{
    corpus c;
    begin(&c, NULL);
    add(&c, "\xc3\xa9\xc3\xa9", 8);
    add(&c, "\xc3\xa8", 15);
    flaw_pieces *p = learn(&c, 1000);
    assert_true(flaw_pieces_find(p, "\xc3\xa9") > 0);
    assert_int_equal(flaw_pieces_find(p, "\xc3\xa8"), -1);
    check_back(p, "\xc3\xa9 \xc3\xa8");
    flaw_pieces_free(p);
}

static void test_refused(void **state)
{
    corpus c;
    begin(&c, "a b");
    flaw_pieces *p = NULL;
    flaw_error err = {0};
    assert_int_equal(flaw_pieces_learn(&p, &c.counts, 353, &err), FLAW_USAGE);
    assert_contains(err.text, "353 pieces, allowed are 354 (all characters) to 4096");
    assert_int_equal(flaw_pieces_learn(&p, &c.counts, 4097, &err), FLAW_USAGE);
    assert_int_equal(flaw_pieces_learn(&p, &c.counts, -1, &err), FLAW_USAGE);
    assert_null(p);
    assert_int_equal(flaw_piece_words_add(&c.counts, "abc", 3, 0, &err), FLAW_USAGE);
    assert_int_equal(flaw_piece_words_add(&c.counts, "abc", 3, 1 << 30, &err), FLAW_USAGE);
    assert_ok(flaw_pieces_learn(&p, &c.counts, 354, &err));
    assert_int_equal(p->count, 354);
    flaw_pieces_free(p);
    flaw_arena_release(&c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),   cmocka_unit_test(test_merges),        cmocka_unit_test(test_two_ways),
        cmocka_unit_test(test_encode),  cmocka_unit_test(test_deterministic), cmocka_unit_test(test_characters),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
