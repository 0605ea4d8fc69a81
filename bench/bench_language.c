/* Speed of a language model: words while writing, a prompt while reading, each beside what the machine allows.
 *
 *   bench_language MODEL [LEVEL [THREADS]]
 *   bench_language --synthetic 1b|7b int4|int8 DIR [LEVEL [THREADS]]
 *
 * MODEL is a folder, a GGUF file or a bundle. DIR/synthetic-7b-int4.safetensors, made when it is not there, has random
 * weights in the shape of LLaMA-7B (4.4 GB) or of a LLaMA of 1.1 billion (0.7 GB, int8 1.2 GB).
 *
 * Words: GB of weights that a token reads, a second, beside plain reading of the same weights. Prompt: operations a second
 * of the blocks' matrices, beside the limit of the instruction; with 16 bits of a vector (nn/matrix.h) each takes two of
 * vpdpbusd or of the tiles. Limit and prompt are measured in turn, and the median of the rounds' shares is printed. First
 * word: the prompt's seconds, logits included. Words and seconds are the best of the rounds: other work on the machine only
 * ever makes a round slower.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/random.h"
#include "format/writer.h"
#include "limit.h"
#include "model/language/language_config.h"
#include "plain_read.h"

enum { ROUNDS = 3, PROMPT = 100, WRITTEN = 8 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- a model of random weights ---- */

static const struct {
    const char *name;
    int width, heads, kv_heads, hidden, layers;
} shapes[] = {{"1b", 2048, 32, 4, 5632, 22}, {"7b", 4096, 32, 32, 11008, 32}};

static flaw_language_config config_of(int shape)
{
    return (flaw_language_config){.shape = {.block = {.width = shapes[shape].width,
                                                      .heads = shapes[shape].heads,
                                                      .hidden = shapes[shape].hidden,
                                                      .act = FLAW_ACT_SILU,
                                                      .eps = 1e-5f,
                                                      .causal = true,
                                                      .kv_heads = shapes[shape].kv_heads,
                                                      .rms = true,
                                                      .gated = true,
                                                      .rotary = FLAW_ROTARY_HALVES,
                                                      .rotary_base = 10000},
                                            .layers = shapes[shape].layers,
                                            .vocab = 32000,
                                            .context = 2048},
                                  .bos = 1,
                                  .eos = 2};
}

/* A row whose weights are of the size that keeps the stream alive: about 1 / sqrt(columns). */
static void random_row(flaw_weight_type type, size_t columns, flaw_random *random, float *x, uint8_t *row)
{
    for (size_t i = 0; i < columns; i++) x[i] = (float)(flaw_random_range(random, -1, 1) * 1.7 / 45);
    flaw_weight_pack(type, columns, x, row);
}

/* 64 different rows are enough: nobody looks at what it says. */
static flaw_status write_tensor(flaw_tensor_writer *to, const flaw_parameter *p, flaw_weight_type type,
                                flaw_random *random, flaw_error *err)
{
    enum { DIFFERENT = 64 };
    const size_t columns = p->rank == 2 ? p->shape[1] : p->shape[0], rows = p->rank == 2 ? p->shape[0] : 1;
    const size_t bytes = flaw_weight_row_bytes(type, columns);
    float *x = malloc(columns * sizeof *x);
    uint8_t *row = malloc(DIFFERENT * bytes);
    flaw_status status = x && row ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory");
    for (size_t r = 0; r < DIFFERENT && !status; r++) random_row(type, columns, random, x, row + r * bytes);
    for (size_t i = 0; i < columns && !status && p->rank == 1; i++) ((float *)(void *)row)[i] = 1;
    for (size_t r = 0; r < rows && !status; r++)
        status = flaw_tensor_writer_data(to, row + r % DIFFERENT * bytes, bytes, err);
    free(x);
    free(row);
    return status;
}

