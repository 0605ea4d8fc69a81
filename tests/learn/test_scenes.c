#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/file.h"
#include "flaw/scenes.h"

static flaw_scene drawn(int kind, int size, int anomalous, uint64_t seed)
{
    flaw_scene_options o;
    flaw_error err;
    flaw_scene s;
    flaw_scene_options_init(&o);
    o.kind = kind, o.size = size, o.anomalous = anomalous, o.split = FLAW_SPLIT_ALL;
    flaw_status st = flaw_scene_draw(&s, &o, seed, &err);
    if (st) fail_msg("kind %d size %d seed %d: %s", kind, size, (int)seed, err.text);
    return s;
}

static int marked(const flaw_scene *s)
{
    int n = 0;
    for (int i = 0; i < s->picture.width * s->picture.height; i++) n += s->mask[i] != 0;
    return n;
}

/* Brightest minus darkest byte: 0 for a blank picture, which is also what NaN turns into. */
static int spread(const flaw_scene *s)
{
    int lo = 255, hi = 0;
    for (int i = 0; i < 3 * s->picture.width * s->picture.height; i++) {
        lo = s->picture.rgb[i] < lo ? s->picture.rgb[i] : lo;
        hi = s->picture.rgb[i] > hi ? s->picture.rgb[i] : hi;
    }
    return hi - lo;
}

static void every_kind_draws_at_every_size(void **state)
{
    static const int sizes[] = {64, 100, 224, 512};
    for (int k = 0; k < flaw_scene_kind_count(); k++)
        for (int i = 0; i < (k % 4 ? 3 : 4); i++) { /* the largest size costs most: every fourth kind */
            flaw_scene s = drawn(k, sizes[i], i & 1, (uint64_t)(1000 * k + i));
            assert_int_equal(s.picture.width, sizes[i]);
            assert_int_equal(s.picture.height, sizes[i]);
            if (spread(&s) < 4) fail_msg("'%s' at %d pixels is blank", flaw_scene_kind_name(k), sizes[i]);
            assert_string_equal(s.object, flaw_scene_kind_name(k));
            if (!s.material[0]) fail_msg("'%s' has no material", s.object);
            assert_non_null(strstr(s.caption, s.object));
            flaw_scene_release(&s);
        }
}

static void same_seed_same_scene(void **state)
{
    for (int k = 0; k < flaw_scene_kind_count(); k += 7) {
        flaw_scene a = drawn(k, 96, 1, 77), b = drawn(k, 96, 1, 77), c = drawn(k, 96, 1, 78);
        assert_memory_equal(a.picture.rgb, b.picture.rgb, 3 * 96 * 96);
        assert_memory_equal(a.mask, b.mask, 96 * 96);
        assert_memory_equal(a.foreground, b.foreground, 96 * 96);
        assert_string_equal(a.caption, b.caption);
        assert_string_equal(a.defect, b.defect);
        assert_true(memcmp(a.picture.rgb, c.picture.rgb, 3 * 96 * 96) != 0);
        flaw_scene_release(&a);
        flaw_scene_release(&b);
        flaw_scene_release(&c);
    }
}

/* The pictures of a pair agree away from the mask: a soft lens and blocks of 8 x 8 carry a change that far, no further.
 */
static void check_pair(const flaw_scene *good, const flaw_scene *bad)
{
    int n = good->picture.width, far = 12, apart = 0, outside = 0;
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            int near = 0;
            for (int b = -far; b <= far && !near; b += 2)
                for (int a = -far; a <= far && !near; a += 2) {
                    int px = x + a, py = y + b;
                    near = px >= 0 && py >= 0 && px < n && py < n && bad->mask[py * n + px];
                }
            if (near) continue;
            outside++;
            for (int c = 0; c < 3; c++)
                if (abs(good->picture.rgb[3 * (y * n + x) + c] - bad->picture.rgb[3 * (y * n + x) + c]) > 24) {
                    apart++;
                    break;
                }
        }
    if (apart * 500 > outside)
        fail_msg("'%s' with '%s': %d of %d pixels differ away from the mask", good->object, bad->defect, apart,
                 outside);
}

