/* Compact weights: packing within half a step, products of every level against sums in double over the unpacked row,
 * and the same bits however rows and vectors are cut into calls. */
#include "levels.h"
#include "weights_random.h"

static void test_sizes(void **state)
{
    static const struct {
        flaw_weight_type type;
        const char *name;
        size_t block, bytes;
    } want[] = {{FLAW_WEIGHT_F32, "F32", 1, 4},      {FLAW_WEIGHT_F16, "F16", 1, 2},      {FLAW_WEIGHT_BF16, "BF16", 1, 2},
                {FLAW_WEIGHT_Q8_0, "Q8_0", 32, 34},  {FLAW_WEIGHT_Q4_0, "Q4_0", 32, 18},  {FLAW_WEIGHT_Q4_1, "Q4_1", 32, 20},
                {FLAW_WEIGHT_Q4_K, "Q4_K", 256, 144}, {FLAW_WEIGHT_Q6_K, "Q6_K", 256, 210}};
    assert_int_equal(sizeof want / sizeof want[0], FLAW_WEIGHT_TYPES);
    for (size_t i = 0; i < FLAW_WEIGHT_TYPES; i++) {
        assert_string_equal(flaw_weight_name(want[i].type), want[i].name);
        assert_int_equal(flaw_weight_block(want[i].type), want[i].block);
        assert_int_equal(flaw_weight_block_bytes(want[i].type), want[i].bytes);
        assert_int_equal(flaw_weight_row_bytes(want[i].type, 512), 512 / want[i].block * want[i].bytes);
    }
}

/* Largest distance of x and what packing makes of it. */
static double packing_error(flaw_weight_type type, size_t n, const float *x, double *square)
{
    uint8_t *row = malloc(flaw_weight_row_bytes(type, n) + 1);
    float *back = array_new(n);
    double most = 0.0;
    *square = 0.0;
    flaw_weight_pack(type, n, x, row + 1);
    flaw_weight_unpack(type, n, row + 1, back);
    for (size_t i = 0; i < n; i++) {
        double off = fabs((double)x[i] - (double)back[i]);
        most = fmax(most, off);
        *square += off * off;
    }
    array_free(back);
    free(row);
    return most;
}

/* Every block of values: half a step of the block's range, and what F16 rounding of the scale adds. */
static void test_packing(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 21, 0);
    for (int trial = 0; trial < 400; trial++) {
        double size = pow(10.0, flaw_random_range(&r, -3.0, 3.0)), square;
        float *x = array_random(&r, 32, size), shift = (float)(flaw_random_range(&r, -4.0, 4.0) * size);
        for (int i = 0; i < 32; i++) x[i] += shift;
        double top = 0.0, least = (double)x[0], most = (double)x[0];
        for (int i = 0; i < 32; i++) {
            top = fmax(top, fabs((double)x[i]));
            least = fmin(least, (double)x[i]);
            most = fmax(most, (double)x[i]);
        }
        double half = 0x1p-11, tiny = 0x1p-24; /* relative and absolute error of an F16 */
        assert_true(packing_error(FLAW_WEIGHT_F32, 32, x, &square) == 0.0);
        assert_true(packing_error(FLAW_WEIGHT_F16, 32, x, &square) <= top * half + tiny);
        assert_true(packing_error(FLAW_WEIGHT_BF16, 32, x, &square) <= top * 0x1p-8);
        assert_true(packing_error(FLAW_WEIGHT_Q8_0, 32, x, &square) <= top / 127.0 * 0.52 + top * half + 128.0 * tiny);
        assert_true(packing_error(FLAW_WEIGHT_Q4_0, 32, x, &square) <= top / 8.0 * 1.01 + 9.0 * tiny);
        double bound = (most - least) / 15.0 * 0.51 + top * half * 2.0 + 16.0 * tiny;
        packing_error(FLAW_WEIGHT_Q4_1, 32, x, &square); /* single values may be off further, the sum is not */
        assert_true(square <= 32.0 * bound * bound);
        array_free(x);
    }
}

