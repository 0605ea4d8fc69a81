/* Every allocation of opening a language model, reading, writing and packing it into a bundle fails once: a status,
 * nothing leaked (the address sanitizer counts), and the same calls work afterwards. Linked with --wrap, so that the
 * library's calls come through here. */
#include "tiny_language.h"

#include "model/bundle/language_part.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);

static int fail_at = -1; /* this many allocations from now; -1 = never */

static bool refused(void)
{
    return fail_at >= 0 && fail_at-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return refused() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return refused() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text)
{
    return refused() ? NULL : __real_strdup(text);
}

/* One thing that allocates; its result is given back inside. */
typedef struct bench {
    const char *folder;
    flaw_compute *c;
    flaw_language *m;
    flaw_adapters adapters;
} bench;
typedef flaw_status (*action)(const bench *b, flaw_error *err);

static flaw_status act_open(const bench *b, flaw_error *err)
{
    flaw_language *m = NULL;
    flaw_status status = flaw_language_open(&m, b->folder, FLAW_KEEP_INT8, &b->adapters, b->c, err);
    flaw_language_close(m);
    return status;
}

static flaw_status act_read(const bench *b, flaw_error *err)
{
    flaw_reading *r = NULL;
    flaw_written w = {.count = 0};
    static int32_t ids[70] = {1, 2, 3};
    flaw_status status = flaw_reading_open(&r, b->m, b->c, err);
    if (!status) status = flaw_reading_ids(r, ids, 3, err);
    if (!status) status = flaw_reading_ids(r, ids, 70, err); /* the cache grows */
    if (!status) status = flaw_language_write(r, &(flaw_writing){.max_tokens = 9, .stop = "##"}, &w, err);
    flaw_written_release(&w);
    flaw_reading_close(r);
    return status;
}

/* A refused allocation leaves what was read. */
static flaw_status act_grow(const bench *b, flaw_error *err)
{
    flaw_reading *r = NULL;
    static int32_t ids[100] = {4, 5, 6};
    const int at = fail_at;
    fail_at = -1;
    if (flaw_reading_open(&r, b->m, b->c, err) || flaw_reading_ids(r, ids, 40, err)) fail_msg("%s", err->text);
    fail_at = at;
    flaw_status status = flaw_reading_ids(r, ids, 60, err);
    const int left = fail_at;
    fail_at = -1;
    if (status) {
        assert_int_equal(flaw_reading_length(r), 40);
        assert_int_equal(flaw_reading_ids(r, ids, 60, err), FLAW_OK);
    }
    assert_int_equal(flaw_reading_length(r), 100);
    flaw_reading_close(r);
    fail_at = left;
    return status;
}

static flaw_status act_part(const bench *b, flaw_error *err)
{
    flaw_part part;
    flaw_status status = flaw_language_part(&part, b->m, FLAW_KEEP_INT4, err);
    if (!status) flaw_part_release(&part);
    return status;
}

static void check_action(const char *name, action run, const bench *b)
{
    int refusals = 0;
    for (int at = 0;; at++) {
        flaw_error err = {0};
        fail_at = at;
        flaw_status status = run(b, &err);
        const bool came = fail_at < 0; /* the allocation was asked for */
        fail_at = -1;
        if (!came) {
            assert_ok(status);
            break;
        }
        if (status && status != FLAW_NO_MEMORY)
            fail_msg("%s, allocation %d: status %d: %s", name, at, status, err.text);
        if (status) assert_true(strlen(err.text) > 10);
        refusals += status != FLAW_OK;
        assert_true(at < 20000);
    }
    print_message("  %s: %d refusals\n", name, refusals);
    assert_true(refusals > 2);
}

static void test_refused_memory(void **state)
{
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    flaw_language *trained = tiny_trained(&tiny_language, 1, &c);
    flaw_pieces *pieces = tiny_pieces();
    tiny_tensors t, lora = {.count = 0};
    flaw_error err = {0};
    flaw_arena_init(&lora.arena, 0);
    tiny_add(&lora, "layers.0.self_attn.v_proj.lora_A.weight", trained->view.token, 2, 64, FLAW_WEIGHT_F32);
    tiny_add(&lora, "layers.0.self_attn.v_proj.lora_B.weight", trained->view.token, 32, 2, FLAW_WEIGHT_F32);
    tiny_tensors_of(&t, trained, FLAW_WEIGHT_F32);
    tiny_folder(*state, &t, tiny_config, pieces);
    flaw_tensors tensors = {.item = lora.item, .count = lora.count, .path = (char *)"lora"};
    bench b = {.folder = *state, .c = &c, .adapters = {&tensors, 1}};
    assert_ok(flaw_language_open(&b.m, *state, FLAW_KEEP_FILE, NULL, &c, &err));
    check_action("open", act_open, &b);
    check_action("read and write", act_read, &b);
    check_action("grow", act_grow, &b);
    check_action("part", act_part, &b);
    flaw_language_close(b.m);
    flaw_arena_release(&lora.arena);
    flaw_arena_release(&t.arena);
    flaw_pieces_free(pieces);
    flaw_language_close(trained);
    flaw_compute_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refused_memory, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
