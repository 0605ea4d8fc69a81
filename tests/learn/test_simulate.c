/* Simulated anomalies: labels against a slow computation, nothing changed outside the frames, hostile pictures. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "flaw/scenes.h"
#include "flaw/simulate.h"

static flaw_picture blank(int width, int height)
{
    flaw_picture p;
    flaw_error err;
    assert_ok(flaw_picture_new(&p, width, height, &err));
    return p;
}

static flaw_picture noise(int width, int height, uint64_t seed)
{
    flaw_picture p = blank(width, height);
    flaw_random r;
    flaw_random_init(&r, seed, 9);
    for (size_t i = 0; i < 3 * (size_t)width * (size_t)height; i++) p.rgb[i] = (uint8_t)flaw_random_below(&r, 256);
    return p;
}

/* A mottled disc on black, as a hazelnut of MVTec lies. */
static bool on_disc(const flaw_picture *p, int x, int y)
{
    return hypot(x - p->width / 2.0, y - p->height / 2.0) < p->height * 0.3;
}
static flaw_picture disc(int width, int height)
{
    flaw_picture p = blank(width, height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                p.rgb[3 * (y * width + x) + c] =
                    on_disc(&p, x, y) ? (uint8_t)(120 + 60 * sin(x * 0.2 + c) + 50 * cos(y * 0.31)) : 8;
    return p;
}

static flaw_picture scene(const char *kind, uint64_t seed, int size)
{
    flaw_scene s;
    flaw_scene_options options;
    flaw_error err;
    flaw_scene_options_init(&options);
    options.split = FLAW_SPLIT_ALL;
    options.kind = flaw_scene_kind_find(kind);
    options.anomalous = 0;
    options.size = size;
    assert_true(options.kind >= 0);
    assert_ok(flaw_scene_draw(&s, &options, seed, &err));
    flaw_picture p = s.picture;
    s.picture = (flaw_picture){0};
    flaw_scene_release(&s);
    return p;
}

static flaw_simulate_preset find(const char *name, const flaw_picture *p)
{
    flaw_simulate_preset preset;
    flaw_error err;
    assert_ok(flaw_simulate_preset_find(&preset, name, p, &err));
    return preset;
}

static flaw_simulated simulate(const flaw_picture *p, const flaw_picture *source, const flaw_simulate_preset *preset,
                               flaw_blend blend, int most, unsigned long long stream)
{
    flaw_simulated s = {0};
    flaw_error err;
    flaw_simulate_options options = {
        .preset = preset, .blend = blend, .most_patches = most, .seed = 7, .stream = stream};
    assert_ok(flaw_simulate(&s, p, source, &options, &err));
    return s;
}

static bool in_box(const int box[4], int x, int y)
{
    return x >= box[0] && y >= box[1] && x < box[0] + box[2] && y < box[1] + box[3];
}

static int change_at(const flaw_picture *a, const flaw_picture *b, int x, int y)
{
    int sum = 0;
    for (int c = 0; c < 3; c++) sum += abs(a->rgb[3 * (y * a->width + x) + c] - b->rgb[3 * (y * a->width + x) + c]);
    return sum;
}

/* What holds of every result: size, frames inside and apart, nothing changed and no label outside of them, centres in
 * boxes in frames, the mask of a box reaching all its sides. */
static void check_result(const flaw_simulated *s, const flaw_picture *p, bool poisson)
{
    assert_int_equal(s->picture.width, p->width);
    assert_int_equal(s->picture.height, p->height);
    assert_in_range(s->patches, 0, FLAW_SIMULATE_PATCHES);
    for (int i = 0; i < s->patches; i++) {
        const int *f = s->frame[i], *b = s->box[i];
        assert_true(f[0] > 0 && f[1] > 0 && f[0] + f[2] < p->width && f[1] + f[3] < p->height);
        assert_true(b[2] > 0 && b[3] > 0 && in_box(f, b[0], b[1]) && in_box(f, b[0] + b[2] - 1, b[1] + b[3] - 1));
        assert_true(in_box(b, s->x[i], s->y[i]));
        for (int k = 0; k < i; k++) {
            const int *g = s->frame[k];
            assert_true(f[0] >= g[0] + g[2] || g[0] >= f[0] + f[2] || f[1] >= g[1] + g[3] || g[1] >= f[1] + f[3]);
        }
    }
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            float label = s->label[y * p->width + x];
            bool framed = false, boxed = false;
            for (int i = 0; i < s->patches; i++) {
                framed |= in_box(s->frame[i], x, y);
                boxed |= in_box(s->box[i], x, y);
            }
            assert_true(label >= 0 && label <= 1);
            if (!framed) assert_true(label == 0 && change_at(&s->picture, p, x, y) == 0);
            if (poisson && !boxed) assert_true(label <= 0.3f);
        }
}

