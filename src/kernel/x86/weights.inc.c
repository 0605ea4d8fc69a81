/* Compact weights with vectors. Two rows are walked side by side in pairs of groups of 32 elements; each group becomes
 * float32 in registers, meets the vectors x, and is forgotten. Scales of a stretch of blocks are widened beforehand, so
 * that the groups only broadcast them from the first cache.
 *
 * A sum runs in CHAINS chains: lane by lane over the row, then the chains, then the lanes, whatever the call's rows and
 * vectors are. The includer defines VECTORS_AT_ONCE (registers for ROWS times so many times CHAINS sums) and, in a
 * header, loads of narrow numbers and the nibbles of a group. */

enum {
    CHAINS = 2,
    ROWS = 2,            /* at once */
    GROUP = 32,          /* elements */
    PER = GROUP / VEC,   /* vectors of a group */
    SUPER = 256,         /* elements of a Q4_K or Q6_K block */
    STRETCH = 2048,      /* elements whose scales are widened at once, for blocks of one group */
    AHEAD = 3072,        /* bytes of weights asked for ahead of time */
};

/* One stretch of a row. */
typedef struct stretch {
    const uint8_t *in;
    float scale[STRETCH / GROUP + VEC], least[STRETCH / GROUP + VEC]; /* of each group; Q6_K: scale of each half group */
    int8_t step[SUPER];                                               /* Q6_K only */
} stretch;

/* flaw_weight_row_bytes as a constant factor. */
VEC_INLINE size_t bytes_of(flaw_weight_type type, size_t n)
{
    switch (type) {
    case FLAW_WEIGHT_F32: return n * 4;
    case FLAW_WEIGHT_Q8_0: return n / GROUP * 34;
    case FLAW_WEIGHT_Q4_0: return n / GROUP * 18;
    case FLAW_WEIGHT_Q4_1: return n / GROUP * 20;
    case FLAW_WEIGHT_Q4_K: return n / SUPER * 144 + n % SUPER / 2; /* between the groups of a block: for asking ahead */
    case FLAW_WEIGHT_Q6_K: return n / SUPER * 210 + n % SUPER * 3 / 4;
    default: return n * 2;
    }
}

/* Elements of a stretch. */
VEC_INLINE int stretch_of(flaw_weight_type type)
{
    return type >= FLAW_WEIGHT_Q4_K ? SUPER : STRETCH;
}

/* The F16 at the front of each of `count` blocks as floats. Copied first: one conversion for many is cheaper. */
VEC_INLINE void widen_scales(const uint8_t *in, size_t bytes, int count, float *out)
{
    uint16_t half[STRETCH / GROUP + VEC];
    for (int i = 0; i < count; i++) memcpy(&half[i], in + (size_t)i * bytes, sizeof half[i]);
    for (int i = 0; i < VEC; i++) half[count + i] = 0;
    for (int i = 0; i < count; i += VEC) vf_store(out + i, vf_from_half(half + i));
}

/* Two F16 in a row, in the lowest lanes. */
VEC_INLINE __m128 two_halves(const uint8_t *in)
{
    int32_t both;
    memcpy(&both, in, sizeof both);
    return _mm_cvtph_ps(_mm_cvtsi32_si128(both));
}

/* 8 scales, then 8 minima, of 6 bits each, see unpack_q4_k of the reference. With a, b, c the three words that hold
 * them, the words of the result are a, (c, a), b, (c, b): the low 6 bits of each byte of a and b, and below the upper 2
 * of these the low or high 4 bits of c. */
VEC_INLINE __m128i six_bits(const uint8_t *in)
{
    const int low6 = 0x3f3f3f3f, low4 = 0x0f0f0f0f, high2 = 0x30303030;
    __m128i abc = _mm_loadu_si128((const __m128i *)in);
    __m128i low = _mm_srlv_epi32(_mm_shuffle_epi32(abc, 0x98), _mm_setr_epi32(0, 0, 0, 4));
    __m128i high = _mm_srli_epi32(_mm_shuffle_epi32(abc, 0x50), 2);
    return _mm_or_si128(_mm_and_si128(low, _mm_setr_epi32(low6, low4, low6, low4)),
                        _mm_and_si128(high, _mm_setr_epi32(0, high2, 0, high2)));
}

VEC_INLINE void prepare_q4_k(stretch *s)
{
    __m128i six = six_bits(s->in + 4);
    float wide[2 * 8];
    __m128 factors = two_halves(s->in);
    vf d = vf_set(_mm_cvtss_f32(factors)), least = vf_set(-_mm_cvtss_f32(_mm_movehdup_ps(factors)));
    for (int i = 0; i < 16; i += VEC, six = _mm_unpackhi_epi64(six, six)) {
        vf of = VEC > 8 ? vf_keep(d, 8, least) : i < 8 ? d : least;
        vf_store(wide + i, vf_mul(vf_of_u8(six), of));
    }
    memcpy(s->scale, wide, 8 * sizeof(float));
    memcpy(s->least, wide + 8, 8 * sizeof(float));
}

