/* Poisson editing against Gaussian elimination on small patches of odd shapes; residuals measured here on large ones.
 */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "simulate/poisson.h"

enum { MOST = 64 * 64 };

typedef struct edit {
    int width, height;
    double *before, *after, *guide; /* [height, width, 3] */
    uint8_t *mask;                  /* [height, width] */
    flaw_poisson_report report;
} edit;

static edit new_edit(int width, int height)
{
    edit e = {.width = width, .height = height};
    size_t pixels = (size_t)width * (size_t)height;
    e.before = calloc(3 * pixels, sizeof(double));
    e.after = calloc(3 * pixels, sizeof(double));
    e.guide = calloc(3 * pixels, sizeof(double));
    e.mask = calloc(pixels, 1);
    assert_true(e.before && e.after && e.guide && e.mask);
    return e;
}

static void free_edit(edit *e)
{
    free(e->before);
    free(e->after);
    free(e->guide);
    free(e->mask);
}

/* Both pictures white noise, the hardest there is. */
static void fill_with_noise(edit *e, uint64_t seed)
{
    flaw_random r;
    flaw_random_init(&r, seed, 0);
    for (size_t i = 0; i < 3 * (size_t)e->width * (size_t)e->height; i++) {
        e->before[i] = flaw_random_below(&r, 256);
        e->guide[i] = flaw_random_below(&r, 256);
    }
}

static flaw_status run(edit *e, flaw_error *err)
{
    memcpy(e->after, e->before, 3 * (size_t)e->width * (size_t)e->height * sizeof(double));
    return flaw_poisson_edit(e->after, e->guide, e->mask, e->width, e->height, &e->report, err);
}

/* Solved for: marked and not on the outermost rows and columns. */
static bool unknown(const edit *e, int x, int y)
{
    return x > 0 && y > 0 && x < e->width - 1 && y < e->height - 1 && e->mask[y * e->width + x];
}

static double at(const double *picture, const edit *e, int x, int y, int c)
{
    return picture[3 * (y * e->width + x) + c];
}

static const int around[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};

/* The residual as poisson.h defines it, and that nothing else changed. */
static double residual_of(const edit *e)
{
    double worst = 0, scale = 1;
    for (int y = 0; y < e->height; y++)
        for (int x = 0; x < e->width; x++)
            for (int c = 0; c < 3; c++) {
                if (!unknown(e, x, y)) {
                    assert_true(at(e->after, e, x, y, c) == at(e->before, e, x, y, c));
                    continue;
                }
                double image = 4 * at(e->after, e, x, y, c), b = 4 * at(e->guide, e, x, y, c);
                for (int k = 0; k < 4; k++) {
                    int u = x + around[k][0], v = y + around[k][1];
                    b -= at(e->guide, e, u, v, c);
                    if (unknown(e, u, v)) image -= at(e->after, e, u, v, c);
                    else b += at(e->before, e, u, v, c);
                }
                worst = fmax(worst, fabs(b - image));
                scale = fmax(scale, fabs(b));
            }
    return worst / scale;
}

/* Gaussian elimination of one channel; the matrix is diagonally dominant, so no pivoting is needed. */
static void solve_densely(double *out, const edit *e, int channel)
{
    static int number[MOST];
    int n = 0;
    for (int y = 0; y < e->height; y++)
        for (int x = 0; x < e->width; x++) number[y * e->width + x] = unknown(e, x, y) ? n++ : -1;
    double *a = calloc((size_t)n * (size_t)(n + 1), sizeof(double)); /* [n, n + 1], right side last */
    assert_non_null(a);
    for (int y = 0; y < e->height; y++)
        for (int x = 0; x < e->width; x++) {
            int i = number[y * e->width + x];
            if (i < 0) continue;
            double *row = a + (size_t)i * (size_t)(n + 1);
            row[i] = 4;
            row[n] = 4 * at(e->guide, e, x, y, channel);
            for (int k = 0; k < 4; k++) {
                int u = x + around[k][0], v = y + around[k][1], j = number[v * e->width + u];
                row[n] -= at(e->guide, e, u, v, channel);
                if (j >= 0) row[j] = -1;
                else row[n] += at(e->before, e, u, v, channel);
            }
        }
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) {
            double *upper = a + (size_t)i * (size_t)(n + 1), *lower = a + (size_t)j * (size_t)(n + 1);
            double factor = lower[i] / upper[i];
            for (int k = i; factor != 0 && k <= n; k++) lower[k] -= factor * upper[k];
        }
    for (int i = n - 1; i >= 0; i--) {
        const double *row = a + (size_t)i * (size_t)(n + 1);
        double sum = row[n];
        for (int k = i + 1; k < n; k++) sum -= row[k] * out[k];
        out[i] = sum / row[i];
    }
    free(a);
}