/* The same rule by sorting: majority of 5 x 5 of what changed by more than 1, median in a disc of radius 5, logistic.
 */
static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}
static bool slow_region(const flaw_simulated *s, const flaw_picture *p, const int *f, int x, int y)
{
    int sum = 0;
    if (!in_box(f, x, y)) return false;
    for (int b = -2; b <= 2; b++)
        for (int a = -2; a <= 2; a++) sum += in_box(f, x + a, y + b) && change_at(&s->picture, p, x + a, y + b) > 3;
    return sum > 12;
}
static float slow_label(const flaw_simulated *s, const flaw_picture *p, const int *f, const flaw_simulate_preset *o,
                        int x, int y)
{
    int value[81], n = 0;
    if (!slow_region(s, p, f, x, y)) return 0;
    for (int b = -5; b <= 5; b++)
        for (int a = -5; a <= 5; a++)
            if (a * a + b * b <= 25)
                value[n++] = slow_region(s, p, f, x + a, y + b) ? change_at(&s->picture, p, x + a, y + b) : 0;
    assert_int_equal(n, 81);
    qsort(value, 81, sizeof *value, compare);
    return (float)(1 / (1 + exp(-o->slope * (value[40] / 3. - o->middle))));
}

static void labels_follow_the_rule(void **state)
{
    for (unsigned long long stream = 0; stream < 4; stream++)
        for (flaw_blend blend = FLAW_BLEND_POISSON; blend <= FLAW_BLEND_PASTE; blend++) {
            flaw_picture p = scene("leather", stream, 224), source = scene("metal nut", stream, 224);
            flaw_simulate_preset preset = find(stream % 2 ? "bottle" : "tile", NULL);
            preset.background = FLAW_BACKGROUND_NONE;
            preset.width_high = preset.height_high = 0.12;
            flaw_simulated s = simulate(&p, &source, &preset, blend, 2, stream);
            assert_true(s.patches > 0);
            check_result(&s, &p, blend == FLAW_BLEND_POISSON);
            for (int i = 0; i < s.patches; i++)
                for (int y = s.frame[i][1]; y < s.frame[i][1] + s.frame[i][3]; y++)
                    for (int x = s.frame[i][0]; x < s.frame[i][0] + s.frame[i][2]; x++)
                        assert_true(s.label[y * 224 + x] == slow_label(&s, &p, s.frame[i], &preset, x, y));
            flaw_simulated_release(&s);
            flaw_picture_release(&p);
            flaw_picture_release(&source);
        }
}

