/* Pixel figures: sorted exactly against slow twins, streamed against sorted, and streamed against itself in any order,
 * over any number of threads and accumulators. */
#include "../check.h"

#include "base/file.h"
#include "base/random.h"
#include "flaw/metrics.h"
#include "slow_pixels.h"

static uint8_t random_mark(flaw_random *r, double share)
{
    return flaw_random_uniform(r) < share ? (uint8_t)(1 + flaw_random_below(r, 255)) : 0;
}

/* `fine`: scores that differ by less than a bin, so that bins hold several. */
static void fill(slow_set *s, flaw_random *r, bool fine)
{
    memset(s, 0, sizeof *s);
    s->n = 1 + (size_t)flaw_random_below(r, SLOW_PICTURES);
    const int levels = 1 + flaw_random_below(r, 40);
    const double share = flaw_random_range(r, 0.05, 0.6), width = fine ? 1e-5 : 0.3;
    for (size_t k = 0; k < s->n; k++) {
        flaw_pixels_picture *p = &s->picture[k];
        *p = (flaw_pixels_picture){.id = k, .map = s->map[k], .width = 1 + flaw_random_below(r, SLOW_SIDE),
                                   .height = 1 + flaw_random_below(r, SLOW_SIDE)};
        const int kind = flaw_random_below(r, 4); /* good, mask, mask, region masks */
        if (kind == 1 || kind == 2) p->mask = s->mask[k];
        if (kind == 3) {
            p->regions = s->region[k];
            p->region_count = 1 + (size_t)flaw_random_below(r, SLOW_REGIONS);
        }
        for (int i = 0; i < p->width * p->height; i++) s->mask[k][i] = random_mark(r, share);
        for (size_t g = 0; g < SLOW_REGIONS; g++) {
            s->region[k][g] = (flaw_pixel_region){.pixel = s->pixel[k][g]};
            for (int i = 0; i < p->width * p->height; i++)
                if (random_mark(r, share)) s->pixel[k][g][s->region[k][g].area++] = (uint32_t)i;
            if (flaw_random_below(r, 3)) s->region[k][g].saturation = flaw_random_range(r, 0.2, 12);
        }
        for (int i = 0; i < p->width * p->height; i++)
            s->map[k][i] = (float)((fine ? 1 : -3) + width * (flaw_random_below(r, levels) + 3 * slow_marked(p, i)));
    }
}

static bool near(double a, double b, double reach)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= reach;
}

static void check_exact(const flaw_pixel_figures *f, const slow_figures *slow)
{
    assert_true(near(f->auroc.value, slow->auroc, 1e-9));
    assert_true(near(f->ap.value, slow->ap, 1e-9));
    assert_true(near(f->f1_max.value, slow->f1, 1e-9));
    assert_true(near(f->aupr_trapezoid.value, slow->trapezoid, 1e-9));
    assert_true(near(f->aupro.value, slow->aupro, 1e-9));
    assert_true(near(f->aupro_cflow200.value, slow->cflow200, 1e-9));
}

static void check_bounds(const flaw_bounded *streamed, const flaw_bounded *exact)
{
    assert_true(isnan(streamed->value) == isnan(exact->value) || isnan(exact->value));
    if (isnan(exact->value)) return;
    assert_true(streamed->low <= streamed->value + 1e-12 && streamed->value <= streamed->high + 1e-12);
    assert_true(streamed->low <= exact->value + 1e-12 && exact->value <= streamed->high + 1e-12);
}

static flaw_pixel_figures streamed(const slow_set *s, double limit)
{
    flaw_pixels *p;
    flaw_pixel_figures f;
    assert_int_equal(flaw_pixels_open(&p, NULL, NULL), FLAW_OK);
    for (size_t k = 0; k < s->n; k++) assert_int_equal(flaw_pixels_add(p, &s->picture[k], NULL), FLAW_OK);
    assert_int_equal(flaw_pixels_measure(&f, p, limit, NULL), FLAW_OK);
    flaw_pixels_close(p);
    return f;
}

