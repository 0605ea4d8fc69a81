/* Bundles of language models: what is written reads as the same numbers, alone and beside towers; parts do not see each
 * other's names; and a load takes no more memory than what it keeps. */
#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tiny_language.h"

#include "model/bundle.h"
#include "model/language_part.h"

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
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AMX);
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
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AMX);
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
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AMX);
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
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AMX);
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

/* ---- memory ---- */

/* Zeros of F16 in a file with holes: header, then as many bytes as it promises. */
static size_t hollow_folder(const char *folder, const flaw_language_shape *s)
{
    char path[512], config[512];
    const size_t d = (size_t)s->block.width, f = (size_t)s->block.hidden, v = (size_t)s->vocab;
    flaw_buffer header;
    size_t at = 0;
    flaw_buffer_init(&header, 1 << 20);
    flaw_buffer_text(&header, "{");
    for (int i = -1; i < s->layers; i++) {
        const struct {
            const char *name;
            size_t rows, columns;
        } inner[] = {{"self_attn.q_proj", d, d}, {"self_attn.k_proj", d, d}, {"self_attn.v_proj", d, d},
                     {"self_attn.o_proj", d, d}, {"mlp.gate_proj", f, d},    {"mlp.up_proj", f, d},
                     {"mlp.down_proj", d, f},    {"input_layernorm", 0, d},  {"post_attention_layernorm", 0, d}},
          outer[] = {{"model.embed_tokens", v, d}, {"lm_head", v, d}, {"model.norm", 0, d}};
        for (size_t k = 0; k < (i < 0 ? 3u : 9u); k++) {
            const size_t rows = i < 0 ? outer[k].rows : inner[k].rows,
                         columns = i < 0 ? outer[k].columns : inner[k].columns;
            const size_t bytes = 2 * columns * (rows ? rows : 1);
            if (i < 0) flaw_buffer_printf(&header, "\"%s.weight\":", outer[k].name);
            else flaw_buffer_printf(&header, "\"model.layers.%d.%s.weight\":", i, inner[k].name);
            if (rows) flaw_buffer_printf(&header, "{\"dtype\":\"F16\",\"shape\":[%zu,%zu],", rows, columns);
            else flaw_buffer_printf(&header, "{\"dtype\":\"F16\",\"shape\":[%zu],", columns);
            flaw_buffer_printf(&header, "\"data_offsets\":[%zu,%zu]},", at, at + bytes);
            at += bytes;
        }
    }
    header.data[header.size - 1] = '}';
    uint8_t length[8] = {(uint8_t)header.size, (uint8_t)(header.size >> 8), (uint8_t)(header.size >> 16)};
    FILE *file = fopen(in_folder(path, folder, "model.safetensors"), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(length, 1, 8, file), 8);
    assert_int_equal(fwrite(header.data, 1, header.size, file), header.size);
    fclose(file);
    assert_int_equal(truncate(path, (off_t)(8 + header.size + at)), 0);
    flaw_buffer_release(&header);
    snprintf(config, sizeof config,
             "{\"model_type\":\"llama\",\"hidden_size\":%zu,\"intermediate_size\":%zu,\"num_hidden_layers\":%d,"
             "\"num_attention_heads\":8,\"vocab_size\":%zu,\"max_position_embeddings\":256}",
             d, f, s->layers, v);
    tiny_write(folder, "config.json", config, strlen(config));
    return at / 2;
}

static size_t peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_maxrss;
}

/* What opening adds to the largest size of a process that does nothing else; the model's sanity is its exit status. */
static size_t peak_once(const char *folder, flaw_keep keep, const char *bundle)
{
    int ends[2];
    size_t kib = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        flaw_compute c;
        flaw_language *m = NULL;
        if (flaw_compute_open(&c, 2, FLAW_LEVEL_AMX, FLAW_F32, NULL)) _exit(2);
        size_t before = peak_kib();
        if (flaw_language_open(&m, folder, keep, NULL, &c, NULL)) _exit(3);
        if (bundle && flaw_language_bundle_write(bundle, m, FLAW_KEEP_INT4, NULL, NULL)) _exit(4);
        size_t grown = peak_kib() - before;
        _exit(write(ends[1], &grown, sizeof grown) == sizeof grown ? 0 : 5);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], &kib, sizeof kib), sizeof kib);
    close(ends[0]);
    close(ends[1]);
    return kib;
}

/* MiB that the system may keep mapped of a file around what is read just now, in units as large as its page cache has them
 * (26 were seen on a machine with much free memory, 2 on a full one). The file itself has 115. */
enum { AROUND = 40 };

/* The smallest of three: how much of a file the system reads ahead, and maps with it, hangs on what else the machine does. */
static size_t peak_of_load(const char *folder, flaw_keep keep, const char *bundle)
{
    size_t least = SIZE_MAX;
    for (int i = 0; i < 3; i++) {
        size_t kib = peak_once(folder, keep, bundle);
        least = kib < least ? kib : least;
    }
    return least;
}

static void test_memory(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its shadow is not ours */
#endif
    char bundle[512];
    const flaw_language_shape shape = {
        .block = {.width = 1024, .heads = 8, .hidden = 2816}, .layers = 4, .vocab = 4096};
    const size_t weights = hollow_folder(*state, &shape);
    const double mib = (double)weights / (1 << 20);
    static const struct {
        flaw_keep keep;
        double bytes; /* of a weight */
    } rows[] = {{FLAW_KEEP_FILE, 0}, {FLAW_KEEP_BF16, 2}, {FLAW_KEEP_INT8, 34 / 32.0}, {FLAW_KEEP_INT4, 20 / 32.0}};
    const double tables = 2.0 * 4096 * 1024 / (1 << 20); /* kept as int8 where the others are int4 */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double kept = mib * rows[i].bytes + (rows[i].keep == FLAW_KEEP_INT4 ? tables * 14 / 32.0 : 0);
        double peak = (double)peak_of_load(*state, rows[i].keep, NULL) / 1024;
        print_message("  %.0f M weights, keep %d: %.1f MiB kept, peak %.1f MiB\n", (double)weights / 1e6, rows[i].keep,
                      kept, peak);
        assert_true(peak <= 1.1 * kept + AROUND);
        assert_true(peak >= kept * 0.95);
    }
    /* from the mapped file into a bundle: never more than a matrix */
    double peak = (double)peak_of_load(*state, FLAW_KEEP_FILE, in_folder(bundle, *state, "m.safetensors")) / 1024;
    print_message("  written as int4: peak %.1f MiB\n", peak);
    assert_true(peak <= 10 + AROUND);
}

int main(void)
{
#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_scratch, remove_scratch)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_types),      WITH_FOLDER(test_from_folder), WITH_FOLDER(test_beside_towers),
        WITH_FOLDER(test_not_finite), WITH_FOLDER(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
