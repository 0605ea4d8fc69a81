#include "nn/matrix.h"

enum {
    FEW = 4,                /* rows of x up to which compact rows are multiplied as they are */
    TILE = 64,              /* outputs of a tile that is unpacked */
    PIECE_ELEMENTS = 65536, /* about so many weights are one piece of the pool */
    PIECE_ROWS = 256,       /* at most */
    ALIGNMENT = 64
};

/* One call, cut into pieces of `rows` outputs; a piece lies within one part. */
typedef struct pass {
    const flaw_compute *c;
    const flaw_matrix *part;
    int rows;
    const flaw_product *p;
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

/* Scratch of a worker: the product's own, the packed tile, the unpacked tile. */
size_t flaw_matrix_scratch(const flaw_compute *c, int cols)
{
    return aligned(c->kernels->product_scratch(c->precision, cols)) +
           aligned(c->kernels->pack_size(c->precision, cols, TILE)) + (size_t)cols * TILE * sizeof(float);
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
        f->c->kernels->weight_product(&few);
        for (int v = 0; v < few.vectors; v++) finish(f, t + v, at.column, at.rows, sum + v * PIECE_ROWS);
    }
}

static void tile_piece(void *context, int piece, int worker)
{
    const pass *f = context;
    const flaw_kernels *k = f->c->kernels;
    place at = find_piece(f, piece);
    int cols = at.m->cols;
    unsigned char *scratch = f->c->scratch[worker];
    unsigned char *packed = scratch + aligned(k->product_scratch(f->c->precision, cols));
    float *plain = (float *)(void *)(packed + aligned(k->pack_size(f->c->precision, cols, TILE)));
    for (int i = 0; i < at.rows; i++)
        k->weight_unpack(at.m->type, (size_t)cols, row_of(at.m, at.row + i), plain + (size_t)i * (size_t)cols);
    k->pack(f->c->precision, cols, at.rows, plain, 1, cols, packed);
    flaw_product p = *f->p;
    p.n = at.rows;
    p.b = packed;
    p.c += at.column;
    if (p.bias) p.bias += at.column;
    if (p.residual) p.residual += at.column;
    if (p.pre) p.pre += at.column;
    k->product(f->c->precision, &p, 0, p.m, 0, p.n, scratch);
}

/* The cut depends on the matrices alone. */
static int rows_of_piece(int cols)
{
    int rows = PIECE_ELEMENTS / cols / 8 * 8;
    return rows < 8 ? 8 : smaller(rows, PIECE_ROWS);
}

void flaw_matrix_product(flaw_compute *c, const flaw_matrix *part, int parts, const flaw_product *p)
{
    bool few = p->m <= FEW;
    pass f = {.c = c, .part = part, .rows = few ? rows_of_piece(part->cols) : TILE, .p = p};
    int pieces = 0;
    for (int i = 0; i < parts; i++) pieces += pieces_of(&f, &part[i]);
    flaw_pool_run(c->pool, few ? few_piece : tile_piece, &f, pieces);
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
