/* Views of one picture: which are allowed, that joined rows lie where the picture has them, that weights add up. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "detect/views.h"

enum { G = 3, CELLS = FLAW_VIEWS_FINE * G, PATCH = 8, SIDE = G * PATCH };

static const int counts[] = {1, 2, 6, 7, 11};
enum { COUNTS = sizeof counts / sizeof *counts };

static void test_counts(void **state)
{
    (void)state;
    flaw_error err = {0};
    for (int n = -1; n <= 13; n++) {
        bool listed = false;
        for (int i = 0; i < COUNTS; i++) listed = listed || counts[i] == n;
        assert_int_equal(flaw_views_check(n, &err), listed ? FLAW_OK : FLAW_USAGE);
        if (!listed) assert_contains(err.text, "allowed are 1, 2, 6, 7 and 11");
    }
}

/* Every place's weights add up to 1, however many views there are. */
static void test_weights(void **state)
{
    (void)state;
    float ones[G * G * 2];
    for (int i = 0; i < G * G * 2; i++) ones[i] = i % 2 ? 3 : 1;
    for (int n = 0; n < COUNTS; n++) {
        float out[CELLS * CELLS * 2] = {0};
        for (int v = 0; v < counts[n]; v++) flaw_view_join(out, ones, G, 2, v, counts[n]);
        for (int i = 0; i < CELLS * CELLS * 2; i++) assert_true(fabsf(out[i] - ones[i % 2]) < 1e-5f);
    }
}

/* A picture whose red is its column and whose green is its row, `times` pixels per pixel of the square. */
static flaw_picture ramp(int times)
{
    flaw_picture p;
    flaw_error err = {0};
    int side = SIDE * times;
    assert_ok(flaw_picture_new(&p, side, side, &err));
    for (int i = 0; i < side * side; i++) {
        p.rgb[3 * i] = (uint8_t)lround((i % side + 0.5) / times * 10);
        p.rgb[3 * i + 1] = (uint8_t)lround((i / side + 0.5) / times * 10);
        p.rgb[3 * i + 2] = 0;
    }
    return p;
}

/* Mean red and green of every patch: what a tower that reads off places would say. */
static void read_places(float *rows, const flaw_picture *cut)
{
    for (int c = 0; c < G * G; c++)
        for (int channel = 0; channel < 2; channel++) {
            double sum = 0;
            for (int k = 0; k < PATCH * PATCH; k++) {
                int y = c / G * PATCH + k / PATCH, x = c % G * PATCH + k % PATCH;
                sum += cut->rgb[3 * (y * SIDE + x) + channel];
            }
            rows[2 * c + channel] = (float)(sum / (PATCH * PATCH));
        }
}

/* Each view alone puts what it sees where the picture has it: cut and join are one another's inverse. */
static void test_places(void **state)
{
    (void)state;
    flaw_picture square = ramp(1), twice = ramp(2);
    flaw_error err = {0};
    for (int v = 0; v < FLAW_VIEWS_MOST; v++) {
        flaw_picture cut = {0};
        float rows[G * G * 2], one[G * G], out[CELLS * CELLS * 2] = {0}, weight[CELLS * CELLS] = {0};
        int seen = 0;
        assert_ok(flaw_view_cut(&cut, &square, &twice, v, &err));
        assert_true(cut.width == SIDE && cut.height == SIDE);
        read_places(rows, &cut);
        for (int i = 0; i < G * G; i++) one[i] = 1;
        flaw_view_join(out, rows, G, 2, v, FLAW_VIEWS_MOST);
        flaw_view_join(weight, one, G, 1, v, FLAW_VIEWS_MOST);
        for (int i = 0; i < CELLS * CELLS; i++) {
            if (weight[i] <= 0) continue;
            seen++;
            double x = (i % CELLS + 0.5) * SIDE / CELLS * 10, y = ((int)(i / CELLS) + 0.5) * SIDE / CELLS * 10;
            /* Beyond the outer patches' centres a view repeats them: up to half a patch of the view. */
            double within = v < 2 ? 5.0 * PATCH : 2.5 * PATCH;
            assert_true(fabs(out[2 * i] / weight[i] - x) <= within + 1.5);
            assert_true(fabs(out[2 * i + 1] / weight[i] - y) <= within + 1.5);
        }
        assert_int_equal(seen, v < 2 ? CELLS * CELLS : CELLS * CELLS / 4);
        flaw_picture_release(&cut);
    }
    flaw_picture_release(&square);
    flaw_picture_release(&twice);
}

/* Place of the middle of patch `at` of a side in view v, in fine cells, from what the views are. */
static double middle(int v, int at, bool across)
{
    static const int corner[FLAW_VIEWS_MOST][2] = {{0, 0}, {0, 0}, {0, 0}, {2, 0}, {0, 2}, {2, 2},
                                                   {1, 1}, {1, 0}, {0, 1}, {2, 1}, {1, 2}};
    double span = v < 2 ? CELLS : CELLS / 2.0;
    return corner[v][across ? 0 : 1] * CELLS / 4.0 + (at + 0.5) * span / G;
}

/* Hat of a patch's middle: 1 there, falling to 0 at the next one; flat beyond the outer ones. */
static double hat(int v, int at, bool across, double place)
{
    double step = middle(v, 1, true) - middle(v, 0, true);
    double low = middle(v, 0, across), high = middle(v, G - 1, across);
    place = fmin(fmax(place, low), high);
    return fmax(0, 1 - fabs(place - middle(v, at, across)) / step);
}

/* All views of random rows against a twin that sums over every patch. */
static void test_twin(void **state)
{
    (void)state;
    flaw_random random;
    flaw_random_init(&random, 5, 5);
    for (int n = 0; n < COUNTS; n++) {
        float rows[FLAW_VIEWS_MOST][G * G], out[CELLS * CELLS] = {0};
        for (int v = 0; v < counts[n]; v++) {
            for (int i = 0; i < G * G; i++) rows[v][i] = (float)flaw_random_normal(&random);
            flaw_view_join(out, rows[v], G, 1, v, counts[n]);
        }
        for (int i = 0; i < CELLS * CELLS; i++) {
            double x = i % CELLS + 0.5, y = (int)(i / CELLS) + 0.5, group[2] = {0, 0};
            int members[2] = {0, 0};
            for (int v = 0; v < counts[n]; v++) {
                double left = middle(v, 0, true) - (v < 2 ? 2 : 1), top = middle(v, 0, false) - (v < 2 ? 2 : 1);
                double span = v < 2 ? CELLS : CELLS / 2.0;
                if (x < left || x > left + span || y < top || y > top + span) continue;
                members[v >= 2]++;
                for (int r = 0; r < G; r++)
                    for (int c = 0; c < G; c++) { /* turned: row 0 is the last column */
                        float value = v == 1 ? rows[v][(G - 1 - c) * G + r] : rows[v][r * G + c];
                        group[v >= 2] += (double)value * hat(v, r, false, y) * hat(v, c, true, x);
                    }
            }
            double mean = group[0] / members[0];
            if (members[1]) mean = (mean + group[1] / members[1]) / 2;
            assert_true(fabs((double)out[i] - mean) < 1e-5);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
