/* Data of the trainer: names from paths, sentences, vocabulary, views and targets, and that a batch follows from seed and
 * step alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "learn/tower/data.h"
#include "learn/tower/vocab.h"

static void check_name(const char *path, const char *expected)
{
    char name[FLAW_NAME];
    flaw_photo_name(name, path);
    assert_string_equal(name, expected);
}

static void test_names(void **state)
{
    (void)state;
    check_name("/grocery/dataset__test__Fruit__Melon__Cantaloupe__Cantaloupe_020.jpg", "cantaloupe");
    check_name("/grocery/x__Golden-Delicious_023.jpg", "golden delicious");
    check_name("/ambientcg-previews/PavingStones_065.jpg", "paving stones");
    check_name("/clothing/train__shirt__fe7ca6a3-50a8-4377-9e67-a80652d1594a.jpg", "shirt");
    check_name("/trashnet/dataset-resized__glass__glass176.jpg", "glass");
    check_name("/mslearn-ai-vision/Labfiles__training-images__banana__IMG_20200229_164957.jpg", "banana");
    check_name("/001.jpg", "");
}

static void test_vocabulary(void **state)
{
    (void)state;
    flaw_arena arena;
    flaw_word_counts counts;
    flaw_buffer out;
    flaw_arena_init(&arena, 0);
    flaw_word_counts_init(&counts, &arena);
    flaw_buffer_init(&out, 1 << 20);
    assert_int_equal(flaw_word_counts_add(&counts, "low Low lower newest", 1, NULL), FLAW_OK);
    assert_int_equal(flaw_word_counts_add(&counts, "newest, newest!", 2, NULL), FLAW_OK);
    /* low 2, lower 1, newest 5: "w e" is in both (6); then the pairs of newest (5), by name; then "l o" (3). */
    assert_int_equal(flaw_vocab_learn(&out, &counts, 7, NULL), FLAW_OK);
    assert_string_equal(out.data, "#version: learnt by flaw\nw e\ne we\newe s\newes t</w>\nn ewest</w>\nl o\nlo w</w>\n");
    flaw_buffer_release(&out);
    flaw_arena_release(&arena);
}

typedef struct setting {
    flaw_words words;
    flaw_photos photos;
    flaw_tokenizer *tokenizer;
    flaw_clip_shape shape;
    flaw_data data;
    flaw_batch batch;
    flaw_arena arena;
} setting;

static void setting_open(setting *s, int window, double vary)
{
    static const char merges[] = "#version\na n\n";
    char path[4096];
    const char *source = getenv("FLAW_SOURCE");
    memset(s, 0, sizeof *s);
    snprintf(path, sizeof path, "%s/models/words.txt", source ? source : ".");
    assert_int_equal(flaw_words_read(&s->words, path, NULL), FLAW_OK);
    assert_int_equal(flaw_tokenizer_from_merges(&s->tokenizer, (const uint8_t *)merges, sizeof merges - 1, "test", 1000, NULL),
                     FLAW_OK);
    s->shape = (flaw_clip_shape){.side = 64, .patch = 16, .context = 40, .image_layers = 4,
                                 .prepare = {.std = {1, 1, 1}}};
    flaw_clip_shape_derive(&s->shape);
    flaw_data_options options = {.seed = 3, .pairs = 4, .sentences = 2, .scene_share = 1, .window = window, .fresh = 0.5,
                                 .vary = vary};
    flaw_arena_init(&s->arena, 0);
    assert_int_equal(flaw_data_open(&s->data, &options, &s->shape, &s->words, &s->photos, s->tokenizer, NULL), FLAW_OK);
    assert_int_equal(flaw_batch_open(&s->batch, &s->data, &s->arena, NULL), FLAW_OK);
}

static void setting_close(setting *s)
{
    flaw_data_close(&s->data);
    flaw_words_release(&s->words);
    flaw_tokenizer_free(s->tokenizer);
    flaw_arena_release(&s->arena);
}

/* One run draws steps 0 to 5 on two threads, the other only step 5 on one: the batches are equal. */
static void check_batch(double vary)
{
    setting a, b;
    flaw_pool *pool;
    assert_int_equal(flaw_pool_new(&pool, 2, NULL), FLAW_OK);
    setting_open(&a, 8, vary);
    setting_open(&b, 8, vary);
    for (int step = 0; step <= 5; step++) assert_int_equal(flaw_data_draw(&a.batch, &a.data, step, pool, NULL), FLAW_OK);
    assert_int_equal(flaw_data_draw(&b.batch, &b.data, 5, NULL, NULL), FLAW_OK);
    assert_memory_equal(a.batch.pixels, b.batch.pixels, 8 * 3 * 64 * 64 * sizeof(float));
    assert_memory_equal(a.batch.target, b.batch.target, 8 * 16 * sizeof(float));
    assert_memory_equal(a.batch.ids, b.batch.ids, (size_t)a.batch.sentences * 40 * sizeof(int32_t));
    assert_int_equal(a.batch.tokens, b.batch.tokens);
    setting_close(&a);
    setting_close(&b);
    flaw_pool_free(pool);
}

static void test_batch_follows_from_seed_and_step(void **state)
{
    (void)state;
    check_batch(0);
    check_batch(1);
}

/* Every second picture has a defect in its target, every first none. */
static void test_targets(void **state)
{
    (void)state;
    setting s;
    setting_open(&s, 0, 0);
    for (int step = 0; step < 6; step++) {
        assert_int_equal(flaw_data_draw(&s.batch, &s.data, step, NULL, NULL), FLAW_OK);
        for (int i = 0; i < s.batch.pictures; i++) {
            float sum = 0;
            for (int k = 0; k < 16; k++) {
                assert_true(s.batch.target[i * 16 + k] >= 0 && s.batch.target[i * 16 + k] <= 1);
                sum += s.batch.target[i * 16 + k];
            }
            assert_true(i % 2 ? sum > 0 : sum == 0);
        }
        for (int m = 0; m < s.batch.sentences; m++) assert_true(s.batch.end[m] >= 2 && s.batch.end[m] < 40);
    }
    setting_close(&s);
}

/* Sentences hold the name they are about and no unfilled marks. */
static void test_sentences(void **state)
{
    (void)state;
    setting s;
    char text[FLAW_SENTENCE], name[FLAW_NAME];
    flaw_random r;
    setting_open(&s, 0, 0);
    flaw_random_init(&r, 1, 1);
    int exact = 0;
    for (int i = 0; i < 2000; i++) {
        flaw_words_name(name, &s.words, "zebra", "brushed metal", false, &r);
        assert_true(name[0] != 0);
        exact += !strcmp(name, "zebra");
        flaw_words_state(text, &s.words, "zebra", i % 2, &r);
        assert_non_null(strstr(text, "zebra"));
        assert_null(strpbrk(text, "{}[]*"));
        flaw_words_caption(text, "zebra", i % 2 ? "dent" : NULL, &r);
        assert_non_null(strstr(text, "zebra"));
        assert_true((strstr(text, "dent") != NULL) == (i % 2 == 1));
    }
    assert_true(exact > 800 && exact < 1200);
    setting_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_vocabulary),
        cmocka_unit_test(test_batch_follows_from_seed_and_step),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
