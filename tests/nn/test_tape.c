/* Networks on a tape: every gradient against central differences, the same bits for any number of threads, hidden keys
 * that count for nothing, and a step that lowers the loss. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "nn/tape.h"

enum { T = 9, IN = 7, WIDTH = 6, OUT = 5, N = 3, HEADS = 2 };

typedef struct net {
    flaw_compute c;
    flaw_tape t;
    uint8_t hidden[T * T];
    int input, output;
    float weigh[N * T * OUT], in[N * T * IN];
} net;

/* All kinds of layers: a transformer layer with a learnt query, and a residual around it. */
static void open_net(net *n, int threads, flaw_level level)
{
    flaw_error err = {0};
    flaw_random r;
    memset(n, 0, sizeof *n);
    flaw_random_init(&r, 3, 0);
    assert_ok(flaw_compute_open(&n->c, threads, level, FLAW_F32, &err));
    for (int i = 0; i < T; i++)
        for (int j = 0; j < T; j++) n->hidden[i * T + j] = i == j || (i + j) % 3 == 0;
    flaw_tape *t = &n->t;
    flaw_tape_begin(t, T);
    n->input = flaw_tape_input(t, IN);
    int x = flaw_tape_linear(t, n->input, WIDTH), place = flaw_tape_table(t, WIDTH);
    int keys = flaw_tape_add(t, x, place), query = flaw_tape_add(t, flaw_tape_table(t, WIDTH), place);
    int q = flaw_tape_linear(t, query, WIDTH), k = flaw_tape_linear(t, keys, WIDTH), v = flaw_tape_linear(t, x, WIDTH);
    int heads = flaw_tape_attend(t, q, k, v, HEADS, n->hidden);
    int mid = flaw_tape_norm(t, flaw_tape_add(t, x, flaw_tape_linear(t, heads, WIDTH)));
    int inner = flaw_tape_gelu(t, flaw_tape_linear(t, mid, 2 * WIDTH));
    n->output = flaw_tape_linear(t, flaw_tape_add(t, mid, flaw_tape_linear(t, inner, WIDTH)), OUT);
    assert_ok(flaw_tape_build(t, &n->c, N, true, 0, 11, &err));
    for (size_t i = 0; i < t->floats; i++) t->moments.w[i] += (float)(0.3 * flaw_random_normal(&r));
    for (size_t i = 0; i < sizeof n->in / sizeof *n->in; i++) n->in[i] = (float)flaw_random_normal(&r);
    for (size_t i = 0; i < sizeof n->weigh / sizeof *n->weigh; i++) n->weigh[i] = (float)flaw_random_normal(&r);
    assert_ok(flaw_tape_pack(t, &err));
}

static void close_net(net *n)
{
    flaw_tape_close(&n->t);
    flaw_compute_close(&n->c);
}

/* sum(weigh * output) */
static double loss_of(net *n)
{
    flaw_error err = {0};
    double sum = 0;
    assert_ok(flaw_tape_pack(&n->t, &err));
    memcpy(n->t.node[n->input].y, n->in, sizeof n->in);
    flaw_tape_forward(&n->t, N);
    for (int i = 0; i < N * T * OUT; i++) sum += (double)n->weigh[i] * (double)n->t.node[n->output].y[i];
    return sum;
}

static void backward(net *n)
{
    loss_of(n);
    for (int i = 0; i < N * T * OUT; i++) n->t.node[n->output].dy[i] += n->weigh[i];
    flaw_tape_backward(&n->t, N);
}

static void check(net *n, float *x, const float *grad, size_t count, const char *what)
{
    const float step = 1e-3f;
    double largest = 1e-6;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)grad[i]));
    for (size_t i = 0; i < count; i += 1 + count / 40) {
        float was = x[i];
        x[i] = was + step;
        double up = loss_of(n);
        x[i] = was - step;
        double down = loss_of(n);
        x[i] = was;
        double want = (up - down) / (2 * (double)step);
        if (!(fabs(want - (double)grad[i]) < 4e-3 * largest + 1e-3))
            fail_msg("%s[%zu]: gradient %g, by differences %g", what, i, (double)grad[i], want);
    }
}

