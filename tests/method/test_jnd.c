/* Just-noticeable differences on pictures whose answer is known, and changes held to them. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "simulate/jnd.h"

enum { SIDE = 16, PIXELS = SIDE * SIDE };

static flaw_picture flat(int grey)
{
    flaw_picture p;
    flaw_error err = {0};
    assert_ok(flaw_picture_new(&p, SIDE, SIDE, &err));
    memset(p.rgb, grey, 3 * PIXELS);
    return p;
}

/* Chou and Li's three fixed points of the adaptation, and a point of each branch by hand. */
static void test_adaptation(void **state)
{
    const struct {
        int grey;
        double jnd;
    } known[] = {{0, 20}, {127, 3}, {255, 6}, {32, 17 * (1 - sqrt(32.0 / 127)) + 3}, {191, 3.0 / 128 * 64 + 3}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        flaw_picture p = flat(known[k].grey);
        float jnd[PIXELS];
        flaw_error err = {0};
        assert_ok(flaw_jnd_map(jnd, &p, &err));
        for (int i = 0; i < PIXELS; i++) assert_true(fabs((double)jnd[i] - known[k].jnd) < 1e-4);
        flaw_picture_release(&p);
    }
}

/* An edge of 100 steps hides more than the flat on either side: gradient 100, so 11.7 of texture less 0.3 of the
 * smaller. */
static void test_texture(void **state)
{
    flaw_picture p = flat(77);
    float jnd[PIXELS];
    flaw_error err = {0};
    for (int y = 0; y < SIDE; y++) memset(p.rgb + 3 * (y * SIDE + SIDE / 2), 177, 3 * SIDE / 2);
    assert_ok(flaw_jnd_map(jnd, &p, &err));
    int at = SIDE / 2 * SIDE + SIDE / 2 - 1;
    double mean = 77 + 100 * (8.0 + 5) / 32; /* columns one and two to the right weigh 1+2+2+2+1 and 5 */
    double light = mean <= 127 ? 17 * (1 - sqrt(mean / 127)) + 3 : 3.0 / 128 * (mean - 127) + 3;
    assert_true(fabs((double)jnd[at] - (light + 11.7 - 0.3 * fmin(light, 11.7))) < 1e-3);
    assert_true(jnd[at] > jnd[at - 4]);
    flaw_picture_release(&p);
}

static void test_limit(void **state)
{
    flaw_picture a = flat(100), b = flat(100), out = {0};
    float jnd[PIXELS];
    uint8_t noticed[PIXELS];
    flaw_error err = {0};
    flaw_random r;
    flaw_random_init(&r, 2, 2);
    for (int i = 0; i < 3 * PIXELS; i++) b.rgb[i] = (uint8_t)flaw_random_below(&r, 256);
    assert_ok(flaw_jnd_map(jnd, &a, &err));
    const float levels[] = {0.5f, 2, INFINITY};
    int before = -1;
    for (int k = 0; k < 3; k++) {
        int seen = 0;
        assert_ok(flaw_jnd_limit(&out, noticed, &a, &b, jnd, levels[k], &err));
        for (int i = 0; i < PIXELS; i++) {
            bool far = false;
            for (int c = 3 * i; c < 3 * i + 3; c++) {
                int change = out.rgb[c] - a.rgb[c], whole = b.rgb[c] - a.rgb[c];
                assert_true(abs(change) <= abs(whole) && change * whole >= 0);
                assert_true(k == 2 ? change == whole : fabs((double)change) <= (double)(levels[k] * jnd[i]) + 0.5001);
                far |= fminf((float)abs(whole), levels[k] * jnd[i]) > jnd[i];
            }
            assert_int_equal(noticed[i], far);
            seen += noticed[i];
        }
        assert_true(k ? seen >= before && seen > 0 : seen == 0); /* less than the difference is never noticed */
        before = seen;
        flaw_picture_release(&out);
    }
    flaw_picture_release(&a);
    flaw_picture_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_adaptation), cmocka_unit_test(test_texture),
                                       cmocka_unit_test(test_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
