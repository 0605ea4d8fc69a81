/* Kernels on long arrays. A NAME_lanes function does `n` adjacent values, n <= VEC; the loops call it with VEC as a
 * constant, which removes the masks, and once for the tail. */

VEC_INLINE void activate_lanes(flaw_activation act, const float *x, float *y, int n)
{
    vf_store_some(y, vf_activation(act, vf_load_some(x, n)), n);
}

VEC_INLINE void activate_all(flaw_activation act, size_t n, const float *x, float *y)
{
    size_t i = 0;
    for (; i + VEC <= n; i += VEC) activate_lanes(act, x + i, y + i, VEC);
    if (i < n) activate_lanes(act, x + i, y + i, (int)(n - i));
}

void LEVEL(activate)(flaw_activation act, size_t n, const float *x, float *y)
{
    if (act == FLAW_ACT_GELU) activate_all(FLAW_ACT_GELU, n, x, y);
    else if (act == FLAW_ACT_QUICK_GELU) activate_all(FLAW_ACT_QUICK_GELU, n, x, y);
    else if (act == FLAW_ACT_SILU) activate_all(FLAW_ACT_SILU, n, x, y);
    else if (x != y) memmove(y, x, n * sizeof *y);
}

VEC_INLINE void activate_backward_lanes(flaw_activation act, const float *x, const float *dy, float *dx, int n)
{
    vf slope = vf_activation_slope(act, vf_load_some(x, n));
    vf_store_some(dx, vf_mul(vf_load_some(dy, n), slope), n);
}

VEC_INLINE void activate_backward_all(flaw_activation act, size_t n, const float *x, const float *dy, float *dx)
{
    size_t i = 0;
    for (; i + VEC <= n; i += VEC) activate_backward_lanes(act, x + i, dy + i, dx + i, VEC);
    if (i < n) activate_backward_lanes(act, x + i, dy + i, dx + i, (int)(n - i));
}

void LEVEL(activate_backward)(flaw_activation act, size_t n, const float *x, const float *dy, float *dx)
{
    if (act == FLAW_ACT_GELU) activate_backward_all(FLAW_ACT_GELU, n, x, dy, dx);
    else if (act == FLAW_ACT_QUICK_GELU) activate_backward_all(FLAW_ACT_QUICK_GELU, n, x, dy, dx);
    else if (act == FLAW_ACT_SILU) activate_backward_all(FLAW_ACT_SILU, n, x, dy, dx);
    else if (dx != dy) memmove(dx, dy, n * sizeof *dx);
}

VEC_INLINE void gate_lanes(flaw_activation act, const float *gate, const float *up, float *y, int n)
{
    vf_store_some(y, vf_mul(vf_activation(act, vf_load_some(gate, n)), vf_load_some(up, n)), n);
}

VEC_INLINE void gate_all(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, float *y, ptrdiff_t y_row)
{
    for (int i = 0; i < rows; i++, x += x_row, y += y_row) {
        int j = 0;
        for (; j + VEC <= f; j += VEC) gate_lanes(act, x + j, x + f + j, y + j, VEC);
        if (j < f) gate_lanes(act, x + j, x + f + j, y + j, f - j);
    }
}

void LEVEL(gate)(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, float *y, ptrdiff_t y_row)
{
    switch (act) {
    case FLAW_ACT_NONE: gate_all(FLAW_ACT_NONE, rows, f, x, x_row, y, y_row); break;
    case FLAW_ACT_GELU: gate_all(FLAW_ACT_GELU, rows, f, x, x_row, y, y_row); break;
    case FLAW_ACT_QUICK_GELU: gate_all(FLAW_ACT_QUICK_GELU, rows, f, x, x_row, y, y_row); break;
    case FLAW_ACT_SILU: gate_all(FLAW_ACT_SILU, rows, f, x, x_row, y, y_row); break;
    }
}

VEC_INLINE void gate_backward_lanes(flaw_activation act, const float *x, int f, const float *dy, float *dx, int n)
{
    vf gate = vf_load_some(x, n), d = vf_load_some(dy, n), slope, y;
    if (act == FLAW_ACT_SILU) {
        y = vf_silu_both(gate, &slope);
    } else {
        slope = vf_activation_slope(act, gate);
        y = vf_activation(act, gate);
    }
    vf_store_some(dx, vf_mul(vf_mul(d, vf_load_some(x + f, n)), slope), n);
    vf_store_some(dx + f, vf_mul(d, y), n);
}

typedef struct gate_rows {
    int rows, f;
    const float *x, *dy;
    float *dx;
    ptrdiff_t x_row, dy_row, dx_row;
} gate_rows;

