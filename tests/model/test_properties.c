/* What must hold for any CLIP, bit for bit: results do not depend on what else is in the batch, on its order, or on the
 * number of threads; windows are real windows. On the tiny models and the embedded one, on every kernel level. */
#include "../level_loop.h"
#include "tiny.h"

#include <math.h>

enum { PICTURES = 8 };

static const char *const models[] = {"open_clip", "timm", ""};

#ifdef __SANITIZE_ADDRESS__
enum { WATCHED = 1 };
#else
enum { WATCHED = 0 };
#endif

/* Under the address sanitizer one picture takes the embedded model seconds on the reference kernels, where each number
 * is looked at alone. What the tiny models show there with many pictures and windows, it shows with few: on every level
 * still, in its own shapes, whole batches against single pictures and in another order. */
static bool is_slow(const flaw_clip *m)
{
    return WATCHED && m->list.total > 1000000;
}

typedef void (*property)(flaw_compute *c, const flaw_clip *m);

static void for_all(property holds)
{
    AT_EVERY_KIND_OF_VECTOR(level)
        for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
            flaw_compute c = open_compute_with(2, level);
            flaw_clip *m = open_tiny(models[i], &c);
            print_message("%s at %s\n", m->name, c.kernels->name);
            holds(&c, m);
            flaw_clip_close(m);
            flaw_compute_close(&c);
        }
}

static size_t pixels_of(const flaw_clip *m)
{
    return 3 * (size_t)m->shape.side * (size_t)m->shape.side;
}

/* cls and patches of n pictures side by side: [n, E] then [n, P, E]. */
static float *encode(flaw_compute *c, const flaw_clip *m, int n, const float *pixels)
{
    size_t e = (size_t)flaw_clip_width(&m->shape), p = (size_t)flaw_clip_patches(&m->shape);
    float *out = make_floats((size_t)n * e * (1 + p)), *work = make_floats(flaw_clip_image_workspace(m, n));
    flaw_image_output to = {.cls = out, .patches = out + (size_t)n * e};
    flaw_clip_encode_images(c, m, n, pixels, &to, work);
    free(work);
    return out;
}

static void assert_same_bits(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(a + i, b + i, sizeof *a)) fail_msg("element %zu: %.9g and %.9g", i, (double)a[i], (double)b[i]);
}

/* Pictures together, alone, and together in another order. */
static void check_batch(flaw_compute *c, const flaw_clip *m)
{
    static const size_t orders[2][PICTURES] = {{3, 0, 7, 1, 6, 2, 5, 4}, {1, 0}};
    size_t e = (size_t)flaw_clip_width(&m->shape), p = (size_t)flaw_clip_patches(&m->shape), each = pixels_of(m);
    size_t count = is_slow(m) ? 2 : PICTURES;
    const size_t *order = orders[is_slow(m)];
    float *pixels = random_floats(count * each, 5), *other = make_floats(count * each),
          *all = encode(c, m, (int)count, pixels);
    for (size_t i = 0; i < count; i++) {
        float *one = encode(c, m, 1, pixels + i * each);
        assert_same_bits(one, all + i * e, e);
        assert_same_bits(one + e, all + count * e + i * p * e, p * e);
        free(one);
        memcpy(other + i * each, pixels + order[i] * each, each * sizeof *other);
    }
    float *permuted = encode(c, m, (int)count, other);
    for (size_t i = 0; i < count; i++) {
        assert_same_bits(permuted + i * e, all + order[i] * e, e);
        assert_same_bits(permuted + count * e + i * p * e, all + count * e + order[i] * p * e, p * e);
    }
    assert_memory_not_equal(all, all + e, e * sizeof *all);
    free(pixels);
    free(other);
    free(all);
    free(permuted);
}

static void test_batch(void **state)
{
    for_all(check_batch);
}

