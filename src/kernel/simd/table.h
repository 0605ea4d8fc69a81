/* The table of a level of vectors. */
#ifndef FLAW_KERNEL_SIMD_TABLE_H
#define FLAW_KERNEL_SIMD_TABLE_H

#include "kernel/simd/attention.h"
#include "kernel/simd/level.h"

/* TABLE(id, name, level, rows, bf16 engine, bf16 packing): the functions that choose by precision, and the table.
 * `rows` is the prefix of the kernels on rows and arrays. */
#define TABLE(id, text, lev, rows, bf16, bf16_pack)                                                                    \
    static const flaw_engine *id##_engine(flaw_precision prec)                                                         \
    {                                                                                                                  \
        return prec == FLAW_BF16 ? &bf16 : &rows##_engine_f32;                                                         \
    }                                                                                                                  \
    static size_t id##_pack_size(flaw_precision prec, int k, int n)                                                    \
    {                                                                                                                  \
        return flaw_engine_pack_size(id##_engine(prec), k, n);                                                         \
    }                                                                                                                  \
    static void id##_pack_cols(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col,    \
                               int n0, int n1, void *out)                                                              \
    {                                                                                                                  \
        flaw_pack_cols *pack = prec == FLAW_BF16 ? bf16_pack : rows##_pack_f32;                                        \
        pack(k, n, b, b_row, b_col, n0, n1, out);                                                                      \
    }                                                                                                                  \
    static void id##_pack(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col,         \
                          void *out)                                                                                   \
    {                                                                                                                  \
        id##_pack_cols(prec, k, n, b, b_row, b_col, 0, n, out);                                                        \
    }                                                                                                                  \
    static int id##_panel(flaw_precision prec)                                                                         \
    {                                                                                                                  \
        return id##_engine(prec)->cols;                                                                                \
    }                                                                                                                  \
    static size_t id##_product_scratch(flaw_precision prec, int k)                                                     \
    {                                                                                                                  \
        return flaw_engine_scratch(id##_engine(prec), k);                                                              \
    }                                                                                                                  \
    static void id##_product(flaw_precision prec, const flaw_product *p, int m0, int m1, int n0, int n1,               \
                             void *scratch)                                                                            \
    {                                                                                                                  \
        flaw_engine_product(id##_engine(prec), p, m0, m1, n0, n1, scratch);                                            \
    }                                                                                                                  \
    static const flaw_attention_parts id##_parts = {&flaw_kernels_##id, rows##_exp_rows, rows##_exp_again,             \
                                                    rows##_norm_rows, rows##_backward_rows, rows##_attention_few};     \
    static size_t id##_attention_scratch(int tokens, int width)                                                        \
    {                                                                                                                  \
        return flaw_attention_parts_scratch(&id##_parts, tokens, width);                                               \
    }                                                                                                                  \
    static void id##_attention(const flaw_attention *a, void *scratch)                                                 \
    {                                                                                                                  \
        flaw_attention_parts_forward(&id##_parts, a, scratch);                                                         \
    }                                                                                                                  \
    static size_t id##_attention_backward_scratch(int tokens, int width)                                               \
    {                                                                                                                  \
        return flaw_attention_parts_backward_scratch(&id##_parts, tokens, width);                                      \
    }                                                                                                                  \
    static void id##_attention_backward(const flaw_attention_grad *g, void *scratch)                                   \
    {                                                                                                                  \
        flaw_attention_parts_backward(&id##_parts, g, scratch);                                                        \
    }                                                                                                                  \
    const flaw_kernels flaw_kernels_##id = {.name = text,                                                              \
                                            .level = lev,                                                              \
                                            .pack_size = id##_pack_size,                                               \
                                            .pack = id##_pack,                                                         \
                                            .pack_cols = id##_pack_cols,                                               \
                                            .panel = id##_panel,                                                       \
                                            .product_scratch = id##_product_scratch,                                   \
                                            .product = id##_product,                                                   \
                                            .weight_unpack = rows##_weight_unpack,                                     \
                                            .weight_product = rows##_weight_product,                                   \
                                            .attention_scratch = id##_attention_scratch,                               \
                                            .attention = id##_attention,                                               \
                                            .attention_backward_scratch = id##_attention_backward_scratch,             \
                                            .attention_backward = id##_attention_backward,                             \
                                            .layer_norm = rows##_layer_norm,                                           \
                                            .layer_norm_backward = rows##_layer_norm_backward,                         \
                                            .rms_norm = rows##_rms_norm,                                               \
                                            .rms_norm_backward = rows##_rms_norm_backward,                             \
                                            .rotate = rows##_rotate,                                                   \
                                            .softmax = rows##_softmax,                                                 \
                                            .activate = rows##_activate,                                               \
                                            .activate_backward = rows##_activate_backward,                             \
                                            .gate = rows##_gate,                                                       \
                                            .gate_backward = rows##_gate_backward,                                     \
                                            .exp = rows##_exp,                                                         \
                                            .dot = rows##_dot,                                                         \
                                            .axpy = rows##_axpy,                                                       \
                                            .scale = rows##_scale,                                                     \
                                            .column_sum = rows##_column_sum,                                           \
                                            .adamw = rows##_adamw};

#endif
