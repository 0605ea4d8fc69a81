/* Bundles of language models: what is written reads as the same numbers, alone and beside towers; parts do not see each
 * other's names. */
#include <math.h>

#include "tiny_language.h"

#include "model/bundle/bundle.h"
#include "model/bundle/language_part.h"

static flaw_language *open_at(const char *path, flaw_keep keep, flaw_compute *c)
{
    flaw_language *m = NULL;
    flaw_error err = {0};
    assert_ok(flaw_language_open(&m, path, keep, NULL, c, &err));
    return m;
}

static void check_same(const flaw_language *m, const float *want, double bar, flaw_compute *c)
{
    float *got = tiny_logits(m, c);
    double away = tiny_distance(got, want, (size_t)m->shape.vocab);
    if (!(away <= bar)) fail_msg("logits differ by %g, the bar is %g", away, bar);
    free(got);
}

/* A trained model, written in every type and opened again; then written from the file in another type. */
static void test_types(void **state)
{
    static const struct {
        flaw_keep keep;
        flaw_weight_type matrix, table;
        double bar;
    } rows[] = {{FLAW_KEEP_AUTO, FLAW_WEIGHT_F32, FLAW_WEIGHT_F32, 1e-6},
                {FLAW_KEEP_F32, FLAW_WEIGHT_F32, FLAW_WEIGHT_F32, 1e-6},
                {FLAW_KEEP_BF16, FLAW_WEIGHT_BF16, FLAW_WEIGHT_BF16, 3e-2},
                {FLAW_KEEP_INT8, FLAW_WEIGHT_Q8_0, FLAW_WEIGHT_Q8_0, 5e-2},
                {FLAW_KEEP_INT4, FLAW_WEIGHT_Q4_1, FLAW_WEIGHT_Q8_0, 0.5}};
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    for (int tied = 0; tied < 2; tied++) {
        flaw_language_shape shape = tiny_language;
        shape.tied = tied;
        shape.block.rotary = tied ? FLAW_ROTARY_PAIRS : FLAW_ROTARY_HALVES;
        flaw_language *trained = tiny_trained(&shape, 3, &c);
        trained->pieces = tiny_pieces();
        trained->bos = 1;
        trained->eos = 2;
        float *want = tiny_logits(trained, &c);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            char path[512], again[512];
            flaw_error err = {0};
            assert_ok(flaw_language_bundle_write(in_folder(path, *state, "m.safetensors"), trained, rows[i].keep, "{}",
                                                 &err));
            flaw_language *m = open_at(path, FLAW_KEEP_AUTO, &c);
            assert_int_equal(m->block[0].qkv.part->type, rows[i].matrix);
            assert_int_equal(m->block[0].qkv.parts, 1);
            assert_int_equal(m->token.type, rows[i].table);
            assert_int_equal(m->shape.block.rotary, shape.block.rotary);
            assert_int_equal(flaw_pieces_count(m->pieces), TINY_PIECES);
            assert_int_equal(flaw_pieces_find(m->pieces, "##"), 259);
            assert_int_equal(m->eos, 2);
            assert_string_equal(flaw_tensors_metadata(&m->file, "card"), "{}");
            check_same(m, want, rows[i].bar, &c);
            /* the same file again, as it is: the same bytes */
            assert_ok(flaw_language_bundle_write(in_folder(again, *state, "again.safetensors"), m, FLAW_KEEP_FILE, "{}",
                                                 &err));
            flaw_bytes one = read_all(path), two = read_all(again);
            assert_int_equal(one.size, two.size);
            assert_memory_equal(one.data, two.data, one.size);
            flaw_bytes_release(&one);
            flaw_bytes_release(&two);
            /* and as int8, from whatever it was */
            assert_ok(flaw_language_bundle_write(again, m, FLAW_KEEP_INT8, NULL, &err));
            flaw_language_close(m);
            m = open_at(again, FLAW_KEEP_AUTO, &c);
            assert_int_equal(m->block[1].fc2.part->type, FLAW_WEIGHT_Q8_0);
            check_same(m, want, rows[i].bar + 5e-2, &c);
            flaw_language_close(m);
        }
        free(want);
        flaw_language_close(trained);
    }
    flaw_compute_close(&c);
}

