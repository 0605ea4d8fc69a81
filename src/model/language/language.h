/* The language model: LLaMA (Touvron et al. 2023) as the tower it is: token table, blocks (RMS norm, rotary positions,
 * gated SiLU, grouped queries), final norm, head.
 *
 * Letters: T tokens, D width, V vocabulary, L layers (docs/letters.md). */
#ifndef FLAW_MODEL_LANGUAGE_H
#define FLAW_MODEL_LANGUAGE_H

#include "base/random.h"
#include "format/tensors.h"
#include "model/tower/clip.h" /* flaw_parameters */
#include "model/text/sentencepiece.h"
#include "nn/block.h"
#include "nn/matrix.h"

#define FLAW_CONTEXT_LIMIT (1 << 17) /* positions; their rotations are a table in every model */

/* Rotary positions stretched for longer texts than a model was trained on. Linear (Chen et al. 2023, arXiv 2306.15595):
 * every frequency is divided by the factor. LLaMA 3's (high > 0): those of waves longer than original / low tokens are,
 * those of waves shorter than original / high stay, between them it goes over linearly in original / wave. */
typedef struct flaw_stretch {
    float factor; /* 0: not stretched */
    float low, high;
    int original; /* tokens trained on */
} flaw_stretch;

typedef struct flaw_language_shape {
    flaw_block_shape block; /* causal, RMS norm, gated, rotary */
    int layers, vocab, context;
    bool tied; /* the head is the token table */
    flaw_stretch stretch;
} flaw_language_shape;

typedef struct flaw_language_view {
    float *token;              /* [V, D] */
    flaw_block_weights *block; /* [L] */
    float *norm;               /* [D] */
    float *head;               /* [V, D]; the token table when tied */
} flaw_language_view;

/* How the matrices are kept in memory. */
typedef enum flaw_keep {
    FLAW_KEEP_AUTO, /* as the file has them, mapped; above 4 GiB as int4 */
    FLAW_KEEP_FILE, /* as the file has them, mapped */
    FLAW_KEEP_F32,
    FLAW_KEEP_BF16,
    FLAW_KEEP_INT8, /* Q8_0 */
    FLAW_KEEP_INT4  /* Q4_1 */
} flaw_keep;

/* NULL or "auto", "file", "f32", "bf16", "int8", "int4". */
flaw_status flaw_keep_parse(flaw_keep *out, const char *name, flaw_error *err);

/* Low-rank adapters (Hu et al. 2021) that are added while reading: W + scale * B A. */
typedef struct flaw_adapters {
    const flaw_tensors *tensors; /* names ...layers.N.self_attn.{q,k,v,o}_proj.lora_{A,B}[.default].weight */
    float scale;
} flaw_adapters;

typedef struct flaw_language {
    flaw_language_shape shape;
    flaw_parameters list;
    float *weights;          /* [list.total] of a model that is trained (flaw_language_new); else only the norms' floats */
    flaw_language_view view; /* token, head and matrices NULL unless trained */
    flaw_matrix token;       /* reading: rows of the token table */
    flaw_linear head;
    flaw_block *block; /* [L] */
    flaw_pieces *pieces; /* NULL: only ids work */
    int bos, eos;        /* ids of the beginning and end tokens, -1: none */
    flaw_tensors file;   /* keeps the mapping alive */
    char name[128];
    flaw_arena arena;
} flaw_language;

flaw_status flaw_language_shape_check(const flaw_language_shape *shape, const char *name, flaw_error *err);
flaw_status flaw_language_parameters(flaw_parameters *out, const flaw_language_shape *shape, flaw_arena *arena,
                                     flaw_error *err);
/* Zero weights, for the trainer and tests; pieces NULL. The view leads into weights. */
flaw_status flaw_language_new(flaw_language **out, const flaw_language_shape *shape, const char *name, flaw_error *err);
flaw_status flaw_language_view_over(flaw_language_view *out, const flaw_language_shape *shape, const flaw_parameters *list,
                                    float *base, flaw_arena *arena, flaw_error *err);
/* Cosines and sines of the rotary positions 0 .. context - 1 as flaw_rotary_fill has them, stretched. */
void flaw_language_angles(const flaw_language_shape *shape, float *table);
/* Fill the table of rotary positions and lead the blocks to it; flaw_language_new has done it. */
flaw_status flaw_language_turn(flaw_language *m, flaw_error *err);
/* Bind and pack the linears of such a model after its weights changed. */
flaw_status flaw_language_pack(flaw_language *m, flaw_compute *c, flaw_error *err);

