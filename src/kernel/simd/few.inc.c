/* Attention of one head over few tokens, in float32: nothing is packed, no tile is padded. A vector holds the scores of
 * up to VEC queries with one key, so that the softmax needs no sum across lanes: it runs down the keys, each lane for
 * itself. Letters: T tokens, W width of the head. */

enum {
    MIX_ROWS = 5,                         /* queries ... */
    MIX_VECS = VEC == 4 ? 4 : VEC / 8 * 2 /* ... by vectors of values whose sums are in registers together */
};

/* Lane i: the dot product of the i-th of n queries with the key. */
VEC_INLINE vf few_scores(int n, int w, const float *q, ptrdiff_t row, const float *key)
{
    vf s[VEC];
#pragma GCC unroll 16
    for (int i = 0; i < n; i++) s[i] = vf_zero();
    int c = 0;
    for (; c + VEC <= w; c += VEC) {
        vf k = vf_load(key + c);
#pragma GCC unroll 16
        for (int i = 0; i < n; i++) s[i] = vf_fma(vf_load(q + i * row + c), k, s[i]);
    }
    if (c < w) {
        vf k = vf_load_some(key + c, w - c);
#pragma GCC unroll 16
        for (int i = 0; i < n; i++) s[i] = vf_fma(vf_load_some(q + i * row + c, w - c), k, s[i]);
    }
    return vf_sums(n, s);
}

/* Scores of n queries from i0 on with all keys, [T, VEC]. */
VEC_INLINE void few_score_keys(int n, const flaw_attention *a, int i0, float *e)
{
    const float *q = a->q + i0 * a->row;
    for (int j = 0; j < a->tokens; j++) vf_store(e + j * VEC, few_scores(n, a->width, q, a->row, a->k + j * a->row));
}

/* The sums of n queries stay in registers, so n is a constant in each case. */
static void few_score(int n, const flaw_attention *a, int i0, float *e)
{
#define CASE(m) case m: few_score_keys(m, a, i0, e); break;
    if (VEC > 8) {
        switch (n) {
        CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15) CASE(16)
        }
    }
    if (VEC > 4) {
        switch (n) {
        CASE(5) CASE(6) CASE(7) CASE(8)
        }
    }
    switch (n) {
    CASE(1) CASE(2) CASE(3) CASE(4)
    }
#undef CASE
}

/* Scores to probabilities, in place. */
static void few_softmax(int tokens, float scale, float *e)
{
    vf top = vf_set(-INFINITY), sum = vf_zero();
    for (int j = 0; j < tokens; j++) {
        vf s = vf_mul(vf_set(scale), vf_load(e + j * VEC));
        top = vf_max(top, s);
        vf_store(e + j * VEC, s);
    }
    for (int j = 0; j < tokens; j++) {
        vf p = vf_exp_bounded(vf_sub(vf_load(e + j * VEC), top));
        sum = vf_add(sum, p);
        vf_store(e + j * VEC, p);
    }
    vf share = vf_div(vf_set(1.0f), sum);
    for (int j = 0; j < tokens; j++) vf_store(e + j * VEC, vf_mul(share, vf_load(e + j * VEC)));
}

/* out[rows, vecs vectors of which the last has `last` lanes] = sum over keys of p[j, rows] v[j]. */
VEC_INLINE void few_mix_block(int rows, int vecs, int last, const float *p, int tokens, const float *v,
                              ptrdiff_t v_row, float *out, ptrdiff_t out_row)
{
    vf s[MIX_ROWS][MIX_VECS];
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
        for (int c = 0; c < vecs; c++) s[i][c] = vf_zero();
    for (int j = 0; j < tokens; j++, p += VEC, v += v_row) {
        vf x[MIX_VECS];
#pragma GCC unroll 8
        for (int c = 0; c < vecs; c++) x[c] = c + 1 < vecs ? vf_load(v + c * VEC) : vf_load_some(v + c * VEC, last);
#pragma GCC unroll 8
        for (int i = 0; i < rows; i++) {
            vf share = vf_set(p[i]);
#pragma GCC unroll 8
            for (int c = 0; c < vecs; c++) s[i][c] = vf_fma(share, x[c], s[i][c]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
        for (int c = 0; c < vecs; c++)
            vf_store_some(out + i * out_row + c * VEC, s[i][c], c + 1 < vecs ? VEC : last);
}

VEC_INLINE void few_mix_rows(int rows, const flaw_attention *a, int i, const float *p)
{
    float *out = a->out + i * a->out_row;
    int c = 0, w = a->width;
    for (; c + MIX_VECS * VEC <= w; c += MIX_VECS * VEC)
        few_mix_block(rows, MIX_VECS, VEC, p, a->tokens, a->v + c, a->row, out + c, a->out_row);
    for (; c + VEC <= w; c += VEC) few_mix_block(rows, 1, VEC, p, a->tokens, a->v + c, a->row, out + c, a->out_row);
    if (c < w) few_mix_block(rows, 1, w - c, p, a->tokens, a->v + c, a->row, out + c, a->out_row);
}

void LEVEL(attention_few)(const flaw_attention *a)
{
    float p[FLAW_FEW_TOKENS * VEC];
    int asked = a->queries ? a->queries : a->tokens;
    for (int i0 = 0; i0 < asked; i0 += VEC) {
        int n = asked - i0 < VEC ? asked - i0 : VEC, i = 0;
        few_score(n, a, i0, p);
        few_softmax(a->tokens, a->scale, p);
        for (; i + MIX_ROWS <= n; i += MIX_ROWS) few_mix_rows(MIX_ROWS, a, i0 + i, p + i);
        for (; i < n; i++) few_mix_rows(1, a, i0 + i, p + i);
    }
}
