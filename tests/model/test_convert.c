/* Models made into one file: what is in it, where it came from, and what cannot be converted. */
#include "tiny_language.h"

#include <jansson.h>

#include "base/sha256.h"
#include "flaw/model.h"
#include "model/voice/anomalygpt.h"

static flaw_tensors open_tensors(const char *path)
{
    flaw_tensors t;
    flaw_error err = {0};
    assert_ok(flaw_tensors_open(&t, path, &err));
    return t;
}

static json_t *metadata(const flaw_tensors *t, const char *key)
{
    const char *text = flaw_tensors_metadata(t, key);
    if (!text) fail_msg("%s: no metadata '%s'", t->path, key);
    json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(o);
    return o;
}

/* Every tensor has the hash that the file says. */
static void check_hashes(const char *path)
{
    flaw_tensors t = open_tensors(path);
    json_t *said = metadata(&t, "sha256");
    assert_int_equal(json_object_size(said), t.count);
    for (size_t i = 0; i < t.count; i++) {
        char hex[65];
        flaw_sha256_hex(t.item[i].data, t.item[i].bytes, hex);
        assert_string_equal(hex, json_string_value(json_object_get(said, t.item[i].name)));
    }
    json_decref(said);
    flaw_tensors_close(&t);
}

/* Files of the manifest, in its order, with their sizes and hashes as they are on the disk. */
static void check_manifest(const char *path, const char *root, const char *const *files, size_t count, bool before)
{
    flaw_tensors t = open_tensors(path);
    json_t *manifest = metadata(&t, "manifest"), *list = json_object_get(manifest, "sources");
    assert_int_equal(json_array_size(list), count);
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(list, i);
        char file[600], hex[65];
        assert_string_equal(json_string_value(json_object_get(entry, "file")), files[i]);
        snprintf(file, sizeof file, "%s/%s", root, files[i]);
        flaw_bytes bytes = read_all(file);
        flaw_sha256_hex(bytes.data, bytes.size, hex);
        assert_string_equal(json_string_value(json_object_get(entry, "sha256")), hex);
        assert_int_equal(json_integer_value(json_object_get(entry, "bytes")), bytes.size);
        flaw_bytes_release(&bytes);
    }
    assert_int_equal(json_object_get(manifest, "before") != NULL, before);
    json_decref(manifest);
    flaw_tensors_close(&t);
}

static void convert(const char *from, const char *to, const char *keep)
{
    flaw_error err = {0};
    assert_ok(flaw_model_convert(from, to, keep, NULL, NULL, &err));
    check_hashes(to);
}

static const char *golden_folder(char out[512])
{
    const char *shared = getenv("FLAW_SHARED");
    snprintf(out, 512, "%s/golden/anomalygpt-small", shared ? shared : "../shared");
    if (access(out, R_OK) == 0) return out;
    print_message("%s is not here: skipped\n", out);
    return NULL;
}

static float *logits_of(const flaw_anomalygpt *m, flaw_compute *c)
{
    static const int32_t ids[] = {1, 835, 12968, 29901, 529};
    flaw_error err = {0};
    flaw_reading *r = NULL;
    const size_t vocab = (size_t)m->language->shape.vocab;
    float *out = make_floats(vocab);
    assert_ok(flaw_reading_open(&r, m->language, c, &err));
    assert_ok(flaw_reading_ids(r, ids, 5, &err));
    memcpy(out, flaw_reading_logits(r), vocab * sizeof *out);
    flaw_reading_close(r);
    return out;
}