static void test_threads(void **state)
{
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        float *first = NULL;
        for (int threads = 1; threads <= 4; threads += threads) {
            flaw_compute c = open_compute_with(threads, FLAW_LEVEL_AUTO);
            flaw_clip *m = open_tiny(models[i], &c);
            size_t count = 3 * (size_t)flaw_clip_width(&m->shape) * (1 + (size_t)flaw_clip_patches(&m->shape));
            float *pixels = random_floats(3 * pixels_of(m), 7), *out = encode(&c, m, 3, pixels);
            if (first) assert_same_bits(first, out, count);
            free(pixels);
            free(first);
            first = out;
            flaw_clip_close(m);
            flaw_compute_close(&c);
        }
        free(first);
    }
}

/* Texts of all lengths, alone and together: the tokens computed depend on the longest of a chunk, results must not. */
static void check_texts(flaw_compute *c, const flaw_clip *m)
{
    enum { TEXTS = WATCHED ? 18 : 40 }; /* 17 lengths */
    size_t context = (size_t)m->shape.context, e = (size_t)m->shape.joint;
    if (!m->tokenizer) return;
    int32_t *ids = calloc(TEXTS * context, sizeof *ids);
    for (size_t i = 0; i < TEXTS; i++) {
        char text[64];
        flaw_error err = {0};
        int end = snprintf(text, sizeof text, "%.*s %zu", (int)(i % 17), "a damaged bottle", i);
        assert_true(end > 0);
        assert_ok(flaw_tokenizer_encode(m->tokenizer, text, ids + i * context, (int)context, NULL, NULL, &err));
    }
    float *all = make_floats(TEXTS * e), *one = make_floats(e), *work = make_floats(flaw_clip_text_workspace(m, TEXTS));
    flaw_clip_encode_texts(c, m, TEXTS, ids, all, work);
    for (size_t i = 0; i < TEXTS; i++) {
        flaw_clip_encode_texts(c, m, 1, ids + i * context, one, work);
        assert_same_bits(one, all + i * e, e);
    }
    assert_memory_not_equal(all, all + e, e * sizeof *all);
    free(ids);
    free(all);
    free(one);
    free(work);
}

static void test_texts(void **state)
{
    for_all(check_texts);
}

/* Texts padded with end tokens, as Hugging Face pads, are the texts padded with zeros: the first end token counts,
 * whether it is found by its id or as the highest one. */
static void test_padding(void **state)
{
    static const char *const forms[] = {"open_clip", "hf"};
    for (int i = 0; i < 2; i++) {
        flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
        flaw_clip *m = open_tiny(forms[i], &c);
        int context = m->shape.context, length, end = flaw_tokenizer_end(m->tokenizer);
        int32_t *ids = calloc((size_t)context, sizeof *ids);
        size_t e = (size_t)m->shape.joint;
        float *zeros = make_floats(e), *ends = make_floats(e), *work = make_floats(flaw_clip_text_workspace(m, 1));
        flaw_error err = {0};
        assert_int_equal(m->shape.text_end, i == 0 ? 0 : end);
        assert_ok(flaw_tokenizer_encode(m->tokenizer, "a nut", ids, context, &length, NULL, &err));
        flaw_clip_encode_texts(&c, m, 1, ids, zeros, work);
        for (int t = length; t < context; t++) ids[t] = end;
        flaw_clip_encode_texts(&c, m, 1, ids, ends, work);
        assert_same_bits(ends, zeros, e);
        ids[length - 1] = 1; /* without it, the next one is the end */
        flaw_clip_encode_texts(&c, m, 1, ids, ends, work);
        assert_memory_not_equal(ends, zeros, e * sizeof *ends);
        free(ids);
        free(zeros);
        free(ends);
        free(work);
        flaw_clip_close(m);
        flaw_compute_close(&c);
    }
}