static void a_pair_differs_only_by_the_defect(void **state)
{
    flaw_error err;
    flaw_scene_options o;
    flaw_scene_options_init(&o);
    o.size = 128, o.split = FLAW_SPLIT_ALL;
    for (uint64_t seed = 0; seed < 150; seed++) {
        flaw_scene good, bad;
        assert_int_equal(flaw_scene_draw_pair(&good, &bad, &o, seed, &err), FLAW_OK);
        assert_int_equal(good.kind, bad.kind);
        assert_memory_equal(good.foreground, bad.foreground, 128 * 128);
        check_pair(&good, &bad);
        flaw_scene alone = drawn(bad.kind, 128, 1, seed);
        o.anomalous = 1;
        flaw_scene same;
        assert_int_equal(flaw_scene_draw(&same, &o, seed, &err), FLAW_OK);
        assert_memory_equal(same.picture.rgb, bad.picture.rgb, 3 * 128 * 128);
        assert_memory_equal(alone.picture.rgb, bad.picture.rgb, 3 * 128 * 128);
        flaw_scene_release(&alone);
        flaw_scene_release(&same);
        flaw_scene_release(&good);
        flaw_scene_release(&bad);
    }
}

static void the_mask_tells_the_state(void **state)
{
    flaw_scene_options o;
    flaw_error err;
    flaw_scene_options_init(&o);
    o.size = 96;
    int bad = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        flaw_scene s;
        assert_int_equal(flaw_scene_draw(&s, &o, seed, &err), FLAW_OK);
        assert_int_equal(s.anomalous, marked(&s) > 0);
        assert_int_equal(s.anomalous, s.defect[0] != 0);
        assert_int_equal(s.anomalous, s.defect_count > 0);
        assert_int_equal(s.anomalous, s.place[0] != 0);
        assert_false(s.held_out);
        assert_false(flaw_scene_kind_held_out(s.kind));
        bad += s.anomalous;
        flaw_scene_release(&s);
    }
    assert_in_range(bad, 150, 250);
}

static void held_out_kinds_are_apart(void **state)
{
    flaw_scene_options o;
    flaw_error err;
    flaw_scene s;
    int held = 0, textures = 0;
    for (int k = 0; k < flaw_scene_kind_count(); k++)
        if (flaw_scene_kind_held_out(k)) held++, textures += flaw_scene_kind_texture(k);
    assert_in_range(held, 6, 12);
    assert_in_range(textures, 1, held - 1);
    assert_true(flaw_scene_kind_count() >= 60);
    flaw_scene_options_init(&o);
    o.size = 32, o.split = FLAW_SPLIT_HELD_OUT;
    for (uint64_t seed = 0; seed < 100; seed++) {
        assert_int_equal(flaw_scene_draw(&s, &o, seed, &err), FLAW_OK);
        assert_true(s.held_out);
        flaw_scene_release(&s);
    }
    o.split = FLAW_SPLIT_TRAIN;
    o.kind = flaw_scene_kind_find("screw");
    assert_true(o.kind >= 0 && flaw_scene_kind_held_out(o.kind));
    assert_int_equal(flaw_scene_draw(&s, &o, 1, &err), FLAW_USAGE);
    assert_non_null(strstr(err.text, "screw"));
}

