/* AnomalyGPT (Gu et al. 2024): what stands between a frozen image tower and a frozen language model.
 *
 *   decoder         four linears on the stages' tokens, compared with two text vectors -> map of anomaly [S, S]
 *   few-shot map    1 - likeness to the nearest patch of normal pictures, mean over the stages
 *   prompt learner  convolutions that read the map and write soft prompts; and prompts learnt once, the same for all
 *   projection      the picture's embedding as one token of the language model
 *
 * Letters: P = G*G patches, D width of the image tower, E joint width, S map side, W width of the language model,
 * B base prompts, C cells of the last convolution (3 x 3 at S = 224). */
#ifndef FLAW_MODEL_ANOMALYGPT_H
#define FLAW_MODEL_ANOMALYGPT_H

#include "model/tower/clip.h"
#include "model/language/language.h"

#define FLAW_PROMPT_CONVS 6 /* five of 3 x 3 with ReLU and pooling by 2, one of 5 x 5 without padding */

typedef struct flaw_voice_shape {
    int width, joint, grid;          /* D, E, G of the image tower it was trained on */
    int side;                        /* S: 224 */
    int words;                       /* W */
    int base;                        /* B: 9; 0: no prompt learner, the language model sees the picture alone */
    int channels[FLAW_PROMPT_CONVS]; /* 4, 16, 64, 256, 1024, W; all 0 without a prompt learner */
    float scale;                     /* of the two logits: 100 */
    /* What our own models have otherwise. */
    bool stage_norm;                 /* stage tokens are layer-normed (no weights) before the decoder */
    bool fused;                      /* the last stage is the tower's patches in the joint space [P, E] (its local head) */
    float share[FLAW_STAGES];        /* of each stage in the mean map; 0.25 each */
    float bias;                      /* added to the logits' difference: what a good picture of an unknown product may show */
    float few_shot_gain;             /* the few-shot map is multiplied by it, to 1 at most; 1: as it is */
    float limit;                     /* a map by words is anomalous over it, as measured; 0: not measured, so 0.5 */
} flaw_voice_shape;

/* Pointers into one float array in the order of flaw_voice_parameters, as in clip.h. */
typedef struct flaw_voice_view {
    float *decoder_w[FLAW_STAGES], *decoder_b[FLAW_STAGES]; /* [E, D] ([E, E] of a fused stage), [E] */
    float *base;                                            /* [B, W] */
    float *conv_w[FLAW_PROMPT_CONVS], *conv_b[FLAW_PROMPT_CONVS]; /* [out, in * k * k], [out] */
    float *project_w, *project_b;                           /* [W, E], [W]: the picture as a token (PandaGPT) */
} flaw_voice_view;

typedef struct flaw_voice {
    flaw_voice_shape shape;
    flaw_parameters list;
    float *weights; /* [list.total] */
    flaw_voice_view view;
    flaw_arena arena;
} flaw_voice;

/* Published weights, or ours. */
static inline bool flaw_voice_is_published(const flaw_voice_shape *shape)
{
    return !shape->stage_norm;
}

/* The limits of a shape; `name` is the file in the message. */
flaw_status flaw_voice_shape_check(const flaw_voice_shape *shape, const char *name, flaw_error *err);
flaw_status flaw_voice_parameters(flaw_parameters *out, const flaw_voice_shape *shape, flaw_arena *arena, flaw_error *err);
void flaw_voice_view_over(flaw_voice_view *out, const flaw_voice_shape *shape, const flaw_parameters *list, float *base);
flaw_status flaw_voice_new(flaw_voice **out, const flaw_voice_shape *shape, flaw_error *err);
void flaw_voice_close(flaw_voice *v);
/* Scratch of the compute for every pass below. */
flaw_status flaw_voice_reserve(flaw_compute *c, flaw_error *err);
int flaw_voice_cells(const flaw_voice_shape *shape);   /* C; 0 without a prompt learner */
int flaw_voice_prompts(const flaw_voice_shape *shape); /* B + C rows */

/* Everything together, read-only. */
typedef struct flaw_anomalygpt {
    flaw_clip *towers;
    flaw_language *language;
    flaw_voice *voice;
} flaw_anomalygpt;

/* path NULL or "default": the embedded towers and voice; a folder as released (imagebind_huge.pth, vicuna/,
 * pandagpt_delta.pt, anomalygpt_delta.pt, bpe_simple_vocab_16e6.txt.gz, optional imagebind_config.json); or a bundle
 * (docs/decisions/0013), with towers of its own or else on the embedded ones. LoRA rank from the tensors, scale
 * alpha / rank = 1. Missing or left-over names are an error that lists them. `keep` is for the language model; towers
 * beyond 512 MB are kept packed only (their float32 is given back). */
