#include "levels.h"

#include "kernel/bf16.h"
#include "kernel/int8.h"

typedef struct problem {
    int m, n, k;
    bool a_transposed, b_transposed;
    bool accumulate, bias, residual, in_place, pre, far, a_sums;
    flaw_activation act;
    flaw_precision prec;
} problem;

typedef struct operands {
    float *a, *b, *bias, *residual, *c0; /* c0: C before */
    ptrdiff_t a_row, a_col, b_row, b_col, c_row;
    size_t c_size;
} operands;

static operands operands_new(flaw_random *r, const problem *q)
{
    operands o;
    int a_lead = (q->a_transposed ? q->m : q->k) + dice(r, 0, 3),
        b_lead = (q->b_transposed ? q->k : q->n) + dice(r, 0, 3);
    o.a_row = q->a_transposed ? 1 : a_lead;
    o.a_col = q->a_transposed ? a_lead : 1;
    o.b_row = q->b_transposed ? 1 : b_lead;
    o.b_col = q->b_transposed ? b_lead : 1;
    o.c_row = q->n + dice(r, 0, 5);
    o.c_size = (size_t)q->m * (size_t)o.c_row;
    o.a = array_random(r, (size_t)a_lead * (size_t)(q->a_transposed ? q->k : q->m), 1.0);
    o.b = array_random(r, (size_t)b_lead * (size_t)(q->b_transposed ? q->n : q->k), 1.0);
    o.bias = array_random(r, (size_t)q->n, 1.0);
    o.residual = array_random(r, o.c_size, 1.0);
    o.c0 = array_random(r, o.c_size, 1.0);
    return o;
}

static void operands_free(operands *o)
{
    array_free(o->a);
    array_free(o->b);
    array_free(o->bias);
    array_free(o->residual);
    array_free(o->c0);
}

static void *packed_new(const flaw_kernels *k, const problem *q, const operands *o)
{
    void *packed = room_new(k->pack_size(q->prec, q->k, q->n));
    k->pack(q->prec, q->k, q->n, o->b, o->b_row, o->b_col, packed);
    return packed;
}

static flaw_product describe(const problem *q, const operands *o, const void *packed, float *c, float *pre)
{
    return (flaw_product){.m = q->m,
                          .n = q->n,
                          .k = q->k,
                          .a = o->a,
                          .a_row = o->a_row,
                          .a_col = o->a_col,
                          .b = packed,
                          .c = c,
                          .c_row = o->c_row,
                          .accumulate = q->accumulate,
                          .bias = q->bias ? o->bias : NULL,
                          .act = q->act,
                          .residual = q->in_place   ? c
                                      : q->residual ? o->residual
                                                    : NULL,
                          .pre = q->pre ? pre : NULL,
                          .far = q->far};
}

static double act_double(flaw_activation act, double x)
{
    if (act == FLAW_ACT_GELU) return 0.5 * x * erfc(-x * M_SQRT1_2);
    if (act == FLAW_ACT_QUICK_GELU) return x / (1.0 + exp(-1.702 * x));
    return x;
}

static float seen(flaw_precision prec, float x)
{
    return prec == FLAW_BF16 ? flaw_bf16_round(x) : x;
}

/* What the sums of A B are, told once for all levels. */
typedef struct expected {
    double *sum, *size; /* [M, N]: sums of products as the precision sees their factors, and of the products' sizes */
    float *int8;        /* [M, N]: what FLAW_INT8 makes of them, to the last bit */
} expected;

