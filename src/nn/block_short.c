#include "nn/block_short.h"

#include <string.h>

#include "nn/norm.h"
#include "nn/watch.h"

/* Letters: D width, Q columns of queries, keys and values, F hidden. */
typedef struct short_pass {
    const flaw_compute *c;
    const flaw_short *s;
    const flaw_block *b;
    bool first, last; /* the block */
    size_t d, q, f;
    int piece_rows;               /* at most, of any piece */
    int pieces[FLAW_SHORT_KINDS]; /* that the sequences of a kind are cut into */
    const float *table;       /* [table, D] */
    float *out;               /* [sequences, D] */
    float *x;                 /* [rows, D] the residual stream */
    float *table_qkv;         /* [table, Q] of the first block */
    float *token_q;           /* [sequences, D and up to a whole panel] queries of token 0 in the last block */
    float *token_h;           /* [sequences, D] the heads' output of token 0 in the last block */
    float *own;               /* of each worker: h [piece rows, D], then q, k, v or the hidden layer [piece rows, most of Q, F] */
    size_t own_size;
} short_pass;

/* Some whole sequences of one kind. */
typedef struct short_piece {
    int kind, first, n, tokens;
    size_t sequence, row; /* counted over all kinds */
} short_piece;

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

int flaw_short_sequences(const flaw_short *s)
{
    int n = 0;
    for (int k = 0; k < s->kinds; k++) n += s->kind[k].n;
    return n;
}

static int rows_of(const flaw_short *s)
{
    int n = 0;
    for (int k = 0; k < s->kinds; k++) n += s->kind[k].n * s->kind[k].tokens;
    return n;
}

/* Columns of the queries in whole panels of the packed weights: a product is cut there. */
static int query_columns(const flaw_compute *c, const flaw_block_shape *shape)
{
    int panel = c->kernels->panel(c->precision);
    return least(ceil_div(shape->width, panel) * panel, flaw_block_qkv_width(shape));
}

/* Pieces of at most so many rows, as many as there are threads or a multiple of that. */
static int row_pieces(const flaw_compute *c, int rows)
{
    int pieces = ceil_div(ceil_div(rows, FLAW_TILE_ROWS), c->workers) * c->workers;
    return least(pieces, rows);
}

/* Where piece i of about equal ones begins. */
static int cut(int n, int i, int pieces)
{
    return (int)((long)n * i / pieces);
}

/* Sizes, and where everything lies in `work` (NULL: sizes only); returns the floats. */
static size_t place(short_pass *p, const flaw_compute *c, const flaw_block_shape *shape, const flaw_short *s, float *work)
{
    size_t sequences = (size_t)flaw_short_sequences(s), rows = (size_t)rows_of(s), table = (size_t)s->table;
    *p = (short_pass){.c = c, .s = s, .d = (size_t)shape->width, .q = (size_t)flaw_block_qkv_width(shape),
                      .f = (size_t)flaw_block_fc1_width(shape), .piece_rows = FLAW_TILE_ROWS};
    for (int k = 0; k < s->kinds; k++) {
        int tokens = s->kind[k].tokens, n = s->kind[k].n, most = tokens < FLAW_TILE_ROWS ? FLAW_TILE_ROWS / tokens : 1;
        p->pieces[k] = ceil_div(n, most);
        if (tokens > p->piece_rows) p->piece_rows = tokens;
    }
    p->own_size = (size_t)p->piece_rows * (p->d + (p->q > p->f ? p->q : p->f));
    size_t at_qkv = rows * p->d, at_q = at_qkv + table * p->q;
    size_t at_h = at_q + sequences * (size_t)query_columns(c, shape), at_own = at_h + sequences * p->d;
    if (work) {
        p->x = work;
        p->table_qkv = work + at_qkv;
        p->token_q = work + at_q;
        p->token_h = work + at_h;
        p->own = work + at_own;
    }
    return at_own + (size_t)c->workers * p->own_size;
}

size_t flaw_short_workspace(const flaw_compute *c, const flaw_block_shape *shape, const flaw_short *s)
{
    short_pass p;
    return place(&p, c, shape, s, NULL);
}

static int pieces_of(const short_pass *p)
{
    int n = 0;
    for (int k = 0; k < p->s->kinds; k++) n += p->pieces[k];
    return n;
}

