/* CLIP: an image tower and (unless image-only) a text tower that meet in a joint space.
 *
 * All parameters live in ONE float array in the order of flaw_clip_parameters; a flaw_clip_view is a set of pointers
 * into such an array. Weights, gradients, AdamW moments and averages are arrays of the same layout with a view each
 * (as in llm.c), so the trainer and the reader share one list of names.
 *
 * Letters: N pictures, P = G*G patches, T = 1 + P (and registers) tokens,
 * D width, E joint width, S picture side, L layers, V vocabulary. */
#ifndef FLAW_MODEL_CLIP_H
#define FLAW_MODEL_CLIP_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/pages.h"
#include "flaw/status.h"
#include "model/text/tokenizer.h"
#include "nn/block.h"

#define FLAW_STAGES 4

typedef enum flaw_resize_mode {
    FLAW_RESIZE_SHORTEST, /* shorter side to `resize_to`, centre crop S (CLIP, timm) */
    FLAW_RESIZE_SQUASH,   /* both sides to S (inspection: nothing of the picture is lost) */
} flaw_resize_mode;

typedef struct flaw_prepare_shape {
    int resize_to; /* side for FLAW_RESIZE_SHORTEST (deit-tiny: 256 then crop 224; CLIP: S) */
    float mean[3], std[3];
} flaw_prepare_shape;

typedef struct flaw_clip_shape {
    int joint;                 /* E; 0 for an image tower without projection (timm) */
    flaw_block_shape image;    /* D, H, F ... of the image tower */
    int image_layers;          /* L */
    int side, patch, grid;     /* S, patch side, G = S / patch */
    bool pre_norm;             /* ln_pre (CLIP) */
    bool patch_bias;           /* bias of the patch projection (timm) */
    int registers;             /* tokens of no place behind the patches (DINOv2 with registers); they read and are read,
                                  and end in nothing */
    int classes;               /* timm classification head; 0 = none */
    int stage[FLAW_STAGES];    /* blocks (0-based) whose output tokens are the four stages: L/4-1, L/2-1, 3L/4-1, L-1 */
    bool local_head;           /* embedded default: patches meet the joint space through all stages (see view) */
    flaw_block_shape text;     /* width 0: no text tower */
    int text_layers, context, vocab;
    int text_end; /* id of the end token whose row is the text's; 0 = the highest id of the text (CLIP's argmax) */
    flaw_prepare_shape prepare;
} flaw_clip_shape;

typedef struct flaw_clip_view {
    float *patch_w, *patch_b; /* [D, 3*p*p] (channel, row, column as the convolution stores it), [D] or NULL */
    float *cls;               /* [D] */
    float *position;          /* [1 + P, D] */
    float *registers;         /* [registers, D] or NULL */
    float *pre_w, *pre_b;     /* [D] or NULL */
    flaw_block_weights *image_block; /* [L] */
    float *post_w, *post_b;          /* [D] */
    float *image_proj;               /* [E, D] (output rows; OpenCLIP stores the transpose) or NULL */
    float *head_w, *head_b;          /* [classes, D], [classes] or NULL */
    /* Local head: patch embedding = unit(sum over stages s of local_w[s] * LN(stage_s; local_norm) + local_b). */
    float *local_norm_w[FLAW_STAGES], *local_norm_b[FLAW_STAGES]; /* [D] or NULL */
    float *local_w[FLAW_STAGES];                                 /* [E, D] or NULL */
    float *local_b;                                              /* [E] or NULL */
    float *token;                   /* [V, Dt] or NULL, as everything below */
    float *text_position;           /* [context, Dt] */
    flaw_block_weights *text_block; /* [text_layers] */
    float *final_w, *final_b;       /* [Dt] */
    float *text_proj;               /* [E, Dt] */
    float *logit_scale;             /* [1], natural logarithm of the scale */
} flaw_clip_view;

typedef struct flaw_parameter {
    const char *name; /* canonical: "image.patch.w", "image.block.3.qkv.w", "local.2.w", "text.token", ... */
    int rank;
    size_t shape[2];
    size_t offset, count; /* floats */
} flaw_parameter;

typedef struct flaw_parameters {
    flaw_parameter *item;
    size_t count;
    size_t total; /* floats in the array */
} flaw_parameters;

/* FLAW_BAD_DATA unless every number of the shape is within its limits; `name` is the file in the message. */
flaw_status flaw_clip_shape_check(const flaw_clip_shape *shape, const char *name, flaw_error *err);
/* grid from side and patch, stages at the quarters of the layers. */
void flaw_clip_shape_derive(flaw_clip_shape *shape);
/* Another side of the picture, for models whose positions are resampled to it; FLAW_USAGE unless it is a multiple of the
 * patch. resize_to keeps its ratio. */
flaw_status flaw_clip_shape_resize(flaw_clip_shape *shape, int side, const char *name, flaw_error *err);
/* Length of an embedding: E, or D for an image tower without projection. */
static inline int flaw_clip_width(const flaw_clip_shape *shape)
{
    return shape->joint ? shape->joint : shape->image.width;
}
static inline int flaw_clip_patches(const flaw_clip_shape *shape)
{
    return shape->grid * shape->grid;
}

/* T: class token, patches, registers. */
static inline int flaw_clip_tokens(const flaw_clip_shape *shape)
{
    return 1 + flaw_clip_patches(shape) + shape->registers;
}