/* Each value quantised is the nearest of the 255 or 256 that its row or column has. */
static void quantise(const problem *q, const operands *o, int16_t *a, int16_t *b, float *a_scale, float *b_scale)
{
    for (int i = 0; i < q->m; i++) {
        flaw_int8_row s = flaw_int8_row_of((size_t)q->k, o->a + i * o->a_row, o->a_col);
        a_scale[i] = s.scale;
        for (int p = 0; p < q->k; p++) {
            float x = o->a[i * o->a_row + p * o->a_col];
            int v = flaw_int8_row_round(x, s);
            assert_true(fabs((double)x - v * (double)s.scale) <= 0.75 * (double)s.scale); /* the zero point is rounded, too */
            assert_true(v + s.zero >= 0 && v + s.zero <= 255);
            a[i * q->k + p] = (int16_t)v;
        }
    }
    for (int j = 0; j < q->n; j++) {
        flaw_int8_scale s = flaw_int8_scale_of(flaw_int8_largest((size_t)q->k, o->b + j * o->b_col, o->b_row));
        b_scale[j] = s.scale;
        for (int p = 0; p < q->k; p++) {
            float x = o->b[p * o->b_row + j * o->b_col];
            int v = flaw_int8_round(x, s);
            assert_true(fabs((double)x - v * (double)s.scale) <= 0.50003 * (double)s.scale && abs(v) <= 127);
            b[j * q->k + p] = (int16_t)v;
        }
    }
}

/* With the float operations of flaw_product, in their order. */
static void expect_int8(expected *e, const problem *q, const operands *o)
{
    int16_t *a = calloc((size_t)(q->m * q->k) + 1, sizeof *a), *b = calloc((size_t)(q->n * q->k) + 1, sizeof *b);
    float *a_scale = array_new((size_t)q->m), *b_scale = array_new((size_t)q->n);
    quantise(q, o, a, b, a_scale, b_scale);
    for (int i = 0; i < q->m; i++) {
        for (int j = 0; j < q->n; j++) {
            int64_t sum = 0;
            for (int p = 0; p < q->k; p++) sum += a[i * q->k + p] * b[j * q->k + p];
            e->int8[i * q->n + j] = (float)sum * a_scale[i] * b_scale[j];
        }
    }
    free(a);
    free(b);
    array_free(a_scale);
    array_free(b_scale);
}

static expected expected_new(const problem *q, const operands *o)
{
    size_t n = (size_t)q->m * (size_t)q->n;
    expected e = {calloc(n, sizeof(double)), calloc(n, sizeof(double)), array_new(n)};
    if (q->prec == FLAW_INT8) {
        expect_int8(&e, q, o);
        return e;
    }
    for (int i = 0; i < q->m; i++) {
        double *sum = e.sum + i * q->n, *size = e.size + i * q->n;
        for (int p = 0; p < q->k; p++) {
            double a = (double)seen(q->prec, o->a[i * o->a_row + p * o->a_col]);
            for (int j = 0; j < q->n; j++) {
                double x = a * (double)seen(q->prec, o->b[p * o->b_row + j * o->b_col]);
                sum[j] += x;
                size[j] += fabs(x);
            }
        }
    }
    return e;
}

static void expected_free(expected *e)
{
    free(e->sum);
    free(e->size);
    array_free(e->int8);
}

/* An activation of 1 + |x|: bf16 and int8 may do with less (x86/activation_avx512.h). */
static double act_error(const problem *q)
{
    if (q->prec == FLAW_F32) return 3e-7;
    return q->act == FLAW_ACT_GELU ? 4e-6 : q->act == FLAW_ACT_QUICK_GELU ? 1.5e-5 : 3e-7;
}

/* A sum of k products and a start: |error| <= (k + 2) eps sum |a b|, in any order. Pairs inside the bf16 instructions
 * are rounded at most once more each, hence twice that. The slope of the activations is below 1.13. */
static void check_values(const flaw_kernels *k, const problem *q, const operands *o, const expected *e, const float *c,
                         const float *pre)
{
    for (int i = 0; i < q->m; i++) {
        for (int j = 0; j < q->n; j++) {
            ptrdiff_t at = i * o->c_row + j;
            double start = q->accumulate ? (double)o->c0[at] : 0.0, sum = e->sum[i * q->n + j] + start;
            double size = e->size[i * q->n + j] + fabs(start);
            double bound = (q->prec == FLAW_BF16 ? 2.0 : 1.0) * (q->k + 2) * EPS * size + 1e-30;
            if (!q->accumulate) {
                double before = sum + (q->bias ? (double)o->bias[j] : 0.0);
                bound += 2.0 * EPS * (fabs(before) + size);
                if (q->pre && !(fabs((double)pre[at] - before) <= bound))
                    fail_msg("%s: pre[%d,%d] of %d x %d x %d", k->name, i, j, q->m, q->n, q->k);
                sum = act_double(q->act, before);
                if (q->act != FLAW_ACT_NONE) bound = 1.13 * bound + act_error(q) * (1.0 + fabs(before));
                if (q->residual || q->in_place) sum += q->in_place ? (double)o->c0[at] : (double)o->residual[at];
                bound += 2.0 * EPS * fabs(sum);
            }
            if (!(fabs((double)c[at] - sum) <= bound))
                fail_msg("%s: C[%d,%d] of %d x %d x %d prec %d act %d acc %d at %d bt %d: %.9g, expected %.9g +- %.2g",
                         k->name, i, j, q->m, q->n, q->k, (int)q->prec, (int)q->act, q->accumulate, q->a_transposed,
                         q->b_transposed, (double)c[at], sum, bound);
        }
    }
}