static short_piece piece_at(const short_pass *p, int piece)
{
    const flaw_short *s = p->s;
    short_piece e = {0};
    for (; piece >= p->pieces[e.kind]; e.kind++) {
        piece -= p->pieces[e.kind];
        e.sequence += (size_t)s->kind[e.kind].n;
        e.row += (size_t)(s->kind[e.kind].n * s->kind[e.kind].tokens);
    }
    e.tokens = s->kind[e.kind].tokens;
    e.first = cut(s->kind[e.kind].n, piece, p->pieces[e.kind]);
    e.n = cut(s->kind[e.kind].n, piece + 1, p->pieces[e.kind]) - e.first;
    e.sequence += (size_t)e.first;
    e.row += (size_t)(e.first * e.tokens);
    return e;
}

static void norm(const short_pass *p, int rows, const float *x, const float *w, const float *b, float *h)
{
    const flaw_block_shape *s = &p->b->shape;
    flaw_norm_rows(p->c->kernels, rows, s->width, s->eps, x, w, s->rms ? NULL : b, h, NULL, NULL);
}

/* First block: norm, queries, keys and values of rows of the table. */
static void table_piece(void *context, int piece, int worker)
{
    const short_pass *p = context;
    int pieces = row_pieces(p->c, p->s->table), r0 = cut(p->s->table, piece, pieces);
    int rows = cut(p->s->table, piece + 1, pieces) - r0;
    float *h = p->own + (size_t)worker * p->own_size;
    double start = flaw_watch_start(p->c);
    norm(p, rows, p->table + (size_t)r0 * p->d, p->b->weights.norm1_w, p->b->weights.norm1_b, h);
    flaw_watch_lap(p->c, worker, FLAW_STATION_NORM, &start);
    flaw_linear_columns(p->c, worker, &p->b->qkv, 0, (int)p->q, rows, h, (ptrdiff_t)p->d, p->table_qkv + (size_t)r0 * p->q,
                        (ptrdiff_t)p->q);
    flaw_watch_lap(p->c, worker, FLAW_STATION_QKV, &start);
}

/* First block: a piece's rows of the table, to qkv and to its residual stream. */
static void gather(const short_pass *p, const short_piece *e, float *qkv)
{
    const size_t d = p->d, q = p->q;
    float *x = p->x + e->row * d;
    for (int i = 0; i < e->n; i++)
        for (int t = 0; t < e->tokens; t++, x += d, qkv += q) {
            size_t row = (size_t)p->s->row_of(p->s->context, e->kind, e->first + i, t);
            memcpy(qkv, p->table_qkv + row * q, q * sizeof *qkv);
            memcpy(x, p->table + row * d, d * sizeof *x);
        }
}

/* Norm, queries, keys and values of a piece; in the last block without the queries. */
static void project(const short_pass *p, int worker, const short_piece *e, float *h, float *qkv)
{
    const flaw_block *b = p->b;
    int rows = e->n * e->tokens, panel = p->c->kernels->panel(p->c->precision);
    double start = flaw_watch_start(p->c);
    norm(p, rows, p->x + e->row * p->d, b->weights.norm1_w, b->weights.norm1_b, h);
    flaw_watch_lap(p->c, worker, FLAW_STATION_NORM, &start);
    flaw_linear_columns(p->c, worker, &b->qkv, p->last ? b->shape.width / panel * panel : 0, b->qkv.out, rows, h,
                        (ptrdiff_t)p->d, qkv, (ptrdiff_t)p->q);
    flaw_watch_lap(p->c, worker, FLAW_STATION_QKV, &start);
}

/* The heads of a piece's sequences; in the last block of token 0 alone, to token_h. */
static void attend(const short_pass *p, int worker, const short_piece *e, const float *qkv, float *h)
{
    const flaw_block_shape *s = &p->b->shape;
    size_t heads = (size_t)s->heads, width = p->d / heads, queries = (size_t)query_columns(p->c, s);
    double start = flaw_watch_start(p->c);
    for (size_t i = 0; i < (size_t)e->n; i++) {
        for (size_t head = 0; head < heads; head++) {
            flaw_attention a;
            flaw_block_attention(s, e->tokens, i * heads + head, qkv, h, NULL, &a);
            a.precision = p->c->precision;
            if (p->last) {
                a.queries = 1;
                a.out = p->token_h + (e->sequence + i) * p->d + head * width;
            }
            if (p->last && !p->first) a.q = p->token_q + (e->sequence + i) * queries + head * width;
            p->c->kernels->attention(&a, p->c->scratch[worker]);
        }
    }
    flaw_watch_lap(p->c, worker, FLAW_STATION_ATTENTION, &start);
}