/* Largest standard deviation over the windows of any element. */
static double spread_of(const float *windows, size_t count, size_t e)
{
    double top = 0;
    for (size_t j = 0; j < e; j++) {
        double mean = 0, square = 0;
        for (size_t w = 0; w < count; w++) mean += windows[w * e + j] / (double)count;
        for (size_t w = 0; w < count; w++) square += pow(windows[w * e + j] - mean, 2) / (double)count;
        top = fmax(top, sqrt(square));
    }
    return top;
}

/* embedded [T, D]; `changed` differs in the last patch only, which only the last window sees. */
static void check_windows_of(flaw_compute *c, const flaw_clip *m, int k, const float *embedded, const float *changed,
                             const float *cls)
{
    size_t e = (size_t)flaw_clip_width(&m->shape), across = (size_t)(m->shape.grid - k + 1), count = across * across;
    float *windows = make_floats(count * e), *again = make_floats(count * e);
    float *space = make_floats(flaw_clip_window_workspace(c, m, 1, &k));
    flaw_clip_encode_windows(c, m, 1, &k, embedded, &windows, space);
    if (k == m->shape.grid) assert_same_bits(windows, cls, e);
    else assert_true(spread_of(windows, count, e) > 1e-3);
    flaw_clip_encode_windows(c, m, 1, &k, changed, &again, space);
    assert_same_bits(again, windows, (count - 1) * e);
    assert_memory_not_equal(again + (count - 1) * e, windows + (count - 1) * e, e * sizeof *again);
    free(windows);
    free(again);
    free(space);
}

/* The one window of the whole grid is the whole picture; windows differ from one another (the batch-first trap makes
 * them all equal) and do not depend on what lies outside of them. */
static void check_windows(flaw_compute *c, const flaw_clip *m)
{
    const flaw_clip_shape *s = &m->shape;
    size_t d = (size_t)s->image.width, count = (1 + (size_t)flaw_clip_patches(s)) * d;
    const int sizes[] = {1, s->grid, 2, 3};
    size_t kinds = is_slow(m) ? 2 : 4;
    float *pixels = random_floats(pixels_of(m), 8), *embedded = make_floats(count), *changed = make_floats(count);
    float *cls = make_floats((size_t)flaw_clip_width(s)), *work = make_floats(flaw_clip_image_workspace(m, 1));
    flaw_image_output out = {.cls = cls, .embedded = embedded};
    flaw_clip_encode_images(c, m, 1, pixels, &out, work);
    memcpy(changed, embedded, count * sizeof *changed);
    for (size_t j = count - d; j < count; j++) changed[j] += 1;
    for (size_t i = 0; i < kinds; i++)
        check_windows_of(c, m, sizes[i], embedded, changed, cls);
    free(pixels);
    free(embedded);
    free(changed);
    free(cls);
    free(work);
}

static void test_windows(void **state)
{
    for_all(check_windows);
}

/* stage[] are outputs of the blocks that the shape names; `block` holds every block's. */
static void check_stages(flaw_compute *c, const flaw_clip *m)
{
    const flaw_clip_shape *s = &m->shape;
    int n = is_slow(m) ? 1 : 2;
    size_t count = (size_t)n * (1 + (size_t)flaw_clip_patches(s)) * (size_t)s->image.width;
    float *pixels = random_floats((size_t)n * pixels_of(m), 9), *work = make_floats(flaw_clip_image_workspace(m, n));
    flaw_image_output out = {.block = make_floats((size_t)s->image_layers * count)};
    for (int i = 0; i < FLAW_STAGES; i++) out.stage[i] = make_floats(count);
    flaw_clip_encode_images(c, m, n, pixels, &out, work);
    for (int i = 0; i < FLAW_STAGES; i++) {
        assert_same_bits(out.stage[i], out.block + (size_t)s->stage[i] * count, count);
        free(out.stage[i]);
    }
    free(out.block);
    free(pixels);
    free(work);
}

static void test_stages(void **state)
{
    for_all(check_stages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch),   cmocka_unit_test(test_threads), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_padding), cmocka_unit_test(test_windows), cmocka_unit_test(test_stages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
