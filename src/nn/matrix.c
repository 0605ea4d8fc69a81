#include "nn/matrix.h"

enum {
    FEW_F32 = 16, FEW_BF16 = 8, /* where unpacking begins to pay, measured with AVX-512 and AMX */
    TILE = FLAW_TILE_COLS,      /* outputs of a tile that is unpacked */
    NARROW_TILE = 64,           /* the same for a product of few rows, whose tile then stays in the second cache */
    NARROW_ROWS = 64,
    DEPTH = 256,                /* elements of a row that are unpacked at a time: a panel of them fits the first cache */
    PIECES = 32,                /* of a product of few rows, where the matrices are large enough: */
    PIECE_LEAST = 65536,        /* weights of a piece */
    PIECE_MOST = 1 << 20,
    PIECE_ROWS = 512,  /* at most */
    MANY_ROWS = 256,   /* at most of a piece where many vectors meet weights in 16 bits, */
    MANY_LEAST = 64,   /* and at least */
    MANY_VECTORS = 128, /* at once: bounds what is kept of them */
    ALIGNMENT = 64
};

/* One call, cut into pieces of `rows` outputs; a piece lies within one part. */
typedef struct pass {
    const flaw_compute *c;
    const flaw_matrix *part;
    int rows;
    const flaw_product *p;
    unsigned char *digits; /* of all vectors (few rows), or NULL */
    size_t digits_size;
} pass;

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static const unsigned char *row_of(const flaw_matrix *m, int row)
{
    return (const unsigned char *)m->data + (size_t)row * flaw_weight_row_bytes(m->type, (size_t)m->cols);
}

void flaw_matrix_row(const flaw_matrix *m, int row, float *out)
{
    flaw_weight_unpack(m->type, (size_t)m->cols, row_of(m, row), out);
}

int flaw_matrix_few(flaw_precision precision)
{
    return precision == FLAW_BF16 ? FEW_BF16 : FEW_F32;
}