static void block_piece(void *context, int piece, int worker)
{
    const short_pass *p = context;
    short_piece e = piece_at(p, piece);
    float *h = p->own + (size_t)worker * p->own_size, *qkv = h + (size_t)p->piece_rows * p->d;
    if (p->first) gather(p, &e, qkv);
    else project(p, worker, &e, h, qkv);
    attend(p, worker, &e, qkv, h);
    if (!p->last) flaw_block_mlp(p->c, worker, p->b, e.n * e.tokens, h, p->x + e.row * p->d, qkv);
}

/* The rows of token 0 of all sequences, cut into pieces. */
static int token_cut(const short_pass *p, int piece)
{
    int n = flaw_short_sequences(p->s);
    return cut(n, piece, row_pieces(p->c, n));
}

/* Where token 0 of a sequence is in the residual stream: in the first block still in the table. */
static const float *token_x(const short_pass *p, int sequence)
{
    const flaw_short *s = p->s;
    size_t row = 0;
    int kind = 0;
    for (; sequence >= s->kind[kind].n; kind++) {
        sequence -= s->kind[kind].n;
        row += (size_t)(s->kind[kind].n * s->kind[kind].tokens);
    }
    if (p->first) return p->table + (size_t)s->row_of(s->context, kind, sequence, 0) * p->d;
    return p->x + (row + (size_t)(sequence * s->kind[kind].tokens)) * p->d;
}

/* Last block: token 0 of some sequences to `out`, and its queries. */
static void query_piece(void *context, int piece, int worker)
{
    const short_pass *p = context;
    const flaw_block *b = p->b;
    int r0 = token_cut(p, piece), r1 = token_cut(p, piece + 1), queries = query_columns(p->c, &b->shape);
    float *h = p->own + (size_t)worker * p->own_size, *out = p->out + (size_t)r0 * p->d;
    double start = flaw_watch_start(p->c);
    for (int i = r0; i < r1; i++) memcpy(p->out + (size_t)i * p->d, token_x(p, i), p->d * sizeof *out);
    if (p->first) return; /* they are in the table */
    norm(p, r1 - r0, out, b->weights.norm1_w, b->weights.norm1_b, h);
    flaw_watch_lap(p->c, worker, FLAW_STATION_NORM, &start);
    flaw_linear_columns(p->c, worker, &b->qkv, 0, queries, r1 - r0, h, (ptrdiff_t)p->d,
                        p->token_q + (size_t)r0 * (size_t)queries, queries);
    flaw_watch_lap(p->c, worker, FLAW_STATION_QKV, &start);
}

/* Last block, behind the attention. */
static void token_piece(void *context, int piece, int worker)
{
    const short_pass *p = context;
    int r0 = token_cut(p, piece), r1 = token_cut(p, piece + 1);
    flaw_block_mlp(p->c, worker, p->b, r1 - r0, p->token_h + (size_t)r0 * p->d, p->out + (size_t)r0 * p->d,
                   p->own + (size_t)worker * p->own_size);
}

void flaw_short_forward(flaw_compute *c, const flaw_block *blocks, int layers, const flaw_short *s, const float *table,
                        float *out, float *work)
{
    short_pass p;
    place(&p, c, &blocks->shape, s, work);
    p.table = table;
    p.out = out;
    int tokens = row_pieces(c, flaw_short_sequences(s));
    for (int l = 0; l < layers; l++) {
        p.b = &blocks[l];
        p.first = l == 0;
        p.last = l + 1 == layers;
        if (p.first) flaw_pool_run(c->pool, table_piece, &p, row_pieces(c, s->table));
        if (p.last) flaw_pool_run(c->pool, query_piece, &p, tokens);
        flaw_pool_run(c->pool, block_piece, &p, pieces_of(&p));
        if (p.last) flaw_pool_run(c->pool, token_piece, &p, tokens);
    }
}