flaw_status flaw_anomalygpt_open(flaw_anomalygpt *out, const char *path, flaw_keep keep, flaw_compute *c, flaw_error *err);
void flaw_anomalygpt_close(flaw_anomalygpt *m);

/* The picture as one row among words [W]: its embedding [E] (flaw_image_output.cls), brought to unit length and projected.
 * FLAW_BAD_DATA when it is not finite. */
flaw_status flaw_picture_token(const flaw_voice *v, const float *embedding, float *out, flaw_error *err);

/* Two unit text vectors [2, E], normal then abnormal, of the 7 + 5 states and two templates for an object's name. */
flaw_status flaw_anomalygpt_text(const flaw_clip *towers, flaw_compute *c, const char *object, float *out, flaw_error *err);

/* Bilinear with aligned corners (source coordinate i (G - 1) / (S - 1)), and its adjoint (din is added to). */
void flaw_upsample_corners(int grid, int side, const float *in, float *out);
void flaw_upsample_corners_backward(int grid, int side, const float *dout, float *din);

/* What the tower makes of one picture. */
typedef struct flaw_sight {
    float *stage[FLAW_STAGES]; /* [P, D] raw tokens, class token dropped */
    float *fused;              /* [P, E] patches in the joint space; NULL where the voice is not fused */
    float *embedding;          /* [E] of the whole picture, not normalised */
    float *memory;             /* owned: all of the above */
} flaw_sight;

flaw_status flaw_sight_new(flaw_sight *out, const flaw_voice_shape *shape, flaw_error *err);
void flaw_sight_release(flaw_sight *sight);
/* Look at n pictures: pixels [n, 3, S, S]. work: flaw_sight_workspace floats. */
size_t flaw_sight_workspace(const flaw_clip *towers, const flaw_voice_shape *shape, int n);
void flaw_sight_take(flaw_compute *c, const flaw_clip *towers, const flaw_voice_shape *shape, int n, const float *pixels,
                     flaw_sight *const *out, float *work);
/* What the decoder reads of it: the stages, the last one fused where the voice is. */
void flaw_sight_decoder(const flaw_sight *sight, const flaw_voice_shape *shape, const float *stage[FLAW_STAGES]);

/* Decoder map of one picture from its stage tokens [P, D] (flaw_sight_decoder: class token dropped, raw). stage_maps
 * [stages, S, S] abnormal channel of each stage, or NULL; map [S, S] their mean by `share`. work: flaw_decoder_workspace
 * floats. */
size_t flaw_decoder_workspace(const flaw_compute *c, const flaw_voice_shape *shape);
void flaw_decoder_map(flaw_compute *c, const flaw_voice *v, const float *const stage[FLAW_STAGES], const float *text,
                      float *stage_maps, float *map, float *work);
/* The same in two steps, for what lies between: logits [stages, G, G] of one picture; a map of logits [stages, cells,
 * cells] on any square grid. */
void flaw_decoder_logits(flaw_compute *c, const flaw_voice *v, const float *const stage[FLAW_STAGES], const float *text,
                         float *logits, float *work);
void flaw_decoder_map_of(flaw_compute *c, const flaw_voice *v, const float *logits, int cells, float *map, float *work);
/* d_stage_maps [stages, S, S] -> gradients of the decoder (added to `grads`); everything that is needed is computed again. */
void flaw_decoder_backward(flaw_compute *c, const flaw_voice *v, const float *const stage[FLAW_STAGES], const float *text,
                           const float *d_stage_maps, const flaw_voice_view *grads, float *work);

/* Few-shot map. bank[s]: [K * P, D] raw tokens of K normal pictures (with rotations: 4 K). */
void flaw_few_shot_map(flaw_compute *c, const flaw_voice_shape *shape, const float *const stage[FLAW_STAGES],
                       const float *const bank[FLAW_STAGES], int rows, float *map, float *work);
size_t flaw_few_shot_workspace(const flaw_compute *c, const flaw_voice_shape *shape, int rows);

/* Soft prompts [B + C, W] of a map [S, S]; `saved` [flaw_prompt_saved] is what the backward pass reads (inference: the same
 * array as scratch). d_map [S, S] is added to and may be NULL. Without a prompt learner all of them do nothing. */
size_t flaw_prompt_saved(const flaw_voice_shape *shape);
size_t flaw_prompt_workspace(const flaw_compute *c, const flaw_voice_shape *shape);
void flaw_prompt_forward(flaw_compute *c, const flaw_voice *v, const float *map, float *prompts, float *saved, float *work);
void flaw_prompt_backward(flaw_compute *c, const flaw_voice *v, const float *map, const float *saved, const float *d_prompts,
                          float *d_map, const flaw_voice_view *grads, float *work);

#endif
