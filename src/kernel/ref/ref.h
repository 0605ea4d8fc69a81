/* The plain C reference of every kernel. Written to be read; kept for ever as what the fast levels are compared with.
 */
#ifndef FLAW_KERNEL_REF_H
#define FLAW_KERNEL_REF_H

#include "kernel/kernel.h"

size_t flaw_ref_pack_size(flaw_precision prec, int k, int n);
void flaw_ref_pack(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, void *out);
void flaw_ref_pack_cols(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0,
                        int n1, void *out);
int flaw_ref_panel(flaw_precision prec);
int flaw_ref_row_panel(flaw_precision prec);
size_t flaw_ref_rows_size(flaw_precision prec, int m, int k);
void flaw_ref_pack_rows(flaw_precision prec, int m, int k, const float *a, ptrdiff_t a_row, void *out);
size_t flaw_ref_product_scratch(flaw_precision prec, int k);
void flaw_ref_product(flaw_precision prec, const flaw_product *p, int m0, int m1, int n0, int n1, void *scratch);

void flaw_ref_weight_product(const flaw_weight_product *p);

size_t flaw_ref_attention_scratch(int tokens, int width);
void flaw_ref_attention(const flaw_attention *a, void *scratch);
size_t flaw_ref_attention_backward_scratch(int tokens, int width);
void flaw_ref_attention_backward(const flaw_attention_grad *g, void *scratch);

void flaw_ref_layer_norm(int rows, int d, float eps, const float *x, const float *w, const float *b, float *y,
                         float *mean, float *rstd);
void flaw_ref_layer_norm_backward(int rows, int d, const float *x, const float *w, const float *mean, const float *rstd,
                                  const float *dy, float *dx, float *dw, float *db);
void flaw_ref_rms_norm(int rows, int d, float eps, const float *x, const float *w, float *y, float *rstd);
void flaw_ref_rms_norm_backward(int rows, int d, const float *x, const float *w, const float *rstd, const float *dy,
                                float *dx, float *dw);
void flaw_ref_rotate(int rows, int heads, int width, bool halves, bool back, const float *table, float *x, ptrdiff_t x_row);
void flaw_ref_softmax(int rows, int n, float *x);

float flaw_ref_activation(flaw_activation act, float x);
float flaw_ref_activation_slope(flaw_activation act, float x);
void flaw_ref_activate(flaw_activation act, size_t n, const float *x, float *y);
void flaw_ref_activate_backward(flaw_activation act, size_t n, const float *x, const float *dy, float *dx);
void flaw_ref_gate(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, float *y, ptrdiff_t y_row);
void flaw_ref_gate_backward(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, const float *dy,
                            ptrdiff_t dy_row, float *dx, ptrdiff_t dx_row);
void flaw_ref_exp(size_t n, const float *x, float *y);
float flaw_ref_dot(size_t n, const float *a, const float *b);
void flaw_ref_axpy(size_t n, float alpha, const float *x, float *y);
void flaw_ref_scale(size_t n, float alpha, float *x);
void flaw_ref_column_sum(int rows, int d, const float *x, ptrdiff_t x_row, float *out);
void flaw_ref_adamw(const flaw_adamw *o, size_t n, float *w, const float *g, float *m, float *v);

extern const flaw_kernels flaw_kernels_ref;

#endif
