/* Opening a language model: the same numbers from every form and type, adapters, tokenizers; and a table of broken
 * folders with the status each must give. */
#include <math.h>

#include "tiny_language.h"

#include "model/bundle/language_part.h"

static flaw_language *open_at(const char *path, flaw_keep keep, const flaw_adapters *adapters, flaw_compute *c)
{
    flaw_language *m = NULL;
    flaw_error err = {0};
    assert_ok(flaw_language_open(&m, path, keep, adapters, c, &err));
    return m;
}

/* The file's types give the numbers of a model that was never in a file, up to their rounding. */
static void test_types(void **state)
{
    static const struct {
        flaw_weight_type type;
        flaw_keep keep;
        flaw_weight_type kept; /* of q */
        double bar;
    } rows[] = {
        {FLAW_WEIGHT_F32, FLAW_KEEP_FILE, FLAW_WEIGHT_F32, 1e-6},
        {FLAW_WEIGHT_F32, FLAW_KEEP_AUTO, FLAW_WEIGHT_F32, 1e-6},
        {FLAW_WEIGHT_F32, FLAW_KEEP_F32, FLAW_WEIGHT_F32, 1e-6},
        {FLAW_WEIGHT_F16, FLAW_KEEP_FILE, FLAW_WEIGHT_F16, 5e-3},
        {FLAW_WEIGHT_F16, FLAW_KEEP_F32, FLAW_WEIGHT_F32, 5e-3},
        {FLAW_WEIGHT_BF16, FLAW_KEEP_AUTO, FLAW_WEIGHT_BF16, 3e-2},
        {FLAW_WEIGHT_F32, FLAW_KEEP_BF16, FLAW_WEIGHT_BF16, 3e-2},
        {FLAW_WEIGHT_F32, FLAW_KEEP_INT8, FLAW_WEIGHT_Q8_0, 5e-2},
        {FLAW_WEIGHT_F16, FLAW_KEEP_INT4, FLAW_WEIGHT_Q4_1, 0.5},
    };
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_language *trained = tiny_trained(&tiny_language, 1, &c);
    float *want = tiny_logits(trained, &c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tiny_tensors t;
        tiny_tensors_of(&t, trained, rows[i].type);
        tiny_folder(*state, &t, tiny_config, NULL);
        flaw_language *m = open_at(*state, rows[i].keep, NULL, &c);
        assert_int_equal(m->block[1].qkv.part[0].type, rows[i].kept);
        assert_int_equal(m->token.type, rows[i].keep == FLAW_KEEP_INT4 ? FLAW_WEIGHT_Q8_0 : rows[i].kept);
        assert_int_equal(m->head.part->type, m->token.type);
        assert_null(m->pieces);
        float *got = tiny_logits(m, &c);
        double away = tiny_distance(got, want, (size_t)m->shape.vocab);
        print_message("  %s kept as %s: %.2g\n", flaw_weight_name(rows[i].type), flaw_weight_name(rows[i].kept), away);
        assert_true(away < rows[i].bar);
        free(got);
        flaw_language_close(m);
        flaw_arena_release(&t.arena);
    }
    free(want);
    flaw_language_close(trained);
    flaw_compute_close(&c);
}

/* Rows that do not divide into blocks are kept as BF16. */
static void test_odd_width(void **state)
{
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    flaw_language_shape shape = tiny_language;
    shape.block.hidden = 100;
    flaw_language *trained = tiny_trained(&shape, 1, &c);
    tiny_tensors t;
    tiny_tensors_of(&t, trained, FLAW_WEIGHT_F32);
    char whole[600];
    const char *place = strstr(tiny_config, "96");
    snprintf(whole, sizeof whole, "%.*s100%s", (int)(place - tiny_config), tiny_config, place + 2);
    tiny_folder(*state, &t, whole, NULL);
    flaw_language *m = open_at(*state, FLAW_KEEP_INT8, NULL, &c);
    assert_int_equal(m->block[0].fc1.part[0].type, FLAW_WEIGHT_Q8_0);
    assert_int_equal(m->block[0].fc2.part[0].type, FLAW_WEIGHT_BF16);
    flaw_language_close(m);
    flaw_arena_release(&t.arena);
    flaw_language_close(trained);
    flaw_compute_close(&c);
}