static void check_int8(const flaw_kernels *k, const problem *q, const operands *o, const expected *e, const float *c,
                       const float *pre)
{
    for (int i = 0; i < q->m; i++) {
        for (int j = 0; j < q->n; j++) {
            ptrdiff_t at = i * o->c_row + j;
            float sum = e->int8[i * q->n + j], residual = q->in_place ? o->c0[at] : q->residual ? o->residual[at] : 0.0f;
            if (q->bias) sum += o->bias[j];
            if (q->pre) assert_true(pre[at] == sum);
            bool exact = q->act == FLAW_ACT_NONE;
            double want = exact ? (double)(sum + residual) : act_double(q->act, (double)sum) + (double)residual;
            double bound = exact ? 0.0 : act_error(q) * (1.0 + fabs((double)sum)) + 2.0 * EPS * fabs(want);
            if (!(fabs((double)c[at] - want) <= bound))
                fail_msg("%s: int8 C[%d,%d] of %d x %d x %d act %d: %.9g, expected %.9g", k->name, i, j, q->m, q->n, q->k,
                         (int)q->act, (double)c[at], want);
        }
    }
}

/* Between the rows nothing is written. */
static void check_gaps(const problem *q, const operands *o, const float *c)
{
    for (int i = 0; i < q->m; i++)
        for (ptrdiff_t j = q->n; j < o->c_row; j++) assert_true(c[i * o->c_row + j] == o->c0[i * o->c_row + j]);
}

/* a_sums: in order of k, starting from what is there; the same bits on every level. */
static void check_a_sums(const flaw_kernels *k, const problem *q, const operands *o, flaw_product p, void *scratch)
{
    float *sums = array_new((size_t)q->m), *c = array_new(o->c_size);
    p.c = c;
    p.residual = NULL;
    p.a_sums = sums;
    for (size_t i = 0; i < o->c_size; i++) c[i] = 0.0f;
    for (int i = 0; i < q->m; i++) sums[i] = 0.25f;
    k->product(q->prec, &p, 0, q->m, 0, q->n, scratch);
    for (int i = 0; i < q->m; i++) {
        float want = 0.25f;
        for (int j = 0; j < q->k; j++) want += o->a[i * o->a_row + j * o->a_col];
        assert_true(sums[i] == want);
    }
    array_free(sums);
    array_free(c);
}

/* The whole product in one call. */
static float *run_whole(const flaw_kernels *k, const problem *q, const operands *o, const void *packed, float *pre)
{
    float *c = array_new(o->c_size);
    memcpy(c, o->c0, o->c_size * sizeof *c);
    void *scratch = room_new(k->product_scratch(q->prec, q->k));
    flaw_product p = describe(q, o, packed, c, pre);
    k->product(q->prec, &p, 0, q->m, 0, q->n, scratch);
    if (q->a_sums) check_a_sums(k, q, o, p, scratch);
    free(scratch);
    return c;
}