static flaw_status make_model(const char *path, int shape, bool int8, flaw_error *err)
{
    const flaw_language_config synthetic = config_of(shape);
    flaw_arena arena;
    flaw_parameters list;
    flaw_tensor_writer *to = NULL;
    flaw_random random;
    flaw_buffer json;
    flaw_arena_init(&arena, 0);
    flaw_random_init(&random, 1, 0);
    flaw_buffer_init(&json, 65536);
    flaw_language_config_write(&json, &synthetic);
    flaw_status status = flaw_language_parameters(&list, &synthetic.shape, &arena, err);
    flaw_tensor *item = status ? NULL : flaw_arena_alloc(&arena, list.count, sizeof *item);
    for (size_t i = 0; item && i < list.count; i++) {
        const flaw_parameter *p = &list.item[i];
        const bool table = p->shape[0] == (size_t)synthetic.shape.vocab;
        item[i] = (flaw_tensor){.name = p->name,
                                .rank = p->rank,
                                .shape = {p->shape[0], p->shape[1]},
                                .dtype = p->rank == 1    ? FLAW_DTYPE_F32
                                         : table || int8 ? FLAW_DTYPE_Q8_0
                                                         : FLAW_DTYPE_Q4_1};
    }
    const char *const metadata[] = {"language", json.data};
    if (!status) status = flaw_tensor_writer_begin(&to, path, item, list.count, metadata, 1, err);
    for (size_t i = 0; i < list.count && !status; i++) {
        const flaw_dtype dtype = item[i].dtype;
        const flaw_weight_type type = dtype == FLAW_DTYPE_F32    ? FLAW_WEIGHT_F32
                                      : dtype == FLAW_DTYPE_Q8_0 ? FLAW_WEIGHT_Q8_0
                                                                 : FLAW_WEIGHT_Q4_1;
        status = write_tensor(to, &list.item[i], type, &random, err);
    }
    if (!status) status = flaw_tensor_writer_end(to, NULL, err);
    else flaw_tensor_writer_abandon(to);
    flaw_buffer_release(&json);
    flaw_arena_release(&arena);
    return status;
}

/* ---- figures ---- */

static size_t bytes_of(const flaw_matrix *part, int parts)
{
    size_t bytes = 0;
    for (int i = 0; i < parts; i++)
        bytes += (size_t)part[i].rows * flaw_weight_row_bytes(part[i].type, (size_t)part[i].cols);
    return bytes;
}

/* Bytes of weights that one token reads, and numbers of the blocks' matrices. */
static void count_weights(const flaw_language *m, size_t *bytes, double *numbers)
{
    *bytes = bytes_of(m->head.part, m->head.parts);
    *numbers = 0;
    for (int l = 0; l < m->shape.layers; l++) {
        const flaw_block *b = &m->block[l];
        const flaw_linear *const linears[] = {&b->qkv, &b->out, &b->fc1, &b->fc2};
        for (int i = 0; i < 4; i++) {
            *bytes += bytes_of(linears[i]->part, linears[i]->parts);
            *numbers += (double)linears[i]->in * (double)linears[i]->out;
        }
    }
}

/* Best of the rounds: seconds of the whole prompt, of one token; bytes a second of plain reading; operations a second of
 * one thread. */
typedef struct figures {
    double prompt, token, reading;
    double limit[ROUNDS], share[ROUNDS]; /* and of it what the prompt reached, in each round: the clock changes with the load */
} figures;

static void keep_best(double *best, double x)
{
    if (x < *best) *best = x;
}

/* The largest matrices of some layers, one behind the other. */
static double read_plainly(const flaw_language *m, flaw_compute *c)
{
    const int layers = m->shape.layers < 4 ? m->shape.layers : 4;
    const double start = seconds();
    double bytes = 0;
    for (int l = 0; l < layers; l++) {
        const flaw_matrix *part = m->block[l].fc1.part;
        const size_t size = bytes_of(part, 1) / PLAIN_READ_PIECE * PLAIN_READ_PIECE;
        plain_read(c->pool, part->data, size);
        bytes += (double)size;
    }
    return bytes / (seconds() - start);
}

/* Weights in steps meet 16 bits of a vector with two of the instructions that are enough for 8: vpdpbusd, or tiles of bf16. */
static const char *unit_of(const flaw_compute *c, bool fixed)
{
    if (fixed) return c->kernels->level == FLAW_LEVEL_AMX ? "bf16" : "int8";
    return c->precision == FLAW_BF16 ? "bf16" : "f32";
}

static double limit_now(const flaw_compute *c, bool fixed)
{
    enum { LOOPS = 50 };
    limit_loop *loop = limit_loop_for(c->kernels->name, unit_of(c, fixed));
    const double start = seconds();
    double work = 0;
    for (int i = 0; loop && i < LOOPS; i++) work += loop();
    return work / (seconds() - start);
}

static bool in_fixed_point(const flaw_language *m, const flaw_compute *c)
{
    return c->kernels->weight_many && c->kernels->weight_many->reads[m->block[0].fc1.part->type];
}

