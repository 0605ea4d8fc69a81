/* The reference gives the same bits on every kind of machine: what is not taken from the C library's mathematics is
 * hashed and compared with numbers that x86-64 and aarch64 share. A compiler that fuses a b + c into one rounding, or another
 * order of a sum, would change them. */
#include "levels.h"
#include "weights_random.h"

enum { ROWS = 13, WIDTH = 83, DEPTH = 70 };

/* FNV-1a. */
static uint64_t hash_of(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) h = (h ^ at[i]) * 0x100000001b3u;
    return h;
}

static void check(const char *what, const void *bytes, size_t size, uint64_t want)
{
    uint64_t found = hash_of(bytes, size);
    if (found != want)
        fail_msg("%s: hash %#llx, expected %#llx", what, (unsigned long long)found, (unsigned long long)want);
}

#define CHECK(what, array, count, want) check(what, array, (size_t)(count) * sizeof *(array), want)

/* In [-2, 2), from whole numbers only: logarithms and cosines may differ from library to library. */
static float *numbers(flaw_random *r, int n)
{
    float *x = array_new((size_t)n);
    for (int i = 0; i < n; i++) x[i] = (float)((int32_t)(flaw_random_u64(r) >> 32)) * 0x1p-30f;
    return x;
}

static void test_product_bits(void **state)
{
    static const uint64_t want[FLAW_PRECISIONS] = {0x40b10f6e7fee18cf, 0x10057a400d8dfd37, 0xee0e0cfa07680ae1};
    static const char *const name[FLAW_PRECISIONS] = {"float32 product", "bf16 product", "int8 product"};
    const flaw_kernels *k = flaw_kernels_select(FLAW_LEVEL_REF);
    flaw_random r;
    flaw_random_init(&r, 31, 0);
    float *a = numbers(&r, ROWS * DEPTH), *b = numbers(&r, DEPTH * WIDTH), *bias = numbers(&r, WIDTH);
    float *c = array_new(ROWS * WIDTH);
    for (int prec = 0; prec < FLAW_PRECISIONS; prec++) {
        void *packed = room_new(k->pack_size((flaw_precision)prec, DEPTH, WIDTH));
        void *scratch = room_new(k->product_scratch((flaw_precision)prec, DEPTH));
        k->pack((flaw_precision)prec, DEPTH, WIDTH, b, WIDTH, 1, packed);
        flaw_product p = {.m = ROWS, .n = WIDTH, .k = DEPTH, .a = a, .a_row = DEPTH, .a_col = 1, .b = packed, .c = c,
                          .c_row = WIDTH, .bias = bias};
        k->product((flaw_precision)prec, &p, 0, ROWS, 0, WIDTH, scratch);
        CHECK(name[prec], c, ROWS * WIDTH, want[prec]);
        free(packed);
        free(scratch);
    }
    array_free(a);
    array_free(b);
    array_free(bias);
    array_free(c);
}

static void test_row_bits(void **state)
{
    enum { N = ROWS * WIDTH, HALF = WIDTH / 2 };
    const flaw_kernels *k = flaw_kernels_select(FLAW_LEVEL_REF);
    flaw_random r;
    flaw_random_init(&r, 32, 0);
    float *x = numbers(&r, N), *w = numbers(&r, WIDTH), *b = numbers(&r, WIDTH), *dy = numbers(&r, N);
    float *y = array_new(N), *mean = array_new(ROWS), *rstd = array_new(ROWS), *sums = array_new(WIDTH);
    k->layer_norm(ROWS, WIDTH, 1e-5f, x, w, b, y, mean, rstd);
    CHECK("layer norm", y, N, 0x44da89b1030b9654);
    k->layer_norm_backward(ROWS, WIDTH, x, w, mean, rstd, dy, y, b, w);
    CHECK("gradient of the layer norm", y, N, 0x7c195a7b28eec5b4);
    k->rms_norm(ROWS, WIDTH, 1e-5f, x, w, y, rstd);
    CHECK("RMS norm", y, N, 0xa1fbd609cf488f55);
    k->rotate(ROWS, 1, 2 * HALF, true, false, dy, y, WIDTH);
    CHECK("rotary positions", y, N, 0x6919637f9f93b16e);
    memset(sums, 0, WIDTH * sizeof *sums);
    k->column_sum(ROWS, WIDTH, y, WIDTH, sums);
    CHECK("sums of columns", sums, WIDTH, 0x9406cfe66e585873);
    array_free(x);
    array_free(w);
    array_free(b);
    array_free(dy);
    array_free(y);
    array_free(mean);
    array_free(rstd);
    array_free(sums);
}