/* A tied model may bring its head along, when it is the table; shards and a tokenizer. */
static void test_tied(void **state)
{
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    flaw_language_shape shape = tiny_language;
    shape.tied = true;
    flaw_language *trained = tiny_trained(&shape, 5, &c), *m = NULL;
    float *want = tiny_logits(trained, &c);
    char config[600];
    snprintf(config, sizeof config, "%.*s,\"tie_word_embeddings\":true}", (int)strlen(tiny_config) - 1, tiny_config);
    flaw_pieces *pieces = tiny_pieces();
    for (int with_head = 0; with_head < 3; with_head++) {
        flaw_error err = {0};
        tiny_tensors t;
        tiny_tensors_of(&t, trained, FLAW_WEIGHT_F32);
        if (with_head) tiny_add(&t, "lm_head.weight", trained->view.token + (with_head == 2), 301, 64, FLAW_WEIGHT_F32);
        tiny_folder(*state, &t, config, pieces);
        flaw_status status = flaw_language_open(&m, *state, FLAW_KEEP_AUTO, NULL, &c, &err);
        if (with_head == 2) {
            assert_int_equal(status, FLAW_BAD_DATA);
            assert_contains(err.text, "1 left over: lm_head.weight");
        } else {
            assert_ok(status);
            assert_int_equal(flaw_pieces_count(m->pieces), TINY_PIECES);
            assert_int_equal(m->bos, 1);
            assert_int_equal(m->eos, 2);
            float *got = tiny_logits(m, &c);
            assert_true(tiny_distance(got, want, (size_t)m->shape.vocab) < 1e-6);
            free(got);
            flaw_language_close(m);
        }
        flaw_arena_release(&t.arena);
    }
    free(want);
    flaw_pieces_free(pieces);
    flaw_language_close(trained);
    flaw_compute_close(&c);
}

/* Adapters are what is left when they are multiplied out by hand and added in double. */
typedef struct adapter_case {
    int rank, layer, which; /* of the matrix that has one */
    float scale;
} adapter_case;

static const char *const projections[] = {"q", "k", "v", "o"};

static void add_adapter(tiny_tensors *t, const adapter_case *x, const float *a, const float *b, size_t rows,
                        const char *end)
{
    char name[96];
    const char *format = "base.model.layers.%d.self_attn.%s_proj.lora_%c%s.weight";
    snprintf(name, sizeof name, format, x->layer, projections[x->which], 'A', end);
    tiny_add(t, name, a, (size_t)x->rank, 64, FLAW_WEIGHT_F32);
    snprintf(name, sizeof name, format, x->layer, projections[x->which], 'B', end);
    tiny_add(t, name, b, rows, (size_t)x->rank, FLAW_WEIGHT_F32);
}