/* Open: a Hugging Face LLaMA folder (config.json; one or several .safetensors or .bin with index; tokenizer.model or
 * llama2.c's tok*.bin), a GGUF file, or a flaw bundle with "language" tensors (path NULL: the embedded one). Missing, left-over
 * and misshapen names are one error that lists them; rotary_emb.inv_freq buffers are recomputed and ignored.
 * A tokenizer with another number of pieces than the table has rows is refused, except for rows added for padding (Vicuna's
 * 32,001). adapters may be NULL. Peak memory: the weights kept plus one matrix. Matrices that are converted are looked
 * through for numbers that are not finite; of those that stay in the file the text that meets them tells. */
flaw_status flaw_language_open(flaw_language **out, const char *path, flaw_keep keep, const flaw_adapters *adapters,
                               flaw_compute *c, flaw_error *err);
void flaw_language_close(flaw_language *m);
/* The type that a matrix of this many columns is kept in. `table`: token table or head, which FLAW_KEEP_INT4 keeps as Q8_0;
 * what does not divide into blocks is kept as BF16. */
flaw_weight_type flaw_language_kept(flaw_keep keep, flaw_weight_type from, bool table, int columns);

/* A text being read and written: the cache of keys and values, grown as needed up to shape.context. One thread. */
typedef struct flaw_reading flaw_reading;
flaw_status flaw_reading_open(flaw_reading **out, const flaw_language *m, flaw_compute *c, flaw_error *err);
void flaw_reading_close(flaw_reading *r);
/* Feed n tokens by id, or n rows [n, D] that stand where token embeddings stand (soft prompts). FLAW_USAGE past the
 * context, FLAW_BAD_DATA for an id out of range. */
flaw_status flaw_reading_ids(flaw_reading *r, const int32_t *ids, int n, flaw_error *err);
flaw_status flaw_reading_rows(flaw_reading *r, const float *rows, int n, flaw_error *err);
/* [V] after the last token fed, the caller may change them; NULL at the start. When not
 * finite, the feeding call has failed with FLAW_BAD_DATA. */
float *flaw_reading_logits(flaw_reading *r);
int flaw_reading_length(const flaw_reading *r);
const flaw_language *flaw_reading_model(const flaw_reading *r);
/* Forget all but the first `length` tokens (the logits become NULL). */
void flaw_reading_rewind(flaw_reading *r, int length);

/* Sampling: temperature 0 takes the most likely token (the first of equals). Otherwise softmax(logits / temperature), the
 * top_k likeliest (0: all), of these the smallest set whose probabilities reach top_p (1: all; at least one). */
typedef struct flaw_sampling {
    double temperature, top_p;
    int top_k;
} flaw_sampling;
int32_t flaw_language_sample(float *logits, int vocab, const flaw_sampling *s, flaw_random *random);

/* Write tokens until the end token, a stop, max_tokens, or the end of the context. */
typedef struct flaw_writing {
    int max_tokens;
    flaw_sampling sampling;
    uint64_t seed;
    const char *stop; /* text that ends the answer and is not part of it ("###"); NULL: none */
    bool fresh;       /* nothing stands before it: the first word's dummy space is left out */
    bool hashes;      /* the token "##" is a stop: in LLaMA's tokens "###" begins with it after a line's end */
    bool upstream_cut; /* quirk: drop the last two tokens however the writing ended, stop at the token "##" */
    /* Words as they come (complete UTF-8, never part of a stop); return nonzero to end. May be NULL. */
    int (*words)(void *context, const char *text, size_t size);
    void *context;
} flaw_writing;

typedef enum flaw_written_end { FLAW_END_STOP, FLAW_END_TOKEN, FLAW_END_LENGTH, FLAW_END_CALLER } flaw_written_end;

typedef struct flaw_written {
    flaw_buffer text; /* valid UTF-8 (U+FFFD for NUL and bytes that are none); data NULL when nothing was written */
    int32_t *ids;     /* [count] generated, the stop included; owned. All but the last one were fed to the reading */
    int count;
    flaw_written_end end;
} flaw_written;

flaw_status flaw_language_write(flaw_reading *r, const flaw_writing *w, flaw_written *out, flaw_error *err);
void flaw_written_release(flaw_written *w);

#endif
