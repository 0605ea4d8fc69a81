/* Preprocessing of CLIP on real pictures: shortest edge to 96 (bicubic), centre crop, scaled and normalised as the
 * reference does, within 1e-6. Needs ../shared. */
#include "check.h"

#include <math.h>

#include "image/resize.h"

enum { SIDE = 96 };

/* Floats of tensor `name` of a safetensors file: the header is JSON after eight bytes of its length. */
static const float *find_tensor(const flaw_bytes *file, const char *name, size_t count)
{
    uint64_t header;
    unsigned long long begin, end;
    char key[128];
    memcpy(&header, file->data, 8);
    snprintf(key, sizeof key, "\"%s\"", name);
    const char *at = strstr((const char *)file->data + 8, key);
    assert_non_null(at);
    at = strstr(at, "\"data_offsets\":");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"data_offsets\":[%llu,%llu]", &begin, &end), 2);
    assert_true(end - begin == count * sizeof(float) && 8 + header + end <= file->size);
    return (const float *)(const void *)(file->data + 8 + header + begin);
}

/* torchvision: long side int(96 * long / short); crop from round((size - 96) / 2), halves to even. */
static flaw_picture prepare(const flaw_picture *in)
{
    int shortest = in->width < in->height ? in->width : in->height;
    int w = (int)((double)SIDE * in->width / shortest), h = (int)((double)SIDE * in->height / shortest);
    flaw_box part = {(int)nearbyint((w - SIDE) / 2.0), (int)nearbyint((h - SIDE) / 2.0), SIDE, SIDE};
    flaw_picture out;
    assert_int_equal(flaw_picture_resize_part(&out, in, w, h, part, FLAW_FILTER_BICUBIC, NULL), FLAW_OK);
    return out;
}

static void check_picture(const char *folder, const char *name, const flaw_bytes *expected)
{
    static const float MEAN[3] = {0.48145466f, 0.4578275f, 0.40821073f};
    static const float STD[3] = {0.26862954f, 0.26130258f, 0.27577711f};
    char path[1200], tensor[64];
    flaw_picture picture;
    flaw_error err;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (flaw_picture_read(&picture, path, &err) != FLAW_OK) fail_msg("%s", err.text);
    flaw_picture crop = prepare(&picture);
    snprintf(tensor, sizeof tensor, "%s.pixels", name);
    const float *want = find_tensor(expected, tensor, 3 * SIDE * SIDE);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        int c = i / (SIDE * SIDE), at = i % (SIDE * SIDE);
        float value = ((float)crop.rgb[3 * at + c] / 255.0f - MEAN[c]) / STD[c], wanted;
        memcpy(&wanted, want + i, sizeof wanted); /* tensors need not lie aligned */
        if (!(fabsf(value - wanted) <= 1e-6f)) fail_msg("%s: pixel %d is %g, not %g", name, i, value, wanted);
    }
    flaw_picture_release(&crop);
    flaw_picture_release(&picture);
}

static void test_clip_small(void **state)
{
    const char *shared = getenv("FLAW_SHARED");
    char folder[1024], path[1100];
    snprintf(folder, sizeof folder, "%s/golden/clip-small", shared ? shared : "");
    snprintf(path, sizeof path, "%s/expected.safetensors", folder);
    if (!shared || !flaw_file_exists(path)) {
        print_message("the reference results of golden/clip-small are not here (FLAW_SHARED): skipped\n");
        skip();
    }
    flaw_bytes expected;
    assert_int_equal(flaw_file_read(&expected, path, 1 << 30, NULL), FLAW_OK);
    check_picture(folder, "wide.png", &expected);
    check_picture(folder, "tall.png", &expected);
    check_picture(folder, "grey.png", &expected);
    flaw_bytes_release(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clip_small)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
