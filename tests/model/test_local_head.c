/* The local head of the embedded model against its formula in doubles:
 * patch = unit(sum over stages s of local_w[s] LN(stage_s; local_norm[s]) + local_b). */
#include "tiny.h"

#include <math.h>

/* One token's layer norm. */
static void norm(const float *x, const float *w, const float *b, size_t d, double eps, double *out)
{
    double mean = 0, square = 0;
    for (size_t i = 0; i < d; i++) mean += x[i] / (double)d;
    for (size_t i = 0; i < d; i++) square += (x[i] - mean) * (x[i] - mean) / (double)d;
    for (size_t i = 0; i < d; i++) out[i] = (x[i] - mean) / sqrt(square + eps) * w[i] + b[i];
}

static void patch_by_formula(const flaw_clip *m, float *const stage[FLAW_STAGES], size_t token, double *out)
{
    size_t d = (size_t)m->shape.image.width, e = (size_t)m->shape.joint;
    double square = 0, *normed = malloc(d * sizeof *normed);
    for (size_t j = 0; j < e; j++) out[j] = m->view.local_b[j];
    for (int s = 0; s < FLAW_STAGES; s++) {
        norm(stage[s] + token * d, m->view.local_norm_w[s], m->view.local_norm_b[s], d, m->shape.image.eps, normed);
        for (size_t j = 0; j < e; j++)
            for (size_t i = 0; i < d; i++) out[j] += (double)m->view.local_w[s][j * d + i] * normed[i];
    }
    for (size_t j = 0; j < e; j++) square += out[j] * out[j];
    for (size_t j = 0; j < e; j++) out[j] /= sqrt(square);
    free(normed);
}

static void test_formula(void **state)
{
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_AUTO);
    flaw_clip *m = open_tiny("", &c);
    const flaw_clip_shape *s = &m->shape;
    size_t patches = (size_t)flaw_clip_patches(s), e = (size_t)s->joint, pixels_count = 3 * (size_t)(s->side * s->side);
    size_t stream = 2 * (1 + patches) * (size_t)s->image.width;
    float *pixels = random_floats(2 * pixels_count, 3), *work = make_floats(flaw_clip_image_workspace(m, 2));
    flaw_image_output out = {.patches = make_floats(2 * patches * e)};
    double *want = malloc(e * sizeof *want), worst = 0;
    for (int i = 0; i < FLAW_STAGES; i++) out.stage[i] = make_floats(stream);
    flaw_clip_encode_images(&c, m, 2, pixels, &out, work);
    for (size_t i = 0; i < 2 * patches; i++) {
        patch_by_formula(m, out.stage, i / patches * (1 + patches) + 1 + i % patches, want);
        for (size_t j = 0; j < e; j++) worst = fmax(worst, fabs(want[j] - out.patches[i * e + j]));
    }
    print_message("largest difference %.2g\n", worst);
    assert_true(worst < 1e-5);
    for (int i = 0; i < FLAW_STAGES; i++) free(out.stage[i]);
    free(out.patches);
    free(want);
    free(pixels);
    free(work);
    flaw_clip_close(m);
    flaw_compute_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_formula)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