VEC_INLINE void gate_backward_all(flaw_activation act, const gate_rows *g)
{
    for (int i = 0; i < g->rows; i++) {
        const float *x = g->x + i * g->x_row, *dy = g->dy + i * g->dy_row;
        float *dx = g->dx + i * g->dx_row;
        int j = 0;
        for (; j + VEC <= g->f; j += VEC) gate_backward_lanes(act, x + j, g->f, dy + j, dx + j, VEC);
        if (j < g->f) gate_backward_lanes(act, x + j, g->f, dy + j, dx + j, g->f - j);
    }
}

void LEVEL(gate_backward)(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, const float *dy,
                          ptrdiff_t dy_row, float *dx, ptrdiff_t dx_row)
{
    const gate_rows g = {rows, f, x, dy, dx, x_row, dy_row, dx_row};
    switch (act) {
    case FLAW_ACT_NONE: gate_backward_all(FLAW_ACT_NONE, &g); break;
    case FLAW_ACT_GELU: gate_backward_all(FLAW_ACT_GELU, &g); break;
    case FLAW_ACT_QUICK_GELU: gate_backward_all(FLAW_ACT_QUICK_GELU, &g); break;
    case FLAW_ACT_SILU: gate_backward_all(FLAW_ACT_SILU, &g); break;
    }
}

VEC_INLINE void exp_lanes(const float *x, float *y, int n)
{
    vf_store_some(y, vf_exp(vf_load_some(x, n)), n);
}

void LEVEL(exp)(size_t n, const float *x, float *y)
{
    size_t i = 0;
    for (; i + VEC <= n; i += VEC) exp_lanes(x + i, y + i, VEC);
    if (i < n) exp_lanes(x + i, y + i, (int)(n - i));
}

/* Summed in double like the reference; the tail's missing lanes add 0 x 0. */
float LEVEL(dot)(size_t n, const float *a, const float *b)
{
    vf_double even = vf_double_zero(), odd = vf_double_zero();
    size_t i = 0;
    for (; i + 2 * VEC <= n; i += 2 * VEC) {
        vf_double_add_product(&even, vf_load(a + i), vf_load(b + i));
        vf_double_add_product(&odd, vf_load(a + i + VEC), vf_load(b + i + VEC));
    }
    if (i + VEC <= n) {
        vf_double_add_product(&even, vf_load(a + i), vf_load(b + i));
        i += VEC;
    }
    if (i < n) vf_double_add_product(&odd, vf_load_some(a + i, (int)(n - i)), vf_load_some(b + i, (int)(n - i)));
    return (float)(vf_double_sum(even) + vf_double_sum(odd));
}

VEC_INLINE void axpy_lanes(vf alpha, const float *x, float *y, int n)
{
    vf_store_some(y, vf_fma(alpha, vf_load_some(x, n), vf_load_some(y, n)), n);
}

void LEVEL(axpy)(size_t n, float alpha, const float *x, float *y)
{
    vf a = vf_set(alpha);
    size_t i = 0;
    for (; i + VEC <= n; i += VEC) axpy_lanes(a, x + i, y + i, VEC);
    if (i < n) axpy_lanes(a, x + i, y + i, (int)(n - i));
}

VEC_INLINE void scale_lanes(vf alpha, float *x, int n)
{
    vf_store_some(x, vf_mul(alpha, vf_load_some(x, n)), n);
}

void LEVEL(scale)(size_t n, float alpha, float *x)
{
    vf a = vf_set(alpha);
    size_t i = 0;
    for (; i + VEC <= n; i += VEC) scale_lanes(a, x + i, VEC);
    if (i < n) scale_lanes(a, x + i, (int)(n - i));
}

/* See flaw_ref_adamw. */
VEC_INLINE void adamw_lanes(const flaw_adamw *o, float *w, const float *g, float *m, float *v, int n)
{
    vf gi = vf_mul(vf_load_some(g, n), vf_set(o->grad_scale)), wi = vf_load_some(w, n);
    vf mi = vf_fma(vf_set(1.0f - o->beta1), gi, vf_mul(vf_set(o->beta1), vf_load_some(m, n)));
    vf vi = vf_fma(vf_mul(vf_set(1.0f - o->beta2), gi), gi, vf_mul(vf_set(o->beta2), vf_load_some(v, n)));
    vf_store_some(m, mi, n);
    vf_store_some(v, vi, n);
    vf root = vf_add(vf_sqrt(vf_mul(vi, vf_set(o->correct2))), vf_set(o->eps));
    vf step = vf_div(vf_mul(mi, vf_set(o->correct1)), root);
    step = vf_fma(vf_set(o->decay), wi, step);
    vf_store_some(w, vf_fnma(vf_set(o->rate), step, wi), n);
}

void LEVEL(adamw)(const flaw_adamw *o, size_t n, float *w, const float *g, float *m, float *v)
{
    size_t i = 0;
    for (; i + VEC <= n; i += VEC) adamw_lanes(o, w + i, g + i, m + i, v + i, VEC);
    if (i < n) adamw_lanes(o, w + i, g + i, m + i, v + i, (int)(n - i));
}