static void check_against_dense(edit *e, const char *name)
{
    static double exact[MOST];
    flaw_error err;
    assert_ok(run(e, &err));
    double residual = residual_of(e);
    if (residual > FLAW_POISSON_RESIDUAL || fabs(residual - e->report.residual) > 1e-9)
        fail_msg("%s: residual %g, reported %g", name, residual, e->report.residual);
    for (int c = 0; c < 3; c++) {
        size_t n = 0;
        solve_densely(exact, e, c);
        for (int y = 0; y < e->height; y++)
            for (int x = 0; x < e->width; x++)
                if (unknown(e, x, y) && fabs(at(e->after, e, x, y, c) - exact[n++]) > 0.01)
                    fail_msg("%s: (%d, %d) is %g, should be %g", name, x, y, at(e->after, e, x, y, c), exact[n - 1]);
        assert_int_equal(n, e->report.cells);
    }
}

/* Masks drawn with letters: '#' is solved for. */
static const struct {
    const char *name, *rows[12];
} shapes[] = {
    {"one pixel", {"...", ".#.", "..."}},
    {"one pixel of a wider frame", {".....", "...#.", "....."}},
    {"a row", {".........", ".#######.", "........."}},
    {"a column", {"...", ".#.", ".#.", ".#.", ".#.", "..."}},
    {"an L", {".......", ".##....", ".##....", ".##....", ".#####.", ".#####.", "......."}},
    {"a ring", {"........", ".######.", ".#....#.", ".#.##.#.", ".#....#.", ".######.", "........"}},
    {"pixels that touch at corners", {".......", ".#.#.#.", "..#.#..", ".#.#.#.", "..#.#..", "......."}},
    {"two parts", {".........", ".##......", ".##..###.", ".....###.", "........."}},
    {"a comb", {"............", ".##########.", ".#.#.#.#.#..", ".#.#.#.#.#..", ".#.#.#.#.#..", "............"}},
    {"a hole", {".........", ".#######.", ".#######.", ".###.###.", ".#######.", ".#######.", "........."}},
    {"all, the border too", {"#########", "#########", "#########", "#########", "#########", "#########"}},
    {"a corner", {"###..", "###..", "##...", "....."}},
    {"a square of a power of two",
     {"..........", ".########.", ".########.", ".########.", ".########.", ".########.", ".########.", ".########.",
      ".########.", ".........."}},
};

static void shapes_agree_with_gaussian_elimination(void **state)
{
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int width = (int)strlen(shapes[s].rows[0]), height = 0;
        while (height < 12 && shapes[s].rows[height]) height++;
        edit e = new_edit(width, height);
        for (int i = 0; i < width * height; i++) e.mask[i] = shapes[s].rows[i / width][i % width] == '#';
        for (uint64_t seed = 0; seed < 4; seed++) {
            fill_with_noise(&e, seed);
            check_against_dense(&e, shapes[s].name);
        }
        free_edit(&e);
    }
}

