/* write_tower PICTURE OUT: the embedded model's image tower and what it makes of a picture here, for read_tower. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flaw/picture.h"
#include "model/tower/prepare.h"
#include "tower.h"

static int failed(const flaw_error *err)
{
    fprintf(stderr, "write_tower: %s\n", err->text);
    return 1;
}

static size_t write_floats(FILE *out, size_t n, const float *x)
{
    return fwrite(x, sizeof *x, n, out) == n ? 0 : 1;
}

/* The parameters that a tower without text has, by their names. */
static size_t write_parameters(FILE *out, const flaw_clip *m, const flaw_parameters *wanted)
{
    size_t missing = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        size_t j = 0;
        while (j < m->list.count && strcmp(m->list.item[j].name, wanted->item[i].name) != 0) j++;
        missing += j == m->list.count || write_floats(out, wanted->item[i].count, m->weights + m->list.item[j].offset);
    }
    return missing;
}

static flaw_status write_result(FILE *out, flaw_precision precision, const float *pixels, flaw_error *err)
{
    flaw_compute c = {0};
    flaw_clip *m = NULL;
    flaw_status s = flaw_compute_open(&c, 1, FLAW_LEVEL_AUTO, precision, err);
    if (!s) s = flaw_clip_open(&m, NULL, &c, err);
    if (!s) {
        size_t n = tower_result(&m->shape);
        float *result = malloc(n * sizeof *result), *work = tower_work(m);
        tower_encode(&c, m, pixels, work, result);
        if (write_floats(out, n, result)) s = flaw_fail(err, FLAW_IO, "the result cannot be written");
        free(result);
        free(work);
    }
    flaw_clip_close(m);
    flaw_compute_close(&c);
    return s;
}

int main(int argc, char **argv)
{
    flaw_error err = {0};
    flaw_compute c;
    flaw_clip *m;
    flaw_picture picture;
    if (argc != 3 || flaw_compute_open(&c, 1, FLAW_LEVEL_AUTO, FLAW_F32, &err) || flaw_clip_open(&m, NULL, &c, &err) ||
        flaw_picture_read(&picture, argv[1], &err))
        return failed(&err);
    tower_head head = {.shape = m->shape};
    head.shape.text = (flaw_block_shape){0};
    head.shape.text_layers = head.shape.context = head.shape.vocab = 0;
    flaw_parameters list;
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    float *pixels = malloc(tower_pixels(&m->shape) * sizeof *pixels);
    if (flaw_clip_parameters(&list, &head.shape, &arena, &err) ||
        flaw_prepare_pixels(pixels, &picture, &m->shape, FLAW_RESIZE_SHORTEST, &err))
        return failed(&err);
    head.parameters = list.total;
    FILE *out = fopen(argv[2], "wb");
    if (!out || fwrite(&head, sizeof head, 1, out) != 1 || write_parameters(out, m, &list) ||
        write_floats(out, tower_pixels(&m->shape), pixels))
        return failed(&err);
    for (int precision = 0; precision < FLAW_PRECISIONS; precision++)
        if (write_result(out, (flaw_precision)precision, pixels, &err)) return failed(&err);
    free(pixels);
    flaw_arena_release(&arena);
    flaw_picture_release(&picture);
    flaw_clip_close(m);
    flaw_compute_close(&c);
    return fclose(out) ? 1 : 0;
}
