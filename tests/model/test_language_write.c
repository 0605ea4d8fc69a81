/* Choosing tokens and writing text. A model whose blocks do nothing and whose head maps each token to its successor
 * writes any text that is wanted, so that stops, half characters and ends can be put where they hurt. */
#include <math.h>

#include "tiny_language.h"

#include "base/utf8.h"

#define BYTE(b) (3 + (b))

/* ---- a model that says what it is told ---- */

/* chain: ids, each leading to the next one; the last one leads to itself. No id stands in it twice. */
static flaw_language *chain_model(const int32_t *chain, size_t count, int context, flaw_compute *c)
{
    flaw_language *m = NULL;
    flaw_error err = {0};
    const int width = 304, vocab = TINY_PIECES + 1;
    const flaw_language_shape shape = {.block = {.width = width,
                                                 .heads = 4,
                                                 .hidden = 32,
                                                 .act = FLAW_ACT_SILU,
                                                 .eps = 1e-5f,
                                                 .causal = true,
                                                 .kv_heads = 4,
                                                 .rms = true,
                                                 .gated = true,
                                                 .rotary = FLAW_ROTARY_HALVES,
                                                 .rotary_base = 10000},
                                       .layers = 1,
                                       .vocab = vocab,
                                       .context = context};
    assert_ok(flaw_language_new(&m, &shape, "chain", &err));
    for (int i = 0; i < vocab; i++) m->view.token[i * width + i] = 1;
    for (int i = 0; i < width; i++) m->view.norm[i] = m->view.block[0].norm1_w[i] = m->view.block[0].norm2_w[i] = 1;
    for (size_t i = 0; i < count; i++) {
        size_t next = i + 1 < count ? i + 1 : i;
        m->view.head[chain[next] * width + chain[i]] = 1;
    }
    assert_ok(flaw_language_pack(m, c, &err));
    m->pieces = tiny_pieces();
    m->bos = 1;
    m->eos = 2;
    return m;
}

typedef struct listener {
    flaw_buffer text;
    const char *never; /* must not be in what was said so far */
    int calls, most;   /* calls after which it has enough; 0: never */
} listener;

static int listen_to(void *context, const char *text, size_t size)
{
    listener *l = context;
    assert_true(size > 0);
    assert_true(flaw_utf8_valid(text, size));
    flaw_buffer_append(&l->text, text, size);
    if (l->never) assert_null(strstr(l->text.data, l->never));
    return ++l->calls == l->most;
}

typedef struct writing_case {
    int32_t chain[24]; /* begins with 1, ends with 0 (which is not part of it) */
    const char *stop;
    enum { PLAIN, HASHES, CUT } rule; /* HASHES: the token "##" stops; CUT: the quirk */
    int max_tokens, most; /* most: calls of the listener */
    const char *text;
    int count;
    flaw_written_end end;
} writing_case;