static void random_masks_agree_with_gaussian_elimination(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 5, 0);
    for (int trial = 0; trial < 40; trial++) {
        edit e = new_edit(1 + flaw_random_below(&r, 18), 1 + flaw_random_below(&r, 18));
        int share = 1 + flaw_random_below(&r, 10);
        for (int i = 0; i < e.width * e.height; i++) e.mask[i] = flaw_random_below(&r, 10) < share;
        fill_with_noise(&e, (uint64_t)trial);
        check_against_dense(&e, "random mask");
        free_edit(&e);
    }
}

typedef bool (*shape_rule)(int x, int y, int width, int height);
static bool whole(int x, int y, int width, int height)
{
    return true;
}
static bool disc(int x, int y, int width, int height)
{
    return hypot(x - width / 2.0, y - height / 2.0) < 0.45 * (width < height ? width : height);
}
static bool sieve(int x, int y, int width, int height)
{
    return (x * 7 + y * 13) % 101 != 0;
}
static bool stripes(int x, int y, int width, int height)
{
    return (x / 3 + y / 5) % 4 != 0;
}

/* Sides just over and under a power of two, and long thin ones: where grids do not halve evenly. */
static void the_residual_is_small_whatever_the_size(void **state)
{
    static const shape_rule rules[] = {whole, disc, sieve, stripes};
    static const int sizes[][2] = {{131, 127}, {226, 226}, {65, 300}, {400, 5}, {3, 500}};
    for (size_t r = 0; r < 4; r++)
        for (size_t s = 0; s < 5; s++) {
            flaw_error err;
            edit e = new_edit(sizes[s][0], sizes[s][1]);
            for (int i = 0; i < e.width * e.height; i++)
                e.mask[i] = rules[r](i % e.width, i / e.width, e.width, e.height);
            fill_with_noise(&e, r);
            assert_ok(run(&e, &err));
            double residual = residual_of(&e);
            if (residual > FLAW_POISSON_RESIDUAL) fail_msg("rule %zu size %zu: residual %g", r, s, residual);
            assert_true(fabs(residual - e.report.residual) < 1e-9);
            free_edit(&e);
        }
}

/* Where the guide is the picture plus a constant, the picture itself is the solution; pasting would leave an edge. */
static void a_shifted_guide_leaves_no_seam(void **state)
{
    flaw_error err;
    edit e = new_edit(70, 50);
    for (int y = 0; y < 50; y++)
        for (int x = 0; x < 70; x++) {
            e.mask[y * 70 + x] = x > 20 && x < 55 && y > 10 && y < 40;
            for (int c = 0; c < 3; c++) {
                e.before[3 * (y * 70 + x) + c] = 40 + (c + 1) * x + 0.5 * y;
                e.guide[3 * (y * 70 + x) + c] = 10 + (c + 1) * x + 0.5 * y + 25 * c;
            }
        }
    assert_ok(run(&e, &err));
    for (int i = 0; i < 3 * 70 * 50; i++) assert_true(fabs(e.after[i] - e.before[i]) < 0.01);
    free_edit(&e);
}

/* Differences between neighbours across the rim on both sides of it, against those of the picture on its own side. */
static void the_slope_goes_on_across_the_rim(void **state)
{
    enum { N = 60 };
    flaw_error err;
    edit e = new_edit(N, N);
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            bool in = hypot(x - 30, y - 30) < 20;
            e.mask[y * N + x] = in;
            double bump = in ? 30 * pow(cos(hypot(x - 30, y - 30) * 3.14159265 / 40), 4) : 0; /* flat at the rim */
            for (int c = 0; c < 3; c++) {
                e.before[3 * (y * N + x) + c] = 60 + 1.5 * x + 0.5 * y;
                e.guide[3 * (y * N + x) + c] = 150 + 1.5 * x + 0.5 * y + bump;
            }
        }
    assert_ok(run(&e, &err));
    double seam = 0, pasted = 0, change = 0;
    for (int y = 1; y < N - 1; y++)
        for (int x = 1; x < N - 1; x++) {
            size_t p = (size_t)(3 * (y * N + x));
            change = fmax(change, fabs(e.after[p] - e.before[p]));
            if (e.mask[y * N + x] == e.mask[y * N + x + 1]) continue;
            double slope = e.before[p + 3] - e.before[p], cut = e.mask[y * N + x] ? e.guide[p] : e.guide[p + 3];
            double beside = e.mask[y * N + x] ? e.before[p + 3] : e.before[p];
            seam = fmax(seam, fabs(e.after[p + 3] - e.after[p] - slope));
            pasted = fmax(pasted, fabs(fabs(cut - beside) - fabs(slope)));
        }
    assert_true(change > 25); /* the bump has come over */
    assert_true(pasted > 80); /* where pasting leaves an edge of 90 grey levels */
    assert_true(seam < 1);    /* ... no edge is seen */
    free_edit(&e);
}