static void test_array_bits(void **state)
{
    enum { N = 777 };
    const flaw_kernels *k = flaw_kernels_select(FLAW_LEVEL_REF);
    const flaw_adamw step = {.rate = 0.01f, .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .decay = 0.05f,
                             .correct1 = 10.0f, .correct2 = 20.0f, .grad_scale = 0.5f};
    flaw_random r;
    flaw_random_init(&r, 33, 0);
    float *x = numbers(&r, N), *y = numbers(&r, N), *m = numbers(&r, N), *v = numbers(&r, N), dot = k->dot(N, x, y);
    CHECK("dot", &dot, 1, 0x857beb1606f2b954);
    k->axpy(N, 0.3f, x, y);
    CHECK("axpy", y, N, 0xfdbfca850bfc959b);
    for (int i = 0; i < N; i++) v[i] *= v[i];
    k->adamw(&step, N, x, y, m, v);
    CHECK("AdamW", x, N, 0x43d0204db23d354e);
    array_free(x);
    array_free(y);
    array_free(m);
    array_free(v);
}

/* Steps of every kind at random; the scales of F16 and the values of plain types are moderate numbers. */
static void fill_weights(flaw_random *r, flaw_weight_type type, size_t n, uint8_t *out)
{
    size_t size = flaw_weight_row_bytes(type, n), block = flaw_weight_block_bytes(type);
    for (size_t i = 0; i < size; i++) out[i] = (uint8_t)flaw_random_u64(r);
    for (size_t i = 0; i < size; i += block) {
        size_t at[] = {i + (type == FLAW_WEIGHT_Q6_K ? 208 : 0), i + 2};
        float x = (float)flaw_random_below(r, 4001) * 0x1p-11f - 1.0f;
        uint16_t half = flaw_half_from_float(x);
        if (type == FLAW_WEIGHT_F32) memcpy(out + i, &x, sizeof x);
        else if (type == FLAW_WEIGHT_BF16) memcpy(out + i, (uint8_t *)&x + 2, 2);
        else for (int j = 0; j < (type == FLAW_WEIGHT_Q4_1 || type == FLAW_WEIGHT_Q4_K ? 2 : 1); j++)
            memcpy(out + at[j], &half, sizeof half);
    }
}

static void test_weight_bits(void **state)
{
    enum { N = 768 };
    static const uint64_t want[FLAW_WEIGHT_TYPES][2] = {
        {0xd0a6a7bb4597b7c8, 0x4d15e1c7957e6844}, {0x14389c83e023588f, 0x6cdb8516c9515bfb},
        {0xc47f1a05c4cda4b3, 0xa78ed626f1b52205}, {0x62da25b04087cb9, 0xfa75a72715378942},
        {0xd6391f8f37b449d0, 0xe525e49f28c304ac}, {0x400a83b513cbc3d, 0x17eb3b4bd90882df},
        {0xed801b3ca2276af5, 0x4430a124088e19df}, {0xa0b9e5e8661e97ae, 0x58064854f5fc878d},
    };
    flaw_random r;
    flaw_random_init(&r, 34, 0);
    float *x = numbers(&r, N), *out = array_new(N);
    for (int t = 0; t < FLAW_WEIGHT_TYPES; t++) {
        uint8_t row[N * sizeof(float)];
        float y;
        fill_weights(&r, (flaw_weight_type)t, N, row);
        flaw_weight_unpack((flaw_weight_type)t, N, row, out);
        CHECK(flaw_weight_name((flaw_weight_type)t), out, N, want[t][0]);
        flaw_weight_product p = {.type = (flaw_weight_type)t, .n = N, .w = row, .rows = 1, .vectors = 1, .x = x,
                                 .x_row = N, .y = &y, .y_row = 1};
        flaw_kernels_select(FLAW_LEVEL_REF)->weight_product(&p);
        if (t <= FLAW_WEIGHT_Q4_1) flaw_weight_pack((flaw_weight_type)t, N, x, row);
        uint64_t both[2] = {hash_of(&y, sizeof y), hash_of(row, flaw_weight_row_bytes((flaw_weight_type)t, N))};
        CHECK(flaw_weight_name((flaw_weight_type)t), both, 2, want[t][1]);
    }
    array_free(x);
    array_free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product_bits),
        cmocka_unit_test(test_row_bits),
        cmocka_unit_test(test_array_bits),
        cmocka_unit_test(test_weight_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