static void compare_with_twin(bool fine, int sets, int *with_overlap, int *with_dialect)
{
    static slow_set s;
    flaw_random r;
    flaw_random_init(&r, 31, fine);
    for (int i = 0; i < sets; i++) {
        fill(&s, &r, fine);
        const double limit = i % 3 == 0 ? 0.3 : i % 3 == 1 ? 1 : flaw_random_range(&r, 0.01, 1);
        const slow_figures slow = slow_measure(&s, limit);
        flaw_pixel_figures exact, counted = streamed(&s, limit);
        assert_int_equal(flaw_pixels_exact(&exact, s.picture, s.n, limit, NULL), FLAW_OK);
        check_exact(&exact, &slow);
        *with_overlap += !isnan(slow.aupro);
        *with_dialect += !isnan(slow.cflow200);
        check_bounds(&counted.auroc, &exact.auroc);
        check_bounds(&counted.ap, &exact.ap);
        check_bounds(&counted.f1_max, &exact.f1_max);
        check_bounds(&counted.aupr_trapezoid, &exact.aupr_trapezoid);
        check_bounds(&counted.aupro, &exact.aupro);
        check_bounds(&counted.aupro_cflow200, &exact.aupro_cflow200);
        if (!fine) assert_memory_equal(&counted, &exact, sizeof exact); /* one score to a bin: the same bits */
        else if (counted.auroc.low < counted.auroc.high) assert_true(counted.auroc.high - counted.auroc.low <= 1);
    }
}

static void test_slow_twin(void **state)
{
    int with_overlap = 0, with_dialect = 0;
    compare_with_twin(false, 600, &with_overlap, &with_dialect);
    compare_with_twin(true, 600, &with_overlap, &with_dialect);
    assert_true(with_overlap >= 1000);
    assert_true(with_dialect >= 300);
}

/* ---- any order, any split ---- */

enum { BIG_SIDE = 60, BIG = BIG_SIDE * BIG_SIDE, BIG_PICTURES = 12 };

typedef struct big_set {
    float map[BIG_PICTURES][BIG];
    uint8_t mask[BIG_PICTURES][BIG];
    uint32_t pixel[BIG_PICTURES][BIG];
    flaw_pixel_region region[BIG_PICTURES];
    flaw_pixels_picture picture[BIG_PICTURES];
} big_set;

static void fill_big(big_set *s, uint64_t seed)
{
    flaw_random r;
    flaw_random_init(&r, 32, seed);
    memset(s, 0, sizeof *s);
    for (int k = 0; k < BIG_PICTURES; k++) {
        const int size = 2 + flaw_random_below(&r, 30), x0 = flaw_random_below(&r, BIG_SIDE - size),
                  y0 = flaw_random_below(&r, BIG_SIDE - size);
        for (int i = 0; i < BIG; i++) {
            const int x = i % BIG_SIDE - x0, y = i / BIG_SIDE - y0;
            s->mask[k][i] = k % 3 && x >= 0 && y >= 0 && x < size && y < size && flaw_random_below(&r, 4);
            s->map[k][i] = (float)(flaw_random_normal(&r) + s->mask[k][i]);
            if (s->mask[k][i]) s->pixel[k][s->region[k].area++] = (uint32_t)i;
        }
        s->region[k].pixel = s->pixel[k];
        s->region[k].saturation = (double)s->region[k].area / 3;
        s->picture[k] = (flaw_pixels_picture){.id = (uint64_t)k, .map = s->map[k], .width = BIG_SIDE,
                                              .height = BIG_SIDE};
        if (k % 3 == 1) s->picture[k].mask = s->mask[k];
        if (k % 3 == 2) s->picture[k].regions = &s->region[k], s->picture[k].region_count = 1;
    }
}

static flaw_pixels *opened(int bits, int threads, int sketches)
{
    flaw_pixels *p;
    flaw_error err;
    assert_ok(flaw_pixels_open(&p, &(flaw_pixels_options){.bits = bits, .threads = threads, .sketches = sketches}, &err));
    return p;
}

/* Their file, and their figures in *f. */
static flaw_bytes bytes_of(flaw_pixel_figures *f, const flaw_pixels *p)
{
    flaw_bytes bytes;
    flaw_error err;
    assert_ok(flaw_pixels_measure(f, p, 0.3, &err));
    assert_ok(flaw_pixels_write(p, "pixels-test.bin", &err));
    assert_ok(flaw_file_read(&bytes, "pixels-test.bin", 1 << 28, &err));
    unlink("pixels-test.bin");
    return bytes;
}