/* A guide without differences gives a membrane over the rim: nowhere above or below it (maximum principle). */
static void a_plain_guide_stays_between_the_rim(void **state)
{
    flaw_error err;
    edit e = new_edit(90, 40);
    fill_with_noise(&e, 3);
    for (int i = 0; i < 3 * 90 * 40; i++) {
        e.before[i] = 80 + e.before[i] / 4;
        e.guide[i] = 17;
    }
    for (int i = 0; i < 90 * 40; i++) e.mask[i] = 1;
    assert_ok(run(&e, &err));
    for (int i = 0; i < 3 * 90 * 40; i++) assert_in_range((int)e.after[i], 80, 144);
    free_edit(&e);
}

static void nothing_to_solve(void **state)
{
    static const int sizes[][2] = {{1, 1}, {2, 9}, {9, 2}, {3, 3}};
    for (size_t s = 0; s < 4; s++) {
        flaw_error err;
        edit e = new_edit(sizes[s][0], sizes[s][1]);
        fill_with_noise(&e, s);
        if (s < 3) memset(e.mask, 1, (size_t)(e.width * e.height)); /* border only */
        assert_ok(run(&e, &err));
        assert_int_equal(e.report.cells, 0);
        assert_true(residual_of(&e) == 0);
        free_edit(&e);
    }
    double picture[27], black[27] = {0};
    uint8_t mask[9] = {0, 0, 0, 0, 1, 0, 0, 0, 0};
    memset(picture, 0, sizeof picture);
    picture[12] = 77; /* the right side is 0 then */
    assert_int_equal(flaw_poisson_edit(picture, black, mask, 3, 3, NULL, NULL), FLAW_OK);
    assert_true(fabs(picture[12]) < 1e-4);
}

static void refusals(void **state)
{
    flaw_error err;
    edit e = new_edit(5, 5);
    memset(e.mask, 1, 25);
    fill_with_noise(&e, 1);
    memcpy(e.after, e.before, 75 * sizeof(double));
    const double wrong[] = {NAN, INFINITY, -INFINITY, 1e30};
    for (size_t i = 0; i < 4; i++) {
        e.guide[37] = wrong[i];
        assert_int_equal(flaw_poisson_edit(e.after, e.guide, e.mask, 5, 5, &e.report, &err), FLAW_USAGE);
        assert_contains(err.text, "Poisson");
        assert_memory_equal(e.after, e.before, 75 * sizeof(double));
    }
    assert_int_equal(flaw_poisson_edit(e.after, e.guide, e.mask, 0, 5, &e.report, &err), FLAW_USAGE);
    assert_int_equal(flaw_poisson_edit(e.after, e.guide, e.mask, 5, -1, &e.report, &err), FLAW_USAGE);
    assert_int_equal(flaw_poisson_edit(e.after, e.guide, e.mask, 65500, 65500, &e.report, &err), FLAW_USAGE);
    free_edit(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_agree_with_gaussian_elimination),
        cmocka_unit_test(random_masks_agree_with_gaussian_elimination),
        cmocka_unit_test(the_residual_is_small_whatever_the_size),
        cmocka_unit_test(a_shifted_guide_leaves_no_seam),
        cmocka_unit_test(the_slope_goes_on_across_the_rim),
        cmocka_unit_test(a_plain_guide_stays_between_the_rim),
        cmocka_unit_test(nothing_to_solve),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
