/* Fine-grained aligner of ALFA (arXiv 2404.09654; reconstruction, the original mapping is not public): moves the text
 * prototypes from the space of whole pictures into the space of patches, with this one picture as its only data.
 *
 * Pairs (g, l): g = class embedding of a window (global kind), l = mean of the patch embeddings inside it at unit
 * length (local kind), for all windows and the whole picture; stacked G, L [n, E]. Ridge map from local to global,
 * shrunk to the identity: B = argmin |L B - G|^2 + lambda |B - I|^2 = I + L' K^-1 (G - L) with K = L L' + lambda I_n.
 * By <P B, t> = <P, B t> the text is pulled into the local space: B t = t + L' K^-1 (G - L) t. Only n x n is solved.
 * lambda -> infinity: B t = t, raw patch scoring. lambda -> 0 (n <= E): L B = G, windows score as their own class
 * embedding does. Fitted in the visual direction: text lies in another cone (modality gap). */
#ifndef FLAW_DETECT_ALIGNER_H
#define FLAW_DETECT_ALIGNER_H

#include "detect/features.h"

/* In place: K [n, n] (lower triangle read) -> its Cholesky factor; then x [n, m] -> K^-1 x. FLAW_BAD_DATA when K is
 * not positive definite or not finite. */
flaw_status flaw_solve_cholesky(double *k, double *x, int n, int m, flaw_error *err);

/* Pairs of a picture: G and L [n, E], n = windows of `features` + 1. Returns n; global and local may be NULL to count.
 */
int flaw_aligner_pairs(float *global, float *local, const flaw_features *features);

/* Bytes of room for both of the following; `compute` needs scratch for products of FLAW_F32 over `width` beforehand. */
size_t flaw_aligner_room(const flaw_compute *compute, int n, int width);

/* out[c][E] = B text[c], not normalised. */
flaw_status flaw_aligner_pull(float *const out[2], const float *const text[2], const float *global, const float *local,
                              int n, int width, double lambda, flaw_compute *compute, void *room, flaw_error *err);

/* out[E] = B' row, the other way: <out, t> = <row, B t> for every text t. */
flaw_status flaw_aligner_push(float *out, const float *row, const float *global, const float *local, int n, int width,
                              double lambda, flaw_compute *compute, void *room, flaw_error *err);

#endif
