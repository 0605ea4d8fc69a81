/* Tokenizer: both vocabulary forms give the same ids, control never comes from words, cutting, lengths, bad files. */
#include "tiny.h"

#include <zlib.h>

#include "model/text/tokenizer_impl.h"

enum { CONTEXT = 20 };

static flaw_tokenizer *open_vocabulary(const char *folder)
{
    char path[1024];
    flaw_tokenizer *t = NULL;
    flaw_error err = {0};
    assert_ok(flaw_tokenizer_open(&t, tiny_path(path, folder), &err));
    return t;
}

static int encode(const flaw_tokenizer *t, const char *text, int32_t ids[CONTEXT], int *cut)
{
    int length = -1;
    flaw_error err = {0};
    assert_ok(flaw_tokenizer_encode(t, text, ids, CONTEXT, &length, cut, &err));
    return length;
}

static void test_forms_agree(void **state)
{
    static const char *const texts[] = {"a damaged bottle", "It's NOT flawless!!", "größe ½ 螺丝", "", "&lt;café&gt;"};
    flaw_tokenizer *one = open_vocabulary("open_clip"), *other = open_vocabulary("hf");
    assert_int_equal(flaw_tokenizer_vocab(one), 634);
    assert_int_equal(flaw_tokenizer_vocab(other), 634);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int32_t a[CONTEXT], b[CONTEXT];
        assert_int_equal(encode(one, texts[i], a, NULL), encode(other, texts[i], b, NULL));
        assert_memory_equal(a, b, sizeof a);
    }
    flaw_tokenizer_free(one);
    flaw_tokenizer_free(other);
}

/* "<|endoftext|>" in a text is punctuation and letters. */
static void test_no_control(void **state)
{
    flaw_tokenizer *t = open_vocabulary("open_clip");
    int32_t ids[64];
    int length, cut;
    flaw_error err = {0};
    assert_ok(flaw_tokenizer_encode(t, "a <|endoftext|> b <|startoftext|>", ids, 64, &length, &cut, &err));
    assert_int_equal(cut, 0);
    assert_int_equal(ids[0], flaw_tokenizer_start(t));
    assert_int_equal(ids[length - 1], flaw_tokenizer_end(t));
    for (int i = 1; i < length - 1; i++) assert_true(ids[i] < 632);
    for (int i = length; i < 64; i++) assert_int_equal(ids[i], 0);
    flaw_tokenizer_free(t);
}

static void test_cut(void **state)
{
    flaw_tokenizer *t = open_vocabulary("open_clip");
    int32_t ids[CONTEXT];
    int cut;
    assert_int_equal(encode(t, "1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9", ids, &cut), CONTEXT); /* 18 words just fit */
    assert_int_equal(cut, 0);
    assert_int_equal(encode(t, "1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3", ids, &cut), CONTEXT);
    assert_int_equal(cut, 3);
    assert_int_equal(ids[CONTEXT - 1], flaw_tokenizer_end(t));
    assert_int_equal(ids[CONTEXT - 2], ids[9]); /* the last one kept is the second "9" */
    flaw_tokenizer_free(t);
}

static void test_limits(void **state)
{
    flaw_tokenizer *t = open_vocabulary("open_clip");
    int32_t ids[CONTEXT];
    flaw_error err = {0};
    char *text = malloc(65538);
    memset(text, 'a', 65536);
    text[65536] = '\0';
    assert_ok(flaw_tokenizer_encode(t, text, ids, CONTEXT, NULL, NULL, &err)); /* one word of 65,536 letters */
    text[65536] = 'a';
    text[65537] = '\0';
    assert_int_equal(flaw_tokenizer_encode(t, text, ids, CONTEXT, NULL, NULL, &err), FLAW_USAGE);
    assert_int_equal(flaw_tokenizer_encode(t, "a", ids, 2, NULL, NULL, &err), FLAW_USAGE);
    int32_t broken[CONTEXT], replaced[CONTEXT];
    encode(t, "a\xff\xc3(", broken, NULL);
    encode(t, "a\xef\xbf\xbd\xef\xbf\xbd(", replaced, NULL);
    assert_memory_equal(broken, replaced, sizeof broken);
    free(text);
    flaw_tokenizer_free(t);
}