/* The same cut at every tile boundary, B packed in pieces, last piece first. */
static void check_pieces(const flaw_kernels *k, const problem *q, const operands *o, const float *whole)
{
    float *c = array_new(o->c_size), *pre = array_new(o->c_size);
    memcpy(c, o->c0, o->c_size * sizeof *c);
    void *scratch = room_new(k->product_scratch(q->prec, q->k));
    void *packed = room_new(k->pack_size(q->prec, q->k, q->n));
    int last = (q->n - 1) / FLAW_TILE_COLS * FLAW_TILE_COLS;
    for (int n0 = last; n0 >= 0; n0 -= FLAW_TILE_COLS)
        k->pack_cols(q->prec, q->k, q->n, o->b, o->b_row, o->b_col, n0, n0 == last ? q->n : n0 + FLAW_TILE_COLS,
                     packed);
    flaw_product p = describe(q, o, packed, c, pre);
    for (int n0 = last; n0 >= 0; n0 -= FLAW_TILE_COLS) {
        for (int m0 = 0; m0 < q->m; m0 += FLAW_TILE_ROWS) {
            int m1 = m0 + FLAW_TILE_ROWS < q->m ? m0 + FLAW_TILE_ROWS : q->m;
            k->product(q->prec, &p, m0, m1, n0, n0 == last ? q->n : n0 + FLAW_TILE_COLS, scratch);
        }
    }
    if (!same_bits(c, whole, o->c_size))
        fail_msg("%s: pieces of %d x %d x %d differ from the whole", k->name, q->m, q->n, q->k);
    free(scratch);
    free(packed);
    array_free(c);
    array_free(pre);
}

/* A packed beforehand in two calls, pieces cut on panels: the same bits. */
static void check_packed_rows(flaw_random *r, const flaw_kernels *k, const problem *q, const operands *o, const float *whole)
{
    if (q->a_transposed || q->accumulate) return;
    int panel = k->row_panel(q->prec), cols = k->panel(q->prec);
    assert_true(FLAW_TILE_ROWS % panel == 0 && FLAW_TILE_COLS % cols == 0);
    int m0 = dice(r, 0, q->m / panel) * panel, n0 = dice(r, 0, q->n / cols) * cols;
    float *c = array_new(o->c_size), *pre = array_new(o->c_size);
    memcpy(c, o->c0, o->c_size * sizeof *c);
    void *scratch = room_new(k->product_scratch(q->prec, q->k)), *packed = packed_new(k, q, o);
    char *rows = room_new(k->rows_size(q->prec, q->m, q->k));
    if (m0 < q->m)
        k->pack_rows(q->prec, q->m - m0, q->k, o->a + m0 * o->a_row, o->a_row, rows + k->rows_size(q->prec, m0, q->k));
    if (m0) k->pack_rows(q->prec, m0, q->k, o->a, o->a_row, rows);
    flaw_product p = describe(q, o, packed, c, pre);
    p.a = NULL;
    p.a_row = p.a_col = 0;
    p.a_packed = rows;
    k->product(q->prec, &p, m0, q->m, n0, q->n, scratch);
    k->product(q->prec, &p, 0, m0, n0, q->n, scratch);
    k->product(q->prec, &p, 0, q->m, 0, n0, scratch);
    if (!same_bits(c, whole, o->c_size))
        fail_msg("%s: %d x %d x %d cut at %d, %d differs with rows packed before", k->name, q->m, q->n, q->k, m0, n0);
    free(rows);
    free(packed);
    free(scratch);
    array_free(c);
    array_free(pre);
}

/* One row alone, and a few rows from the middle with fewer columns: the same bits. */
static void check_part(flaw_random *r, const flaw_kernels *k, const problem *q, const operands *o, const float *whole)
{
    if (q->in_place) return;
    problem part = *q;
    int i0 = dice(r, 0, q->m - 1);
    part.m = dice(r, 0, 1) ? 1 : dice(r, 1, q->m - i0);
    part.n = dice(r, 1, q->n);
    operands view = *o;
    view.a += i0 * o->a_row;
    view.residual += i0 * o->c_row;
    view.c0 += i0 * o->c_row;
    view.c_size = (size_t)part.m * (size_t)o->c_row;
    void *packed = packed_new(k, &part, &view);
    float *pre = array_new(view.c_size), *c = run_whole(k, &part, &view, packed, pre);
    for (int i = 0; i < part.m; i++)
        if (!same_bits(c + i * o->c_row, whole + (i0 + i) * o->c_row, (size_t)part.n))
            fail_msg("%s: row %d of %d x %d x %d differs in a batch of %d and %d columns", k->name, i0 + i, q->m, q->n,
                     q->k, part.m, part.n);
    free(packed);
    array_free(pre);
    array_free(c);
}