static void test_adapters(void **state)
{
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_language *plain = tiny_trained(&tiny_language, 1, &c), *merged = tiny_trained(&tiny_language, 1, &c);
    tiny_tensors t, lora = {.count = 0};
    flaw_arena_init(&lora.arena, 0);
    tiny_tensors_of(&t, plain, FLAW_WEIGHT_F32);
    tiny_folder(*state, &t, tiny_config, NULL);
    static const adapter_case cases[] = {{2, 0, 0, 0}, {3, 0, 1, 0}, {2, 1, 2, 0}, {4, 1, 3, 0}};
    const float scale = 0.75f;
    for (size_t i = 0; i < 4; i++) {
        const adapter_case *x = &cases[i];
        const size_t rows = x->which == 1 || x->which == 2 ? 32 : 64, first[] = {0, 64, 96, 0}, rank = (size_t)x->rank;
        float *a = random_floats(rank * 64, 50 + i), *b = random_floats(rows * rank, 70 + i);
        for (size_t k = 0; k < rank * 64; k++) a[k] *= 0.1f;
        add_adapter(&lora, x, a, b, rows, i % 2 ? ".default" : "");
        flaw_block_weights *w = &merged->view.block[x->layer];
        float *into = x->which == 3 ? w->out_w : w->qkv_w + first[x->which] * 64;
        for (size_t r = 0; r < rows; r++)
            for (size_t k = 0; k < 64; k++) {
                double sum = 0;
                for (size_t j = 0; j < rank; j++) sum += (double)b[r * rank + j] * (double)a[j * 64 + k];
                into[r * 64 + k] = (float)((double)into[r * 64 + k] + (double)scale * sum);
            }
        free(a);
        free(b);
    }
    flaw_error err = {0};
    assert_ok(flaw_language_pack(merged, &c, &err));
    tiny_add(&lora, "llama_proj.weight", plain->view.norm, 1, 64, FLAW_WEIGHT_F32); /* the caller's */
    flaw_tensors tensors = {.item = lora.item, .count = lora.count, .path = (char *)"delta.pt"};
    const flaw_adapters adapters = {.tensors = &tensors, .scale = scale};
    flaw_language *m = open_at(*state, FLAW_KEEP_AUTO, &adapters, &c);
    float *want = tiny_logits(merged, &c), *before = tiny_logits(plain, &c), *got = tiny_logits(m, &c);
    assert_true(tiny_distance(before, want, 301) > 0.05);
    assert_true(tiny_distance(got, want, 301) < 1e-5);
    flaw_language_close(m);
    free(got);
    /* a bundle has q, k and v below each other */
    char path[512];
    assert_ok(flaw_language_bundle_write(in_folder(path, *state, "plain"), plain, FLAW_KEEP_F32, NULL, &err));
    m = open_at(path, FLAW_KEEP_AUTO, &adapters, &c);
    assert_int_equal(m->block[0].qkv.parts, 1);
    got = tiny_logits(m, &c);
    assert_true(tiny_distance(got, want, 301) < 1e-5);
    flaw_language_close(m);
    free(got);
    m = open_at(*state, FLAW_KEEP_INT8, &adapters, &c);
    assert_int_equal(m->block[0].qkv.part[0].type, FLAW_WEIGHT_Q8_0);
    got = tiny_logits(m, &c);
    assert_true(tiny_distance(got, want, 301) < 5e-2);
    flaw_language_close(m);
    free(got);
    free(want);
    free(before);
    flaw_arena_release(&t.arena);
    flaw_arena_release(&lora.arena);
    flaw_language_close(plain);
    flaw_language_close(merged);
    flaw_compute_close(&c);
}