static void both_blends_have_the_same_patches(void **state)
{
    int different = 0;
    for (unsigned long long stream = 0; stream < 12; stream++) {
        flaw_picture p = scene(stream % 2 ? "metal nut" : "capsule", stream, 128), source = scene("capsule", 3, 96);
        flaw_simulated a = simulate(&p, &source, NULL, FLAW_BLEND_POISSON, 3, stream);
        flaw_simulated b = simulate(&p, &source, NULL, FLAW_BLEND_PASTE, 3, stream);
        flaw_simulated again = simulate(&p, &source, NULL, FLAW_BLEND_PASTE, 3, stream);
        flaw_simulated other = simulate(&p, &source, NULL, FLAW_BLEND_PASTE, 3, stream + 100);
        check_result(&a, &p, true);
        check_result(&b, &p, false);
        assert_int_equal(a.patches, b.patches);
        assert_memory_equal(a.x, b.x, sizeof a.x);
        assert_memory_equal(a.y, b.y, sizeof a.y);
        assert_memory_equal(a.box, b.box, sizeof a.box);
        assert_memory_equal(a.frame, b.frame, sizeof a.frame);
        assert_memory_equal(b.picture.rgb, again.picture.rgb, 3 * 128 * 128);
        assert_memory_equal(b.label, again.label, 128 * 128 * sizeof(float));
        assert_true(a.patches == 0 || memcmp(a.picture.rgb, b.picture.rgb, 3 * 128 * 128) != 0);
        different += memcmp(b.picture.rgb, other.picture.rgb, 3 * 128 * 128) != 0;
        flaw_simulated_release(&a);
        flaw_simulated_release(&b);
        flaw_simulated_release(&again);
        flaw_simulated_release(&other);
        flaw_picture_release(&p);
        flaw_picture_release(&source);
    }
    assert_true(different >= 11);
}

/* One patch always, a second one in half of the pictures; both on the object, and at many places of it. */
static void patches_lie_on_the_object(void **state)
{
    flaw_picture p = disc(112, 112);
    flaw_simulate_preset preset = find("hazelnut", &p);
    assert_int_equal(preset.background, 20);
    int second = 0, left = 0;
    for (unsigned long long stream = 0; stream < 100; stream++) {
        flaw_simulated s = simulate(&p, NULL, &preset, FLAW_BLEND_POISSON, 0, stream);
        assert_in_range(s.patches, 1, 2);
        second += s.patches == 2;
        for (int i = 0; i < s.patches; i++) {
            int object = 0;
            const int *f = s.frame[i];
            for (int y = f[1]; y < f[1] + f[3]; y++)
                for (int x = f[0]; x < f[0] + f[2]; x++) object += on_disc(&p, x, y);
            assert_true(object > 0);
            assert_true(f[2] <= 0.35 * 112 + 1 && f[3] <= 0.35 * 112 + 1);
            left += s.x[i] < 56;
        }
        check_result(&s, &p, true);
        flaw_simulated_release(&s);
    }
    assert_in_range(second, 30, 70);
    assert_in_range(left, 40, 110);
    flaw_picture_release(&p);
}

/* A change in what is background in both pictures is no anomaly. */
static void background_is_not_labelled(void **state)
{
    flaw_picture p = disc(160, 160), source = disc(160, 160);
    for (int i = 0; i < 160 * 160; i++) /* another black */
        if (!on_disc(&source, i % 160, i / 160)) memset(source.rgb + 3 * i, 30, 3);
    flaw_simulate_preset preset = find("hazelnut", &p);
    preset.slope = 1;
    preset.middle = 2;
    for (unsigned long long stream = 0; stream < 20; stream++) {
        flaw_simulated s = simulate(&p, &source, &preset, FLAW_BLEND_PASTE, 1, stream);
        int wrong = 0, marked = 0;
        for (int y = 0; y < 160; y++)
            for (int x = 0; x < 160; x++) {
                bool mask = s.label[y * 160 + x] > 0.3f;
                marked += mask;
                wrong += mask && hypot(x - 80, y - 80) > 56 && change_at(&s.picture, &p, x, y) == 66;
            }
        assert_int_equal(s.patches, 1);
        assert_true(marked > 0 && wrong <= marked / 10); /* the object's outline is found to a few pixels */
        flaw_simulated_release(&s);
    }
    flaw_picture_release(&p);
    flaw_picture_release(&source);
}