static flaw_status from_text(const char *text, int max_vocab, flaw_error *err, int *vocab)
{
    flaw_tokenizer *t = NULL;
    flaw_status status = flaw_tokenizer_from_merges(&t, (const uint8_t *)text, strlen(text), "list", max_vocab, err);
    if (!status) *vocab = flaw_tokenizer_vocab(t);
    flaw_tokenizer_free(t);
    return status;
}

static void test_merges(void **state)
{
    flaw_error err = {0};
    int vocab = 0;
    assert_ok(from_text("#heading\na b\nab c</w>\n", 49408, &err, &vocab));
    assert_int_equal(vocab, 516);
    assert_ok(from_text("#heading\r\na b\r\nab c</w>", 49408, &err, &vocab));
    assert_int_equal(vocab, 516);
    assert_ok(from_text("#heading\na b\nab c</w>\n", 515, &err, &vocab)); /* what does not fit is left out */
    assert_int_equal(vocab, 515);
    assert_ok(from_text("", 514, &err, &vocab));
    assert_int_equal(vocab, 514);
    assert_int_equal(from_text("", 513, &err, &vocab), FLAW_BAD_DATA);
    static const char *const bad[] = {"#h\nab\n", "#h\na b c\n", "#h\n b\n", "#h\na \n", "#h\n\na b\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(from_text(bad[i], 49408, &err, &vocab), FLAW_BAD_DATA);
        assert_contains(err.text, "list: line 2 is not a merge");
    }
}

/* CLIP joins all occurrences of the lowest pair before it looks at the pairs that this makes. */
static void test_order_of_merges(void **state)
{
    static const char text[] = "#h\na b\nab c\nb c\na bc\nabc x</w>\nx x\n";
    flaw_tokenizer *t = NULL;
    flaw_error err = {0};
    int32_t ids[CONTEXT];
    assert_ok(flaw_tokenizer_from_merges(&t, (const uint8_t *)text, strlen(text), "list", 49408, &err));
    /* a b c x -> ab c x -> abc x -> abcx. "a bc" makes the same string as "ab c" and is later, so it names it. */
    assert_int_equal(encode(t, "abcx", ids, NULL), 3);
    assert_int_equal(ids[1], 512 + 4);
    assert_int_equal(encode(t, "abcabcq", ids, NULL), 5);
    assert_int_equal(ids[1], 512 + 3);
    assert_int_equal(ids[2], 512 + 3);
    assert_int_equal(encode(t, "xxxxxy", ids, NULL), 6); /* xx xx x y</w> */
    assert_int_equal(ids[1], 512 + 5);
    assert_int_equal(ids[2], 512 + 5);
    flaw_tokenizer_free(t);
}

/* A join may make a pair of a lower rank; it waits until all pairs of the rank at hand are joined: ab ab, not aba b. */
static void test_join_all_first(void **state)
{
    static const char text[] = "#h\nab a\na b\n";
    flaw_tokenizer *t = NULL;
    flaw_error err = {0};
    int32_t ids[CONTEXT];
    assert_ok(flaw_tokenizer_from_merges(&t, (const uint8_t *)text, strlen(text), "list", 49408, &err));
    assert_int_equal(encode(t, "ababq", ids, NULL), 5);
    assert_int_equal(ids[1], 513);
    assert_int_equal(ids[2], 513);
    assert_int_equal(encode(t, "abaq", ids, NULL), 4);
    assert_int_equal(ids[1], 512);
    flaw_tokenizer_free(t);
}

/* CLIP unescapes twice, and no more. */
static void test_unescape_twice(void **state)
{
    flaw_tokenizer *t = open_vocabulary("open_clip");
    int32_t once[CONTEXT], twice[CONTEXT], thrice[CONTEXT], plain[CONTEXT];
    encode(t, "a < b", plain, NULL);
    encode(t, "a &lt; b", once, NULL);
    encode(t, "a &amp;lt; b", twice, NULL);
    encode(t, "a &amp;amp;lt; b", thrice, NULL);
    assert_memory_equal(once, plain, sizeof once);
    assert_memory_equal(twice, plain, sizeof twice);
    assert_memory_not_equal(thrice, plain, sizeof thrice);
    flaw_tokenizer_free(t);
}