static void test_any_order_split_and_threads(void **state)
{
    static big_set s;
    flaw_error err;
    for (int sketches = 0; sketches < 2; sketches++) {
        fill_big(&s, 1);
        flaw_pixels *all = opened(26, 1, sketches), *shards = opened(26, 3, sketches), *last = opened(26, 2, sketches);
        for (int k = 0; k < BIG_PICTURES; k++) assert_ok(flaw_pixels_add(all, &s.picture[k], &err));
        flaw_pixels_picture mixed[BIG_PICTURES]; /* 5 is prime to 12 */
        for (int k = 0; k < BIG_PICTURES; k++) mixed[k] = s.picture[5 * k % BIG_PICTURES];
        assert_ok(flaw_pixels_add_batch(last, mixed, 7, &err));
        assert_ok(flaw_pixels_add_batch(shards, mixed + 7, 4, &err));
        assert_ok(flaw_pixels_add(shards, mixed + 11, &err));
        assert_ok(flaw_pixels_merge(shards, last, &err));
        flaw_pixel_figures f, g, h;
        flaw_bytes a = bytes_of(&f, all), b = bytes_of(&g, shards);
        assert_memory_equal(&f, &g, sizeof f);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
        flaw_pixels *again;
        assert_ok(flaw_file_write("pixels-test.bin", a.data, a.size, &err));
        assert_ok(flaw_pixels_read(&again, "pixels-test.bin", &err));
        flaw_bytes c = bytes_of(&h, again);
        assert_memory_equal(&f, &h, sizeof f);
        assert_int_equal(a.size, c.size);
        assert_memory_equal(a.data, c.data, a.size);
        if (sketches) {
            assert_int_equal(flaw_pixels_merge(shards, last, &err), FLAW_BAD_DATA);
            assert_contains(err.text, "counted twice");
        }
        flaw_bytes_release(&a);
        flaw_bytes_release(&b);
        flaw_bytes_release(&c);
        flaw_pixels_close(all);
        flaw_pixels_close(shards);
        flaw_pixels_close(last);
        flaw_pixels_close(again);
    }
}

/* Finer bins, narrower bounds; and the exact figures are the same whatever is done to the scores but their order. */
static void test_bounds_narrow(void **state)
{
    static big_set s;
    flaw_error err;
    flaw_pixel_figures exact, f;
    double last = 1;
    fill_big(&s, 2);
    for (int k = 0; k < BIG_PICTURES; k++)
        for (int i = 0; i < BIG; i++) s.map[k][i] = 1 + s.map[k][i] / 3000; /* some 25 bins of 24 bits */
    assert_ok(flaw_pixels_exact(&exact, s.picture, BIG_PICTURES, 0.3, &err));
    for (int bits = 24; bits <= 28; bits++) {
        flaw_pixels *p = opened(bits, 1, 0);
        for (int k = 0; k < BIG_PICTURES; k++) assert_ok(flaw_pixels_add(p, &s.picture[k], &err));
        assert_ok(flaw_pixels_measure(&f, p, 0.3, &err));
        check_bounds(&f.auroc, &exact.auroc);
        check_bounds(&f.ap, &exact.ap);
        check_bounds(&f.f1_max, &exact.f1_max);
        check_bounds(&f.aupro, &exact.aupro);
        check_bounds(&f.aupr_trapezoid, &exact.aupr_trapezoid);
        check_bounds(&f.aupro_cflow200, &exact.aupro_cflow200);
        const double width = f.aupro.high - f.aupro.low;
        assert_true(width > 0 && width < 0.7 * last);
        assert_true(fabs(f.aupro.value - exact.aupro.value) < 0.1 * width + 1e-4);
        last = width;
        flaw_pixels_close(p);
    }
}

static void test_scale_of_scores(void **state)
{
    static big_set s;
    flaw_error err;
    flaw_pixel_figures f, g;
    fill_big(&s, 3);
    assert_ok(flaw_pixels_exact(&f, s.picture, BIG_PICTURES, 0.3, &err));
    for (int k = 0; k < BIG_PICTURES; k++)
        for (int i = 0; i < BIG; i++) s.map[k][i] = 8 * s.map[k][i];
    assert_ok(flaw_pixels_exact(&g, s.picture, BIG_PICTURES, 0.3, &err));
    assert_memory_equal(&f.aupro, &g.aupro, sizeof f.aupro);
    assert_memory_equal(&f.auroc, &g.auroc, sizeof f.auroc);
    assert_true(fabs(f.aupro_cflow200.value - g.aupro_cflow200.value) < 1e-12); /* a factor does not hurt it */
    for (int k = 0; k < BIG_PICTURES; k++)
        for (int i = 0; i < BIG; i++) s.map[k][i] = (float)pow(2, (double)s.map[k][i]);
    assert_ok(flaw_pixels_exact(&g, s.picture, BIG_PICTURES, 0.3, &err));
    assert_true(fabs(f.aupro_cflow200.value - g.aupro_cflow200.value) > 0.01); /* another scale does */
    assert_true(fabs(f.aupro.value - g.aupro.value) < 1e-3);
}

