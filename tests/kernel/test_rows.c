#include "levels.h"

typedef struct norm {
    int rows, d;
    float *x, *w, *b, *dy;
} norm;

static norm norm_new(flaw_random *r, int rows, int d)
{
    size_t n = (size_t)(rows * d);
    norm q = {.rows = rows,
              .d = d,
              .x = array_random(r, n, 2.0),
              .w = array_random(r, (size_t)d, 1.0),
              .b = array_random(r, (size_t)d, 1.0),
              .dy = array_random(r, n, 1.0)};
    for (size_t i = 0; i < n; i++) q.x[i] += 3.0f;
    return q;
}

static void norm_free(norm *q)
{
    array_free(q->x);
    array_free(q->w);
    array_free(q->b);
    array_free(q->dy);
}

static void moments(const norm *q, int i, double eps, double *mean, double *rstd)
{
    const float *x = q->x + i * q->d;
    double sum = 0.0, square = 0.0;
    for (int j = 0; j < q->d; j++) sum += (double)x[j];
    *mean = sum / q->d;
    for (int j = 0; j < q->d; j++) square += ((double)x[j] - *mean) * ((double)x[j] - *mean);
    *rstd = 1.0 / sqrt(square / q->d + eps);
}

static void check_norm(const flaw_kernels *k, norm *q)
{
    int rows = q->rows, d = q->d;
    float *y = array_new((size_t)(rows * d)), *one = array_new((size_t)d), *mean = array_new((size_t)rows),
          *rstd = array_new((size_t)rows);
    k->layer_norm(rows, d, 1e-5f, q->x, q->w, q->b, y, mean, rstd);
    for (int i = 0; i < rows; i++) {
        double m, r;
        moments(q, i, 1e-5, &m, &r);
        assert_true(fabs((double)mean[i] - m) <= (d + 4) * EPS * 10.0);
        assert_true(fabs((double)rstd[i] - r) <= 1e-5 * r * (1.0 + r));
        for (int j = 0; j < d; j++) {
            double h = ((double)q->x[i * d + j] - m) * r, want = h * (double)q->w[j] + (double)q->b[j];
            if (!(fabs((double)y[i * d + j] - want) <= 1e-5 * (1.0 + r) * (1.0 + fabs(want))))
                fail_msg("%s: layer_norm %d x %d at %d,%d: %g, expected %g", k->name, rows, d, i, j,
                         (double)y[i * d + j], want);
        }
        k->layer_norm(1, d, 1e-5f, q->x + i * d, q->w, q->b, one, NULL, NULL);
        assert_true(same_bits(one, y + i * d, (size_t)d));
    }
    array_free(y);
    array_free(one);
    array_free(mean);
    array_free(rstd);
}

/* Against the formula in double, with mean and rstd as given; then in two parts, which must give the same bits. */
static void check_norm_backward(const flaw_kernels *k, norm *q)
{
    int rows = q->rows, d = q->d;
    size_t n = (size_t)(rows * d);
    float *mean = array_new((size_t)rows), *rstd = array_new((size_t)rows), *out[2][3];
    double *dw = calloc((size_t)d, sizeof *dw), *db = calloc((size_t)d, sizeof *db), rough = 1.0;
    for (int c = 0; c < 2; c++)
        for (int v = 0; v < 3; v++) {
            out[c][v] = array_new(v ? (size_t)d : n);
            for (size_t i = 0; i < (v ? (size_t)d : n); i++) out[c][v][i] = 0.5f;
        }
    for (int i = 0; i < rows; i++) {
        double m, r;
        moments(q, i, 1e-5, &m, &r);
        mean[i] = (float)m;
        rstd[i] = (float)r;
        rough = fmax(rough, r);
    }
    int cut = rows / 3;
    size_t at = (size_t)(cut * d);
    k->layer_norm_backward(rows, d, q->x, q->w, mean, rstd, q->dy, out[0][0], out[0][1], out[0][2]);
    k->layer_norm_backward(cut, d, q->x, q->w, mean, rstd, q->dy, out[1][0], out[1][1], out[1][2]);
    k->layer_norm_backward(rows - cut, d, q->x + at, q->w, mean + cut, rstd + cut, q->dy + at, out[1][0] + at,
                           out[1][1], out[1][2]);
    assert_true(same_bits(out[0][0], out[1][0], n) && same_bits(out[0][1], out[1][1], (size_t)d) &&
                same_bits(out[0][2], out[1][2], (size_t)d));
    for (int i = 0; i < rows; i++) {
        double e = 0.0, eh = 0.0, m = (double)mean[i], r = (double)rstd[i];
        const float *x = q->x + i * d, *dy = q->dy + i * d;
        for (int j = 0; j < d; j++) {
            double h = ((double)x[j] - m) * r;
            e += (double)q->w[j] * (double)dy[j] / d;
            eh += (double)q->w[j] * (double)dy[j] * h / d;
            dw[j] += (double)dy[j] * h;
            db[j] += (double)dy[j];
        }
        for (int j = 0; j < d; j++) {
            double want = 0.5 + r * ((double)q->w[j] * (double)dy[j] - e - ((double)x[j] - m) * r * eh);
            assert_true(fabs((double)out[0][0][i * d + j] - want) <= 1e-5 * rough * rough * (1.0 + fabs(want)));
        }
    }
    for (int j = 0; j < d; j++) {
        assert_true(fabs((double)out[0][1][j] - 0.5 - dw[j]) <= 1e-5 * rough * rough * rows);
        assert_true(fabs((double)out[0][2][j] - 0.5 - db[j]) <= 1e-5 * rows);
    }
    k->layer_norm_backward(rows, d, q->x, q->w, mean, rstd, q->dy, out[1][0], NULL, NULL); /* both may be missing */
    for (int c = 0; c < 2; c++)
        for (int v = 0; v < 3; v++) array_free(out[c][v]);
    free(dw);
    free(db);
    array_free(mean);
    array_free(rstd);
}