static void test_gzip(void **state)
{
    static const char text[] = "#h\na b\n";
    uint8_t packed[256];
    flaw_tokenizer *t = NULL;
    flaw_error err = {0};
    z_stream z = {
        .next_in = (Bytef *)(uintptr_t)text, .avail_in = sizeof text - 1, .next_out = packed, .avail_out = 256};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t size = z.total_out;
    deflateEnd(&z);
    assert_ok(flaw_tokenizer_from_merges(&t, packed, size, "list.gz", 49408, &err));
    assert_int_equal(flaw_tokenizer_vocab(t), 515);
    flaw_tokenizer_free(t);
    for (size_t cut = 2; cut < size; cut++) {
        assert_int_equal(flaw_tokenizer_from_merges(&t, packed, cut, "list.gz", 49408, &err), FLAW_BAD_DATA);
        assert_contains(err.text, "list.gz: broken or cut gzip");
    }
}

static flaw_status from_hf(flaw_bytes vocab, const char *merges, flaw_error *err)
{
    flaw_tokenizer *t = NULL;
    flaw_bytes list = {.data = (uint8_t *)(uintptr_t)merges, .size = strlen(merges)};
    flaw_status status = flaw_tokenizer_from_hf_text(&t, &vocab, "vocab.json", &list, "merges.txt", err);
    flaw_tokenizer_free(t);
    return status;
}

static void test_bad_hf(void **state)
{
    char path[1024], *at;
    flaw_error err = {0};
    flaw_bytes vocab = read_all(tiny_path(path, "hf/vocab.json")), none = {.data = (uint8_t *)path, .size = 0};
    assert_ok(from_hf(vocab, "#h\nt h\n", &err));
    assert_int_equal(from_hf(vocab, "#h\nq q\n", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "merges.txt: line 2: the merge makes a token that vocab.json lacks");
    assert_int_equal(from_hf(vocab, "#h\nqqq q\n", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "vocab.json: the token 'qqq' is missing");
    assert_int_equal(from_hf(none, "#h\n", &err), FLAW_BAD_DATA);
    at = strstr((char *)vocab.data, "\"<|endoftext|>\": 633");
    assert_non_null(at);
    memcpy(at + 17, "-33", 3);
    assert_int_equal(from_hf(vocab, "#h\n", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "vocab.json: token '<|endoftext|>': the id");
    memcpy(at + 17, "633", 3);
    at[3] = 'E';
    assert_int_equal(from_hf(vocab, "#h\n", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "'<|endoftext|>' is missing");
    flaw_bytes_release(&vocab);
}

static void test_missing(void **state)
{
    flaw_tokenizer *t = NULL;
    flaw_error err = {0};
    assert_int_equal(flaw_tokenizer_open(&t, *state, &err), FLAW_MISSING);
    assert_contains(err.text, "bpe_simple_vocab_16e6.txt.gz");
    assert_contains(err.text, (const char *)*state);
}

/* CLIP's real vocabulary, in its three files. */
static void test_real_vocabulary(void **state)
{
    const char *shared = getenv("FLAW_SHARED");
    static const int32_t wanted[] = {49406, 320, 1125, 539, 320, 5392, 269, 49407};
    char path[1024], vocab[1200], merges[1200];
    int32_t ids[CONTEXT];
    flaw_tokenizer *one = NULL, *other = NULL;
    flaw_error err = {0};
    snprintf(path, sizeof path, "%s/vocab/clip", shared ? shared : "");
    if (!flaw_file_is_folder(path)) {
        print_message("%s is not here: skipped\n", path);
        skip();
    }
    snprintf(vocab, sizeof vocab, "%s/vocab.json", path);
    snprintf(merges, sizeof merges, "%s/merges.txt", path);
    assert_ok(flaw_tokenizer_open(&one, path, &err));
    assert_ok(flaw_tokenizer_from_hf(&other, vocab, merges, &err));
    const flaw_tokenizer *both[] = {one, other};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(flaw_tokenizer_vocab(both[i]), 49408);
        assert_int_equal(encode(both[i], "a photo of a bottle.", ids, NULL), 8);
        assert_memory_equal(ids, wanted, sizeof wanted);
    }
    flaw_tokenizer_free(one);
    flaw_tokenizer_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_agree),
        cmocka_unit_test(test_no_control),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_merges),
        cmocka_unit_test(test_order_of_merges),
        cmocka_unit_test(test_join_all_first),
        cmocka_unit_test(test_unescape_twice),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_bad_hf),
        cmocka_unit_test_setup_teardown(test_missing, make_scratch, remove_scratch),
        cmocka_unit_test(test_real_vocabulary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