/* ---- curves ---- */

static double y_at(const flaw_curve *c, double x)
{
    size_t i = 1;
    while (i + 1 < c->count && c->x[i] < x) i++;
    const double width = c->x[i] - c->x[i - 1];
    return width > 0 ? c->y[i - 1] + (c->y[i] - c->y[i - 1]) * (x - c->x[i - 1]) / width : c->y[i];
}

static void check_curve(const flaw_pixels *p, flaw_curve_kind kind, double area)
{
    flaw_curve full, thin;
    flaw_error err;
    assert_ok(flaw_pixels_curve(&full, p, kind, 1 << 20, &err));
    assert_ok(flaw_pixels_curve(&thin, p, kind, 100, &err));
    assert_true(fabs(full.area - area) < 1e-9 && thin.area == full.area && full.area_left_out == 0);
    assert_true(thin.count == 100 && full.count > 1000);
    assert_true(thin.area_left_out > 0 && thin.area_left_out < 0.01);
    assert_true(isinf(thin.score[0]) && thin.x[0] == 0 && thin.x[99] == 1 && thin.y[99] == full.y[full.count - 1]);
    double thin_area = 0, between = 0;
    for (size_t i = 1; i < thin.count; i++) {
        assert_true(thin.x[i] >= thin.x[i - 1] && thin.score[i] < thin.score[i - 1]);
        thin_area += (thin.x[i] - thin.x[i - 1]) * (thin.y[i] + thin.y[i - 1]) / 2;
    }
    for (int i = 0; i < 5000; i++)
        between += fabs(y_at(&full, (i + 0.5) / 5000) - y_at(&thin, (i + 0.5) / 5000)) / 5000;
    assert_true(fabs(thin_area - full.area) <= thin.area_left_out + 1e-12);
    assert_true(between <= 1.05 * thin.area_left_out + 1e-4);
    flaw_curve_release(&full);
    flaw_curve_release(&thin);
}

static void test_curves(void **state)
{
    static big_set s;
    flaw_error err;
    flaw_pixel_figures f;
    fill_big(&s, 4);
    flaw_pixels *p = opened(24, 1, 0);
    for (int k = 0; k < BIG_PICTURES; k++) assert_ok(flaw_pixels_add(p, &s.picture[k], &err));
    assert_ok(flaw_pixels_measure(&f, p, 1, &err));
    check_curve(p, FLAW_CURVE_ROC, f.auroc.value);
    check_curve(p, FLAW_CURVE_PR, f.aupr_trapezoid.value);
    check_curve(p, FLAW_CURVE_PRO, f.aupro.value);
    flaw_curve c;
    assert_int_equal(flaw_pixels_curve(&c, p, FLAW_CURVE_PRO, 2, &err), FLAW_USAGE);
    assert_int_equal(flaw_pixels_curve(&c, p, (flaw_curve_kind)3, 0, &err), FLAW_USAGE);
    flaw_pixels_close(p);

    /* of pictures: by hand, scores 3+ 2- 2+ 1-, with the tie as one step */
    const float scores[] = {3, 2, 2, 1};
    const uint8_t labels[] = {1, 0, 1, 0}, none[4] = {0};
    const double x[] = {0, 0, 0.5, 1}, y[] = {0, 0.5, 1, 1};
    assert_ok(flaw_image_curve(&c, FLAW_CURVE_ROC, scores, labels, 4, 0, &err));
    assert_int_equal(c.count, 4);
    for (int i = 0; i < 4; i++) assert_true(c.x[i] == x[i] && c.y[i] == y[i]);
    assert_true(c.score[1] == 3 && c.score[2] == 2 && c.score[3] == 1 && c.area == 0.875);
    flaw_curve_release(&c);
    assert_ok(flaw_image_curve(&c, FLAW_CURVE_PR, scores, none, 4, 0, &err));
    assert_true(c.count == 0 && isnan(c.area));
    flaw_curve_release(&c);
    assert_int_equal(flaw_image_curve(&c, FLAW_CURVE_PRO, scores, labels, 4, 0, &err), FLAW_USAGE);
}

/* ---- conventions and wrong input ---- */