/* The released folder and its file: the same towers, voice and words, bit for bit; of the others the right types. */
static void test_released(void **state)
{
    static const char *const files[] = {
        "bpe_simple_vocab_16e6.txt.gz", "imagebind_config.json", "imagebind_huge.pth",     "pandagpt_delta.pt",
        "anomalygpt_delta.pt",          "vicuna/config.json",    "vicuna/tokenizer.model", "vicuna/model.safetensors"};
    char folder[512], path[512], small[512];
    if (!golden_folder(folder)) skip();
    convert(folder, in_folder(path, *state, "file.flaw"), NULL);
    check_manifest(path, folder, files, sizeof files / sizeof files[0], false);

    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_error err = {0};
    flaw_anomalygpt a, b;
    char hash[2][65];
    assert_ok(flaw_anomalygpt_open(&a, folder, FLAW_KEEP_FILE, &c, &err));
    assert_ok(flaw_anomalygpt_open(&b, path, FLAW_KEEP_FILE, &c, &err));
    flaw_clip_hash(a.towers, &c, hash[0]);
    flaw_clip_hash(b.towers, &c, hash[1]);
    assert_string_equal(hash[0], hash[1]);
    assert_int_equal(a.voice->list.total, b.voice->list.total);
    assert_memory_equal(a.voice->weights, b.voice->weights, a.voice->list.total * sizeof(float));
    float *x = logits_of(&a, &c), *y = logits_of(&b, &c);
    assert_memory_equal(x, y, (size_t)a.language->shape.vocab * sizeof *x);
    assert_int_equal(flaw_pieces_count(a.language->pieces), flaw_pieces_count(b.language->pieces));
    assert_int_equal(b.language->block[0].qkv.part->type, FLAW_WEIGHT_F32); /* adapters were added */
    assert_int_equal(b.language->block[0].fc1.part->type, FLAW_WEIGHT_F16);
    flaw_anomalygpt_close(&b);

    convert(path, in_folder(small, *state, "int8.flaw"), "int8");
    static const char *const only[] = {"file.flaw"};
    check_manifest(small, *state, only, 1, true);
    assert_ok(flaw_anomalygpt_open(&b, small, FLAW_KEEP_FILE, &c, &err));
    assert_int_equal(b.language->block[0].qkv.part->type, FLAW_WEIGHT_Q8_0);
    free(y);
    y = logits_of(&b, &c);
    const double away = tiny_distance(y, x, (size_t)a.language->shape.vocab);
    print_message("int8: logits differ by %g\n", away);
    assert_true(away < 0.05);
    flaw_tensors t = open_tensors(small);
    assert_int_equal(flaw_tensors_find(&t, "image.block.0.fc1.w")->dtype, FLAW_DTYPE_F16);
    assert_int_equal(flaw_tensors_find(&t, "image.block.0.fc1.b")->dtype, FLAW_DTYPE_F32);
    assert_int_equal(flaw_tensors_find(&t, "voice.conv.5.w")->dtype, FLAW_DTYPE_F16);
    flaw_tensors_close(&t);
    flaw_anomalygpt_close(&b);
    flaw_anomalygpt_close(&a);
    free(x);
    free(y);
    flaw_compute_close(&c);
}

/* Straight from the folder to four bits, and over the exact file: the same bytes. */
static void test_one_way_or_two(void **state)
{
    char folder[512], whole[512], direct[512], later[512];
    if (!golden_folder(folder)) skip();
    convert(folder, in_folder(whole, *state, "whole.flaw"), "file");
    convert(folder, in_folder(direct, *state, "direct.flaw"), "int4");
    convert(whole, in_folder(later, *state, "later.flaw"), "int4");
    flaw_tensors a = open_tensors(direct), b = open_tensors(later);
    assert_int_equal(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) {
        assert_string_equal(a.item[i].name, b.item[i].name);
        assert_int_equal(a.item[i].dtype, b.item[i].dtype);
        assert_int_equal(a.item[i].bytes, b.item[i].bytes);
        if (memcmp(a.item[i].data, b.item[i].data, a.item[i].bytes) != 0) fail_msg("%s differs", a.item[i].name);
    }
    flaw_tensors_close(&a);
    flaw_tensors_close(&b);
}

/* A LLaMA folder, whose logits the file gives again; and the file of the file. */
static void test_language(void **state)
{
    static const struct {
        const char *keep;
        double bar;
    } rows[] = {{NULL, 0}, {"f32", 0}, {"bf16", 3e-2}, {"int8", 5e-2}, {"int4", 0.5}};
    static const char *const files[] = {"config.json", "tokenizer.model", "model.safetensors"};
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_language *trained = tiny_trained(&tiny_language, 8, &c), *m = NULL;
    flaw_pieces *pieces = tiny_pieces();
    tiny_tensors t;
    char path[512], again[512];
    const char *folder = *state;
    flaw_error err = {0};
    tiny_tensors_of(&t, trained, FLAW_WEIGHT_F16);
    tiny_folder(folder, &t, tiny_config, pieces);
    assert_ok(flaw_language_open(&m, folder, FLAW_KEEP_FILE, NULL, &c, &err));
    float *want = tiny_logits(m, &c);
    flaw_language_close(m);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        convert(folder, in_folder(path, *state, "m.flaw"), rows[i].keep);
        check_manifest(path, folder, files, 3, false);
        assert_ok(flaw_language_open(&m, path, FLAW_KEEP_FILE, NULL, &c, &err));
        assert_int_equal(flaw_pieces_count(m->pieces), TINY_PIECES);
        float *got = tiny_logits(m, &c);
        const double away = tiny_distance(got, want, (size_t)m->shape.vocab);
        if (!(away <= rows[i].bar)) fail_msg("%s: logits differ by %g", rows[i].keep, away);
        free(got);
        flaw_language_close(m);
        assert_ok(flaw_model_quantize(path, in_folder(again, *state, "again.flaw"), "int8", NULL, NULL, &err));
        flaw_tensors q = open_tensors(again);
        assert_int_equal(flaw_tensors_find(&q, "language.block.1.qkv.w")->dtype, FLAW_DTYPE_Q8_0);
        assert_int_equal(flaw_tensors_find(&q, "language.norm")->dtype, FLAW_DTYPE_F32);
        flaw_tensors_close(&q);
    }
    free(want);
    flaw_pieces_free(pieces);
    flaw_arena_release(&t.arena);
    flaw_language_close(trained);
    flaw_compute_close(&c);
}

