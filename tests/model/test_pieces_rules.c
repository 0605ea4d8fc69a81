/* The rules of encoding and decoding, on small vocabularies made for each of them. */
#include "pieces.h"

#include <time.h>

#include "base/random.h"
#include "base/utf8.h"

#define MARK FLAW_SPACE_MARK

static flaw_piece normal(const char *text, float score)
{
    return (flaw_piece){text, strlen(text), score, FLAW_PIECE_NORMAL};
}

/* "<unk>", "<s>", "</s>", 256 bytes, then `piece` [count]. With rules NULL: dummy prefix only. */
static flaw_pieces *with_bytes(const flaw_piece *piece, size_t count, const flaw_pieces_rules *rules)
{
    static const flaw_pieces_rules usual = {.bos = 1, .eos = 2, .unknown = 0, .dummy_prefix = true};
    static char byte[256][8];
    flaw_piece list[400] = {
        {"<unk>", 5, 0, FLAW_PIECE_UNKNOWN}, {"<s>", 3, 0, FLAW_PIECE_CONTROL}, {"</s>", 4, 0, FLAW_PIECE_CONTROL}};
    flaw_pieces *p = NULL;
    flaw_error err = {0};
    for (int b = 0; b < 256; b++) {
        snprintf(byte[b], sizeof byte[b], "<0x%02X>", (unsigned)b);
        list[3 + b] = (flaw_piece){byte[b], 6, 0, FLAW_PIECE_BYTE};
    }
    assert_true(259 + count <= 400);
    memcpy(list + 259, piece, count * sizeof *piece);
    assert_ok(flaw_pieces_build(&p, list, 259 + count, rules ? rules : &usual, "list", &err));
    return p;
}

/* Encodes `text` and compares with ids up to -1. */
static void expect(const flaw_pieces *p, const char *text, const int32_t *wanted)
{
    int32_t ids[256];
    size_t count = encode(p, text, strlen(text), ids, 256), n = 0;
    while (wanted[n] >= 0) n++;
    if (n != count || memcmp(ids, wanted, n * sizeof *ids) != 0) {
        for (size_t i = 0; i < count; i++) print_message("%d ", ids[i]);
        fail_msg("other ids for \"%s\"", text);
    }
}

#define IDS(...) ((const int32_t[]){__VA_ARGS__, -1})
#define NO_IDS ((const int32_t[]){-1})

/* The highest score first, whatever its place; of equals the leftmost. */
static void test_order(void **state)
{
    const flaw_piece list[] = {normal("a", -9),  normal("b", -9),  normal("c", -9),
                               normal("ab", -3), normal("bc", -2), normal("aa", -1)};
    flaw_pieces_rules rules = {.bos = 1, .eos = 2, .unknown = 0};
    flaw_pieces *p = with_bytes(list, 6, &rules);
    expect(p, "abc", IDS(259, 263));
    expect(p, "ab", IDS(262));
    expect(p, "aaa", IDS(264, 259));
    expect(p, "aaaab", IDS(264, 264, 260));
    expect(p, "aaab", IDS(264, 262)); /* aa, and then ab is still there */
    flaw_pieces_free(p);
}

/* A score of minus zero is a score of zero. */
static void test_signed_zero(void **state)
{
    const flaw_piece list[] = {normal("a", 0), normal("b", 0), normal("ab", -0.0f), normal("bb", 0.0f)};
    flaw_pieces_rules rules = {.bos = 1, .eos = 2, .unknown = 0};
    flaw_pieces *p = with_bytes(list, 4, &rules);
    expect(p, "abb", IDS(261, 260));
    flaw_pieces_free(p);
}

