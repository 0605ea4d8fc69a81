/* Attention of one head by the products of a level; plain C. */
#ifndef FLAW_KERNEL_X86_ATTENTION_H
#define FLAW_KERNEL_X86_ATTENTION_H

#include "kernel/kernel.h"

typedef struct flaw_attention_parts {
    const flaw_kernels *kernels;
    void (*row)(int n, float scale, float *x);                          /* x = softmax(scale x) */
    void (*row_backward)(int n, float scale, const float *p, float *d); /* d = scale p (d - sum(p d)) */
} flaw_attention_parts;

size_t flaw_attention_parts_scratch(const flaw_attention_parts *parts, int tokens, int width);
size_t flaw_attention_parts_backward_scratch(const flaw_attention_parts *parts, int tokens, int width);
void flaw_attention_parts_forward(const flaw_attention_parts *parts, const flaw_attention *a, void *scratch);
void flaw_attention_parts_backward(const flaw_attention_parts *parts, const flaw_attention_grad *g, void *scratch);

#endif