/* 16 scales of half groups, and all steps as int8, see unpack_q6_k of the reference. */
VEC_INLINE void prepare_q6_k(stretch *s)
{
    const __m256i low4 = _mm256_set1_epi8(15), high2 = _mm256_set1_epi8(0x30), middle = _mm256_set1_epi8(32);
    vf d = vf_set(_mm_cvtss_f32(_mm_movehdup_ps(two_halves(s->in + 206)))); /* the last of the block */
    for (int i = 0; i < 16; i += VEC) vf_store(s->scale + i, vf_mul(vf_from_i8(s->in + 192 + i), d));
    for (int h = 0; h < 2; h++) {
        const uint8_t *low = s->in + 64 * h;
        __m256i a = _mm256_loadu_si256((const __m256i *)low), b = _mm256_loadu_si256((const __m256i *)(low + 32));
        __m256i u = _mm256_loadu_si256((const __m256i *)(s->in + 128 + 32 * h));
        __m256i nibbles[4] = {a, b, _mm256_srli_epi16(a, 4), _mm256_srli_epi16(b, 4)};
        __m256i pairs[4] = {_mm256_slli_epi16(u, 4), _mm256_slli_epi16(u, 2), u, _mm256_srli_epi16(u, 2)};
        for (int q = 0; q < 4; q++) {
            __m256i x = _mm256_or_si256(_mm256_and_si256(nibbles[q], low4), _mm256_and_si256(pairs[q], high2));
            _mm256_storeu_si256((__m256i *)(s->step + 128 * h + 32 * q), _mm256_sub_epi8(x, middle));
        }
    }
}

/* `count` groups from s->in on. */
VEC_INLINE void prepare(flaw_weight_type type, stretch *s, int count)
{
    if (type == FLAW_WEIGHT_Q8_0) widen_scales(s->in, 34, count, s->scale);
    if (type == FLAW_WEIGHT_Q4_0) widen_scales(s->in, 18, count, s->scale);
    if (type == FLAW_WEIGHT_Q4_1) {
        widen_scales(s->in, 20, count, s->scale);
        widen_scales(s->in + 2, 20, count, s->least);
    }
    if (type == FLAW_WEIGHT_Q4_K) prepare_q4_k(s);
    if (type == FLAW_WEIGHT_Q6_K) prepare_q6_k(s);
}

/* Group g of the stretch as float32; `odd` is g % 2, known where this is inlined. */
VEC_INLINE void group_of(flaw_weight_type type, const stretch *s, int g, int odd, vf w[PER])
{
    const uint8_t *in = s->in;
    vf d = type >= FLAW_WEIGHT_Q8_0 ? vf_set(s->scale[g]) : vf_zero();
    switch (type) {
    case FLAW_WEIGHT_Q4_0: vf_nibbles(in + 18 * g + 2, vf_four_bits(d), w); return;
    case FLAW_WEIGHT_Q4_1: vf_nibbles(in + 20 * g + 4, vf_four_bits_from(d, vf_set(s->least[g])), w); return;
    case FLAW_WEIGHT_Q4_K: vf_half_bytes(in + 16 + g / 2 * 32, 4 * odd, vf_four_bits_from(d, vf_set(s->least[g])), w); return;
    default: break;
    }
#pragma GCC unroll 4
    for (int i = 0; i < PER; i++) {
        size_t at = (size_t)(g * GROUP + i * VEC);
        switch (type) {
        case FLAW_WEIGHT_F32: w[i] = vf_load((const float *)(const void *)(in + 4 * at)); break;
        case FLAW_WEIGHT_F16: w[i] = vf_from_half(in + 2 * at); break;
        case FLAW_WEIGHT_BF16: w[i] = vf_from_bf16(in + 2 * at); break;
        case FLAW_WEIGHT_Q8_0: w[i] = vf_mul(d, vf_from_i8(in + 34 * g + 2 + i * VEC)); break;
        default: w[i] = vf_mul(vf_set(s->scale[2 * g + i * VEC / 16]), vf_from_i8(s->step + at)); break; /* Q6_K */
        }
    }
}

/* Two rows and the vectors that they meet: 1 or VECTORS_AT_ONCE. A missing row or vector is another one again. */
typedef struct job {
    const uint8_t *in[ROWS];
    const float *x[VECTORS_AT_ONCE];
    int n;
} job;