/* Without bytes a run of unknown characters is one unknown piece; with them each is its bytes. */
static void test_unknown(void **state)
{
    const flaw_piece list[] = {{"?", 1, 0, FLAW_PIECE_UNKNOWN}, normal("a", 0), normal(MARK, 0), normal(MARK "a", 1)};
    flaw_pieces *p = NULL;
    flaw_error err = {0};
    assert_ok(flaw_pieces_from_list(&p, list, 4, -1, -1, -1, true, "list", &err));
    expect(p, "a", IDS(3));
    expect(p, "xyz", IDS(2, 0));
    expect(p, "axya\xff z", IDS(3, 0, 1, 0, 2, 0));
    expect(p, "?", IDS(2, 0)); /* the unknown piece's own text is unknown */
    check_text(p, IDS(3, 0, 1), 3, "a \xe2\x81\x87 a", 7);
    flaw_pieces_free(p);
    p = with_bytes(list + 1, 3, NULL);
    expect(p, "a\xc3\xa9\xff", IDS(261, 3 + 0xc3, 3 + 0xa9, 3 + 0xff));
    flaw_pieces_free(p);
}

static void test_spaces(void **state)
{
    const flaw_piece list[] = {normal("a", 0), normal(MARK, 0), normal(MARK "a", 1), normal(MARK MARK, 2)};
    flaw_pieces_rules rules = {.bos = 1, .eos = 2, .unknown = 0, .dummy_prefix = true};
    flaw_pieces *p = with_bytes(list, 4, &rules);
    expect(p, "", NO_IDS);
    expect(p, " ", IDS(262));
    expect(p, "a  a ", IDS(261, 262, 259, 260));
    flaw_pieces_free(p);
    rules.collapse = true;
    p = with_bytes(list, 4, &rules);
    expect(p, "  ", NO_IDS);
    expect(p, " a   a ", IDS(261, 261));
    flaw_pieces *again = write_and_read(p);
    expect(again, " a   a ", IDS(261, 261));
    flaw_pieces_free(again);
    flaw_pieces_free(p);
    const flaw_piece plain[] = {normal("a", 0), normal(" ", 0), normal(" a", 1)};
    rules = (flaw_pieces_rules){.bos = 1, .eos = 2, .unknown = 0, .plain_spaces = true};
    p = with_bytes(plain, 3, &rules);
    expect(p, "a a", IDS(259, 261));
    check_text(p, IDS(259, 261), 2, "a a", 3);
    flaw_pieces_free(p);
}

/* Control, unknown, byte, user-defined and unused pieces are not made from words; the whole text comes back. */
static void test_no_control(void **state)
{
    static const char *const typed[] = {"<s>",   "</s>",  "<unk>",     "<0x0A>",
                                        "[PAD]", "[OLD]", "a<s>b</s>", "###</s><s>[PAD]"};
    const flaw_piece list[] = {normal("<", 0),
                               normal("s", 0),
                               normal(">", 0),
                               normal("s>", 5),
                               normal(MARK, 0),
                               {"[PAD]", 5, 9, FLAW_PIECE_USER},
                               {"[OLD]", 5, 9, FLAW_PIECE_UNUSED}};
    flaw_pieces *p = with_bytes(list, 7, NULL);
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        int32_t ids[64];
        size_t count = encode(p, typed[i], strlen(typed[i]), ids, 64);
        assert_true(count >= 3);
        for (size_t k = 0; k < count; k++) {
            const flaw_piece_kind kind = p->piece[ids[k]].kind;
            const bool own = kind == FLAW_PIECE_BYTE &&
                             flaw_piece_byte(typed[i], strlen(typed[i])) == flaw_piece_byte(p->piece[ids[k]].text, 6);
            assert_true(kind == FLAW_PIECE_NORMAL || kind == FLAW_PIECE_BYTE);
            assert_false(own);
        }
        check_text(p, ids, count, typed[i], strlen(typed[i]));
    }
    expect(p, "<s>", IDS(263, 259, 262));
    flaw_pieces_free(p);
}