static void check_problem(flaw_random *r, const flaw_kernels *k, const problem *q, const operands *o, const expected *e)
{
    void *packed = packed_new(k, q, o);
    float *pre = array_new(o->c_size);
    float *c = run_whole(k, q, o, packed, pre);
    if (q->prec == FLAW_INT8) check_int8(k, q, o, e, c, pre);
    else check_values(k, q, o, e, c, pre);
    check_gaps(q, o, c);
    check_pieces(k, q, o, c);
    check_packed_rows(r, k, q, o, c);
    check_part(r, k, q, o, c);
    free(packed);
    array_free(pre);
    array_free(c);
}

static void check_levels(flaw_random *r, const problem *q)
{
    levels all = levels_here();
    operands o = operands_new(r, q);
    expected e = expected_new(q, &o);
    for (int l = 0; l < all.count; l++) check_problem(r, all.table[l], q, &o, &e);
    expected_free(&e);
    operands_free(&o);
}

static problem problem_random(flaw_random *r)
{
    static const int size[] = {1, 2, 5, 12, 16, 17, 31, 32, 33, 64, 95, 96, 97, 197};
    static const int wide[] = {1, 3, 8, 16, 31, 32, 33, 48, 192, 255, 256, 257, 300};
    static const int deep[] = {1, 2, 3, 31, 32, 33, 64, 192, 255, 256, 257, 383, 384, 385, 520, 800};
    bool large = dice(r, 0, 24) == 0; /* most are small, where all the edges are */
    problem q = {.m = dice(r, 1, 40), .n = dice(r, 1, 80), .k = dice(r, 1, 70)};
    if (large) q = (problem){.m = size[dice(r, 0, 13)], .n = wide[dice(r, 0, 12)], .k = deep[dice(r, 0, 15)]};
    q.a_transposed = dice(r, 0, 1);
    q.b_transposed = dice(r, 0, 1);
    q.prec = (flaw_precision)dice(r, 0, FLAW_PRECISIONS - 1);
    q.accumulate = dice(r, 0, 2) == 0;
    q.bias = dice(r, 0, 1);
    q.residual = dice(r, 0, 1);
    q.in_place = !q.accumulate && dice(r, 0, 3) == 0;
    q.pre = dice(r, 0, 1);
    q.far = dice(r, 0, 2) == 0;
    q.a_sums = dice(r, 0, 1);
    q.act = (flaw_activation)dice(r, 0, 2);
    if (q.prec == FLAW_INT8) q.a_transposed = q.accumulate = q.a_sums = false;
    return q;
}

/* FLAW_TEST_SHAPES: so many shapes, all levels together; without it as many as take a second. */
static void test_random_problems(void **state)
{
    const char *asked = getenv("FLAW_TEST_SHAPES");
    long shapes = asked ? strtol(asked, NULL, 10) : 1400, done = 0;
    int count = levels_here().count;
    flaw_random r;
    flaw_random_init(&r, 1, 0);
    for (; done < shapes / ROUNDS_SHARE; done += count) {
        problem q = problem_random(&r);
        check_levels(&r, &q);
    }
    print_message("%ld shapes\n", done);
}

/* Gradients of weights: k far beyond what is packed at a time. And products of whole numbers over many k blocks. */
static void test_deep(void **state)
{
    for (int prec = 0; prec < FLAW_PRECISIONS; prec++) {
        flaw_random r;
        flaw_random_init(&r, 2, 0);
        problem q = {.m = 14, .n = 70, .k = 5000, .prec = (flaw_precision)prec};
        check_levels(&r, &q);
        if (prec == FLAW_INT8) continue;
        q.a_transposed = true;
        check_levels(&r, &q);
        q.accumulate = true;
        check_levels(&r, &q);
    }
}