static const writing_case cases[] = {
    /* words and ends */
    {{1, 261, 262, 263, 2}, NULL, PLAIN, 50, 0, " w261w262 w263", 4, FLAW_END_TOKEN},
    {{1, 261, 262, 263, 2}, NULL, PLAIN, 2, 0, " w261w262", 2, FLAW_END_LENGTH},
    {{1, 261, 262, 263, 2}, NULL, PLAIN, 50, 2, " w261w262", 2, FLAW_END_CALLER},
    {{1, 2}, NULL, PLAIN, 50, 0, NULL, 1, FLAW_END_TOKEN},
    /* the stop in one token, over two, at once, as the end of a longer token, never whole */
    {{1, 261, 259, 262}, "##", PLAIN, 50, 0, " w261", 2, FLAW_END_STOP},
    {{1, 261, 259, BYTE('#'), 262}, "###", PLAIN, 50, 0, " w261", 3, FLAW_END_STOP},
    {{1, 259, BYTE('#')}, "###", PLAIN, 50, 0, NULL, 2, FLAW_END_STOP},
    {{1, 261, 265}, "65", PLAIN, 50, 0, " w261 w2", 2, FLAW_END_STOP},
    {{1, 261, 265}, "1 w26", PLAIN, 50, 0, " w26", 2, FLAW_END_STOP},
    {{1, 261, 259, 262, 2}, "###", PLAIN, 50, 0, " w261##w262", 4, FLAW_END_TOKEN},
    {{1, 261, 259, 2}, "###", PLAIN, 50, 0, " w261##", 3, FLAW_END_TOKEN},
    {{1, 261, 259, 262}, "###", PLAIN, 2, 0, " w261##", 2, FLAW_END_LENGTH},
    {{1, BYTE('a'), BYTE('b'), BYTE('c'), BYTE('d')}, "abd", PLAIN, 4, 0, "abcd", 4, FLAW_END_LENGTH},
    {{1, 261, 262, 2}, "", PLAIN, 50, 0, " w261w262", 3, FLAW_END_TOKEN},
    /* the token "##" as a stop: alone, and as the end of the text that stops */
    {{1, 261, BYTE('\n'), 259, 262}, "###", HASHES, 50, 0, " w261\n", 3, FLAW_END_STOP},
    {{1, 261, 259, 262}, NULL, HASHES, 50, 0, " w261", 2, FLAW_END_STOP},
    {{1, 261, BYTE('#'), 259, 262}, "###", HASHES, 50, 0, " w261", 3, FLAW_END_STOP},
    /* characters of several bytes: whole, cut off, none at all */
    {{1, BYTE(0xc3), BYTE(0xa9), 261, 2}, NULL, PLAIN, 50, 0, "\xc3\xa9 w261", 4, FLAW_END_TOKEN},
    {{1, 261, BYTE(0xe2), BYTE(0x9c), BYTE(0x93), 2}, NULL, PLAIN, 50, 0, " w261\xe2\x9c\x93", 5, FLAW_END_TOKEN},
    {{1, 261, BYTE(0xe2), BYTE(0x9c), BYTE(0x93), 2}, NULL, PLAIN, 3, 0, " w261", 3, FLAW_END_LENGTH},
    {{1, BYTE(0xff), 261, 2}, NULL, PLAIN, 50, 0, "\xef\xbf\xbd w261", 3, FLAW_END_TOKEN},
    {{1, BYTE(0xe2), 261, 2}, NULL, PLAIN, 50, 0, "\xef\xbf\xbd w261", 3, FLAW_END_TOKEN},
    {{1, BYTE(0xc3), BYTE(0xa9), 2}, "\xa9", PLAIN, 50, 0, NULL, 2, FLAW_END_STOP},
    /* the quirk: two tokens less, whatever ended it; only the token "##" stops */
    {{1, 261, 262, BYTE('\n'), 259, 263}, "w262", CUT, 50, 0, " w261w262", 4, FLAW_END_STOP},
    {{1, 261, 262, 263, 2}, NULL, CUT, 50, 0, " w261w262", 4, FLAW_END_TOKEN},
    {{1, 261, 262, 263, 264}, NULL, CUT, 3, 0, " w261", 3, FLAW_END_LENGTH},
    {{1, 261, 259}, NULL, CUT, 50, 0, NULL, 2, FLAW_END_STOP},
    {{1, 259}, NULL, CUT, 50, 0, NULL, 1, FLAW_END_STOP},
};

static void check_case(const writing_case *x, flaw_compute *c)
{
    flaw_reading *r;
    flaw_written w;
    flaw_error err = {0};
    size_t count = 0;
    while (x->chain[count]) count++;
    flaw_language *m = chain_model(x->chain, count, 64, c);
    listener l = {.never = x->rule == CUT || !x->stop || !*x->stop ? NULL : x->stop, .most = x->most};
    flaw_buffer_init(&l.text, 1 << 16);
    const flaw_writing task = {.max_tokens = x->max_tokens,
                               .stop = x->stop,
                               .hashes = x->rule == HASHES,
                               .upstream_cut = x->rule == CUT,
                               .words = listen_to,
                               .context = &l};
    assert_ok(flaw_reading_open(&r, m, c, &err));
    assert_ok(flaw_reading_ids(r, x->chain, 1, &err));
    assert_ok(flaw_language_write(r, &task, &w, &err));
    if (x->text) assert_string_equal(w.text.data, x->text);
    else assert_int_equal(w.text.size, 0);
    assert_int_equal(w.text.size, l.text.size);
    if (x->text) assert_string_equal(l.text.data, x->text);
    assert_int_equal(w.end, x->end);
    assert_int_equal(w.count, x->count);
    for (int i = 0; i < w.count; i++) assert_int_equal(w.ids[i], x->chain[i + 1 < (int)count ? i + 1 : (int)count - 1]);
    assert_int_equal(flaw_reading_length(r), 1 + w.count - 1);
    flaw_buffer_release(&l.text);
    flaw_written_release(&w);
    flaw_reading_close(r);
    flaw_language_close(m);
}

static void test_cases(void **state)
{
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("  case %zu\n", i);
        check_case(&cases[i], &c);
    }
    flaw_compute_close(&c);
}

/* The leading space of the first word goes when nothing stands before it; the context ends what nothing else does; and
 * what cannot be done is refused. */
