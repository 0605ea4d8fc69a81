#include "levels.h"

/* One head: T tokens of width W; q, k, v lie side by side as in a block, 3 W (+ gap) apart. */
typedef struct head {
    int t, w;
    ptrdiff_t row, out_row, d_row;
    float *qkv, *d_out;
    uint8_t *hidden; /* NULL: no key is */
    flaw_attention a;
} head;

static head head_new(flaw_random *r, int t, int w, bool causal, flaw_precision prec)
{
    head h = {.t = t, .w = w};
    h.row = 3 * w + dice(r, 0, 3);
    h.out_row = w + dice(r, 0, 3);
    h.d_row = 3 * w + dice(r, 0, 3);
    h.qkv = array_random(r, (size_t)(t * h.row), 1.0);
    h.d_out = array_random(r, (size_t)(t * h.out_row), 1.0);
    h.a = (flaw_attention){.tokens = t,
                           .width = w,
                           .causal = causal,
                           .scale = (float)(1.0 / sqrt(w)),
                           .q = h.qkv,
                           .k = h.qkv + w,
                           .v = h.qkv + 2 * w,
                           .row = h.row,
                           .out_row = h.out_row,
                           .precision = prec};
    return h;
}

static void head_free(head *h)
{
    array_free(h->qkv);
    array_free(h->d_out);
    free(h->hidden);
}

/* Two keys in three are hidden from each query, its own among them where there is another. */
static void hide_keys(flaw_random *r, head *h)
{
    size_t t = (size_t)h->t;
    h->hidden = malloc(t * t);
    for (size_t i = 0; i < t * t; i++) h->hidden[i] = dice(r, 0, 2) > 0;
    for (size_t i = 0; i < t; i++) h->hidden[i * t + i] = t > 1;
    for (size_t i = 0; i < t; i++) h->hidden[i * t + (i + 1) % t] = 0;
    h->a.hidden = h->hidden;
}

static bool is_hidden(const head *h, int i, int j)
{
    return h->hidden && h->hidden[i * h->t + j];
}

/* Everything in double: P [T, T], out [T, W], and dq, dk, dv [T, W]. */
typedef struct exact {
    double *p, *out, *dq, *dk, *dv;
} exact;

static double dot_rows(const float *a, const float *b, int n)
{
    double s = 0.0;
    for (int i = 0; i < n; i++) s += (double)a[i] * (double)b[i];
    return s;
}

static void exact_row(const head *h, exact *e, int i, double *dp)
{
    const flaw_attention *a = &h->a;
    int t = h->t, w = h->w, seen = a->causal ? i + 1 : t;
    double *p = e->p + i * t, top = -INFINITY, sum = 0.0, mean = 0.0;
    for (int j = 0; j < seen; j++) {
        p[j] = (double)a->scale * dot_rows(a->q + i * a->row, a->k + j * a->row, w);
        if (is_hidden(h, i, j)) p[j] = -INFINITY;
        top = fmax(top, p[j]);
    }
    for (int j = 0; j < seen; j++) sum += p[j] = exp(p[j] - top);
    for (int j = 0; j < seen; j++) {
        p[j] /= sum;
        dp[j] = dot_rows(h->d_out + i * h->out_row, a->v + j * a->row, w);
        mean += p[j] * dp[j];
    }
    for (int j = 0; j < seen; j++) {
        double ds = (double)a->scale * p[j] * (dp[j] - mean);
        for (int c = 0; c < w; c++) {
            e->out[i * w + c] += p[j] * (double)a->v[j * a->row + c];
            e->dv[j * w + c] += p[j] * (double)h->d_out[i * h->out_row + c];
            e->dq[i * w + c] += ds * (double)a->k[j * a->row + c];
            e->dk[j * w + c] += ds * (double)a->q[i * a->row + c];
        }
    }
}

static exact exact_new(const head *h)
{
    size_t tw = (size_t)(h->t * h->w);
    exact e = {.p = calloc((size_t)(h->t * h->t), sizeof(double)),
               .out = calloc(tw, sizeof(double)),
               .dq = calloc(tw, sizeof(double)),
               .dk = calloc(tw, sizeof(double)),
               .dv = calloc(tw, sizeof(double))};
    double *dp = calloc((size_t)h->t, sizeof(double));
    for (int i = 0; i < h->t; i++) exact_row(h, &e, i, dp);
    free(dp);
    return e;
}

static void exact_free(exact *e)
{
    free(e->p);
    free(e->out);
    free(e->dq);
    free(e->dk);
    free(e->dv);
}