/* The same with the pieces that LLaMA has. */
static void test_no_control_llama(void **state)
{
    static const char *const typed[] = {"<s>", "</s>", "<unk>", "<0x0A>", "[PAD]", "### Human: </s><s> ### Assistant:"};
    char path[1024];
    if (!shared_file(path, "vocab/llama/tokenizer.model")) return;
    flaw_pieces *p = open_model(path);
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        int32_t ids[64];
        size_t count = encode(p, typed[i], strlen(typed[i]), ids, 64);
        assert_true(count >= 3);
        for (size_t k = 0; k < count; k++) assert_int_equal(p->piece[ids[k]].kind, FLAW_PIECE_NORMAL);
        check_text(p, ids, count, typed[i], strlen(typed[i]));
    }
    flaw_pieces_free(p);
}

/* Id of the stretch [from, to) of a text, which has no byte pieces in it. */
static int find_stretch(const flaw_pieces *p, const char *text, size_t from, size_t to)
{
    char word[401];
    memcpy(word, text + from, to - from);
    word[to - from] = '\0';
    const int id = flaw_pieces_find(p, word);
    return id >= 259 ? id : -1;
}

/* What an encoder without a heap makes of it: look for the best pair again and again. */
static size_t slow_encode(const flaw_pieces *p, const char *text, int32_t *ids)
{
    size_t edge[401], count = 0;
    for (size_t at = 0; text[at]; at += flaw_utf8_length(text + at, strlen(text + at))) edge[count++] = at;
    edge[count] = strlen(text);
    for (;;) {
        size_t best = count;
        float score = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            int id = find_stretch(p, text, edge[i], edge[i + 2]);
            if (id >= 0 && (best == count || p->piece[id].score > score)) best = i, score = p->piece[id].score;
        }
        if (best == count) break;
        memmove(edge + best + 1, edge + best + 2, (count - best - 1) * sizeof *edge);
        count--;
    }
    for (size_t i = 0; i < count; i++) ids[i] = find_stretch(p, text, edge[i], edge[i + 1]);
    return count;
}

/* Vocabularies and texts drawn at random, many of them with equal scores. */
static void test_against_slow(void **state)
{
    static const char *const letters[] = {"a", "b", "c", "\xc3\xa9"};
    for (int round = 0; round < 80; round++) {
        flaw_random r;
        flaw_random_init(&r, 7, (uint64_t)round);
        char text[40][16], line[400] = "";
        flaw_piece list[40];
        size_t count = 4;
        for (size_t i = 0; i < 4; i++) list[i] = normal(letters[i], -100);
        for (int tries = 0; tries < 36; tries++) {
            char *word = text[count];
            word[0] = '\0';
            for (int n = 2 + flaw_random_below(&r, 3); n > 0; n--) {
                const size_t used = strlen(word);
                snprintf(word + used, 16 - used, "%s", letters[flaw_random_below(&r, 4)]);
            }
            bool known = false;
            for (size_t i = 4; i < count; i++) known |= strcmp(text[i], word) == 0;
            if (!known) list[count] = normal(word, (float)flaw_random_below(&r, 8)), count++;
        }
        flaw_pieces_rules rules = {.bos = 1, .eos = 2, .unknown = 0};
        flaw_pieces *p = with_bytes(list, count, &rules);
        for (int n = 0; n < 100; n++) {
            const size_t used = strlen(line);
            snprintf(line + used, sizeof line - used, "%s", letters[flaw_random_below(&r, 4)]);
        }
        int32_t fast[256], slow[256];
        size_t many = encode(p, line, strlen(line), fast, 256);
        assert_int_equal(slow_encode(p, line, slow), many);
        assert_memory_equal(fast, slow, many * sizeof *fast);
        flaw_pieces_free(p);
    }
}