/* No rows: nothing is touched. No depth: C is the finish of 0. */
static void test_empty(void **state)
{
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        const flaw_kernels *k = all.table[l];
        for (int prec = 0; prec < FLAW_PRECISIONS; prec++) {
            float c[4] = {1, 2, 3, 4}, bias[4] = {5, 6, 7, 8}, a[4] = {0};
            void *scratch = room_new(k->product_scratch((flaw_precision)prec, 0)), *packed = room_new(4096);
            k->pack((flaw_precision)prec, 0, 4, a, 4, 1, packed);
            flaw_product p = {
                .m = 1, .n = 4, .k = 0, .a = a, .a_row = 1, .a_col = 1, .b = packed, .c = c, .c_row = 4, .bias = bias};
            k->product((flaw_precision)prec, &p, 0, 0, 0, 4, scratch);
            assert_true(c[0] == 1.0f);
            k->product((flaw_precision)prec, &p, 0, 1, 0, 4, scratch);
            assert_true(c[0] == 5.0f && c[3] == 8.0f);
            p.accumulate = prec != FLAW_INT8;
            k->product((flaw_precision)prec, &p, 0, 1, 0, 4, scratch);
            assert_true(c[0] == 5.0f && c[3] == 8.0f);
            free(scratch);
            free(packed);
        }
    }
}

/* A NaN or an infinity in A spoils exactly its row, in B exactly its column; never hidden, never spread. int8 has no
 * infinity: the row is NaN. */
static void test_not_finite(void **state)
{
    enum { M = 40, N = 40, K = 70 };
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        for (int c = 0; c < 12; c++) {
            flaw_random r;
            flaw_random_init(&r, 3, (uint64_t)c);
            problem q = {.m = M,
                         .n = N,
                         .k = K,
                         .prec = (flaw_precision)(c / 4),
                         .a_transposed = c / 4 != FLAW_INT8 && (c & 1),
                         .b_transposed = c >> 1 & 1,
                         .act = FLAW_ACT_GELU};
            operands o = operands_new(&r, &q);
            o.a[37 * o.a_row + 69 * o.a_col] = NAN;
            o.a[5 * o.a_row + 3 * o.a_col] = INFINITY;
            o.b[1 * o.b_row + 2 * o.b_col] = NAN;
            void *packed = packed_new(all.table[l], &q, &o);
            float *out = run_whole(all.table[l], &q, &o, packed, NULL);
            for (int i = 0; i < M; i++) {
                for (int j = 0; j < N; j++) {
                    float x = out[i * o.c_row + j];
                    if (i == 37 || j == 2 || (q.prec == FLAW_INT8 && i == 5)) assert_true(isnan(x));
                    else if (i == 5) assert_true(isinf(x) || x == 0.0f); /* GELU of -infinity is 0 */
                    else assert_true(isfinite(x));
                }
            }
            free(packed);
            array_free(out);
            operands_free(&o);
        }
    }
}

/* float32 products keep denormals; the bf16 instructions may take them as 0 (pack_bf16.h). */
static void test_denormals(void **state)
{
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        for (int prec = 0; prec < 2; prec++) {
            float a[1] = {0x1p-140f}, b[1] = {4.0f}, c[1];
            problem q = {.m = 1, .n = 1, .k = 1, .prec = (flaw_precision)prec};
            operands o = {.a = a, .b = b, .a_row = 1, .a_col = 1, .b_row = 1, .b_col = 1, .c_row = 1};
            void *packed = packed_new(all.table[l], &q, &o);
            void *scratch = room_new(all.table[l]->product_scratch(q.prec, 1));
            flaw_product p = describe(&q, &o, packed, c, NULL);
            all.table[l]->product(q.prec, &p, 0, 1, 0, 1, scratch);
            assert_true(c[0] == 0x1p-138f || (prec == FLAW_BF16 && c[0] == 0.0f));
            free(packed);
            free(scratch);
        }
    }
}

static void test_levels(void **state)
{
    assert_string_equal(flaw_kernels_select(FLAW_LEVEL_REF)->name, "ref");
    for (int level = FLAW_LEVEL_REF; level <= FLAW_LEVEL_AUTO; level++) {
        const flaw_kernels *best = flaw_kernels_select((flaw_level)level), *exact = flaw_kernels_exact((flaw_level)level);
        assert_true(best->level <= (flaw_level)level);
        assert_true(!exact || exact == best);
        assert_string_equal(best->name, flaw_level_name(best->level));
    }
    assert_true(flaw_kernels_select(FLAW_LEVEL_AUTO)->level == flaw_kernels_best());
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) print_message("level %s\n", all.table[l]->name);
}