static void test_broken_adapters(void **state)
{
    static const struct {
        const char *name[2];
        size_t rows[2], columns[2];
        flaw_status status;
        const char *says;
    } rows[] = {
        {{"llama_proj.weight"}, {4}, {64}, FLAW_MISSING, "holds no adapters"},
        {{"model.layers.2.self_attn.q_proj.lora_A.weight"},
         {2},
         {64},
         FLAW_BAD_DATA,
         "1 have no place in a model of 2 layers"},
        {{"model.layers.0.mlp.up_proj.lora_A.weight"}, {2}, {64}, FLAW_BAD_DATA, "mlp.up_proj.lora_A"},
        {{"model.layers.0.self_attn.q_proj.lora_C.weight"}, {2}, {64}, FLAW_BAD_DATA, "lora_C"},
        {{"model.layers.0.self_attn.q_proj.lora_A.other.weight"}, {2}, {64}, FLAW_BAD_DATA, "lora_A.other"},
        {{"model.layers.0.self_attn.q_proj.lora_A.weight"}, {2}, {64}, FLAW_MISSING, "has no lora_B"},
        {{"model.layers.0.self_attn.q_proj.lora_A.weight", "model.layers.0.self_attn.q_proj.lora_B.weight"},
         {2, 64},
         {64, 3},
         FLAW_BAD_DATA,
         "is [2, 64] and its B [64, 3]"},
        {{"model.layers.0.self_attn.k_proj.lora_A.weight", "model.layers.0.self_attn.k_proj.lora_B.weight"},
         {2, 64},
         {64, 2},
         FLAW_BAD_DATA,
         "expected [rank, 64] and [32, rank]"},
        {{"model.layers.0.self_attn.q_proj.lora_A.weight", "x.layers.0.self_attn.q_proj.lora_A.default.weight"},
         {2, 2},
         {64, 64},
         FLAW_BAD_DATA,
         "1 have no place"},
    };
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    flaw_language *plain = tiny_trained(&tiny_language, 1, &c);
    tiny_tensors t;
    tiny_tensors_of(&t, plain, FLAW_WEIGHT_F32);
    tiny_folder(*state, &t, tiny_config, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tiny_tensors lora = {.count = 0};
        flaw_language *m = NULL;
        flaw_error err = {0};
        flaw_arena_init(&lora.arena, 0);
        for (int k = 0; k < 2 && rows[i].name[k]; k++)
            tiny_add(&lora, rows[i].name[k], plain->view.token, rows[i].rows[k], rows[i].columns[k], FLAW_WEIGHT_F32);
        flaw_tensors tensors = {.item = lora.item, .count = lora.count, .path = (char *)"delta.pt"};
        flaw_status status = flaw_language_open(&m, *state, FLAW_KEEP_AUTO, &(flaw_adapters){&tensors, 1}, &c, &err);
        if (status != rows[i].status)
            fail_msg("row %zu: status %d, expected %d: %s", i, status, rows[i].status, err.text);
        assert_contains(err.text, rows[i].says);
        assert_contains(err.text, "delta.pt");
        assert_null(m);
        flaw_arena_release(&lora.arena);
    }
    flaw_arena_release(&t.arena);
    flaw_language_close(plain);
    flaw_compute_close(&c);
}

/* What is done to a good folder, and what must come of it. */
typedef struct broken {
    const char *what;
    flaw_status status;
    const char *says;
} broken;

static const broken table[] = {
    {"no folder", FLAW_MISSING, "nowhere"},
    {"no config", FLAW_MISSING, "config.json"},
    {"config cut", FLAW_BAD_DATA, "not valid JSON"},
    {"no weights", FLAW_MISSING, "model.safetensors"},
    {"weights cut", FLAW_BAD_DATA, "model.safetensors"},
    {"tensor missing", FLAW_MISSING, "1 missing: model.layers.1.mlp.up_proj.weight"},
    {"tensor left over", FLAW_BAD_DATA, "1 left over: model.layers.0.self_attn.q_proj.bias"},
    {"layer more", FLAW_BAD_DATA, "9 left over: model.layers.2."},
    {"tensor misshapen", FLAW_BAD_DATA, "model.embed_tokens.weight is [300, 64], expected [301, 64]"},
    {"tensor flat", FLAW_BAD_DATA, "model.norm.weight is [32, 2], expected [64]"},
    {"matrix of bytes", FLAW_BAD_DATA, "is U8, expected"},
    {"norm not finite", FLAW_BAD_DATA, "tensor 'model.norm.weight': element 3 is not a number"},
    {"matrix not finite", FLAW_BAD_DATA, "tensor 'model.layers.1.mlp.down_proj.weight'"},
    {"two tokenizers", FLAW_BAD_DATA, "two tokenizers, tok1.bin and tok2.bin"},
    {"tokenizer broken", FLAW_BAD_DATA, "tokenizer.model"},
    {"tokenizer too large", FLAW_BAD_DATA, "the tokenizer has 300 pieces, the token table 299 rows"},
    {"tokenizer of another", FLAW_BAD_DATA, "the tokenizer has 300 pieces, the token table 556 rows"},
};