static void test_conventions(void **state)
{
    float map[] = {1, 2, 3, 4, 5, 6};
    const uint8_t mask[] = {0, 0, 0, 0, 1, 1}, none[6] = {0}, all[] = {1, 1, 1, 1, 1, 1};
    flaw_pixels_picture picture = {.map = map, .mask = mask, .width = 3, .height = 2};
    flaw_pixel_figures f;
    flaw_error err;
    assert_ok(flaw_pixels_exact(&f, &picture, 1, 0.3, &err));
    assert_true(f.auroc.value == 1 && f.ap.value == 1 && f.f1_max.value == 1 && fabs(f.aupro.value - 1) < 1e-15);
    assert_true(f.f1_score == 5 && f.lowest == 1 && f.highest == 6 && f.regions == 1 && f.marked == 2);
    const float constant[] = {7, 7, 7, 7, 7, 7};
    picture.map = constant;
    assert_ok(flaw_pixels_exact(&f, &picture, 1, 0.3, &err));
    assert_true(f.auroc.value == 0.5 && fabs(f.ap.value - 1.0 / 3) < 1e-15 && fabs(f.aupro.value - 0.15) < 1e-15);
    assert_true(isnan(f.aupro_cflow200.value));
    picture.map = map;
    map[0] = -INFINITY; /* ordered, but without equal steps */
    map[5] = INFINITY;
    assert_ok(flaw_pixels_exact(&f, &picture, 1, 0.3, &err));
    assert_true(f.auroc.value == 1 && isnan(f.aupro_cflow200.value));
    for (int i = 0; i < 2; i++) {
        picture.mask = i ? all : none;
        assert_ok(flaw_pixels_exact(&f, &picture, 1, 0.3, &err));
        assert_true(isnan(f.auroc.value) && isnan(f.ap.low) && isnan(f.f1_max.high) && isnan(f.aupro.value));
    }
    flaw_pixels *p = opened(0, 1, 1);
    assert_ok(flaw_pixels_measure(&f, p, 0.3, &err));
    assert_true(f.pictures == 0 && isnan(f.auroc.value) && isnan(f.lowest));
    flaw_pixel_figures g;
    flaw_bytes bytes = bytes_of(&g, p);
    flaw_bytes_release(&bytes);
    flaw_pixels_close(p);
}