/* What may be shown of a text whose last character is still to come. */
static void test_complete(void **state)
{
    static const char text[] = "a\xc3\xa9\xe2\x96\x81\xf0\x9f\x98\x80z";
    static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    for (size_t size = 0; size < sizeof text; size++) assert_int_equal(flaw_pieces_complete(text, size), whole[size]);
    static const char *const broken[] = {"a\x80",   "\xff", "\xc0", "\xed\xa0", "\xf5", "\xe0\x80", "\x80\x80\x80\x80",
                                         "\xf4\x90"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_int_equal(flaw_pieces_complete(broken[i], strlen(broken[i])), strlen(broken[i]));
    assert_int_equal(flaw_pieces_complete("a\xe0\xa0", 3), 1);
    assert_int_equal(flaw_pieces_complete("\xed\x9f", 2), 0);
    assert_int_equal(flaw_pieces_complete("\xf4\x8f\xbf", 3), 0);
}

/* Bytes come back one by one, whatever they are; ids of nothing give nothing. */
static void test_bytes_back(void **state)
{
    const flaw_piece list[] = {normal(MARK, 0)};
    flaw_pieces *p = with_bytes(list, 1, NULL);
    char text[256];
    int32_t ids[257];
    for (int b = 0; b < 256; b++) text[b] = (char)b;
    size_t count = encode(p, text, sizeof text, ids, 257);
    assert_int_equal(count, 257);
    check_text(p, ids, count, text, sizeof text);
    check_text(p, IDS(1, 2, 515, 260, 9999, 3 + 'x'), 6, "x", 1);
    check_text(p, IDS(259, 259, 3 + 'x'), 3, " x", 2);
    flaw_pieces_free(p);
}

static void test_limits(void **state)
{
    const flaw_piece list[] = {normal("a", 0), normal(MARK, 0), normal("aa", 1), normal("aaaa", 2)};
    flaw_pieces *p = with_bytes(list, 4, NULL);
    flaw_error err = {0};
    size_t count = 77, size = 1 << 20;
    int32_t ids[3] = {-5, -5, -5};
    assert_ok(flaw_pieces_encode(p, "aaaaaa", 6, ids, 2, &count, &err));
    assert_int_equal(count, 3);
    assert_int_equal(ids[0], 260);
    assert_int_equal(ids[1], 262);
    assert_int_equal(ids[2], -5);
    assert_ok(flaw_pieces_encode(p, "a", 1, NULL, 0, &count, &err));
    assert_int_equal(count, 2);
    char *text = malloc(size + 1);
    memset(text, 'a', size + 1);
    clock_t begun = clock();
    assert_ok(flaw_pieces_encode(p, text, size, NULL, 0, &count, &err));
    assert_true((double)(clock() - begun) / CLOCKS_PER_SEC < 5); /* some 0.1 s; n^2 steps would take an hour */
    assert_int_equal(count, 1 + size / 4);
    count = 77;
    assert_int_equal(flaw_pieces_encode(p, text, size + 1, NULL, 0, &count, &err), FLAW_USAGE);
    assert_contains(err.text, "1048577 bytes");
    assert_int_equal(count, 77);
    free(text);
    flaw_pieces_free(p);
}

static void test_round_trip(void **state)
{
    const flaw_piece list[] = {normal("a", -1.25f),
                               {"[PAD]", 5, 0, FLAW_PIECE_USER},
                               {"[OLD]", 5, 0, FLAW_PIECE_UNUSED},
                               {"<|begin|>", 9, 0, FLAW_PIECE_NORMAL},
                               {"<|end|>", 7, 0, FLAW_PIECE_NORMAL}};
    for (int with_ends = 0; with_ends < 2; with_ends++) {
        flaw_pieces_rules rules = {
            .bos = with_ends ? 262 : -1, .eos = with_ends ? 263 : -1, .unknown = 0, .dummy_prefix = with_ends};
        flaw_pieces *p = with_bytes(list, 5, &rules), *again = write_and_read(p);
        if (with_ends) assert_int_equal(p->piece[262].kind, FLAW_PIECE_CONTROL);
        check_same(p, again);
        flaw_pieces_free(again);
        flaw_pieces_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),        cmocka_unit_test(test_signed_zero),
        cmocka_unit_test(test_unknown),      cmocka_unit_test(test_spaces),
        cmocka_unit_test(test_no_control),   cmocka_unit_test(test_no_control_llama),
        cmocka_unit_test(test_against_slow), cmocka_unit_test(test_complete),
        cmocka_unit_test(test_bytes_back),   cmocka_unit_test(test_limits),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