/* A Hugging Face folder becomes a bundle: q, k, v of one type are stacked as they are. */
static void test_from_folder(void **state)
{
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_language *trained = tiny_trained(&tiny_language, 4, &c);
    tiny_tensors t;
    char path[512];
    flaw_error err = {0};
    tiny_tensors_of(&t, trained, FLAW_WEIGHT_F16);
    size_t v = 0; /* one of three in another type */
    while (strcmp(t.item[v].name, "model.layers.1.self_attn.v_proj.weight") != 0) v++;
    tiny_add(&t, t.item[v].name, trained->view.block[1].qkv_w + 96 * 64, 32, 64, FLAW_WEIGHT_BF16);
    t.item[v] = t.item[--t.count];
    t.item[v].name = "model.layers.1.self_attn.v_proj.weight";
    tiny_folder(*state, &t, tiny_config, NULL);
    flaw_language *m = open_at(*state, FLAW_KEEP_AUTO, &c);
    float *want = tiny_logits(m, &c);
    assert_ok(flaw_language_bundle_write(in_folder(path, *state, "m.safetensors"), m, FLAW_KEEP_AUTO, NULL, &err));
    flaw_language_close(m);
    m = open_at(path, FLAW_KEEP_AUTO, &c);
    assert_int_equal(m->block[0].qkv.part->type, FLAW_WEIGHT_F16);
    assert_int_equal(m->block[1].qkv.part->type, FLAW_WEIGHT_F32); /* two types */
    assert_int_equal(m->block[1].fc1.part->type, FLAW_WEIGHT_F16);
    assert_null(m->pieces);
    check_same(m, want, 1e-6, &c);
    flaw_language_close(m);
    free(want);
    flaw_arena_release(&t.arena);
    flaw_language_close(trained);
    flaw_compute_close(&c);
}

/* Towers and language in one file: each reader finds its own and only its own. */
static void test_beside_towers(void **state)
{
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_clip *clip = open_tiny("open_clip", &c), *back = NULL;
    flaw_language *trained = tiny_trained(&tiny_language, 5, &c), *m = NULL;
    flaw_part towers, language;
    char path[512];
    flaw_error err = {0};
    float *want = tiny_logits(trained, &c);
    size_t merges_size;
    char *merges = merges_text(&merges_size);
    assert_ok(flaw_clip_part(&towers, "towers", &clip->shape, &clip->list, clip->weights, merges, merges_size,
                             FLAW_STORE_F32, &err));
    assert_ok(flaw_language_part(&language, trained, FLAW_KEEP_INT8, &err));
    const flaw_part *const both[] = {&towers, &language};
    const char *const card[] = {"card", "{\"a\":1}"};
    assert_ok(flaw_parts_write(in_folder(path, *state, "both.safetensors"), both, 2, card, 1, &err));
    m = open_at(path, FLAW_KEEP_AUTO, &c);
    check_same(m, want, 5e-2, &c);
    flaw_language_close(m);
    assert_ok(flaw_clip_open(&back, path, &c, &err));
    assert_memory_equal(back->weights, clip->weights, clip->list.total * sizeof *clip->weights);
    flaw_clip_close(back);
    /* a name under no part is the towers', one of the language's is not */
    flaw_tensor stray = {
        .name = "stray", .dtype = FLAW_DTYPE_F32, .rank = 1, .shape = {1}, .data = (const uint8_t *)want};
    towers.room++;
    flaw_tensor *more = flaw_arena_alloc(&towers.arena, towers.room, sizeof *more);
    assert_non_null(more);
    memcpy(more, towers.item, towers.count * sizeof *more);
    towers.item = more;
    assert_ok(flaw_part_add(&towers, &stray, &err));
    assert_ok(flaw_parts_write(path, both, 2, NULL, 0, &err));
    assert_int_equal(flaw_clip_open(&back, path, &c, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "1 left over: stray");
    m = open_at(path, FLAW_KEEP_AUTO, &c);
    flaw_language_close(m);
    towers.item[towers.count - 1].name = "language.stray";
    assert_ok(flaw_parts_write(path, both, 2, NULL, 0, &err));
    assert_int_equal(flaw_language_open(&m, path, FLAW_KEEP_AUTO, NULL, &c, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "1 left over: language.stray");
    /* without its metadata a part is nobody's, and the towers complain */
    language.pairs = 0;
    towers.count--;
    assert_ok(flaw_parts_write(path, both, 2, NULL, 0, &err));
    assert_int_equal(flaw_clip_open(&back, path, &c, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "left over: language.");
    assert_int_equal(flaw_language_open(&m, path, FLAW_KEEP_AUTO, NULL, &c, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "holds no language model");
    flaw_part_release(&towers);
    flaw_part_release(&language);
    free(want);
    flaw_language_close(trained);
    free(merges);
    flaw_clip_close(clip);
    flaw_compute_close(&c);
}

static void test_not_finite(void **state)
{
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    flaw_language *trained = tiny_trained(&tiny_language, 5, &c);
    char path[512];
    flaw_error err = {0};
    trained->view.block[1].fc1_w[7] = INFINITY;
    assert_int_equal(flaw_language_bundle_write(in_folder(path, *state, "x"), trained, FLAW_KEEP_INT4, NULL, &err),
                     FLAW_BAD_DATA);
    assert_contains(err.text, "tensor 'language.block.1.fc1.w': element 7 is infinite");
    assert_int_equal(access(path, F_OK), -1);
    flaw_language_close(trained);
    flaw_compute_close(&c);
}

int main(void)
{
#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_scratch, remove_scratch)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_types),      WITH_FOLDER(test_from_folder), WITH_FOLDER(test_beside_towers),
        WITH_FOLDER(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