typedef struct sums {
    vf chain[ROWS][VECTORS_AT_ONCE][CHAINS];
} sums;

/* Group g of each row's stretch meets x from element `at` on, which is read once for all rows. */
VEC_INLINE void add_group(flaw_weight_type type, int vectors, const stretch s[ROWS], int g, int odd,
                          const float *const x[], int at, sums *sum)
{
    vf w[ROWS][PER];
#pragma GCC unroll 2
    for (int r = 0; r < ROWS; r++) group_of(type, &s[r], g, odd, w[r]);
#pragma GCC unroll 4
    for (int t = 0; t < vectors; t++) {
#pragma GCC unroll 4
        for (int i = 0; i < PER; i++) {
            vf xi = vf_load(x[t] + at + i * VEC);
#pragma GCC unroll 2
            for (int r = 0; r < ROWS; r++) {
                vf *chain = &sum->chain[r][t][i % CHAINS];
                *chain = vf_fma(w[r][i], xi, *chain);
            }
        }
    }
}

/* `count` groups of one stretch, from element `at` of x on. */
VEC_INLINE void add_stretch(flaw_weight_type type, int vectors, const stretch s[ROWS], int count, const job *j, int at,
                            sums *sum)
{
    const size_t pair = bytes_of(type, 2 * GROUP);
    int g = 0;
    for (; g + 2 <= count; g += 2, at += 2 * GROUP) {
        for (int r = 0; r < ROWS; r++)
            for (size_t line = 0; line < pair; line += 64)
                _mm_prefetch((const char *)s[r].in + AHEAD + (size_t)(g / 2) * pair + line, _MM_HINT_T0);
        add_group(type, vectors, s, g, 0, j->x, at, sum);
        add_group(type, vectors, s, g + 1, 1, j->x, at + GROUP, sum);
    }
    if (g < count) add_group(type, vectors, s, g, 0, j->x, at, sum);
}

/* What is left of rows of a plain type behind their last whole group: padded with zeros to one. */
VEC_INLINE void add_rest(flaw_weight_type type, int vectors, const job *j, int whole, sums *sum)
{
    float padded[VECTORS_AT_ONCE][GROUP] = {{0}};
    uint8_t bytes[ROWS][GROUP * sizeof(float)] = {{0}};
    const float *x[VECTORS_AT_ONCE];
    stretch s[ROWS];
    for (int r = 0; r < ROWS; r++) {
        s[r].in = bytes[r];
        memcpy(bytes[r], j->in[r] + bytes_of(type, (size_t)whole), bytes_of(type, (size_t)(j->n - whole)));
    }
    for (int t = 0; t < vectors; t++) {
        memcpy(padded[t], j->x[t] + whole, (size_t)(j->n - whole) * sizeof(float));
        x[t] = padded[t];
    }
    add_group(type, vectors, s, 0, 0, x, 0, sum);
}

/* y[t][r] = row r . vector t */
VEC_INLINE void product_of_job(flaw_weight_type type, int vectors, const job *j, float y[][ROWS])
{
    sums sum;
    stretch s[ROWS];
    const int whole = j->n / GROUP * GROUP, most = stretch_of(type);
#pragma GCC unroll 16
    for (int i = 0; i < ROWS * vectors * CHAINS; i++)
        sum.chain[i / CHAINS / vectors][i / CHAINS % vectors][i % CHAINS] = vf_zero();
    for (int k = 0; k < whole; k += most) {
        int count = (whole - k < most ? whole - k : most) / GROUP;
        for (int r = 0; r < ROWS; r++) {
            s[r].in = j->in[r] + bytes_of(type, (size_t)k);
            prepare(type, &s[r], count);
        }
        add_stretch(type, vectors, s, count, j, k, &sum);
    }
    if (type <= FLAW_WEIGHT_BF16 && whole < j->n) add_rest(type, vectors, j, whole, &sum);
#pragma GCC unroll 8
    for (int i = 0; i < ROWS * vectors; i++) {
        const vf *c = sum.chain[i % ROWS][i / ROWS];
        y[i / ROWS][i % ROWS] = vf_sum(vf_add(c[0], c[1]));
    }
}

/* A row of the first half beside one of the second: memory is read in two long streams, as it likes to be. Vectors
 * from `first` on. */