static flaw_status measure(const flaw_language *m, flaw_compute *c, figures *f, flaw_error *err)
{
    int32_t ids[PROMPT];
    flaw_reading *r = NULL;
    *f = (figures){.prompt = 1e30, .token = 1e30};
    for (int i = 0; i < PROMPT; i++) ids[i] = (int32_t)((i * 7919 + 1) % m->shape.vocab);
    flaw_status status = flaw_reading_open(&r, m, c, err);
    for (int round = 0; round < ROUNDS && !status; round++) {
        const bool fixed = in_fixed_point(m, c);
        const double before = limit_now(c, fixed);
        flaw_reading_rewind(r, 0);
        const double start = seconds();
        status = flaw_reading_ids(r, ids, PROMPT, err);
        const double taken = seconds() - start;
        keep_best(&f->prompt, taken);
        f->limit[round] = (before + limit_now(c, fixed)) / 2;
        f->share[round] = 1 / taken / f->limit[round];
        for (int i = 0; i < WRITTEN && !status; i++) {
            const double reading = read_plainly(m, c), begun = seconds();
            status = flaw_reading_ids(r, &ids[i], 1, err);
            keep_best(&f->token, seconds() - begun);
            f->reading = reading > f->reading ? reading : f->reading;
        }
    }
    flaw_reading_close(r);
    return status;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(const double of[ROUNDS])
{
    double sorted[ROUNDS];
    memcpy(sorted, of, sizeof sorted);
    qsort(sorted, ROUNDS, sizeof sorted[0], compare);
    return sorted[ROUNDS / 2];
}

static void print_figures(const flaw_language *m, const flaw_compute *c, double opened, const figures *f)
{
    size_t bytes;
    double numbers;
    count_weights(m, &bytes, &numbers);
    const double rate = (double)bytes / f->token, work = 2 * PROMPT * numbers;
    const bool fixed = in_fixed_point(m, c);
    printf("%s, %d threads, opened in %.0f ms\n", c->kernels->name, c->workers, 1e3 * opened);
    printf("  words   %7.2f tokens/s  %6.1f GB/s of %.1f GB/s  %3.0f %%\n", 1 / f->token, 1e-9 * rate, 1e-9 * f->reading,
           100 * rate / f->reading);
    printf("  prompt  %7.1f tokens/s  %6.0f Gop/s%s of %.0f in %s  %3.0f %%; first word of %d tokens after %.2f s\n",
           PROMPT / f->prompt, 1e-9 * work / f->prompt, fixed ? " twice" : "", 1e-9 * median(f->limit) * c->workers,
           unit_of(c, fixed), 100 * work * (fixed ? 2 : 1) * median(f->share) / c->workers, PROMPT, f->prompt);
    fflush(stdout);
}

static flaw_status bench(const char *path, flaw_level level, int threads, flaw_error *err)
{
    flaw_compute c;
    flaw_language *m = NULL;
    figures f;
    flaw_status status = flaw_compute_open(&c, threads, level, FLAW_F32, err);
    if (status) return status;
    double start = seconds();
    status = flaw_language_open(&m, path, FLAW_KEEP_FILE, NULL, &c, err);
    double opened = seconds() - start;
    if (!status) status = measure(m, &c, &f, err);
    if (!status) print_figures(m, &c, opened, &f);
    flaw_language_close(m);
    flaw_compute_close(&c);
    return status;
}

static int usage(void)
{
    fputs("bench_language MODEL [LEVEL [THREADS]] | --synthetic 1b|7b int4|int8 DIR [LEVEL [THREADS]]\n", stderr);
    return 64;
}

int main(int argc, char **argv)
{
    flaw_error err;
    flaw_status status = FLAW_OK;
    char path[4096];
    const bool make = argc > 1 && strcmp(argv[1], "--synthetic") == 0;
    const int first = make ? 4 : 1, left = argc - first;
    if (left < 1 || left > 3) return usage();
    if (make) {
        const int shape = strcmp(argv[2], "7b") == 0;
        const bool int8 = strcmp(argv[3], "int8") == 0;
        if (strcmp(argv[2], shapes[shape].name) || (!int8 && strcmp(argv[3], "int4"))) return usage();
        snprintf(path, sizeof path, "%s/synthetic-%s-%s.safetensors", argv[first], argv[2], argv[3]);
        if (!flaw_file_exists(path)) status = make_model(path, shape, int8, &err);
    } else {
        snprintf(path, sizeof path, "%s", argv[first]);
    }
    flaw_level level;
    const int threads = left > 2 ? (int)strtol(argv[first + 2], NULL, 10) : 0;
    if (!status) status = flaw_level_parse(&level, left > 1 ? argv[first + 1] : NULL, &err);
    for (int t = threads ? threads : 1; t <= (threads ? threads : 2) && !status; t++)
        status = bench(path, level, t, &err);
    if (status) fprintf(stderr, "bench_language: %s\n", err.text);
    return flaw_status_exit(status);
}