static void test_edges(void **state)
{
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    static const int32_t chain[] = {1, 261, 262, 263, 264, 265, 266, 267, 268, 269};
    flaw_language *m = chain_model(chain, 10, 8, &c);
    flaw_reading *r;
    flaw_written w = {.count = -5};
    flaw_error err = {0};
    const int32_t many[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, strange[] = {5, 301}, negative = -1;
    assert_ok(flaw_reading_open(&r, m, &c, &err));
    assert_int_equal(flaw_language_write(r, &(flaw_writing){.max_tokens = 5}, &w, &err), FLAW_USAGE);
    assert_contains(err.text, "nothing yet");
    assert_int_equal(w.count, -5);
    assert_int_equal(flaw_reading_ids(r, many, 9, &err), FLAW_USAGE);
    assert_contains(err.text, "9 tokens after 0, at least one and at most 8 in all");
    assert_int_equal(flaw_reading_ids(r, many, 0, &err), FLAW_USAGE);
    assert_int_equal(flaw_reading_ids(r, strange, 2, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "token 1 of the text is 301, allowed are 0 to 300");
    assert_int_equal(flaw_reading_ids(r, &negative, 1, &err), FLAW_BAD_DATA);
    assert_int_equal(flaw_reading_length(r), 0);
    assert_ok(flaw_reading_ids(r, chain, 1, &err));
    assert_int_equal(flaw_language_write(r, &(flaw_writing){.max_tokens = 0}, &w, &err), FLAW_USAGE);
    assert_ok(flaw_language_write(r, &(flaw_writing){.max_tokens = 100, .fresh = true}, &w, &err));
    assert_string_equal(w.text.data, "w261w262 w263w264 w265w266 w267w268");
    assert_int_equal(w.end, FLAW_END_LENGTH);
    assert_int_equal(w.count, 8); /* the last one needed no place */
    assert_int_equal(flaw_reading_length(r), 8);
    flaw_written_release(&w);
    flaw_reading_rewind(r, 3);
    flaw_reading_rewind(r, 5); /* nothing to forget */
    flaw_reading_rewind(r, -1);
    assert_int_equal(flaw_reading_length(r), 3);
    flaw_reading_close(r);
    flaw_pieces_free(m->pieces);
    m->pieces = NULL;
    assert_ok(flaw_reading_open(&r, m, &c, &err));
    assert_ok(flaw_reading_ids(r, chain, 1, &err));
    assert_int_equal(flaw_language_write(r, &(flaw_writing){.max_tokens = 3, .stop = "x"}, &w, &err), FLAW_USAGE);
    assert_contains(err.text, "no tokenizer");
    assert_ok(flaw_language_write(r, &(flaw_writing){.max_tokens = 3}, &w, &err));
    assert_int_equal(w.text.size, 0);
    assert_int_equal(w.ids[2], 263);
    flaw_written_release(&w);
    flaw_reading_close(r);
    flaw_language_close(m);
    flaw_compute_close(&c);
}

/* Whatever a random model says: what was shown is the text, which is valid, holds no stop, and is what the ids spell up
 * to it. The same seed says the same, another one something else. */
static void test_random_texts(void **state)
{
    static const char *const stops[] = {"##", "w2", "269", "6", " w27", "7w", "e", NULL};
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    flaw_language *m = tiny_trained(&tiny_language, 9, &c);
    const int32_t bos = 1;
    int stopped = 0;
    m->pieces = tiny_pieces();
    for (uint64_t seed = 0; seed < 40; seed++) {
        flaw_reading *r;
        flaw_written w, again;
        flaw_error err = {0};
        flaw_buffer spelt;
        const char *stop = stops[seed % 8];
        listener l = {.never = stop};
        flaw_buffer_init(&l.text, 1 << 16);
        flaw_buffer_init(&spelt, 1 << 16);
        flaw_writing task = {.max_tokens = 100,
                             .sampling = {1.5, 0.98, 0},
                             .seed = seed,
                             .stop = stop,
                             .words = listen_to,
                             .context = &l};
        assert_ok(flaw_reading_open(&r, m, &c, &err));
        assert_ok(flaw_reading_ids(r, &bos, 1, &err));
        assert_ok(flaw_language_write(r, &task, &w, &err));
        flaw_reading_rewind(r, 0);
        assert_ok(flaw_reading_ids(r, &bos, 1, &err));
        task.words = NULL;
        assert_ok(flaw_language_write(r, &task, &again, &err));
        assert_int_equal(w.count, again.count);
        assert_memory_equal(w.ids, again.ids, (size_t)w.count * sizeof *w.ids);
        assert_int_equal(w.text.size, l.text.size);
        if (w.text.size) assert_memory_equal(w.text.data, l.text.data, w.text.size);
        stopped += w.end == FLAW_END_STOP;
        for (int i = 0; i < w.count; i++) flaw_pieces_append(m->pieces, w.ids[i], false, &spelt);
        size_t same = 0;
        while (same < w.text.size && w.text.data[same] == spelt.data[same]) same++;
        if (same < w.text.size) assert_memory_equal(w.text.data + same, "\xef\xbf\xbd", 3); /* a byte that is no text */
        flaw_written_release(&w);
        flaw_written_release(&again);
        flaw_buffer_release(&spelt);
        flaw_buffer_release(&l.text);
        flaw_reading_close(r);
    }
    assert_true(stopped > 5);
    flaw_language_close(m);
    flaw_compute_close(&c);
}

/* ---- choosing ---- */

/* Shares of draws; what has no share must never be drawn. */
static void check_shares(const float *logits, int n, flaw_sampling s, const double *share)
{
    flaw_random random;
    int count[8] = {0};
    const int draws = 40000;
    flaw_random_init(&random, 4, 0);
    for (int k = 0; k < draws; k++) {
        float copy[8];
        memcpy(copy, logits, (size_t)n * sizeof *copy);
        int32_t id = flaw_language_sample(copy, n, &s, &random);
        assert_in_range(id, 0, n - 1);
        count[id]++;
    }
    for (int i = 0; i < n; i++) {
        double got = count[i] / (double)draws, bar = 4 * sqrt(share[i] * (1 - share[i]) / draws);
        if (!(fabs(got - share[i]) <= bar))
            fail_msg("token %d was drawn %g of the time, expected %g", i, got, share[i]);
    }
}

static void test_sampling(void **state)
{
    /* probabilities 0.4, 0.1, 0.3, 0.2 */
    const float logits[] = {logf(0.4f) + 3, logf(0.1f) + 3, logf(0.3f) + 3, logf(0.2f) + 3};
    const double halves = sqrt(0.4) + sqrt(0.1) + sqrt(0.3) + sqrt(0.2);
    check_shares(logits, 4, (flaw_sampling){1, 1, 0}, (double[]){0.4, 0.1, 0.3, 0.2});
    check_shares(logits, 4, (flaw_sampling){2, 1, 0},
                 (double[]){sqrt(0.4) / halves, sqrt(0.1) / halves, sqrt(0.3) / halves, sqrt(0.2) / halves});
    check_shares(logits, 4, (flaw_sampling){0, 1, 0}, (double[]){1, 0, 0, 0});
    check_shares(logits, 4, (flaw_sampling){1, 1, 2}, (double[]){4 / 7.0, 0, 3 / 7.0, 0});
    check_shares(logits, 4, (flaw_sampling){1, 1, 1}, (double[]){1, 0, 0, 0});
    check_shares(logits, 4, (flaw_sampling){1, 1, 9}, (double[]){0.4, 0.1, 0.3, 0.2});
    check_shares(logits, 4, (flaw_sampling){1, 0.65, 0}, (double[]){4 / 7.0, 0, 3 / 7.0, 0});
    check_shares(logits, 4, (flaw_sampling){1, 0.75, 0}, (double[]){4 / 9.0, 0, 3 / 9.0, 2 / 9.0});
    check_shares(logits, 4, (flaw_sampling){1, 0.01, 0}, (double[]){1, 0, 0, 0});
    check_shares(logits, 4, (flaw_sampling){1, 0, 0}, (double[]){1, 0, 0, 0});
    /* of the three likeliest, 0.4 + 0.3 of 0.9 are more than 0.7 */
    check_shares(logits, 4, (flaw_sampling){1, 0.7, 3}, (double[]){4 / 7.0, 0, 3 / 7.0, 0});
    /* of equals the first ones */
    const float equal[] = {0, 1, 1, 1, 1};
    check_shares(equal, 5, (flaw_sampling){0, 1, 0}, (double[]){0, 1, 0, 0, 0});
    check_shares(equal, 5, (flaw_sampling){1, 1, 2}, (double[]){0, 0.5, 0.5, 0, 0});
    check_shares(equal, 5, (flaw_sampling){1, 0.6, 0}, (double[]){0, 1 / 3.0, 1 / 3.0, 1 / 3.0, 0});
    /* far apart: what underflows is never drawn */
    const float far[] = {-1000, 1000, 999, -3e38f};
    check_shares(far, 4, (flaw_sampling){1, 1, 0}, (double[]){0, 1 / (1 + exp(-1)), exp(-1) / (1 + exp(-1)), 0});
    check_shares(far, 4, (flaw_sampling){1, 1, 3}, (double[]){0, 1 / (1 + exp(-1)), exp(-1) / (1 + exp(-1)), 0});
    check_shares(far, 4, (flaw_sampling){1e-9, 0.9, 2}, (double[]){0, 1, 0, 0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_sampling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