static flaw_tensor *named(tiny_tensors *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->item[i].name, name) == 0) return &t->item[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

static void break_tensors(tiny_tensors *t, const char *what)
{
    const float nan = NAN;
    if (strcmp(what, "tensor missing") == 0) *named(t, "model.layers.1.mlp.up_proj.weight") = t->item[--t->count];
    if (strcmp(what, "tensor left over") == 0) {
        float *x = random_floats(64, 3);
        tiny_add(t, "model.layers.0.self_attn.q_proj.bias", x, 1, 64, FLAW_WEIGHT_F32);
        free(x);
    }
    if (strcmp(what, "tensor misshapen") == 0) named(t, "model.embed_tokens.weight")->shape[0] = 300;
    if (strcmp(what, "tensor flat") == 0) {
        flaw_tensor *x = named(t, "model.norm.weight");
        x->rank = 2;
        x->shape[0] = 32;
        x->shape[1] = 2;
    }
    if (strcmp(what, "matrix of bytes") == 0) named(t, "model.layers.0.mlp.down_proj.weight")->dtype = FLAW_DTYPE_U8;
    if (strcmp(what, "norm not finite") == 0) memcpy((uint8_t *)named(t, "model.norm.weight")->data + 12, &nan, 4);
    if (strcmp(what, "matrix not finite") == 0)
        memcpy((uint8_t *)named(t, "model.layers.1.mlp.down_proj.weight")->data + 400, &nan, 4);
}

static void break_files(const char *folder, const char *what)
{
    char path[512];
    if (strcmp(what, "no config") == 0) assert_int_equal(remove(in_folder(path, folder, "config.json")), 0);
    if (strcmp(what, "config cut") == 0) tiny_write(folder, "config.json", tiny_config, 30);
    if (strcmp(what, "no weights") == 0) assert_int_equal(remove(in_folder(path, folder, "model.safetensors")), 0);
    if (strcmp(what, "weights cut") == 0)
        assert_int_equal(truncate(in_folder(path, folder, "model.safetensors"), 30000), 0);
    if (strcmp(what, "two tokenizers") == 0) {
        assert_int_equal(remove(in_folder(path, folder, "tokenizer.model")), 0);
        tiny_write(folder, "tok1.bin", "x", 1);
        tiny_write(folder, "tok2.bin", "x", 1);
    }
    if (strcmp(what, "tokenizer broken") == 0) tiny_write(folder, "tokenizer.model", "\x0a\xff", 2);
}

/* Rows of the token table: the others' 301. */
static int rows_for(const char *what)
{
    return strcmp(what, "tokenizer too large") == 0 ? 299 : strcmp(what, "tokenizer of another") == 0 ? 556 : 301;
}

static void test_broken(void **state)
{
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_pieces *pieces = tiny_pieces();
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *what = table[i].what;
        char folder[256], config[512];
        flaw_language_shape shape = tiny_language;
        flaw_error err = {0};
        shape.vocab = rows_for(what);
        if (strcmp(what, "layer more") == 0) shape.layers = 3;
        flaw_language *trained = tiny_trained(&shape, 1, &c), *m = NULL;
        tiny_tensors t;
        tiny_tensors_of(&t, trained, FLAW_WEIGHT_F32);
        snprintf(folder, sizeof folder, "%s/broken%zu", (const char *)*state, i);
        assert_int_equal(mkdir(folder, 0700), 0);
        snprintf(config, sizeof config, "%s", tiny_config);
        char rows[4];
        snprintf(rows, sizeof rows, "%d", shape.vocab);
        memcpy(strstr(config, "301"), rows, 3);
        break_tensors(&t, what);
        tiny_folder(folder, &t, config, pieces);
        break_files(folder, what);
        if (strcmp(what, "no folder") == 0) snprintf(folder, sizeof folder, "%s/nowhere", (const char *)*state);
        flaw_keep keep = strcmp(what, "matrix not finite") == 0 ? FLAW_KEEP_INT8 : FLAW_KEEP_AUTO;
        flaw_status status = flaw_language_open(&m, folder, keep, NULL, &c, &err);
        if (status != table[i].status)
            fail_msg("%s: status %d, expected %d: %s", what, status, table[i].status, err.text);
        if (!strstr(err.text, table[i].says)) fail_msg("%s: \"%s\" does not say \"%s\"", what, err.text, table[i].says);
        assert_null(m);
        flaw_arena_release(&t.arena);
        flaw_language_close(trained);
    }
    flaw_pieces_free(pieces);
    flaw_compute_close(&c);
}

