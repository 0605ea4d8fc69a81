/* Vocabularies that are not what they claim to be: the status, and one line that names the file and what is wrong. */
#include "pieces.h"

#include <math.h>

#define BYTES(text) text, sizeof(text) - 1

/* Parts of a tokenizer.model. */
#define UNK "\x0a\x09\x0a\x05<unk>\x18\x02"
#define A                                                                                                              \
    "\x0a\x03\x0a\x01"                                                                                                 \
    "a"
#define BPE "\x12\x02\x18\x02"
#define OVERLONG "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"

typedef struct broken {
    const char *what, *bytes;
    size_t size;
    flaw_status status;
    const char *words;
} broken;

static const broken models[] = {
    {"nothing", BYTES(""), FLAW_BAD_DATA, "0 pieces"},
    {"no pieces", BYTES(BPE), FLAW_BAD_DATA, "0 pieces"},
    {"a web page", BYTES("<!doctype html>"), FLAW_BAD_DATA, "not a SentencePiece model"},
    {"a key of eleven bytes", BYTES(UNK A BPE OVERLONG), FLAW_BAD_DATA, "no field at byte 20 of 31"},
    {"a varint past 64 bits", BYTES(UNK A BPE "\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), FLAW_BAD_DATA,
     "no field"},
    {"field number 0", BYTES(UNK A BPE "\x02\x00"), FLAW_BAD_DATA, "no field"},
    {"a length past the end",
     BYTES(UNK BPE "\x0a\x7f\x0a\x01"
                   "a"),
     FLAW_BAD_DATA, "no field at byte 15"},
    {"a length of 2^63", BYTES(UNK BPE "\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), FLAW_BAD_DATA, "no field"},
    {"a group", BYTES(UNK A BPE "\x0b\x0c"), FLAW_BAD_DATA, "no field"},
    {"wire type 7", BYTES(UNK A BPE "\x37"), FLAW_BAD_DATA, "no field"},
    {"a piece that is a number", BYTES(UNK BPE "\x08\x05"), FLAW_BAD_DATA, "model, field 1 has wire type 0"},
    {"a text past its piece",
     BYTES(UNK "\x0a\x03\x0a\x02"
               "a" BPE),
     FLAW_BAD_DATA, "piece 1 is broken at its byte 0"},
    {"a text that is a number", BYTES(UNK "\x0a\x02\x08\x05" BPE), FLAW_BAD_DATA, "a piece, field 1 has wire type 0"},
    {"a score that is a number",
     BYTES(UNK "\x0a\x05\x0a\x01"
               "a\x10\x01" BPE),
     FLAW_BAD_DATA, "field 2 has wire type 0"},
    {"a kind that is a text",
     BYTES(UNK "\x0a\x06\x0a\x01"
               "a\x1a\x01x" BPE),
     FLAW_BAD_DATA, "field 3 has wire type 2"},
    {"an empty piece", BYTES(UNK "\x0a\x02\x18\x01" BPE), FLAW_BAD_DATA, "piece 1 has 0 bytes"},
    {"a piece of half a character", BYTES(UNK "\x0a\x03\x0a\x01\xc3" BPE), FLAW_BAD_DATA, "piece 1 is not valid UTF-8"},
    {"a score that is no number",
     BYTES(UNK "\x0a\x08\x0a\x01"
               "a\x15\x00\x00\xc0\x7f" BPE),
     FLAW_BAD_DATA, "the score nan"},
    {"an endless score",
     BYTES(UNK "\x0a\x08\x0a\x01"
               "a\x15\x00\x00\x80\x7f" BPE),
     FLAW_BAD_DATA, "the score inf"},
    {"kind 0",
     BYTES(UNK "\x0a\x05\x0a\x01"
               "a\x18\x00" BPE),
     FLAW_BAD_DATA, "of kind 0, known are 1 to 6"},
    {"kind 7",
     BYTES(UNK "\x0a\x05\x0a\x01"
               "a\x18\x07" BPE),
     FLAW_BAD_DATA, "known are 1 to 6"},
    {"kind 2^32 + 1",
     BYTES(UNK "\x0a\x09\x0a\x01"
               "a\x18\x81\x80\x80\x80\x10" BPE),
     FLAW_BAD_DATA, "known are 1 to 6"},
    {"a piece twice", BYTES(UNK A A BPE), FLAW_BAD_DATA, "piece 2 \"a\" is piece 1 again"},
    {"two unknown pieces",
     BYTES(UNK "\x0a\x05\x0a\x01"
               "a\x18\x02" BPE),
     FLAW_BAD_DATA, "pieces 0 and 1 are both"},
    {"nothing for the unknown", BYTES(A BPE), FLAW_BAD_DATA, "neither an unknown piece nor byte pieces"},
    {"fallback without bytes", BYTES(UNK A "\x12\x05\x18\x02\x98\x02\x01"), FLAW_BAD_DATA,
     "byte fallback is on, yet there are 0"},
    {"a byte without fallback", BYTES(UNK "\x0a\x0a\x0a\x06<0x0A>\x18\x06" BPE), FLAW_BAD_DATA, "byte fallback is off"},
    {"one byte of 256", BYTES(UNK "\x0a\x0a\x0a\x06<0x00>\x18\x06\x12\x05\x18\x02\x98\x02\x01"), FLAW_BAD_DATA,
     "1 byte pieces, <0x01> is missing"},
    {"a byte in small letters", BYTES(UNK "\x0a\x0a\x0a\x06<0x0a>\x18\x06\x12\x05\x18\x02\x98\x02\x01"), FLAW_BAD_DATA,
     "byte piece 1 is called \"<0x0a>\""},
    {"a trainer cut short", BYTES(UNK A "\x12\x03\x18\x02\x98"), FLAW_BAD_DATA, "trainer's settings are broken"},
    {"a type that is a text", BYTES(UNK A "\x12\x03\x1a\x01x"), FLAW_BAD_DATA, "trainer, field 3 has wire type 2"},
    {"a normaliser cut short", BYTES(UNK A BPE "\x1a\x01\x18"), FLAW_BAD_DATA, "normaliser is broken"},
    {"a map that is a number", BYTES(UNK A BPE "\x1a\x02\x10\x01"), FLAW_BAD_DATA,
     "normaliser, field 2 has wire type 0"},
    {"no trainer: unigram", BYTES(UNK A), FLAW_UNAVAILABLE, "of type 1 (unigram)"},
    {"unigram", BYTES(UNK A "\x12\x02\x18\x01"), FLAW_UNAVAILABLE, "of type 1 (unigram)"},
    {"words", BYTES(UNK A "\x12\x02\x18\x03"), FLAW_UNAVAILABLE, "of type 3 (word)"},
    {"type 99", BYTES(UNK A "\x12\x02\x18\x63"), FLAW_UNAVAILABLE, "of type 99 (unknown)"},
    {"a map of characters", BYTES(UNK A BPE "\x1a\x04\x12\x02xx"), FLAW_UNAVAILABLE, "a map of characters (2 bytes)"},
    {"a map back", BYTES(UNK A BPE "\x2a\x04\x12\x02xx"), FLAW_UNAVAILABLE, "a map of characters (2 bytes)"},
    {"spaces behind words", BYTES(UNK A "\x12\x05\x18\x02\xc0\x01\x01"), FLAW_UNAVAILABLE, "spaces stand behind words"},
};

/* One refusal: its status, its words, the file's name, and nothing given back. */
static void check_refusal(const broken *b, flaw_status got, const flaw_pieces *p, const flaw_error *err)
{
    if (got != b->status) fail_msg("%s: status %s, %s", b->what, flaw_status_name(got), err->text);
    assert_int_equal(err->status, got);
    assert_contains(err->text, b->words);
    assert_contains(err->text, "a-file");
    assert_null(p);
}

static void test_models(void **state)
{
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        flaw_pieces *p = NULL;
        flaw_error err = {0};
        /* Exactly its bytes, so that a sanitizer sees one read too many. */
        uint8_t *bytes = malloc(models[i].size + 1);
        if (models[i].size) memcpy(bytes + 1, models[i].bytes, models[i].size);
        flaw_status got = flaw_pieces_from_model(&p, bytes + 1, models[i].size, "a-file", &err);
        check_refusal(&models[i], got, p, &err);
        free(bytes);
    }
}

/* What the table's files are made of is a good file, and fields nobody knows are passed over. */
static void test_good_parts(void **state)
{
    static const char good[] = UNK A BPE "\xf8\x07\x05\xf9\x07"
                                         "12345678"
                                         "\xfd\x07"
                                         "1234\xfa\x07\x02xx\x22\x01\x08";
    flaw_pieces *p = NULL;
    flaw_error err = {0};
    assert_ok(flaw_pieces_from_model(&p, (const uint8_t *)good, sizeof good - 1, "good", &err));
    assert_int_equal(flaw_pieces_count(p), 2);
    assert_int_equal(flaw_pieces_bos(p), -1);
    assert_int_equal(flaw_pieces_find(p, "a"), 1);
    flaw_pieces_free(p);
}

#define HEAD "\x05\x00\x00\x00" /* longest piece */
#define P0 "\x00\x00\x00\x00\x05\x00\x00\x00<unk>"
#define P1 "\x00\x00\x00\x00\x03\x00\x00\x00<s>"
#define P2 "\x00\x00\x00\x00\x04\x00\x00\x00</s>"
#define P3                                                                                                             \
    "\x00\x00\x00\x00\x01\x00\x00\x00"                                                                                 \
    "a"

static const struct {
    broken b;
    int vocab;
} llama2c[] = {
    {{"nothing", BYTES(""), FLAW_BAD_DATA, "4 pieces in 0 bytes"}, 4},
    {{"fewer than promised", BYTES(HEAD P0 P1 P2 P3), FLAW_BAD_DATA, "piece 4 has 0 bytes at byte 49, and 0 are left"},
     5},
    {{"more than promised", BYTES(HEAD P0 P1 P2 P3), FLAW_BAD_DATA, "9 bytes are left after 3 pieces"}, 3},
    {{"a count below nothing", BYTES(HEAD P0 P1 P2 P3), FLAW_BAD_DATA, "-1 pieces"}, -1},
    {{"a count of 2^30", BYTES(HEAD P0 P1 P2 P3), FLAW_BAD_DATA, "1073741824 pieces in 49 bytes"}, 1 << 30},
    {{"a length past the end",
      BYTES(HEAD P0 P1 P2 "\x00\x00\x00\x00\x02\x00\x00\x00"
                          "a"),
      FLAW_BAD_DATA, "piece 3 has 2 bytes at byte 48, and 1 are left"},
     4},
    {{"a length of 2^32 - 1",
      BYTES(HEAD P0 P1 P2 "\x00\x00\x00\x00\xff\xff\xff\xff"
                          "a"),
      FLAW_BAD_DATA, "piece 3 has 4294967295 bytes"},
     4},
    {{"an empty piece", BYTES(HEAD P0 P1 P2 P3 "\x00\x00\x00\x00\x00\x00\x00\x00"), FLAW_BAD_DATA,
      "piece 4 has 0 bytes, allowed are 1"},
     5},
    {{"no number",
      BYTES(HEAD P0 P1 P2 "\x00\x00\xc0\x7f\x01\x00\x00\x00"
                          "a"),
      FLAW_BAD_DATA, "the score nan"},
     4},
    {{"another beginning", BYTES(HEAD P0 P2 P1 P3), FLAW_BAD_DATA, "piece 1 is \"</s>\", expected is \"<s>\""}, 4},
    {{"a piece twice", BYTES(HEAD P0 P1 P2 P3 P3), FLAW_BAD_DATA, "piece 4 \"a\" is piece 3 again"}, 5},
    {{"not UTF-8", BYTES(HEAD P0 P1 P2 "\x00\x00\x00\x00\x01\x00\x00\x00\xff"), FLAW_BAD_DATA, "not valid UTF-8"}, 4},
    {{"one byte of 256", BYTES(HEAD P0 P1 P2 "\x00\x00\x00\x00\x06\x00\x00\x00<0x41>"), FLAW_BAD_DATA, "1 byte pieces"},
     4},
};

static void test_llama2c(void **state)
{
    for (size_t i = 0; i < sizeof llama2c / sizeof llama2c[0]; i++) {
        const broken *b = &llama2c[i].b;
        flaw_pieces *p = NULL;
        flaw_error err = {0};
        flaw_status got =
            flaw_pieces_from_llama2c(&p, (const uint8_t *)b->bytes, b->size, llama2c[i].vocab, "a-file", &err);
        check_refusal(b, got, p, &err);
    }
}

static const struct {
    const char *what, *words;
    flaw_piece piece[3];
    size_t count;
    int bos, eos, unknown;
} lists[] = {
    {"none", "0 pieces", {{0}}, 0, -1, -1, -1},
    {"a beginning past the end",
     "the beginning piece is number 2 of 2",
     {{"u", 1, 0, 2}, {"a", 1, 0, 1}},
     2,
     2,
     -1,
     -1},
    {"an end before the first", "the end piece is number -2 of 2", {{"u", 1, 0, 2}, {"a", 1, 0, 1}}, 2, -1, -2, -1},
    {"an unknown past the end", "the unknown piece is number 9", {{"u", 1, 0, 2}, {"a", 1, 0, 1}}, 2, -1, -1, 9},
    {"one for two ends", "piece 0 is both", {{"u", 1, 0, 2}, {"a", 1, 0, 1}}, 2, 0, -1, 0},
    {"minus infinity", "the score -inf", {{"u", 1, 0, 2}, {"a", 1, -INFINITY, 1}}, 2, -1, -1, -1},
    {"too long", "piece 1 has 1025 bytes, allowed are 1 to 1024", {{"u", 1, 0, 2}, {"a", 1025, 0, 1}}, 2, -1, -1, -1},
    {"nothing for the unknown", "neither", {{"b", 1, 0, 1}, {"a", 1, 0, 1}}, 2, -1, -1, -1},
};

static void test_lists(void **state)
{
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        broken b = {.what = lists[i].what, .status = FLAW_BAD_DATA, .words = lists[i].words};
        flaw_pieces *p = NULL;
        flaw_error err = {0};
        flaw_status got = flaw_pieces_from_list(&p, lists[i].piece, lists[i].count, lists[i].bos, lists[i].eos,
                                                lists[i].unknown, true, "a-file", &err);
        check_refusal(&b, got, p, &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_good_parts),
        cmocka_unit_test(test_llama2c),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