/* The largest difference, in shares of the largest value. */
static double distance(const float *x, ptrdiff_t x_row, const double *y, int rows, int cols)
{
    double worst = 0.0, size = 1e-30;
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
            double d = fabs((double)x[i * x_row + j] - y[i * cols + j]);
            worst = d <= worst ? worst : d; /* a NaN wins */
            size = fmax(size, fabs(y[i * cols + j]));
        }
    }
    return worst / size;
}

static void check_near(const flaw_kernels *k, const head *h, const char *what, double found)
{
    /* bf16: two roundings of 2^-9 in each product, and the scores' error passes exp. */
    double bound = h->a.precision == FLAW_BF16 ? 3e-2 : 3e-6;
    if (!(found <= bound))
        fail_msg("%s: %s of T %d W %d causal %d bf16 %d is %.2g off, allowed %.2g", k->name, what, h->t, h->w,
                 h->a.causal, h->a.precision == FLAW_BF16, found, bound);
}

static void check_head(const flaw_kernels *k, head *h)
{
    int t = h->t, w = h->w;
    exact e = exact_new(h);
    float *probs = array_new((size_t)(t * t)), *out = array_new((size_t)(t * h->out_row));
    float *plain = array_new((size_t)(t * h->out_row)), *d = array_new((size_t)(t * h->d_row));
    float *stats = array_new((size_t)(2 * t)), *again = array_new((size_t)(t * h->d_row));
    void *scratch = room_new(k->attention_scratch(t, w));
    h->a.out = out;
    h->a.probs = probs;
    k->attention(&h->a, scratch);
    check_near(k, h, "probs", distance(probs, t, e.p, t, t));
    check_near(k, h, "out", distance(out, h->out_row, e.out, t, w));
    for (int i = 0; h->a.causal && i < t; i++)
        for (int j = i + 1; j < t; j++) assert_true(probs[i * t + j] == 0.0f);
    for (int i = 0; i < t * t; i++) assert_true(!is_hidden(h, i / t, i % t) || probs[i] < 1e-37f);
    h->a.out = plain; /* the same bits whether probs are kept or not */
    h->a.probs = NULL;
    h->a.stats = stats;
    k->attention(&h->a, scratch);
    for (int i = 0; i < t; i++) assert_true(same_bits(plain + i * h->out_row, out + i * h->out_row, (size_t)w));
    free(scratch);
    scratch = room_new(k->attention_backward_scratch(t, w));
    h->a.probs = probs;
    h->a.stats = NULL;
    h->a.out = NULL;
    flaw_attention_grad g = {
        .forward = h->a, .d_out = h->d_out, .d_q = d, .d_k = d + w, .d_v = d + 2 * w, .d_row = h->d_row};
    k->attention_backward(&g, scratch);
    check_near(k, h, "d_q", distance(g.d_q, h->d_row, e.dq, t, w));
    check_near(k, h, "d_k", distance(g.d_k, h->d_row, e.dk, t, w));
    check_near(k, h, "d_v", distance(g.d_v, h->d_row, e.dv, t, w));
    g.forward.probs = NULL; /* from stats: the same bits as from probs */
    g.forward.stats = stats;
    g.d_q = again;
    g.d_k = again + w;
    g.d_v = again + 2 * w;
    k->attention_backward(&g, scratch);
    for (int i = 0; i < t; i++) assert_true(same_bits(again + i * h->d_row, d + i * h->d_row, (size_t)(3 * w)));
    g.accumulate = true; /* over what is there: keys and values twice, queries once */
    k->attention_backward(&g, scratch);
    check_near(k, h, "d_q of a second head", distance(g.d_q, h->d_row, e.dq, t, w));
    for (int i = 0; i < t * w; i++) {
        e.dk[i] *= 2;
        e.dv[i] *= 2;
    }
    check_near(k, h, "d_k of two heads", distance(g.d_k, h->d_row, e.dk, t, w));
    check_near(k, h, "d_v of two heads", distance(g.d_v, h->d_row, e.dv, t, w));
    free(scratch);
    array_free(stats);
    array_free(again);
    array_free(probs);
    array_free(out);
    array_free(plain);
    array_free(d);
    exact_free(&e);
}