static void test_wrong_input(void **state)
{
    float map[] = {1, 2, 3, 4, 5, NAN}, fine[] = {1, 2, 3, 4, 5, 6};
    const uint8_t mask[6] = {1};
    const uint32_t outside[] = {5, 6};
    const flaw_pixel_region far = {outside, 2, 0}, odd = {outside, 1, NAN};
    flaw_pixels_picture picture[] = {{.map = fine, .mask = mask, .width = 3, .height = 2},
                                     {.id = 17, .map = map, .mask = mask, .width = 3, .height = 2}};
    flaw_pixel_figures f = {.pictures = 42};
    flaw_error err;
    for (int threads = 1; threads < 3; threads++) {
        flaw_pixels *p = opened(0, threads, 0);
        assert_int_equal(flaw_pixels_add_batch(p, picture, 2, &err), FLAW_BAD_DATA);
        assert_contains(err.text, "picture 17: its map holds no number at pixel (2, 1)");
        picture[1].name = "bad/007.png";
        assert_int_equal(flaw_pixels_add(p, &picture[1], &err), FLAW_BAD_DATA);
        assert_contains(err.text, "bad/007.png");
        picture[1].name = NULL;
        assert_ok(flaw_pixels_measure(&f, p, 0.3, &err)); /* nothing was counted */
        assert_true(f.pictures == 0 && f.background == 0);
        f.pictures = 42;
        assert_int_equal(flaw_pixels_measure(&f, p, 0, &err), FLAW_USAGE);
        assert_int_equal(flaw_pixels_measure(&f, p, NAN, &err), FLAW_USAGE);
        assert_int_equal(flaw_pixels_measure(&f, p, 1.5, &err), FLAW_USAGE);
        flaw_pixels *other = opened(25, 1, 0), *with = opened(24, 1, 1);
        assert_int_equal(flaw_pixels_merge(p, other, &err), FLAW_USAGE);
        assert_int_equal(flaw_pixels_merge(p, with, &err), FLAW_USAGE);
        assert_int_equal(flaw_pixels_merge(p, p, &err), FLAW_USAGE);
        flaw_pixels_close(p);
        flaw_pixels_close(other);
        flaw_pixels_close(with);
    }
    assert_int_equal(flaw_pixels_exact(&f, picture, 2, 0.3, &err), FLAW_BAD_DATA);
    picture[0].regions = &far;
    picture[0].region_count = 1;
    assert_int_equal(flaw_pixels_exact(&f, picture, 1, 0.3, &err), FLAW_USAGE); /* and a mask */
    picture[0].mask = NULL;
    assert_int_equal(flaw_pixels_exact(&f, picture, 1, 0.3, &err), FLAW_USAGE);
    assert_contains(err.text, "holds pixel 6");
    picture[0].regions = &odd;
    assert_int_equal(flaw_pixels_exact(&f, picture, 1, 0.3, &err), FLAW_USAGE);
    picture[0].height = 0;
    assert_int_equal(flaw_pixels_exact(&f, picture, 1, 0.3, &err), FLAW_USAGE);
    assert_true(f.pictures == 42);
    flaw_pixels *p;
    const flaw_pixels_options wrong[] = {{.bits = 23}, {.bits = 29}, {.threads = -1}, {.bits = -1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(flaw_pixels_open(&p, &wrong[i], &err), FLAW_USAGE);
}

/* A file of counts cut anywhere, or with any byte changed, is refused; a missing one is missing. */
static void test_damaged_files(void **state)
{
    const float map[] = {1, 2, 3, 4, 5, 6};
    const uint8_t mask[] = {0, 0, 1, 0, 1, 1};
    const flaw_pixels_picture picture = {.map = map, .mask = mask, .width = 3, .height = 2};
    flaw_pixels *p = opened(0, 1, 1), *again;
    flaw_pixel_figures f;
    flaw_error err;
    assert_ok(flaw_pixels_add(p, &picture, &err));
    flaw_bytes bytes = bytes_of(&f, p);
    flaw_pixels_close(p);
    for (size_t cut = 0; cut < bytes.size; cut += 1 + cut / 40) {
        assert_ok(flaw_file_write("pixels-test.bin", bytes.data, cut, &err));
        assert_int_equal(flaw_pixels_read(&again, "pixels-test.bin", &err), FLAW_BAD_DATA);
        assert_contains(err.text, "pixels-test.bin");
    }
    for (size_t at = 0; at < bytes.size; at += 1 + at / 40) {
        bytes.data[at] ^= 0x40;
        assert_ok(flaw_file_write("pixels-test.bin", bytes.data, bytes.size, &err));
        assert_int_equal(flaw_pixels_read(&again, "pixels-test.bin", &err), FLAW_BAD_DATA);
        bytes.data[at] ^= 0x40;
    }
    flaw_bytes_release(&bytes);
    unlink("pixels-test.bin");
    assert_int_equal(flaw_pixels_read(&again, "pixels-test.bin", &err), FLAW_MISSING);
}

/* One kind of defect: its pictures and all good ones. */
static void test_kinds(void **state)
{
    const float scores[] = {1, 2, 3, 4, 0, 9};
    const int kinds[] = {0, 0, 1, 1, 2, 2};
    flaw_image_figures f;
    flaw_error err;
    assert_ok(flaw_image_measure_kind(&f, scores, kinds, 6, 1, &err));
    assert_true(f.good == 2 && f.bad == 2 && f.auroc == 1 && f.f1_score == 3 && f.accuracy_max == 1);
    assert_ok(flaw_image_measure_kind(&f, scores, kinds, 6, 2, &err));
    assert_true(f.good == 2 && f.bad == 2 && f.auroc == 0.5 && f.accuracy_max == 0.75);
    assert_ok(flaw_image_measure_kind(&f, scores, kinds, 6, 3, &err));
    assert_true(f.bad == 0 && isnan(f.auroc));
    assert_int_equal(flaw_image_measure_kind(&f, scores, kinds, 6, 0, &err), FLAW_USAGE);
    double accuracy;
    const uint8_t labels[] = {0, 0, 1, 1, 1, 1};
    assert_ok(flaw_accuracy(&accuracy, scores, labels, 6, 2, &err)); /* > 2 is anomalous: only the 0 is wrong */
    assert_true(fabs(accuracy - 5.0 / 6) < 1e-15);
    assert_ok(flaw_accuracy(&accuracy, scores, labels, 0, 2, &err));
    assert_true(isnan(accuracy));
    assert_int_equal(flaw_accuracy(&accuracy, scores, labels, 6, NAN, &err), FLAW_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_twin),
        cmocka_unit_test(test_any_order_split_and_threads),
        cmocka_unit_test(test_bounds_narrow),
        cmocka_unit_test(test_scale_of_scores),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_conventions),
        cmocka_unit_test(test_wrong_input),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