static void test_layer_norm(void **state)
{
    static const int width[] = {1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 192, 768};
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        flaw_random r;
        flaw_random_init(&r, 11, 0);
        for (size_t s = 0; s < sizeof width / sizeof width[0]; s++) {
            for (int rows = 0; rows < 24; rows += 1 + rows / 2) {
                norm q = norm_new(&r, rows, width[s]);
                check_norm(all.table[l], &q);
                check_norm_backward(all.table[l], &q);
                norm_free(&q);
            }
        }
    }
}

/* RMS norm and its gradient against the formula in double; rows in two parts give the same bits. */
static void check_rms(const flaw_kernels *k, flaw_random *r, int rows, int d)
{
    size_t n = (size_t)(rows * d);
    float *x = array_random(r, n, 2.0), *w = array_random(r, (size_t)d, 1.0), *dy = array_random(r, n, 1.0);
    float *y[2], *rstd[2], *dx[2], *dw[2];
    for (int c = 0; c < 2; c++) {
        y[c] = array_new(n);
        rstd[c] = array_new((size_t)rows);
        dx[c] = array_new(n);
        dw[c] = array_new((size_t)d);
        for (size_t i = 0; i < n; i++) dx[c][i] = 0.5f;
        for (int j = 0; j < d; j++) dw[c][j] = 0.5f;
        for (int first = 0, part; first < rows; first += part) {
            part = c && first == 0 ? rows / 3 + 1 : rows - first;
            size_t at = (size_t)(first * d);
            k->rms_norm(part, d, 1e-5f, x + at, w, y[c] + at, rstd[c] + first);
            k->rms_norm_backward(part, d, x + at, w, rstd[c] + first, dy + at, dx[c] + at, dw[c]);
        }
    }
    assert_true(same_bits(y[0], y[1], n) && same_bits(dx[0], dx[1], n) && same_bits(dw[0], dw[1], (size_t)d));
    double *sum_w = calloc((size_t)d, sizeof *sum_w);
    for (int i = 0; i < rows; i++) {
        double square = 0.0, eh = 0.0;
        for (int j = 0; j < d; j++) square += (double)x[i * d + j] * (double)x[i * d + j];
        double inverse = 1.0 / sqrt(square / d + (double)1e-5f);
        assert_true(fabs((double)rstd[0][i] - inverse) <= 1e-6 * inverse);
        for (int j = 0; j < d; j++) eh += (double)w[j] * (double)dy[i * d + j] * (double)x[i * d + j] * inverse / d;
        for (int j = 0; j < d; j++) {
            double h = (double)x[i * d + j] * inverse, want = 0.5 + inverse * ((double)w[j] * (double)dy[i * d + j] - h * eh);
            sum_w[j] += (double)dy[i * d + j] * h;
            assert_true(fabs((double)y[0][i * d + j] - h * (double)w[j]) <= 1e-6 * (1 + fabs(h * (double)w[j])));
            assert_true(fabs((double)dx[0][i * d + j] - want) <= 3e-6 * (1 + inverse) * (1 + inverse) * (1 + fabs(want)));
        }
    }
    for (int j = 0; j < d; j++) assert_true(fabs((double)dw[0][j] - 0.5 - sum_w[j]) <= 1e-5 * (1 + rows));
    k->rms_norm_backward(rows, d, x, w, rstd[0], dy, dx[1], NULL); /* frozen */
    for (int c = 0; c < 2; c++) {
        array_free(y[c]);
        array_free(rstd[c]);
        array_free(dx[c]);
        array_free(dw[c]);
    }
    free(sum_w);
    array_free(x);
    array_free(w);
    array_free(dy);
}