static void test_heads(void **state)
{
    static const int shape[][2] = {{1, 1},   {1, 64},  {2, 3},    {5, 32},   {10, 64},  {77, 64},
                                   {96, 16}, {97, 33}, {197, 64}, {200, 80}, {257, 128}};
    const size_t shapes = sizeof shape / sizeof shape[0] - (ROUNDS_SHARE > 1 ? 2 : 0);
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        flaw_random r;
        flaw_random_init(&r, 5, 0);
        for (size_t s = 0; s < shapes; s++) {
            for (int c = 0; c < 6; c++) { /* all keys, causal, hidden ones; in both precisions */
                head h = head_new(&r, shape[s][0], shape[s][1], c % 3 == 1, (flaw_precision)(c / 3));
                if (c % 3 == 2) hide_keys(&r, &h);
                check_head(all.table[l], &h);
                head_free(&h);
            }
        }
    }
}

/* What towers run: nothing is kept. Against the plain kernel; and the first queries alone give the bits of all. */
static void check_forward(const flaw_kernels *k, head *h, int queries)
{
    const flaw_kernels *plain_kernels = flaw_kernels_select(FLAW_LEVEL_REF);
    int t = h->t, w = h->w;
    float *out = array_new((size_t)(t * h->out_row)), *first = array_new((size_t)(t * h->out_row));
    float *plain = array_new((size_t)(t * h->out_row));
    size_t room = k->attention_scratch(t, w), plain_room = plain_kernels->attention_scratch(t, w);
    void *scratch = room_new(room > plain_room ? room : plain_room);
    double worst = 0.0, size = 1e-30, bound = h->a.precision == FLAW_F32 ? 3e-6 : 3e-2;
    h->a.out = out;
    k->attention(&h->a, scratch);
    h->a.out = plain;
    plain_kernels->attention(&h->a, scratch);
    for (int i = 0; i < t; i++) first[i * h->out_row] = 0.0f;
    h->a.out = first;
    h->a.queries = queries;
    k->attention(&h->a, scratch);
    for (int i = 0; i < t; i++) {
        for (int j = 0; j < w; j++) {
            double d = fabs((double)out[i * h->out_row + j] - (double)plain[i * h->out_row + j]);
            worst = d <= worst ? worst : d; /* a NaN wins */
            size = fmax(size, fabs((double)plain[i * h->out_row + j]));
        }
        if (i < queries) assert_true(same_bits(first + i * h->out_row, out + i * h->out_row, (size_t)w));
        else assert_true(first[i * h->out_row] == 0.0f);
    }
    if (!(worst / size <= bound))
        fail_msg("%s: out of T %d W %d causal %d hidden %d precision %d is %.2g off, allowed %.2g", k->name, t, w, h->a.causal,
                 h->hidden != NULL, (int)h->a.precision, worst / size, bound);
    free(scratch);
    array_free(out);
    array_free(first);
    array_free(plain);
}

static void test_forward(void **state)
{
    enum { SHAPES = 1000 / ROUNDS_SHARE };
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        flaw_random r;
        flaw_random_init(&r, 7, 0);
        for (int s = 0; s < SHAPES; s++) {
            int t = dice(&r, 1, dice(&r, 0, 1) ? 24 : 64), w = dice(&r, 0, 3) ? dice(&r, 1, 8) * 16 : dice(&r, 1, 128);
            int kind = dice(&r, 0, 7); /* six in eight: as towers of pictures have it */
            head h = head_new(&r, t, w, kind == 6, (flaw_precision)dice(&r, 0, 2));
            if (kind == 7) hide_keys(&r, &h);
            check_forward(all.table[l], &h, dice(&r, 1, t));
            head_free(&h);
        }
    }
}

/* A NaN in one key is seen by every query; one in one query stays in its row. */
static void test_not_finite(void **state)
{
    enum { W = 20 };
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        for (int kind = 0; kind < 8; kind++) {
            int T = kind / 2 % 2 ? 37 : 12, bad = kind % 2;
            flaw_random r;
            flaw_random_init(&r, 6, 0);
            head h = head_new(&r, T, W, false, kind < 4 ? FLAW_F32 : FLAW_INT8);
            h.qkv[9 * h.row + (bad ? W + 3 : 3)] = NAN;
            float *out = array_new((size_t)(T * h.out_row));
            void *scratch = room_new(all.table[l]->attention_scratch(T, W));
            h.a.out = out;
            all.table[l]->attention(&h.a, scratch);
            for (int i = 0; i < T; i++)
                for (int j = 0; j < W; j++) assert_true((isnan(out[i * h.out_row + j]) != 0) == (bad || i == 9));
            free(scratch);
            array_free(out);
            head_free(&h);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
