/* Weights kept in compact types: rows of a matrix as files hold them (half floats, GGUF's blocks). Products read them as
 * they are; the matrix is never unpacked as a whole. A row is `n` elements, a multiple of the type's block.
 *
 * Layouts, little endian (ggml's, the field's common form):
 *   Q8_0  32 elements: F16 d, int8 q[32]                             x = d q
 *   Q4_0  32 elements: F16 d, nibbles[16] (low: 0..15, high: 16..31) x = d (q - 8)
 *   Q4_1  32 elements: F16 d, F16 m, nibbles[16]                     x = d q + m
 *   Q4_K, Q6_K  256 elements, scales of sub-blocks themselves quantised */
#ifndef FLAW_KERNEL_WEIGHTS_H
#define FLAW_KERNEL_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum flaw_weight_type {
    FLAW_WEIGHT_F32,
    FLAW_WEIGHT_F16,
    FLAW_WEIGHT_BF16,
    FLAW_WEIGHT_Q8_0, /* what `flaw model quantize` calls int8 */
    FLAW_WEIGHT_Q4_0,
    FLAW_WEIGHT_Q4_1, /* what `flaw model quantize` calls int4 */
    FLAW_WEIGHT_Q4_K,
    FLAW_WEIGHT_Q6_K,
    FLAW_WEIGHT_TYPES
} flaw_weight_type;

size_t flaw_weight_block(flaw_weight_type type);       /* elements of one block: 1, 32 or 256 */
size_t flaw_weight_block_bytes(flaw_weight_type type); /* bytes of one block */
size_t flaw_weight_row_bytes(flaw_weight_type type, size_t n);
const char *flaw_weight_name(flaw_weight_type type); /* "F16", "Q4_K", ... */

/* Rows of a compact matrix times a few vectors: y[t][r] = row r . x[t]. Each sum runs over a row in one order that
 * depends on the row's length, the type and the level only, not on how many rows and vectors a call has. */
#define FLAW_WEIGHT_VECTORS 4
typedef struct flaw_weight_product {
    flaw_weight_type type;
    int n;         /* elements of a row, a multiple of the block */
    const void *w; /* first row, any alignment; flaw_weight_row_bytes(type, n) further the next */
    int rows;
    int vectors; /* 1 .. FLAW_WEIGHT_VECTORS */
    const float *x;
    ptrdiff_t x_row; /* floats between vectors */
    const void *digits; /* the vectors once more, as flaw_weight_digits makes them; only its product reads them */
    size_t digits_size; /* bytes between them, a multiple of 64 */
    float *y;
    ptrdiff_t y_row;
} flaw_weight_product;

/* Vectors in fixed point: whole numbers of 24 bits with a scale for each 32 of them, so that sums of products with the
 * steps of a compact type are whole too. What that loses is below what float32 sums lose. */
typedef struct flaw_weight_digits {
    size_t (*size)(int n); /* bytes of a vector, a multiple of 64 */
    void (*prepare)(int n, const float *x, void *digits); /* n a multiple of 32, `digits` of 64 */
    void (*product)(const flaw_weight_product *p);        /* of the types with blocks */
} flaw_weight_digits;

/* Many vectors at once, in 16 bits, fixed point or two parts of 8: finer than bf16 (8 bits), coarser than float32. Here
 * `digits` are of its own making, so many vectors (a bundle) at a time, `digits_size` lies between bundles, and `vectors` may
 * be any number. */
typedef struct flaw_weight_many {
    bool reads[FLAW_WEIGHT_TYPES];
    int (*bundle)(int vectors); /* vectors that are prepared together, where a call has so many */
    size_t (*size)(int n);      /* bytes of a bundle, a multiple of 64 */
    void (*prepare)(int n, int count, const float *x, ptrdiff_t x_row, void *bundle); /* count <= bundle */
    size_t (*scratch)(int rows, int vectors); /* bytes, of 64 */
    void (*product)(const flaw_weight_product *p, void *scratch);
} flaw_weight_many;

/* Unpack one row into float32: exact, the same bits on every level. */
void flaw_weight_unpack(flaw_weight_type type, size_t n, const void *row, float *out);
/* Pack one row: F32, F16, BF16 (nearest even), Q8_0, Q4_0, Q4_1. Q4_K and Q6_K are read only.
 * x is finite; what is beyond the range of the type becomes its largest value (F16, BF16: infinity). */
void flaw_weight_pack(flaw_weight_type type, size_t n, const float *x, void *row);

#endif