VEC_INLINE void product_rows(flaw_weight_type type, int vectors, const flaw_weight_product *p, int first)
{
    const size_t bytes = bytes_of(type, (size_t)p->n);
    const int half = (p->rows + 1) / 2, live = p->vectors - first < vectors ? p->vectors - first : vectors;
    float y[VECTORS_AT_ONCE][ROWS];
    job j = {.n = p->n};
    for (int t = 0; t < vectors; t++) j.x[t] = p->x + (first + (t < live ? t : live - 1)) * p->x_row;
    for (int row = 0; row < half; row++) {
        int other = half + row < p->rows ? half + row : row;
        j.in[0] = (const uint8_t *)p->w + (size_t)row * bytes;
        j.in[1] = (const uint8_t *)p->w + (size_t)other * bytes;
        product_of_job(type, vectors, &j, y);
        for (int t = 0; t < live; t++) {
            p->y[(first + t) * p->y_row + row] = y[t][0];
            p->y[(first + t) * p->y_row + other] = y[t][1];
        }
    }
}

/* One function for each type, and in it one loop for a single vector and one for several. */
VEC_INLINE void product_of(flaw_weight_type type, const flaw_weight_product *p)
{
    if (p->vectors == 1) product_rows(type, 1, p, 0);
    else
        for (int first = 0; first < p->vectors; first += VECTORS_AT_ONCE) product_rows(type, VECTORS_AT_ONCE, p, first);
}

#define PRODUCT(name, type)                                                                                            \
    static __attribute__((noinline)) void product_##name(const flaw_weight_product *p)                                 \
    {                                                                                                                  \
        product_of(type, p);                                                                                           \
    }

PRODUCT(f32, FLAW_WEIGHT_F32)
PRODUCT(f16, FLAW_WEIGHT_F16)
PRODUCT(bf16, FLAW_WEIGHT_BF16)
PRODUCT(q8_0, FLAW_WEIGHT_Q8_0)
PRODUCT(q4_0, FLAW_WEIGHT_Q4_0)
PRODUCT(q4_1, FLAW_WEIGHT_Q4_1)
PRODUCT(q4_k, FLAW_WEIGHT_Q4_K)
PRODUCT(q6_k, FLAW_WEIGHT_Q6_K)

void LEVEL(weight_product)(const flaw_weight_product *p)
{
    static void (*const of[FLAW_WEIGHT_TYPES])(const flaw_weight_product *) = {
        [FLAW_WEIGHT_F32] = product_f32,   [FLAW_WEIGHT_F16] = product_f16,   [FLAW_WEIGHT_BF16] = product_bf16,
        [FLAW_WEIGHT_Q8_0] = product_q8_0, [FLAW_WEIGHT_Q4_0] = product_q4_0, [FLAW_WEIGHT_Q4_1] = product_q4_1,
        [FLAW_WEIGHT_Q4_K] = product_q4_k, [FLAW_WEIGHT_Q6_K] = product_q6_k,
    };
    of[p->type](p);
}

VEC_INLINE void store_group(flaw_weight_type type, const stretch *s, int g, int odd, float *out)
{
    vf w[PER];
    group_of(type, s, g, odd, w);
    for (int i = 0; i < PER; i++) vf_store(out + i * VEC, w[i]);
}

VEC_INLINE void unpack_of(flaw_weight_type type, size_t n, const uint8_t *in, float *out)
{
    size_t whole = n / GROUP * GROUP, most = (size_t)stretch_of(type);
    stretch s;
    for (size_t k = 0; k < whole; k += most) {
        int count = (int)((whole - k < most ? whole - k : most) / GROUP), g = 0;
        s.in = in + bytes_of(type, k);
        prepare(type, &s, count);
        for (; g + 2 <= count; g += 2) {
            store_group(type, &s, g, 0, out + k + g * GROUP);
            store_group(type, &s, g + 1, 1, out + k + (g + 1) * GROUP);
        }
        if (g < count) store_group(type, &s, g, 0, out + k + g * GROUP);
    }
    if (whole < n) flaw_weight_unpack(type, n - whole, in + bytes_of(type, whole), out + whole);
}

void LEVEL(weight_unpack)(flaw_weight_type type, size_t n, const void *row, float *out)
{
    switch (type) {
    case FLAW_WEIGHT_F16: unpack_of(FLAW_WEIGHT_F16, n, row, out); break;
    case FLAW_WEIGHT_BF16: unpack_of(FLAW_WEIGHT_BF16, n, row, out); break;
    case FLAW_WEIGHT_Q8_0: unpack_of(FLAW_WEIGHT_Q8_0, n, row, out); break;
    case FLAW_WEIGHT_Q4_0: unpack_of(FLAW_WEIGHT_Q4_0, n, row, out); break;
    case FLAW_WEIGHT_Q4_1: unpack_of(FLAW_WEIGHT_Q4_1, n, row, out); break;
    case FLAW_WEIGHT_Q4_K: unpack_of(FLAW_WEIGHT_Q4_K, n, row, out); break;
    case FLAW_WEIGHT_Q6_K: unpack_of(FLAW_WEIGHT_Q6_K, n, row, out); break;
    default: memcpy(out, row, n * sizeof *out);
    }
}