static void nothing_shows_on_one_colour(void **state)
{
    flaw_picture p = blank(100, 80);
    memset(p.rgb, 90, 3 * 100 * 80);
    flaw_simulated s = simulate(&p, NULL, NULL, FLAW_BLEND_POISSON, 4, 1);
    assert_int_equal(s.patches, 0);
    check_result(&s, &p, true);
    flaw_simulated_release(&s);
    flaw_picture source = noise(100, 80, 1); /* but a piece of another picture does */
    s = simulate(&p, &source, NULL, FLAW_BLEND_POISSON, 1, 1);
    assert_int_equal(s.patches, 1);
    check_result(&s, &p, true);
    flaw_simulated_release(&s);
    flaw_picture_release(&source);
    flaw_picture_release(&p);
}

static void hostile_sizes(void **state)
{
    static const int sizes[][2] = {{1, 1},    {2, 2}, {1, 300}, {300, 1}, {3, 2000},
                                   {2000, 3}, {4, 4}, {5, 7},   {9, 9},   {700, 12}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            for (unsigned long long stream = 0; stream < 2; stream++) {
                flaw_picture p = noise(sizes[i][0], sizes[i][1], i), source = noise(sizes[k][0], sizes[k][1], k + 50);
                flaw_simulated s = simulate(&p, &source, NULL, FLAW_BLEND_POISSON, 4, stream);
                check_result(&s, &p, true);
                if (sizes[i][0] < 5 || sizes[i][1] < 5) assert_int_equal(s.patches, 0);
                flaw_simulated_release(&s);
                flaw_picture_release(&p);
                flaw_picture_release(&source);
            }
}

static void random_presets(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 11, 0);
    int placed = 0;
    for (unsigned long long stream = 0; stream < 60; stream++) {
        int width = 5 + flaw_random_below(&r, 120), height = 5 + flaw_random_below(&r, 120);
        flaw_picture p = stream % 3 ? noise(width, height, stream) : disc(width, height), source = noise(40, 90, 5);
        double low_x = 0.001 + 0.9 * flaw_random_uniform(&r), low_y = 0.001 + 0.9 * flaw_random_uniform(&r);
        flaw_simulate_preset preset = {.name = "any",
                                       .width_low = low_x,
                                       .width_high = flaw_random_range(&r, low_x, 1),
                                       .height_low = low_y,
                                       .height_high = flaw_random_range(&r, low_y, 1),
                                       .slope = 0.01 + flaw_random_uniform(&r),
                                       .middle = 60 * flaw_random_uniform(&r),
                                       .background = flaw_random_below(&r, 258) - 2,
                                       .tolerance = flaw_random_below(&r, 256),
                                       .resize_low = 0.01 + flaw_random_uniform(&r),
                                       .resize_high = 1.2 + 10 * flaw_random_uniform(&r),
                                       .least_object = 0.9 * flaw_random_uniform(&r)};
        flaw_simulated s = simulate(&p, stream % 2 ? &source : NULL, &preset,
                                    stream % 4 ? FLAW_BLEND_POISSON : FLAW_BLEND_PASTE, 4, stream);
        check_result(&s, &p, stream % 4 != 0);
        placed += s.patches;
        flaw_simulated_release(&s);
        flaw_picture_release(&p);
        flaw_picture_release(&source);
    }
    assert_true(placed > 10);
}

static void refusals(void **state)
{
    flaw_picture p = noise(40, 40, 1);
    flaw_error err;
    flaw_simulated s = {0};
    for (int i = 0; i < 14; i++) {
        flaw_simulate_preset preset = find("bottle", NULL);
        flaw_simulate_options options = {.preset = &preset};
        const char *word = "allowed";
        if (i == 0) options.most_patches = 5, word = "1 .. 4";
        if (i == 1) options.most_patches = -1;
        if (i == 2) preset.width_low = 0.5;
        if (i == 3) preset.width_high = NAN;
        if (i == 4) preset.height_high = 1.5;
        if (i == 5) preset.height_low = 0;
        if (i == 6) preset.resize_low = -1;
        if (i == 7) preset.resize_high = INFINITY;
        if (i == 8) preset.slope = NAN;
        if (i == 9) preset.middle = 256;
        if (i == 10) preset.background = 256;
        if (i == 11) preset.background = -3;
        if (i == 12) preset.tolerance = -1;
        if (i == 13) preset.least_object = 1;
        assert_int_equal(flaw_simulate(&s, &p, NULL, &options, &err), FLAW_USAGE);
        assert_contains(err.text, word);
        assert_null(s.label);
    }
    flaw_simulated_release(&s);
    flaw_picture_release(&p);
}

