#include "../check.h"

#include "base/random.h"
#include "base/sha256.h"
#include "base/sha256_blocks.h"

static void expect(const char *text, size_t size, const char *expected)
{
    char hex[65];
    flaw_sha256_hex(text, size, hex);
    assert_string_equal(hex, expected);
}

/* The examples NIST published with FIPS 180-4, and the empty message. */
static void test_published_vectors(void **state)
{
    expect("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
           "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
           112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void test_a_million(void **state)
{
    char *text = malloc(1000000);
    assert_non_null(text);
    memset(text, 'a', 1000000);
    expect(text, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(text);
}

/* Any cut of the message gives the digest of the whole; sizes round one and two blocks. */
static void test_pieces(void **state)
{
    uint8_t text[200], whole[32], pieces[32];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 7 + 1);
    for (size_t size = 0; size <= sizeof text; size++) {
        flaw_sha256 h;
        flaw_sha256_init(&h);
        flaw_sha256_update(&h, text, size);
        flaw_sha256_final(&h, whole);
        for (size_t cut = 0; cut <= size; cut += 1 + size / 13) {
            flaw_sha256_init(&h);
            flaw_sha256_update(&h, text, cut);
            flaw_sha256_update(&h, text + cut, size - cut);
            flaw_sha256_final(&h, pieces);
            assert_memory_equal(whole, pieces, 32);
        }
    }
}

/* Digest of the digests of "x" repeated 0 .. 199 times: every length of padding. Expected value from Python's hashlib.
 */
static void test_every_padding(void **state)
{
    uint8_t text[200], digest[32];
    flaw_sha256 all, one;
    memset(text, 'x', sizeof text);
    flaw_sha256_init(&all);
    for (size_t size = 0; size < sizeof text; size++) {
        flaw_sha256_init(&one);
        flaw_sha256_update(&one, text, size);
        flaw_sha256_final(&one, digest);
        flaw_sha256_update(&all, digest, 32);
    }
    flaw_sha256_final(&all, digest);
    static const uint8_t expected[32] = {0xf5, 0xe6, 0x11, 0x41, 0x89, 0x88, 0x98, 0xcd, 0xab, 0xae, 0x35,
                                         0x90, 0xcb, 0x32, 0xe1, 0x90, 0x1b, 0x40, 0xbd, 0xc5, 0x99, 0x52,
                                         0x30, 0x29, 0x26, 0x21, 0x3a, 0x44, 0xc1, 0x05, 0xc1, 0x29};
    assert_memory_equal(digest, expected, 32);
}

/* The instructions of the processor against the plain loop, from any state over any bytes. */
static void test_x86_equals_plain(void **state)
{
    enum { BLOCKS = 9 };
    if (!flaw_sha256_has_x86()) {
        print_message("skipped: this processor has no instructions for SHA-256\n");
        skip();
    }
    flaw_random r;
    flaw_random_init(&r, 1, 0);
    for (int round = 0; round < 500; round++) {
        uint8_t bytes[64 * BLOCKS + 1];
        uint32_t plain[8], fast[8];
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)flaw_random_u64(&r);
        for (int i = 0; i < 8; i++) plain[i] = fast[i] = (uint32_t)flaw_random_u64(&r);
        flaw_sha256_blocks_plain(plain, bytes + round % 2, (size_t)(round % (BLOCKS + 1)));
        flaw_sha256_blocks_x86(fast, bytes + round % 2, (size_t)(round % (BLOCKS + 1)));
        assert_memory_equal(plain, fast, sizeof plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_a_million),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_every_padding),
        cmocka_unit_test(test_x86_equals_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
