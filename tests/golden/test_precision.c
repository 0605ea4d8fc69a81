/* What bf16 and int8 products cost in accuracy: on the real DeiT-Tiny and on the model inside, each stage's tokens against
 * those of float32, on photographs. Single tokens have a bar of their own, since a map is made of single tokens: where
 * two of them nearly tie in a softmax, a little noise decides. */
#include "golden.h"

enum { PICTURES = 2 };

/* Cosine to float32: at least so much over a whole stage, on average over its tokens, and for each token. */
typedef struct bar {
    const char *name;
    flaw_precision precision;
    double whole, each;
} bar;

static const bar bars[] = {{"bf16", FLAW_BF16, 0.9995, 0.95}, {"int8", FLAW_INT8, 0.995, 0.5}};

static const char *const pictures[PICTURES] = {
    "data/hazelnut/test/colour/00.jpg",
    "photos/scikit-image/src___skimage2__data__brick.jpg",
};

static double cosine(const float *a, const float *b, size_t n)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

static void check_tokens(const char *what, int stage, const float *got, const float *want, size_t count, size_t width,
                         const bar *b)
{
    double mean = 0, worst = 1;
    for (size_t t = 0; t < count; t++) {
        double c = cosine(got + t * width, want + t * width, width);
        mean += c / (double)count;
        worst = c > worst ? worst : c; /* a NaN stays */
    }
    double whole = cosine(got, want, count * width);
    print_message("    %s, %s %d: whole %.6f, mean %.6f, worst %.6f\n", b->name, what, stage, whole, mean, worst);
    if (!(whole >= b->whole && mean >= b->whole))
        fail_msg("%s: cosine %.6f, %.6f on average, is below %.4f", b->name, whole, mean, b->whole);
    if (!(worst >= b->each)) fail_msg("%s: a token's cosine %.6f is below %.4f", b->name, worst, b->each);
}

static void compare(const flaw_clip *m, const image_results *got, const image_results *want, const bar *b)
{
    size_t tokens = (size_t)flaw_clip_tokens(&m->shape), width = (size_t)m->shape.image.width;
    for (int s = 0; s < FLAW_STAGES; s++) {
        size_t at = (size_t)m->shape.stage[s] * tokens * width;
        check_tokens("stage", s, got->out.block + at, want->out.block + at, tokens, width, b);
    }
    check_tokens("class token of stage", 4, got->out.cls, want->out.cls, 1, (size_t)flaw_clip_width(&m->shape), b);
    if (m->shape.joint)
        check_tokens("patches of stage", 4, got->out.patches, want->out.patches, (size_t)flaw_clip_patches(&m->shape),
                     (size_t)flaw_clip_width(&m->shape), b);
}

static void check_model(const char *path)
{
    char file[1024];
    image_results exact[PICTURES];
    flaw_compute f32 = open_compute(flaw_kernels_best());
    flaw_clip *m = open_clip(path, &f32);
    for (int i = 0; i < PICTURES; i++) {
        if (!golden_path(file, true, pictures[i])) skip();
        exact[i] = run_picture(&f32, m, file);
    }
    flaw_clip_close(m);
    for (size_t j = 0; j < sizeof bars / sizeof bars[0]; j++) {
        AT_EVERY_LEVEL(level)
        {
            if (level == FLAW_LEVEL_REF) continue; /* too slow */
            flaw_compute c;
            flaw_error err = {0};
            assert_ok(flaw_compute_open(&c, 2, level, bars[j].precision, &err));
            m = open_clip(path, &c);
            print_message("  %s, level %s\n", m->name, c.kernels->name);
            for (int i = 0; i < PICTURES; i++) {
                golden_path(file, true, pictures[i]);
                image_results r = run_picture(&c, m, file);
                compare(m, &r, &exact[i], &bars[j]);
                free_results(&r);
            }
            flaw_clip_close(m);
            flaw_compute_close(&c);
        }
    }
    for (int i = 0; i < PICTURES; i++) free_results(&exact[i]);
    flaw_compute_close(&f32);
}

static void test_deit_tiny(void **state)
{
    char path[1024];
    if (!golden_path(path, true, "models/deit-tiny")) skip();
    check_model(path);
}

static void test_model_inside(void **state)
{
    check_model(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_deit_tiny), cmocka_unit_test(test_model_inside)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