/* Figures of the table by which AnomalyGPT was trained, from its description. */
static void presets_of_the_data_sets(void **state)
{
    static const char *const names[] = {
        "bottle",     "cable", "capsule",    "carpet",     "grid", "hazelnut", "leather", "metal_nut", "pill",
        "screw",      "tile",  "toothbrush", "transistor", "wood", "zipper",   "candle",  "capsules",  "cashew",
        "chewinggum", "fryum", "macaroni1",  "macaroni2",  "pcb1", "pcb2",     "pcb3",    "pcb4",      "pipe_fryum"};
    assert_int_equal(flaw_simulate_preset_count(), 27);
    assert_null(flaw_simulate_preset_at(-1));
    assert_null(flaw_simulate_preset_at(27));
    for (size_t i = 0; i < 27; i++) {
        flaw_simulate_preset preset = find(names[i], NULL);
        assert_string_equal(preset.name, flaw_simulate_preset_at((int)i)->name);
    }
    static const struct {
        const char *name;
        double width_low, width_high, height_high, slope, middle, resize_high;
        int background, tolerance;
    } rows[] = {
        {"Metal Nut", 0.03, 0.4, 0.4, 1. / 3, 7, 1.3, 20, 20},   {"capsule", 0.03, 0.15, 0.4, 0.5, 4, 1.3, 200, 60},
        {"cable", 0.05, 0.4, 0.4, 1. / 12, 24, 1.3, -1, 0},      {"screw", 0.03, 0.12, 0.12, 1, 3, 1.3, 200, 60},
        {"toothbrush", 0.03, 0.4, 0.2, 1. / 6, 15, 1.3, 20, 20}, {"carpet", 0.03, 0.4, 0.4, 1. / 3, 7, 2, -1, 0},
        {"wood", 0.03, 0.4, 0.4, 1. / 6, 15, 2, -1, 0},          {"pcb4", 0.03, 0.4, 0.4, 1. / 12, 24, 2, -1, 0},
        {"hazelnut", 0.03, 0.35, 0.35, 1. / 12, 24, 1.3, 20, 20}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        flaw_simulate_preset o = find(rows[i].name, NULL);
        assert_true(o.width_low == rows[i].width_low && o.width_high == rows[i].width_high &&
                    o.height_high == rows[i].height_high);
        assert_true(o.slope == rows[i].slope && o.middle == rows[i].middle && o.resize_high == rows[i].resize_high);
        assert_true(o.background == rows[i].background && o.tolerance == rows[i].tolerance && o.least_object == 0);
    }
}