/* Mean colour difference between shots of one product is smaller than between products of the same kind. */
static void one_product_looks_alike(void **state)
{
    flaw_scene_options o;
    flaw_error err;
    flaw_scene_options_init(&o);
    o.size = 64, o.anomalous = 0;
    double within = 0, between = 0;
    for (int k = 0; k < flaw_scene_kind_count(); k += 5) {
        if (flaw_scene_kind_held_out(k)) continue;
        double mean[6][3] = {{0}};
        o.kind = k;
        for (int i = 0; i < 6; i++) {
            flaw_scene s;
            o.one_product = i < 3, o.product = 5;
            assert_int_equal(flaw_scene_draw(&s, &o, (uint64_t)(40 + i), &err), FLAW_OK);
            for (int p = 0; p < 3 * 64 * 64; p++) mean[i][p % 3] += s.picture.rgb[p] / 4096.0;
            flaw_scene_release(&s);
        }
        for (int c = 0; c < 3; c++) {
            within += abs((int)(mean[0][c] - mean[1][c])) + abs((int)(mean[1][c] - mean[2][c]));
            between += abs((int)(mean[3][c] - mean[4][c])) + abs((int)(mean[4][c] - mean[5][c]));
        }
    }
    assert_true(within * 3 < between);
}

static void wrong_options_are_refused(void **state)
{
    flaw_scene_options o;
    flaw_error err;
    flaw_scene s;
    flaw_scene_options_init(&o);
    o.size = 31;
    assert_int_equal(flaw_scene_draw(&s, &o, 1, &err), FLAW_USAGE);
    assert_non_null(strstr(err.text, "31"));
    o.size = 64, o.kind = 100000;
    assert_int_equal(flaw_scene_draw(&s, &o, 1, &err), FLAW_USAGE);
    o.kind = -1, o.anomalous = 2;
    assert_int_equal(flaw_scene_draw(&s, &o, 1, &err), FLAW_USAGE);
    assert_null(flaw_scene_kind_name(-1));
    assert_null(flaw_scene_kind_name(flaw_scene_kind_count()));
    assert_int_equal(flaw_scene_kind_find("no such thing"), -1);
}

typedef struct tally {
    int calls, last, total;
} tally;

static bool count_calls(void *context, int done, int total)
{
    tally *t = context;
    t->calls++, t->last = done, t->total = total;
    return true;
}

static void a_folder_has_the_layout(void **state)
{
    char folder[] = "scenes_test_XXXXXX", path[256];
    assert_non_null(mkdtemp(folder));
    flaw_scenes_options o;
    flaw_error err;
    tally t = {0};
    flaw_scenes_options_init(&o);
    o.count = 12, o.size = 48, o.kind = flaw_scene_kind_find("metal nut"), o.products = 2, o.anomalous_share = 0.34;
    assert_int_equal(flaw_scenes_write(folder, &o, count_calls, &t, &err), FLAW_OK);
    assert_int_equal(t.calls, 12);
    assert_int_equal(t.last, 12);
    static const char *const there[] = {"sheet.png", "captions.jsonl", "metal_nut/train/good/000.png",
                                        "metal_nut/test/good/000.png", "metal_nut-2/train/good/001.png"};
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, there[i]);
        if (!flaw_file_exists(path)) fail_msg("%s is missing", there[i]);
    }
    flaw_bytes text;
    snprintf(path, sizeof path, "%s/captions.jsonl", folder);
    assert_int_equal(flaw_file_read(&text, path, 1 << 20, &err), FLAW_OK);
    int lines = 0, masks = 0;
    for (size_t i = 0; i < text.size; i++) lines += text.data[i] == '\n';
    for (const char *p = (const char *)text.data; (p = strstr(p, "_mask.png")); p++) masks++;
    assert_int_equal(lines, 12);
    assert_int_equal(masks, 4);
    flaw_bytes_release(&text);
    snprintf(path, sizeof path, "rm -r %s", folder);
    o.count = 0;
    assert_int_equal(flaw_scenes_write(folder, &o, NULL, NULL, &err), FLAW_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_draws_at_every_size),    cmocka_unit_test(same_seed_same_scene),
        cmocka_unit_test(a_pair_differs_only_by_the_defect), cmocka_unit_test(the_mask_tells_the_state),
        cmocka_unit_test(held_out_kinds_are_apart),          cmocka_unit_test(one_product_looks_alike),
        cmocka_unit_test(wrong_options_are_refused),         cmocka_unit_test(a_folder_has_the_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
