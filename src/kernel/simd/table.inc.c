/* The body of a level's table. The includer defines TABLE (its name), TABLE_TEXT, TABLE_LEVEL, LEVEL(name) (the
 * vectors' kernels on rows and arrays), and a static array `engines`: one for each precision, NULL where the reference
 * does it; TABLE_DIGITS and TABLE_MANY where the level has a flaw_weight_digits, a flaw_weight_many; TABLE_ATTENTION, what
 * attention of FLAW_INT8 is computed in, where it is not float32. */
#include "kernel/ref/ref.h"
#include "kernel/simd/attention.h"

#ifndef TABLE_DIGITS
#define TABLE_DIGITS NULL
#endif

#ifndef TABLE_MANY
#define TABLE_MANY NULL
#endif

#ifndef TABLE_ATTENTION
#define TABLE_ATTENTION FLAW_F32
#endif

static size_t pack_size(flaw_precision prec, int k, int n)
{
    return engines[prec] ? flaw_engine_pack_size(engines[prec], k, n) : flaw_ref_pack_size(prec, k, n);
}

static void pack_cols(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0, int n1,
                      void *out)
{
    if (engines[prec]) engines[prec]->pack_cols(k, n, b, b_row, b_col, n0, n1, out);
    else flaw_ref_pack_cols(prec, k, n, b, b_row, b_col, n0, n1, out);
}

static void pack(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, void *out)
{
    pack_cols(prec, k, n, b, b_row, b_col, 0, n, out);
}

static int panel(flaw_precision prec)
{
    return engines[prec] ? engines[prec]->cols : flaw_ref_panel(prec);
}

static int row_panel(flaw_precision prec)
{
    return engines[prec] ? engines[prec]->rows : flaw_ref_row_panel(prec);
}

static size_t rows_size(flaw_precision prec, int m, int k)
{
    return engines[prec] ? flaw_engine_rows_size(engines[prec], m, k) : flaw_ref_rows_size(prec, m, k);
}

static void pack_rows(flaw_precision prec, int m, int k, const float *a, ptrdiff_t a_row, void *out)
{
    if (engines[prec]) flaw_engine_pack_rows(engines[prec], m, k, a, a_row, out);
    else flaw_ref_pack_rows(prec, m, k, a, a_row, out);
}

static size_t product_scratch(flaw_precision prec, int k)
{
    return engines[prec] ? flaw_engine_scratch(engines[prec], k) : flaw_ref_product_scratch(prec, k);
}

static void product(flaw_precision prec, const flaw_product *p, int m0, int m1, int n0, int n1, void *scratch)
{
    if (engines[prec]) flaw_engine_product(engines[prec], p, m0, m1, n0, n1, scratch);
    else flaw_ref_product(prec, p, m0, m1, n0, n1, scratch);
}

static const flaw_attention_parts parts = {&TABLE,           TABLE_ATTENTION,      LEVEL(exp_rows),  LEVEL(exp_again),
                                           LEVEL(norm_rows), LEVEL(backward_rows), LEVEL(exp_bytes), LEVEL(attention_few)};

static size_t attention_scratch(int tokens, int width)
{
    return flaw_attention_parts_scratch(&parts, tokens, width);
}

static void attention(const flaw_attention *a, void *scratch)
{
    flaw_attention_parts_forward(&parts, a, scratch);
}

static size_t attention_backward_scratch(int tokens, int width)
{
    return flaw_attention_parts_backward_scratch(&parts, tokens, width);
}

static void attention_backward(const flaw_attention_grad *g, void *scratch)
{
    flaw_attention_parts_backward(&parts, g, scratch);
}

const flaw_kernels TABLE = {
    .name = TABLE_TEXT,
    .level = TABLE_LEVEL,
    .pack_size = pack_size,
    .pack = pack,
    .pack_cols = pack_cols,
    .panel = panel,
    .row_panel = row_panel,
    .rows_size = rows_size,
    .pack_rows = pack_rows,
    .product_scratch = product_scratch,
    .product = product,
    .attention_scratch = attention_scratch,
    .attention = attention,
    .attention_backward_scratch = attention_backward_scratch,
    .attention_backward = attention_backward,
    .weight_unpack = LEVEL(weight_unpack),
    .weight_product = LEVEL(weight_product),
    .weight_digits = TABLE_DIGITS,
    .weight_many = TABLE_MANY,
    .layer_norm = LEVEL(layer_norm),
    .layer_norm_backward = LEVEL(layer_norm_backward),
    .rms_norm = LEVEL(rms_norm),
    .rms_norm_backward = LEVEL(rms_norm_backward),
    .rotate = LEVEL(rotate),
    .softmax = LEVEL(softmax),
    .activate = LEVEL(activate),
    .activate_backward = LEVEL(activate_backward),
    .gate = LEVEL(gate),
    .gate_backward = LEVEL(gate_backward),
    .exp = LEVEL(exp),
    .dot = LEVEL(dot),
    .axpy = LEVEL(axpy),
    .scale = LEVEL(scale),
    .column_sum = LEVEL(column_sum),
    .adamw = LEVEL(adamw),
};