/* Values that a type holds exactly come back as they were. */
static void test_packing_exact(void **state)
{
    static const float flat[32] = {0}; /* and below: what lies on the steps of each type */
    float x[32];
    double square;
    for (int t = FLAW_WEIGHT_F32; t <= FLAW_WEIGHT_Q4_1; t++) {
        assert_true(packing_error((flaw_weight_type)t, 32, flat, &square) == 0.0);
        float d = t == FLAW_WEIGHT_Q8_0 ? 0.25f : 0.5f;
        for (int i = 0; i < 32; i++) x[i] = d * (float)(t == FLAW_WEIGHT_Q8_0 ? i * 8 - 127 : i % 16 - 8);
        if (t == FLAW_WEIGHT_Q8_0) x[31] = 127.0f * d;
        assert_true(packing_error((flaw_weight_type)t, 32, x, &square) == 0.0);
    }
    for (int i = 0; i < 32; i++) x[i] = 3.75f; /* one value only, away from 0 */
    assert_true(packing_error(FLAW_WEIGHT_Q4_1, 32, x, &square) == 0.0);
    for (int i = 0; i < 32; i++) x[i] = i % 2 ? 3e38f : -3e38f; /* beyond the scale: the largest values, still finite */
    for (int t = FLAW_WEIGHT_Q8_0; t <= FLAW_WEIGHT_Q4_1; t++)
        assert_true(isfinite(packing_error((flaw_weight_type)t, 32, x, &square)));
}

/* On average the search of Q4_1 is better than the plain range. */
static void test_q4_1_search(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 22, 0);
    double plain = 0.0, searched = 0.0;
    for (int trial = 0; trial < 200; trial++) {
        float *x = array_random(&r, 32, 1.0), least = x[0], most = x[0];
        double square;
        for (int i = 1; i < 32; i++) {
            least = fminf(least, x[i]);
            most = fmaxf(most, x[i]);
        }
        packing_error(FLAW_WEIGHT_Q4_1, 32, x, &square);
        searched += square;
        for (int i = 0; i < 32; i++) {
            float d = (most - least) / 15.0f, off = least + d * roundf((x[i] - least) / d) - x[i];
            plain += (double)off * (double)off;
        }
        array_free(x);
    }
    if (!(searched < 0.9 * plain)) fail_msg("squares %g, of the plain range %g", searched, plain);
}

/* Each level's unpacking gives the reference's bits. */
static void test_unpack(void **state)
{
    levels all = levels_here();
    flaw_random r;
    flaw_random_init(&r, 23, 0);
    for (int t = 0; t < FLAW_WEIGHT_TYPES; t++) {
        flaw_weight_type type = (flaw_weight_type)t;
        for (int blocks = 1; blocks < 40; blocks += 1 + blocks / 3) {
            size_t n = (size_t)blocks * flaw_weight_block(type), bytes = flaw_weight_row_bytes(type, n);
            uint8_t *row = malloc(bytes); /* exactly: a sanitizer sees what is read beyond */
            float *want = array_new(n), *got = array_new(n);
            weights_random(&r, type, 1, n, row);
            flaw_weight_unpack(type, n, row, want);
            for (int l = 0; l < all.count; l++) {
                all.table[l]->weight_unpack(type, n, row, got);
                if (!same_bits(got, want, n)) fail_msg("%s: %s of %zu", all.table[l]->name, flaw_weight_name(type), n);
            }
            free(row);
            array_free(want);
            array_free(got);
        }
    }
}

typedef struct problem {
    flaw_weight_type type;
    int n, rows, vectors, x_row;
    uint8_t *w;
    float *x;
} problem;

static void run(const flaw_kernels *k, bool digits, const problem *q, int row, int rows, int vector, int vectors, float *y,
                int y_row)
{
    flaw_weight_product p = {.type = q->type,
                             .n = q->n,
                             .w = q->w + (size_t)row * flaw_weight_row_bytes(q->type, (size_t)q->n),
                             .rows = rows,
                             .vectors = vectors,
                             .x = q->x + vector * q->x_row,
                             .x_row = q->x_row,
                             .y = y,
                             .y_row = y_row};
    if (!digits) {
        k->weight_product(&p);
        return;
    }
    p.digits_size = k->weight_digits->size(q->n);
    uint8_t *room = room_new((size_t)vectors * p.digits_size);
    for (int t = 0; t < vectors; t++)
        k->weight_digits->prepare(q->n, p.x + t * p.x_row, room + (size_t)t * p.digits_size);
    p.digits = room;
    k->weight_digits->product(&p);
    free(room);
}