/* Of what is unpacked chunk by chunk, which int8 products cannot be packed by. */
static flaw_precision precision_of(const flaw_compute *c)
{
    return c->precision == FLAW_INT8 ? FLAW_BF16 : c->precision;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Many vectors in fixed point of 16 bits. */
static const flaw_weight_many *many_of(const flaw_compute *c)
{
    return c->precision == FLAW_BF16 ? NULL : c->kernels->weight_many;
}

static size_t bundles_of(const flaw_weight_many *many, int vectors)
{
    const int each = many->bundle(vectors);
    return (size_t)((vectors + each - 1) / each);
}

/* Scratch that a piece works in: the product's own, the packed tile, a chunk of a panel as float32; or a tile in fixed point
 * and its sums. */
static size_t piece_scratch(const flaw_compute *c, int cols)
{
    const flaw_weight_many *many = many_of(c);
    const size_t plain = aligned(c->kernels->product_scratch(precision_of(c), cols)) +
                         aligned(c->kernels->pack_size(precision_of(c), cols, TILE)) +
                         (size_t)c->kernels->panel(precision_of(c)) * DEPTH * sizeof(float);
    if (!many) return aligned(plain);
    return aligned(larger(plain, aligned(many->scratch(MANY_ROWS, MANY_VECTORS)) + MANY_VECTORS * MANY_ROWS * sizeof(float)));
}

/* The digits of a call's vectors are in the first worker's, those of many ones behind what pieces work in. */
size_t flaw_matrix_scratch(const flaw_compute *c, int cols)
{
    const flaw_weight_digits *digits = c->kernels->weight_digits;
    const flaw_weight_many *many = many_of(c);
    const size_t few = digits ? (size_t)flaw_matrix_few(precision_of(c)) * digits->size(cols) : 0;
    return larger(few, piece_scratch(c, cols) + (many ? bundles_of(many, MANY_VECTORS) * many->size(cols) : 0));
}

/* Where a piece lies: its part, its first row there, its rows, its first column of C. */
typedef struct place {
    const flaw_matrix *m;
    int row, rows, column;
} place;

static int pieces_of(const pass *f, const flaw_matrix *m)
{
    return (m->rows + f->rows - 1) / f->rows;
}

static place find_piece(const pass *f, int piece)
{
    place at = {.m = f->part};
    for (; piece >= pieces_of(f, at.m); at.m++) {
        piece -= pieces_of(f, at.m);
        at.column += at.m->rows;
    }
    at.row = piece * f->rows;
    at.rows = smaller(f->rows, at.m->rows - at.row);
    at.column += at.row;
    return at;
}

/* Row t of the result from column `column` on: what becomes of n sums. */
static void finish(const pass *f, int t, int column, int n, float *sum)
{
    const flaw_product *p = f->p;
    ptrdiff_t at = t * p->c_row + column;
    for (int i = 0; p->bias && i < n; i++) sum[i] += p->bias[column + i];
    for (int i = 0; p->pre && i < n; i++) p->pre[at + i] = sum[i];
    f->c->kernels->activate(p->act, (size_t)n, sum, sum);
    for (int i = 0; p->residual && i < n; i++) sum[i] += p->residual[at + i];
    for (int i = 0; i < n; i++) p->c[at + i] = sum[i];
}

static void few_piece(void *context, int piece, int worker)
{
    const pass *f = context;
    const flaw_product *p = f->p;
    place at = find_piece(f, piece);
    (void)worker;
    float sum[FLAW_WEIGHT_VECTORS * PIECE_ROWS];
    for (int t = 0; t < p->m; t += FLAW_WEIGHT_VECTORS) {
        flaw_weight_product few = {.type = at.m->type,
                                   .n = at.m->cols,
                                   .w = row_of(at.m, at.row),
                                   .rows = at.rows,
                                   .vectors = smaller(FLAW_WEIGHT_VECTORS, p->m - t),
                                   .x = p->a + t * p->a_row,
                                   .x_row = p->a_row,
                                   .y = sum,
                                   .y_row = PIECE_ROWS};
        if (f->digits && flaw_weight_block(few.type) > 1) {
            few.digits = f->digits + (size_t)t * f->digits_size;
            few.digits_size = f->digits_size;
            f->c->kernels->weight_digits->product(&few);
        } else {
            f->c->kernels->weight_product(&few);
        }
        for (int v = 0; v < few.vectors; v++) finish(f, t + v, at.column, at.rows, sum + v * PIECE_ROWS);
    }
}

/* Rows `row` .. `row` + rows of the matrix, at most a panel, as columns of packed B. */
static void pack_panel(const flaw_compute *c, const flaw_matrix *m, int row, int rows, float *plain, unsigned char *out)
{
    for (int k = 0; k < m->cols; k += DEPTH) {
        int depth = smaller(DEPTH, m->cols - k);
        for (int i = 0; i < rows; i++)
            c->kernels->weight_unpack(m->type, (size_t)depth,
                                      row_of(m, row + i) + flaw_weight_row_bytes(m->type, (size_t)k), plain + i * DEPTH);
        c->kernels->pack(precision_of(c), depth, rows, plain, 1, DEPTH,
                         out + c->kernels->pack_size(precision_of(c), k, rows));
    }
}

/* Many vectors in fixed point. */
static void many_piece(const pass *f, place at, unsigned char *scratch)
{
    const flaw_weight_many *many = f->c->kernels->weight_many;
    float *sum = (float *)(void *)(scratch + aligned(many->scratch(MANY_ROWS, MANY_VECTORS)));
    flaw_weight_product p = {.type = at.m->type,
                             .n = at.m->cols,
                             .w = row_of(at.m, at.row),
                             .rows = at.rows,
                             .vectors = f->p->m,
                             .digits = f->digits,
                             .digits_size = f->digits_size,
                             .y = sum,
                             .y_row = MANY_ROWS};
    many->product(&p, scratch);
    for (int t = 0; t < p.vectors; t++) finish(f, t, at.column, at.rows, sum + t * MANY_ROWS);
}

static void tile_piece(void *context, int piece, int worker)
{
    const pass *f = context;
    const flaw_kernels *k = f->c->kernels;
    flaw_precision precision = precision_of(f->c);
    place at = find_piece(f, piece);
    if (f->digits && k->weight_many->reads[at.m->type]) {
        many_piece(f, at, f->c->scratch[worker]);
        return;
    }
    int panel = k->panel(precision);
    unsigned char *scratch = f->c->scratch[worker];
    unsigned char *packed = scratch + aligned(k->product_scratch(precision, at.m->cols)), *out = packed;
    float *plain = (float *)(void *)(packed + aligned(k->pack_size(precision, at.m->cols, TILE)));
    for (int i = 0; i < at.rows; i += panel, out += k->pack_size(precision, at.m->cols, panel))
        pack_panel(f->c, at.m, at.row + i, smaller(panel, at.rows - i), plain, out);
    flaw_product p = *f->p;
    p.n = at.rows;
    p.b = packed;
    p.c += at.column;
    if (p.bias) p.bias += at.column;
    if (p.residual) p.residual += at.column;
    if (p.pre) p.pre += at.column;
    k->product(precision, &p, 0, p.m, 0, p.n, scratch);
}

/* The cut depends on the matrices alone. Long pieces are read faster: each is several streams through memory. */
static int rows_of_piece(const flaw_matrix *part, int parts)
{
    size_t all = 0;
    for (int i = 0; i < parts; i++) all += (size_t)part[i].rows * (size_t)part[i].cols;
    const size_t piece = all / PIECES < PIECE_LEAST ? PIECE_LEAST : all / PIECES > PIECE_MOST ? PIECE_MOST : all / PIECES;
    const int rows = (int)(piece / (size_t)part->cols) / 8 * 8;
    return rows < 8 ? 8 : smaller(rows, PIECE_ROWS);
}

/* Of many vectors: long pieces meet them more often while they are in the second cache. */
static int rows_of_many(const flaw_matrix *part, int parts)
{
    int all = 0;
    for (int i = 0; i < parts; i++) all += part[i].rows;
    const int rows = all / PIECES / MANY_LEAST * MANY_LEAST;
    return rows < MANY_LEAST ? MANY_LEAST : smaller(rows, MANY_ROWS);
}

/* The vectors of a call in the first worker's scratch, where any part has blocks. */
static void prepare_digits(pass *f, int parts)
{
    const flaw_weight_digits *digits = f->c->kernels->weight_digits;
    const flaw_product *p = f->p;
    bool any = false;
    for (int i = 0; i < parts; i++) any |= flaw_weight_block(f->part[i].type) > 1;
    if (!digits || !any) return;
    f->digits = f->c->scratch[0];
    f->digits_size = digits->size(f->part->cols);
    for (int t = 0; t < p->m; t++)
        digits->prepare(f->part->cols, p->a + t * p->a_row, f->digits + (size_t)t * f->digits_size);
}

static int all_pieces(const pass *f, int parts)
{
    int pieces = 0;
    for (int i = 0; i < parts; i++) pieces += pieces_of(f, &f->part[i]);
    return pieces;
}

static void prepare_piece(void *context, int piece, int worker)
{
    const pass *f = context;
    const flaw_product *p = f->p;
    const flaw_weight_many *many = f->c->kernels->weight_many;
    const int each = many->bundle(p->m), first = piece * each;
    (void)worker;
    many->prepare(p->k, smaller(each, p->m - first), p->a + first * p->a_row, p->a_row,
                  f->digits + (size_t)piece * f->digits_size);
}

/* Vectors t .. t + n of p. */
static flaw_product vectors_of(const flaw_product *p, int t, int n)
{
    flaw_product some = *p;
    some.m = n;
    some.a += t * p->a_row;
    some.c += t * p->c_row;
    if (p->residual) some.residual += t * p->c_row;
    if (p->pre) some.pre += t * p->c_row;
    return some;
}

/* Many vectors in fixed point, so many at once as there is room for. */
static void product_of_many(pass *f, int parts)
{
    const flaw_compute *c = f->c;
    const flaw_product *all = f->p;
    f->rows = rows_of_many(f->part, parts);
    f->digits = (unsigned char *)c->scratch[0] + piece_scratch(c, all->k);
    f->digits_size = c->kernels->weight_many->size(all->k);
    for (int t = 0; t < all->m; t += MANY_VECTORS) {
        const flaw_product some = vectors_of(all, t, smaller(MANY_VECTORS, all->m - t));
        f->p = &some;
        flaw_pool_run(c->pool, prepare_piece, f, (int)bundles_of(c->kernels->weight_many, some.m));
        flaw_pool_run(c->pool, tile_piece, f, all_pieces(f, parts));
    }
}

void flaw_matrix_product(flaw_compute *c, const flaw_matrix *part, int parts, const flaw_product *p)
{
    const flaw_weight_many *many = many_of(c);
    pass f = {.c = c, .part = part, .p = p};
    if (p->m <= flaw_matrix_few(precision_of(c))) {
        f.rows = rows_of_piece(part, parts);
        prepare_digits(&f, parts);
        flaw_pool_run(c->pool, few_piece, &f, all_pieces(&f, parts));
        return;
    }
    for (int i = 0; i < parts; i++) {
        if (!many || !many->reads[part[i].type]) continue;
        product_of_many(&f, parts);
        return;
    }
    f.rows = p->m <= NARROW_ROWS ? NARROW_TILE : TILE;
    flaw_pool_run(c->pool, tile_piece, &f, all_pieces(&f, parts));
}

void flaw_matrix_forward(flaw_compute *c, const flaw_matrix *m, int n, const float *x, ptrdiff_t x_row, float *y,
                         ptrdiff_t y_row, const float *bias, const float *residual)
{
    flaw_product p = {.m = n,
                      .n = m->rows,
                      .k = m->cols,
                      .a = x,
                      .a_row = x_row,
                      .a_col = 1,
                      .c = y,
                      .c_row = y_row,
                      .bias = bias,
                      .residual = residual};
    flaw_matrix_product(c, m, 1, &p);
}
