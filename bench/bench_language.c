/* Speed of a language model: milliseconds of a token while writing, and tokens per second while reading a prompt.
 *
 *   bench_language MODEL [LEVEL [THREADS]]
 *   bench_language --synthetic DIR [LEVEL [THREADS]]
 *
 * MODEL is a folder, a GGUF file or a bundle. DIR/synthetic.safetensors, made when it is not there, has random weights
 * in the shape of a LLaMA of 1.1 billion (22 layers of 2048, 32 heads over 4, MLP 5632, 32000 tokens) as int4.
 *
 * Each figure is the best of several rounds: other work on the machine only ever makes a round slower. Beside the time
 * on the clock stands the processor time, of all threads; GB/s counts the weights that a token reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/random.h"
#include "format/writer.h"
#include "model/language_config.h"

enum { ROUNDS = 3, PROMPT = 128, WRITTEN = 16 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Of all threads of this process: what other programs on the machine take does not count. */
static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- a model of random weights ---- */

static const flaw_language_config synthetic = {.shape = {.block = {.width = 2048,
                                                                   .heads = 32,
                                                                   .hidden = 5632,
                                                                   .act = FLAW_ACT_SILU,
                                                                   .eps = 1e-5f,
                                                                   .causal = true,
                                                                   .kv_heads = 4,
                                                                   .rms = true,
                                                                   .gated = true,
                                                                   .rotary = FLAW_ROTARY_HALVES,
                                                                   .rotary_base = 10000},
                                                         .layers = 22,
                                                         .vocab = 32000,
                                                         .context = 2048},
                                               .bos = 1,
                                               .eos = 2};

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

static flaw_status make_model(const char *path, flaw_error *err)
{
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
                                .dtype = p->rank == 1 ? FLAW_DTYPE_F32
                                         : table      ? FLAW_DTYPE_Q8_0
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

/* Bytes of weights that one token reads. */
static size_t token_bytes(const flaw_language *m)
{
    size_t bytes = bytes_of(m->head.part, m->head.parts);
    for (int l = 0; l < m->shape.layers; l++) {
        const flaw_block *b = &m->block[l];
        const flaw_linear *const linears[] = {&b->qkv, &b->out, &b->fc1, &b->fc2};
        for (int i = 0; i < 4; i++) bytes += bytes_of(linears[i]->part, linears[i]->parts);
    }
    return bytes;
}

/* Best of the rounds. */
typedef struct figures {
    double prompt, prompt_cpu; /* seconds of the whole prompt */
    double token, token_cpu;   /* seconds of one token */
} figures;

static void keep_best(double *best, double x)
{
    if (x < *best) *best = x;
}

static flaw_status measure(const flaw_language *m, flaw_compute *c, figures *f, flaw_error *err)
{
    int32_t ids[PROMPT];
    flaw_reading *r = NULL;
    *f = (figures){1e30, 1e30, 1e30, 1e30};
    for (int i = 0; i < PROMPT; i++) ids[i] = (int32_t)((i * 7919 + 1) % m->shape.vocab);
    flaw_status status = flaw_reading_open(&r, m, c, err);
    for (int round = 0; round < ROUNDS && !status; round++) {
        flaw_reading_rewind(r, 0);
        const double start = seconds(), start_cpu = processor_seconds();
        status = flaw_reading_ids(r, ids, PROMPT, err);
        const double middle = seconds(), middle_cpu = processor_seconds();
        for (int i = 0; i < WRITTEN && !status; i++) status = flaw_reading_ids(r, &ids[i], 1, err);
        keep_best(&f->prompt, middle - start);
        keep_best(&f->prompt_cpu, middle_cpu - start_cpu);
        keep_best(&f->token, (seconds() - middle) / WRITTEN);
        keep_best(&f->token_cpu, (processor_seconds() - middle_cpu) / WRITTEN);
    }
    flaw_reading_close(r);
    return status;
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
    if (!status)
        printf("%-11s %7d %9.1f %11.3f %11.3f %9.2f %12.1f %12.1f\n", c.kernels->name, c.workers, 1e3 * opened,
               1e3 * f.token, 1e3 * f.token_cpu, (double)token_bytes(m) / f.token * 1e-9, PROMPT / f.prompt,
               1e3 * f.prompt_cpu / PROMPT);
    fflush(stdout);
    flaw_language_close(m);
    flaw_compute_close(&c);
    return status;
}

int main(int argc, char **argv)
{
    flaw_error err;
    flaw_status status = FLAW_OK;
    char path[4096];
    const bool make = argc > 2 && strcmp(argv[1], "--synthetic") == 0;
    const char *const *rest = (const char *const *)argv + (make ? 2 : 1);
    const int left = argc - (make ? 2 : 1), threads = left > 2 ? (int)strtol(rest[2], NULL, 10) : 0;
    flaw_level only = FLAW_LEVEL_REF;
    if (left < 1 || left > 3) {
        fputs("bench_language MODEL [LEVEL [THREADS]] | --synthetic DIR [LEVEL [THREADS]]\n", stderr);
        return 2;
    }
    snprintf(path, sizeof path, make ? "%s/synthetic.safetensors" : "%s", rest[0]);
    if (make && !flaw_file_exists(path)) status = make_model(path, &err);
    if (!status && left > 1) status = flaw_level_parse(&only, rest[1], &err);
    printf("%-11s %7s %9s %11s %11s %9s %12s %12s\n", "level", "threads", "open ms", "ms a token", "CPU ms", "GB/s",
           "prompt tok/s", "CPU ms a tok");
    for (int level = left > 1 ? (int)only : FLAW_LEVEL_AVX2;
         level <= (int)(left > 1 ? only : flaw_kernels_best()) && !status; level++)
        for (int t = threads ? threads : 1; t <= (threads ? threads : 2) && !status; t++)
            status = bench(path, (flaw_level)level, t, &err);
    if (status) fprintf(stderr, "bench_language: %s\n", err.text);
    return flaw_status_exit(status);
}