/* Numbers that are not finite in a mapped matrix are not looked for while opening; the text that meets them fails. */
static void test_not_finite_in_map(void **state)
{
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    flaw_language *trained = tiny_trained(&tiny_language, 1, &c);
    tiny_tensors t;
    flaw_reading *r;
    flaw_error err = {0};
    const float nan = NAN;
    const int32_t fine[] = {1, 5, 9}, bad = 7;
    tiny_tensors_of(&t, trained, FLAW_WEIGHT_F32);
    memcpy((uint8_t *)named(&t, "model.embed_tokens.weight")->data + 7 * 64 * 4, &nan, 4);
    tiny_folder(*state, &t, tiny_config, NULL);
    flaw_language *m = open_at(*state, FLAW_KEEP_AUTO, NULL, &c);
    assert_ok(flaw_reading_open(&r, m, &c, &err));
    assert_ok(flaw_reading_ids(r, fine, 3, &err));
    assert_int_equal(flaw_reading_ids(r, &bad, 1, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "logits");
    assert_int_equal(flaw_reading_length(r), 3);
    assert_null(flaw_reading_logits(r));
    assert_ok(flaw_reading_ids(r, fine, 1, &err));
    assert_non_null(flaw_reading_logits(r));
    flaw_reading_close(r);
    flaw_language_close(m);
    flaw_arena_release(&t.arena);
    flaw_language_close(trained);
    flaw_compute_close(&c);
}

/* Files that hold something else, and a build without a voice. */
static void test_other_files(void **state)
{
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    flaw_language *trained = tiny_trained(&tiny_language, 1, &c), *m = NULL;
    tiny_tensors t;
    char path[512];
    flaw_error err = {0};
    tiny_tensors_of(&t, trained, FLAW_WEIGHT_F32);
    tiny_folder(*state, &t, tiny_config, NULL);
    assert_int_equal(
        flaw_language_open(&m, in_folder(path, *state, "model.safetensors"), FLAW_KEEP_AUTO, NULL, &c, &err),
        FLAW_BAD_DATA);
    assert_contains(err.text, "give the folder that holds both");
    tiny_write(*state, "text", "words\n", 6);
    assert_int_equal(flaw_language_open(&m, in_folder(path, *state, "text"), FLAW_KEEP_AUTO, NULL, &c, &err),
                     FLAW_BAD_DATA);
    flaw_status status = flaw_language_open(&m, NULL, FLAW_KEEP_AUTO, NULL, &c, &err);
    if (status) {
        assert_int_equal(status, FLAW_UNAVAILABLE);
        assert_contains(err.text, "no voice inside");
    } else {
        assert_non_null(m->pieces);
        flaw_language_close(m);
    }
    flaw_arena_release(&t.arena);
    flaw_language_close(trained);
    flaw_compute_close(&c);
}

int main(void)
{
#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_scratch, remove_scratch)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_types),
        WITH_FOLDER(test_odd_width),
        WITH_FOLDER(test_tied),
        WITH_FOLDER(test_adapters),
        WITH_FOLDER(test_broken_adapters),
        WITH_FOLDER(test_broken),
        WITH_FOLDER(test_not_finite_in_map),
        WITH_FOLDER(test_other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