static void test_rms_norm(void **state)
{
    static const int width[] = {1, 2, 7, 8, 15, 16, 17, 33, 64, 65, 100, 192};
    levels all = levels_here();
    flaw_random r;
    flaw_random_init(&r, 14, 0);
    for (int l = 0; l < all.count; l++)
        for (size_t s = 0; s < sizeof width / sizeof width[0]; s++)
            for (int rows = 0; rows < 24; rows += 1 + rows / 2) check_rms(all.table[l], &r, rows, width[s]);
}

/* Both conventions against the formula in double; turning back undoes it; what is between the rows is left alone. */
static void check_rotate(const flaw_kernels *k, flaw_random *r, int heads, int width, bool halves)
{
    enum { ROWS = 4 };
    int half = width / 2, row = heads * width + 3, apart = halves ? half : 1, step = halves ? 1 : 2;
    float *x = array_random(r, (size_t)(ROWS * row), 1.0), *y = array_new((size_t)(ROWS * row)),
          *table = array_new((size_t)(ROWS * width));
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < half; j++) {
            table[i * width + j] = (float)cos(i + 0.3 * j);
            table[i * width + half + j] = (float)sin(i + 0.3 * j);
        }
    memcpy(y, x, (size_t)(ROWS * row) * sizeof *y);
    k->rotate(ROWS, heads, width, halves, false, table, y, row);
    for (int i = 0; i < ROWS; i++) {
        for (int at = 0; at < heads * width; at += width) {
            for (int j = 0; j < half; j++) {
                int a = i * row + at + j * step, b = a + apart;
                double angle = i + 0.3 * j, u = (double)x[a], v = (double)x[b], size = fabs(u) + fabs(v);
                assert_true(fabs((double)y[a] - (u * cos(angle) - v * sin(angle))) <= 4 * EPS * size);
                assert_true(fabs((double)y[b] - (v * cos(angle) + u * sin(angle))) <= 4 * EPS * size);
            }
        }
        assert_true(same_bits(x + i * row + heads * width, y + i * row + heads * width, 3));
    }
    k->rotate(ROWS, heads, width, halves, true, table, y, row);
    for (int i = 0; i < ROWS * row; i++) assert_true(fabs((double)y[i] - (double)x[i]) <= 1e-5);
    array_free(x);
    array_free(y);
    array_free(table);
}

static void test_rotate(void **state)
{
    levels all = levels_here();
    flaw_random r;
    flaw_random_init(&r, 15, 0);
    for (int l = 0; l < all.count; l++)
        for (int width = 2; width < 140; width += width < 40 ? 2 : 18)
            for (int heads = 1; heads < 4; heads++)
                for (int halves = 0; halves < 2; halves++) check_rotate(all.table[l], &r, heads, width, halves);
}

static void test_softmax(void **state)
{
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        const flaw_kernels *k = all.table[l];
        flaw_random r;
        flaw_random_init(&r, 12, 0);
        for (int n = 1; n < 80; n++) {
            float *x = array_random(&r, (size_t)(3 * n), 10.0), *y = array_new((size_t)(3 * n));
            memcpy(y, x, (size_t)(3 * n) * sizeof *y);
            k->softmax(3, n, y);
            for (int i = 0; i < 3; i++) {
                double top = -INFINITY, sum = 0.0;
                for (int j = 0; j < n; j++) top = fmax(top, (double)x[i * n + j]);
                for (int j = 0; j < n; j++) sum += exp((double)x[i * n + j] - top);
                for (int j = 0; j < n; j++) {
                    double want = exp((double)x[i * n + j] - top) / sum;
                    assert_true(fabs((double)y[i * n + j] - want) <= (8.0 + n / 8.0 + 100.0) * EPS * want + 1e-37);
                }
            }
            float *one = array_new((size_t)n);
            memcpy(one, x + n, (size_t)n * sizeof *one);
            k->softmax(1, n, one);
            assert_true(same_bits(one, y + n, (size_t)n));
            x[2 * n + n / 2] = NAN; /* spoils its row and no other */
            k->softmax(3, n, x);
            for (int j = 0; j < 3 * n; j++) assert_true((isnan(x[j]) != 0) == (j >= 2 * n));
            array_free(x);
            array_free(y);
            array_free(one);
        }
    }
}

static void test_column_sum(void **state)
{
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        flaw_random r;
        flaw_random_init(&r, 13, 0);
        for (int d = 1; d < 200; d += 1 + d / 5) {
            int rows = dice(&r, 0, 50), step = d + dice(&r, 0, 4);
            float *x = array_random(&r, (size_t)((rows + 1) * step), 1.0), *out = array_random(&r, (size_t)d, 1.0);
            float *plain = array_new((size_t)d);
            memcpy(plain, out, (size_t)d * sizeof *out);
            flaw_kernels_select(FLAW_LEVEL_REF)->column_sum(rows, d, x, step, plain);
            all.table[l]->column_sum(rows, d, x, step, out);
            assert_true(same_bits(out, plain, (size_t)d)); /* one order of additions on every level */
            array_free(x);
            array_free(out);
            array_free(plain);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_rms_norm),
        cmocka_unit_test(test_rotate),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_column_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