static void test_gradients(void **state)
{
    net *n = calloc(1, sizeof *n);
    open_net(n, 1, FLAW_LEVEL_REF);
    flaw_tape *t = &n->t;
    backward(n);
    float *grad = malloc(t->floats * sizeof *grad), *d_in = malloc(sizeof n->in);
    memcpy(grad, t->moments.g, t->floats * sizeof *grad);
    memcpy(d_in, t->node[n->input].dy, sizeof n->in);
    for (int i = 0; i < t->count; i++) {
        char name[32];
        snprintf(name, sizeof name, "node %d", i);
        check(n, t->moments.w + t->node[i].first, grad + t->node[i].first, t->node[i].count, name);
    }
    check(n, n->in, d_in, N * T * IN, "input");
    free(grad);
    free(d_in);
    close_net(n);
    free(n);
}

static void test_threads(void **state)
{
    net *one = calloc(1, sizeof *one), *three = calloc(1, sizeof *three);
    flaw_error err = {0};
    open_net(one, 1, FLAW_LEVEL_AUTO);
    open_net(three, 3, FLAW_LEVEL_AUTO);
    for (int i = 0; i < 3; i++) {
        backward(one);
        backward(three);
        assert_memory_equal(one->t.moments.g, three->t.moments.g, one->t.floats * sizeof(float));
        assert_ok(flaw_tape_step(&one->t, 1e-2f, 1, NULL, &err));
        assert_ok(flaw_tape_step(&three->t, 1e-2f, 1, NULL, &err));
    }
    assert_memory_equal(one->t.moments.w, three->t.moments.w, one->t.floats * sizeof(float));
    close_net(one);
    close_net(three);
    free(one);
    free(three);
}

/* What a token may not see changes nothing of it: token 0 does not see 3, nor through the residual, which is its own.
 */
static void test_hidden(void **state)
{
    net *n = calloc(1, sizeof *n);
    open_net(n, 1, FLAW_LEVEL_AUTO);
    float before[T * OUT];
    loss_of(n);
    memcpy(before, n->t.node[n->output].y, sizeof before);
    assert_true(n->hidden[0 * T + 3] && !n->hidden[1 * T + 3]);
    for (int i = 0; i < IN; i++) n->in[3 * IN + i] += 1;
    loss_of(n);
    assert_memory_equal(before, n->t.node[n->output].y, OUT * sizeof(float));
    assert_true(memcmp(before + OUT, n->t.node[n->output].y + OUT, OUT * sizeof(float)) != 0);
    close_net(n);
    free(n);
}

static void test_learns(void **state)
{
    net *n = calloc(1, sizeof *n);
    flaw_error err = {0};
    double first = 0, last = 0, norm;
    open_net(n, 2, FLAW_LEVEL_AUTO);
    for (int step = 0; step < 60; step++) { /* towards `weigh` */
        flaw_tape_node *out = &n->t.node[n->output];
        loss_of(n);
        last = 0;
        for (int i = 0; i < N * T * OUT; i++) {
            out->dy[i] = 2 * (out->y[i] - n->weigh[i]) / (N * T * OUT);
            last += (double)((out->y[i] - n->weigh[i]) * (out->y[i] - n->weigh[i]));
        }
        if (!step) first = last;
        flaw_tape_backward(&n->t, N);
        assert_ok(flaw_tape_step(&n->t, 1e-2f, 1, &norm, &err));
        assert_true(isfinite(norm));
    }
    assert_true(last < 0.5 * first);
    close_net(n);
    free(n);
}

static void test_too_long(void **state)
{
    flaw_tape *t = calloc(1, sizeof *t);
    flaw_compute c;
    flaw_error err = {0};
    assert_ok(flaw_compute_open(&c, 1, FLAW_LEVEL_REF, FLAW_F32, &err));
    flaw_tape_begin(t, 4);
    int x = flaw_tape_input(t, 3);
    for (int i = 0; i < FLAW_TAPE_NODES; i++) x = flaw_tape_linear(t, x, 3);
    assert_int_equal(flaw_tape_build(t, &c, 1, false, 0, 0, &err), FLAW_INTERNAL);
    flaw_tape_close(t);
    flaw_compute_close(&c);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradients), cmocka_unit_test(test_threads),
                                       cmocka_unit_test(test_hidden), cmocka_unit_test(test_learns),
                                       cmocka_unit_test(test_too_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
