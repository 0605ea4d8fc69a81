/* The reference's table: complete, on every machine. */
#include "kernel/ref/ref.h"

const flaw_kernels flaw_kernels_ref = {
    .name = "ref",
    .level = FLAW_LEVEL_REF,
    .pack_size = flaw_ref_pack_size,
    .pack = flaw_ref_pack,
    .pack_cols = flaw_ref_pack_cols,
    .product_scratch = flaw_ref_product_scratch,
    .product = flaw_ref_product,
    .attention_scratch = flaw_ref_attention_scratch,
    .attention = flaw_ref_attention,
    .attention_backward_scratch = flaw_ref_attention_backward_scratch,
    .attention_backward = flaw_ref_attention_backward,
    .layer_norm = flaw_ref_layer_norm,
    .layer_norm_backward = flaw_ref_layer_norm_backward,
    .softmax = flaw_ref_softmax,
    .activate = flaw_ref_activate,
    .activate_backward = flaw_ref_activate_backward,
    .exp = flaw_ref_exp,
    .dot = flaw_ref_dot,
    .axpy = flaw_ref_axpy,
    .scale = flaw_ref_scale,
    .column_sum = flaw_ref_column_sum,
    .adamw = flaw_ref_adamw,
};
