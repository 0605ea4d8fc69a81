/* What one level of vectors defines. One body per kernel (*.inc.c) is compiled once for each kind of vector: LEVEL(name) is
 * flaw_avx2_name, flaw_avx512_name, ... The tables are made of them (table.inc.c). */
#ifndef FLAW_KERNEL_SIMD_LEVEL_H
#define FLAW_KERNEL_SIMD_LEVEL_H

#include "kernel/simd/engine.h"

#define FLAW_DECLARE_LEVEL(level)                                                                                      \
    void level##_layer_norm(int rows, int d, float eps, const float *x, const float *w, const float *b, float *y,      \
                            float *mean, float *rstd);                                                                 \
    void level##_layer_norm_backward(int rows, int d, const float *x, const float *w, const float *mean,               \
                                     const float *rstd, const float *dy, float *dx, float *dw, float *db);             \
    void level##_rms_norm(int rows, int d, float eps, const float *x, const float *w, float *y, float *rstd);          \
    void level##_rms_norm_backward(int rows, int d, const float *x, const float *w, const float *rstd,                 \
                                   const float *dy, float *dx, float *dw);                                             \
    void level##_rotate(int rows, int heads, int width, bool halves, bool back, const float *table, float *x,          \
                        ptrdiff_t x_row);                                                                              \
    void level##_softmax(int rows, int n, float *x);                                                                   \
    void level##_column_sum(int rows, int d, const float *x, ptrdiff_t x_row, float *out);                             \
    /* See flaw_attention_parts. */                                                                                    \
    void level##_exp_rows(int rows, int n, int grow, float scale, float *x, ptrdiff_t x_row, float *stats);            \
    void level##_exp_again(int rows, int n, int grow, float scale, float *x, ptrdiff_t x_row, const float *stats);     \
    void level##_norm_rows(int rows, int n, int grow, const float *x, ptrdiff_t x_row, const float *stats, float *y,   \
                           ptrdiff_t y_row);                                                                           \
    void level##_backward_rows(int rows, int n, int grow, float scale, const float *p, ptrdiff_t p_row, float *d,      \
                               ptrdiff_t d_row);                                                                       \
    void level##_exp_bytes(int rows, int n, float scale, const float *x, ptrdiff_t x_row, uint8_t *high, uint8_t *low, \
                           ptrdiff_t q_row, struct flaw_int8_row *high_scale, struct flaw_int8_row *low_scale);        \
    void level##_attention_few(const flaw_attention *a);                                                               \
    void level##_activate(flaw_activation act, size_t n, const float *x, float *y);                                    \
    void level##_activate_backward(flaw_activation act, size_t n, const float *x, const float *dy, float *dx);         \
    void level##_gate(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, float *y,                 \
                      ptrdiff_t y_row);                                                                                \
    void level##_gate_backward(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, const float *dy, \
                               ptrdiff_t dy_row, float *dx, ptrdiff_t dx_row);                                         \
    void level##_exp(size_t n, const float *x, float *y);                                                              \
    float level##_dot(size_t n, const float *a, const float *b);                                                       \
    void level##_axpy(size_t n, float alpha, const float *x, float *y);                                                \
    void level##_scale(size_t n, float alpha, float *x);                                                               \
    void level##_adamw(const flaw_adamw *o, size_t n, float *w, const float *g, float *m, float *v);                   \
    void level##_weight_unpack(flaw_weight_type type, size_t n, const void *row, float *out);                           \
    void level##_weight_product(const flaw_weight_product *p);                                                         \
    flaw_finish level##_finish, level##_finish_int8;                                                                   \
    extern const flaw_engine level##_engine_f32, level##_engine_rounded;

#endif