/* The list of parameters of a shape, and a view over an array of `total` floats laid out so. */
flaw_status flaw_clip_parameters(flaw_parameters *out, const flaw_clip_shape *shape, flaw_arena *arena, flaw_error *err);
flaw_status flaw_clip_view_over(flaw_clip_view *out, const flaw_clip_shape *shape, const flaw_parameters *list, float *base,
                                flaw_arena *arena, flaw_error *err);

typedef struct flaw_clip {
    flaw_clip_shape shape;
    flaw_parameters list;
    flaw_pages pages;
    float *weights; /* [list.total], the pages. Of a packed-only model the products' matrices are gone from here */
    flaw_clip_view view;
    struct flaw_clip_origin *origin; /* of a packed-only model: where the matrices came from; else NULL */
    flaw_linear patch, image_proj, text_proj, head, local[FLAW_STAGES]; /* packed views of the weights */
    flaw_block *image_block, *text_block;
    flaw_tokenizer *tokenizer; /* NULL when image-only */
    char name[128];            /* folder or bundle name, for people */
    flaw_arena arena;
} flaw_clip;

/* A model of this shape with zero weights, not packed, without tokenizer: for the trainer and for tests. */
flaw_status flaw_clip_new(flaw_clip **out, const flaw_clip_shape *shape, const char *name, flaw_error *err);
/* Open a model: NULL, "" or "default" = the embedded one; an OpenCLIP folder, a Hugging Face CLIPModel folder, a timm
 * safetensors file or its folder, or a flaw bundle (.safetensors with "flaw" metadata). Told apart by content.
 * Missing, left-over or misshapen tensors are one error that counts them and names the first few: FLAW_MISSING when
 * some are only missing, FLAW_BAD_DATA otherwise. */
flaw_status flaw_clip_open(flaw_clip **out, const char *path, flaw_compute *c, flaw_error *err);
/* A model of more than so many bytes of float32 is kept packed only: each matrix is read, packed and forgotten, so that
 * opening it takes what is kept and one matrix. Such a model runs, but cannot be trained or written. */
#define FLAW_CLIP_FLOATS_LIMIT ((size_t)512 << 20)
flaw_status flaw_clip_open_within(flaw_clip **out, const char *path, size_t floats_limit, flaw_compute *c, flaw_error *err);
/* At another side of the picture than the model's own (0: its own): timm's and DINOv2's positions are resampled to it, as
 * their own code does; FLAW_USAGE for other forms. */
flaw_status flaw_clip_open_at(flaw_clip **out, const char *path, int side, size_t floats_limit, flaw_compute *c,
                              flaw_error *err);
/* The precision of products that suits a model when nobody asks for one: float32, bf16 for a model beyond the limit. */
flaw_status flaw_clip_precision(flaw_precision *out, const char *path, flaw_error *err);
void flaw_clip_close(flaw_clip *m);
/* (Re)pack all linears after the weights changed (trainer). */
flaw_status flaw_clip_pack(flaw_clip *m, flaw_compute *c, flaw_error *err);
/* SHA-256 (hex) over the digests of all parameters, each over "NAME ROWS COLUMNS\n" and the float32 values: the same for
 * every form of one model. Reads all weights (`c`, which may be NULL, shares them among its threads), from the file again
 * where they are kept packed only, so it is not done while opening. Empty when memory was refused. */
void flaw_clip_hash(const flaw_clip *m, const flaw_compute *c, char hex[65]);

/* Results of the image tower for N pictures; any pointer may be NULL. Nothing is normalised unless said. */
typedef struct flaw_image_output {
    float *cls;                 /* [N, E]: proj(ln_post(class token)); for timm [N, D] after the final norm */
    float *patches;             /* [N, P, E]: patch tokens in the joint space, unit length (local head, or ln_post + proj) */
    float *stage[FLAW_STAGES];  /* [N, T, D]: tokens after the stage blocks */
    float *block;               /* [L, N, T, D]: every block's output (inspection of the network itself) */
    float *tokens;              /* [N, T, D]: after ln_post (final norm) */
    float *embedded;            /* [N, T, D]: patch embedding + class + position, before ln_pre (input of windows) */
    float *logits;              /* [N, classes]: classification head (timm) */
} flaw_image_output;

/* pixels [N, 3, S, S] float32, normalised. work: flaw_clip_image_workspace(m, N) floats. */
size_t flaw_clip_image_workspace(const flaw_clip *m, int n);
void flaw_clip_encode_images(flaw_compute *c, const flaw_clip *m, int n, const float *pixels, const flaw_image_output *out,
                             float *work);
/* Windows of k x k patches at stride 1 (WinCLIP 2.3), of one or two sizes k[0], k[1]: for one picture's `embedded` [T, D],
 * the class token + the window's patch tokens with their positions through the whole tower. out[i] [(G-k[i]+1)^2, E], not
 * normalised, row-major. */
size_t flaw_clip_window_workspace(const flaw_compute *c, const flaw_clip *m, int sizes, const int *k);
void flaw_clip_encode_windows(flaw_compute *c, const flaw_clip *m, int sizes, const int *k, const float *embedded,
                              float *const *out, float *work);

/* ids [N, context], each in [0, vocab), -> out [N, E] (row of the end token, see text_end), not normalised. Only as many
 * tokens as the longest text has are computed; the texts go through in chunks, so the workspace is bounded. */
size_t flaw_clip_text_workspace(const flaw_clip *m, int n);
void flaw_clip_encode_texts(flaw_compute *c, const flaw_clip *m, int n, const int32_t *ids, float *out, float *work);

#endif