static void check_product(const flaw_kernels *k, bool digits, const problem *q)
{
    float *y = array_new((size_t)(q->rows * q->vectors)), *w = array_new((size_t)q->n), one;
    run(k, digits, q, 0, q->rows, 0, q->vectors, y, q->rows);
    for (int r = 0; r < q->rows; r++) {
        flaw_weight_unpack(q->type, (size_t)q->n, q->w + (size_t)r * flaw_weight_row_bytes(q->type, (size_t)q->n), w);
        for (int t = 0; t < q->vectors; t++) {
            double want = 0.0, size = 0.0;
            for (int i = 0; i < q->n; i++) {
                double each = (double)w[i] * (double)q->x[t * q->x_row + i];
                want += each;
                size += fabs(each);
            }
            /* Types with offsets sum steps and offsets apart, each larger than the weights. */
            double bound = 16.0 * EPS * size * sqrt((double)q->n) * (q->type >= FLAW_WEIGHT_Q4_0 ? 4.0 : 1.0) + 1e-30;
            if (!(fabs((double)y[t * q->rows + r] - want) <= bound))
                fail_msg("%s: %s [%d, %d] row %d of %d: %.9g, expected %.9g", k->name, flaw_weight_name(q->type), q->rows,
                         q->n, r, t, (double)y[t * q->rows + r], want);
            run(k, digits, q, r, 1, t, 1, &one, 1);
            assert_true(same_bits(&one, y + t * q->rows + r, 1));
        }
    }
    array_free(y);
    array_free(w);
}

static void test_product(void **state)
{
    levels all = levels_here();
    flaw_random r;
    flaw_random_init(&r, 24, 0);
    for (int t = 0; t < FLAW_WEIGHT_TYPES; t++) {
        for (int trial = 0; trial < 24; trial++) {
            problem q = {.type = (flaw_weight_type)t, .vectors = dice(&r, 1, FLAW_WEIGHT_VECTORS)};
            int block = (int)flaw_weight_block(q.type);
            q.n = block * dice(&r, 1, block == 1 ? 150 : 512 / block);
            q.rows = trial < 12 ? trial + 1 : dice(&r, 1, 40);
            q.x_row = q.n + dice(&r, 0, 5);
            q.w = malloc((size_t)q.rows * flaw_weight_row_bytes(q.type, (size_t)q.n));
            q.x = array_random(&r, (size_t)(q.vectors * q.x_row), 1.0);
            weights_random(&r, q.type, (size_t)q.rows, (size_t)q.n, q.w);
            for (int l = 0; l < all.count; l++) {
                check_product(all.table[l], false, &q);
                if (all.table[l]->weight_digits && block > 1) check_product(all.table[l], true, &q);
            }
            free(q.w);
            array_free(q.x);
        }
    }
}

/* One call of many vectors; rows `row` on, vectors `vector` on. */
static void run_many(const flaw_weight_many *k, const problem *q, int row, int rows, int vector, int vectors, float *y,
                     int y_row)
{
    const int each = k->bundle(vectors);
    const size_t size = k->size(q->n), bundles = (size_t)((vectors + each - 1) / each);
    uint8_t *digits = room_new(bundles * size), *scratch = room_new(k->scratch(rows, vectors));
    for (int t = 0; t < vectors; t += each)
        k->prepare(q->n, vectors - t < each ? vectors - t : each, q->x + (vector + t) * q->x_row, q->x_row,
                   digits + (size_t)(t / each) * size);
    const flaw_weight_product p = {.type = q->type,
                                   .n = q->n,
                                   .w = q->w + (size_t)row * flaw_weight_row_bytes(q->type, (size_t)q->n),
                                   .rows = rows,
                                   .vectors = vectors,
                                   .digits = digits,
                                   .digits_size = size,
                                   .y = y,
                                   .y_row = y_row};
    k->product(&p, scratch);
    free(digits);
    free(scratch);
}