/* The first rows of a B that was packed with more give the bits that they give alone. */
static void test_first_rows_of_packed(void **state)
{
    enum { M = 33, N = 70, PACKED = 301 };
    levels all = levels_here();
    flaw_random r;
    flaw_random_init(&r, 9, 0);
    float *a = array_random(&r, M * PACKED, 1.0), *b = array_random(&r, PACKED * N, 1.0);
    float *c[2] = {array_new(M * N), array_new(M * N)};
    for (int l = 0; l < all.count; l++) {
        const flaw_kernels *k = all.table[l];
        for (int precision = FLAW_F32; precision <= FLAW_BF16; precision++) {
            for (int depth = 1; depth <= PACKED; depth += 50) {
                for (int whole = 0; whole < 2; whole++) {
                    int packed = whole ? PACKED : depth;
                    void *at = room_new(k->pack_size((flaw_precision)precision, packed, N));
                    void *scratch = room_new(k->product_scratch((flaw_precision)precision, depth));
                    k->pack((flaw_precision)precision, packed, N, b, N, 1, at);
                    flaw_product p = {.m = M, .n = N, .k = depth, .a = a, .a_row = PACKED, .a_col = 1, .b = at,
                                      .k_packed = whole ? PACKED : 0, .c = c[whole], .c_row = N};
                    k->product((flaw_precision)precision, &p, 0, M, 0, N, scratch);
                    free(at);
                    free(scratch);
                }
                assert_true(same_bits(c[0], c[1], M * N));
            }
        }
    }
    array_free(a);
    array_free(b);
    array_free(c[0]);
    array_free(c[1]);
}

/* Rows that the caller has quantised give the bits of those that the product quantises. */
static void test_whole_rows(void **state)
{
    enum { M = 45, N = 70, K = 601 };
    levels all = levels_here();
    flaw_random r;
    flaw_random_init(&r, 10, 0);
    float *a = array_random(&r, M * K, 1.0), *b = array_random(&r, K * N, 1.0), *c[2] = {array_new(M * N), array_new(M * N)};
    uint8_t *whole = malloc(M * K);
    flaw_int8_row scale[M];
    a[7 * K] = NAN;
    for (int i = 0; i < M; i++) {
        scale[i] = flaw_int8_row_of(K, a + i * K, 1);
        for (int p = 0; p < K; p++)
            whole[i * K + p] = (uint8_t)(scale[i].zero + flaw_int8_row_round(a[i * K + p], scale[i]));
    }
    for (int l = 0; l < all.count; l++) {
        const flaw_kernels *k = all.table[l];
        void *at = room_new(k->pack_size(FLAW_INT8, K, N)), *scratch = room_new(k->product_scratch(FLAW_INT8, K));
        k->pack(FLAW_INT8, K, N, b, N, 1, at);
        flaw_product p = {.m = M, .n = N, .k = K, .a = a, .a_row = K, .a_col = 1, .b = at, .c = c[0], .c_row = N};
        k->product(FLAW_INT8, &p, 0, M, 0, N, scratch);
        p.a = NULL;
        p.a_whole = whole;
        p.a_scales = scale;
        p.c = c[1];
        k->product(FLAW_INT8, &p, 0, M, 0, N, scratch);
        assert_true(same_bits(c[0], c[1], M * N) && isnan(c[0][7 * N]) && !isnan(c[0][8 * N]));
        free(at);
        free(scratch);
    }
    array_free(a);
    array_free(b);
    array_free(c[0]);
    array_free(c[1]);
    free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels), cmocka_unit_test(test_random_problems), cmocka_unit_test(test_deep),
        cmocka_unit_test(test_empty),  cmocka_unit_test(test_not_finite),      cmocka_unit_test(test_denormals),
        cmocka_unit_test(test_first_rows_of_packed), cmocka_unit_test(test_whole_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