static int count_calls(void *context, size_t done, size_t total, const char *what)
{
    int *left = context;
    assert_true(done <= total);
    assert_non_null(what);
    return --*left < 0;
}

static void refuse(flaw_status expected, flaw_status status, const flaw_error *err, const char *words, const char *out)
{
    assert_int_equal(status, expected);
    assert_contains(err->text, words);
    assert_int_not_equal(access(out, F_OK), 0);
}

static void test_refused(void **state)
{
    char clip[1024], folder[512], out[512], file[512];
    flaw_error err = {0};
    in_folder(out, *state, "out.flaw");
    tiny_path(clip, "hf"); /* its vocabulary is no list of merges */
    refuse(FLAW_UNAVAILABLE, flaw_model_convert(clip, out, NULL, NULL, NULL, &err), &err, "bpe_simple_vocab", out);
    tiny_path(clip, "open_clip");
    refuse(FLAW_USAGE, flaw_model_quantize(clip, out, "int8", NULL, NULL, &err), &err, "holds no language model", out);
    refuse(FLAW_USAGE, flaw_model_quantize(clip, out, "bf16", NULL, NULL, &err), &err, "int8 or int4, not 'bf16'", out);
    refuse(FLAW_USAGE, flaw_model_convert(clip, out, "int5", NULL, NULL, &err), &err, "'int5'", out);
    refuse(FLAW_MISSING, flaw_model_convert("none", out, NULL, NULL, NULL, &err), &err, "none", out);
    refuse(FLAW_MISSING, flaw_model_convert(*state, out, NULL, NULL, NULL, &err), &err, "no model in this folder", out);
    tiny_write(*state, "pandagpt_delta.pt", "x", 1);
    refuse(FLAW_MISSING, flaw_model_convert(*state, out, NULL, NULL, NULL, &err), &err,
           "it lacks imagebind_huge.pth, vicuna, anomalygpt_delta.pt", out);
    tiny_write(*state, "text", "no weights", 10);
    refuse(FLAW_BAD_DATA, flaw_model_convert(in_folder(file, *state, "text"), out, NULL, NULL, NULL, &err), &err,
           "not a safetensors file", out);
    if (!golden_folder(folder)) return;
    int calls = 3; /* then it is stopped */
    refuse(FLAW_USAGE, flaw_model_convert(folder, out, NULL, count_calls, &calls, &err), &err, "cancelled", out);
}

/* Towers alone: the bundle has the model's hash and its words. */
static void test_towers(void **state)
{
    static const char *const names[] = {"timm", "open_clip"};
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    for (size_t n = 0; n < 2; n++) {
        char path[1024], out[512], hash[2][65];
        int32_t ids[2][20] = {{0}, {0}};
        flaw_error err = {0};
        flaw_clip *m = NULL;
        convert(tiny_path(path, names[n]), in_folder(out, *state, "towers.flaw"), NULL);
        const char *const both[] = {path, out};
        for (int i = 0; i < 2; i++) {
            assert_ok(flaw_clip_open(&m, both[i], &c, &err));
            flaw_clip_hash(m, &c, hash[i]);
            if (m->tokenizer)
                assert_ok(flaw_tokenizer_encode(m->tokenizer, "a damaged nut", ids[i], 20, NULL, NULL, &err));
            flaw_clip_close(m);
        }
        assert_string_equal(hash[0], hash[1]);
        assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
    }
    flaw_compute_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_released, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_one_way_or_two, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_language, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_towers, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_refused, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