/* Each number of a vector is off by at most half of 1 / 32767 of the largest of its 128. */
static void check_many(const flaw_weight_many *k, const problem *q)
{
    float *y = array_new((size_t)(q->rows * q->vectors)), *w = array_new((size_t)q->n), one;
    run_many(k, q, 0, q->rows, 0, q->vectors, y, q->rows);
    for (int r = 0; r < q->rows; r++) {
        flaw_weight_unpack(q->type, (size_t)q->n, q->w + (size_t)r * flaw_weight_row_bytes(q->type, (size_t)q->n), w);
        for (int t = 0; t < q->vectors; t++) {
            double want = 0.0, size = 0.0, off = 0.0;
            for (int i = 0; i < q->n; i++) {
                const float *x = q->x + t * q->x_row;
                double top = 0.0;
                for (int j = i / 128 * 128; j < i / 128 * 128 + 128 && j < q->n; j++) top = fmax(top, fabs((double)x[j]));
                want += (double)w[i] * (double)x[i];
                size += fabs((double)w[i] * (double)x[i]);
                off += fabs((double)w[i]) * top * 0.51 / 32767.0;
            }
            if (!(fabs((double)y[t * q->rows + r] - want) <= off + 1e-5 * size))
                fail_msg("%s [%d, %d] row %d of %d: %.9g, expected %.9g", flaw_weight_name(q->type), q->rows, q->n, r, t,
                         (double)y[t * q->rows + r], want);
        }
    }
    for (int i = 0; i < 5; i++) { /* whatever is computed beside it */
        int r = (q->rows - 1) * i / 4, t = (q->vectors - 1) * (4 - i) / 4;
        run_many(k, q, r, 1, t, 1, &one, 1);
        assert_true(same_bits(&one, y + t * q->rows + r, 1));
    }
    array_free(y);
    array_free(w);
}

static void test_many(void **state)
{
    levels all = levels_here();
    flaw_random r;
    flaw_random_init(&r, 25, 0);
    for (int l = 0; l < all.count; l++) {
        const flaw_weight_many *k = all.table[l]->weight_many;
        for (int t = 0; k && t < FLAW_WEIGHT_TYPES; t++) {
            for (int trial = 0; k->reads[t] && trial < 24; trial++) {
                problem q = {.type = (flaw_weight_type)t, .vectors = dice(&r, 1, 20), .rows = dice(&r, 1, 70)};
                q.n = (int)flaw_weight_block(q.type) * dice(&r, 1, 512 / (int)flaw_weight_block(q.type));
                q.x_row = q.n + dice(&r, 0, 5);
                q.w = malloc((size_t)q.rows * flaw_weight_row_bytes(q.type, (size_t)q.n));
                q.x = array_random(&r, (size_t)(q.vectors * q.x_row), 1.0);
                weights_random(&r, q.type, (size_t)q.rows, (size_t)q.n, q.w);
                check_many(k, &q);
                free(q.w);
                array_free(q.x);
            }
        }
    }
}

/* A vector that is not finite stays so in what it meets; one of zeros gives zeros. */
static void test_not_finite(void **state)
{
    levels all = levels_here();
    uint8_t w[34] = {0};
    for (int l = 0; l < all.count; l++) {
        const flaw_kernels *k = all.table[l];
        for (int i = 0; i < 3; i++) {
            float x[32] = {0}, few, many;
            if (i > 0) x[7] = i == 1 ? NAN : -INFINITY;
            flaw_weight_pack(FLAW_WEIGHT_Q8_0, 32, (float[32]){[7] = 1}, w);
            const problem q = {.type = FLAW_WEIGHT_Q8_0, .n = 32, .rows = 1, .vectors = 1, .x_row = 32, .w = w, .x = x};
            if (k->weight_digits) {
                run(k, true, &q, 0, 1, 0, 1, &few, 1);
                assert_true(i > 0 ? !isfinite(few) : few == 0.0f);
            }
            if (k->weight_many) {
                run_many(k->weight_many, &q, 0, 1, 0, 1, &many, 1);
                assert_true(i > 0 ? !isfinite(many) : many == 0.0f);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_packing), cmocka_unit_test(test_packing_exact),
        cmocka_unit_test(test_q4_1_search), cmocka_unit_test(test_unpack),  cmocka_unit_test(test_product),
        cmocka_unit_test(test_many),        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