static void presets_from_pictures(void **state)
{
    flaw_picture p = disc(200, 200), yellow = disc(200, 200), surface = scene("leather", 1, 200);
    for (int i = 0; i < 200 * 200; i++)
        if (!on_disc(&yellow, i % 200, i / 200)) memcpy(yellow.rgb + 3 * i, (uint8_t[]){220, 210, 50}, 3);
    flaw_simulate_preset o = find("thingamajig", &p);
    assert_string_equal(o.name, "auto");
    assert_int_equal(o.background, FLAW_BACKGROUND_GUESSED);
    assert_true(o.width_high > 0.24 && o.width_high < 0.31); /* half of a disc of 0.6, outermost pixels aside */
    assert_true(o.height_high > 0.24 && o.height_high < 0.31);
    assert_true(o.middle > 10 && o.middle <= 24);
    o = find("nothing known", &surface);
    assert_int_equal(o.background, FLAW_BACKGROUND_NONE);
    assert_true(o.width_high == 0.4 && o.resize_high == 2);
    assert_true(fabs(o.middle - 7) < 2); /* the table's for leather */
    o = find("hazelnut", &p);
    assert_true(o.background == 20 && o.width_high == 0.35);
    o = find("hazelnut", &yellow); /* not the data set's background */
    assert_string_equal(o.name, "hazelnut");
    assert_true(o.background == FLAW_BACKGROUND_GUESSED && o.least_object > 0 && o.width_high < 0.35);
    o = find(NULL, NULL);
    assert_true(o.background == FLAW_BACKGROUND_NONE && o.slope > 0);
    flaw_picture_release(&p);
    flaw_picture_release(&yellow);
    flaw_picture_release(&surface);
}

static void questions(void **state)
{
    char text[512], small[10];
    static const char *const asked = "Is there any anomaly in the image?";
    for (int i = 0; i < flaw_simulate_preset_count(); i++) {
        flaw_simulate_question(text, sizeof text, flaw_simulate_preset_at(i)->name);
        assert_contains(text, "This is a photo of ");
        assert_contains(text, " for anomaly detection");
        assert_contains(text, "damage, flaw, defect, scratch, hole or broken part");
        assert_string_equal(text + strlen(text) - strlen(asked) - 2, ". Is there any anomaly in the image?");
        assert_null(strstr(text, "  "));
        assert_null(strstr(text, "gom"));
        assert_null(strstr(text, "fliped"));
    }
    flaw_simulate_question(text, sizeof text, "metal_nut");
    assert_string_equal(
        text, "This is a photo of a metal nut for anomaly detection, which should be without any damage, flaw, "
              "defect, scratch, hole or broken part, and shouldn't be flipped. Is there any anomaly in the image?");
    flaw_simulate_question(text, sizeof text, "oil filter");
    assert_string_equal(
        text, "This is a photo of an oil filter for anomaly detection, which should be without any damage, flaw, "
              "defect, scratch, hole or broken part. Is there any anomaly in the image?");
    flaw_simulate_question(text, sizeof text, NULL);
    assert_contains(text, "a photo of an object for");
    flaw_simulate_question(small, sizeof small, "bolt");
    assert_string_equal(small, "This is a");
}

static void answers(void **state)
{
    char text[512], small[8];
    const char *places[] = {"top left", "center", "top left", "bottom"};
    static const char *const expected[] = {
        "No, there is no anomaly in the image.", "Yes, there is an anomaly in the image, at the top left of the image.",
        "Yes, there are 2 anomalies in the image, they are at the top left and center of the image.",
        "Yes, there are 3 anomalies in the image, they are at the top left and center of the image.",
        "Yes, there are 4 anomalies in the image, they are at the top left, center and bottom of the image."};
    for (int count = 0; count <= 4; count++) {
        flaw_simulate_answer(text, sizeof text, count, places);
        assert_string_equal(text, expected[count]);
    }
    places[1] = "top left";
    flaw_simulate_answer(text, sizeof text, 2, places);
    assert_string_equal(text, "Yes, there are 2 anomalies in the image, they are at the top left of the image.");
    flaw_simulate_answer(small, sizeof small, 2, places);
    assert_string_equal(small, "Yes, th");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_follow_the_rule),
        cmocka_unit_test(both_blends_have_the_same_patches),
        cmocka_unit_test(patches_lie_on_the_object),
        cmocka_unit_test(background_is_not_labelled),
        cmocka_unit_test(nothing_shows_on_one_colour),
        cmocka_unit_test(hostile_sizes),
        cmocka_unit_test(random_presets),
        cmocka_unit_test(refusals),
        cmocka_unit_test(presets_of_the_data_sets),
        cmocka_unit_test(presets_from_pictures),
        cmocka_unit_test(questions),
        cmocka_unit_test(answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
