/* Writes the tiny CLIP, its batch, losses and gradients for tools/check_gradients.py: dump_gradients FILE */
#include <stdio.h>

#include "format/tensors.h"
#include "tiny_clip.h"

enum { MAX_ITEMS = 512 };

static flaw_tensor items[MAX_ITEMS];
static size_t count;

static void put(const char *prefix, const char *name, flaw_dtype dtype, const void *data, size_t a, size_t b)
{
    char *full = malloc(strlen(prefix) + strlen(name) + 1);
    if (!full || count == MAX_ITEMS) exit(1);
    memcpy(full, prefix, strlen(prefix));
    memcpy(full + strlen(prefix), name, strlen(name) + 1);
    items[count++] = (flaw_tensor){.name = full, .dtype = dtype, .rank = 2, .shape = {a, b}, .count = a * b,
                                   .bytes = a * b * flaw_dtype_size(dtype), .data = data};
}

int main(int argc, char **argv)
{
    tiny x;
    flaw_error err;
    if (argc != 2 || tiny_open(&x, 1, FLAW_LEVEL_AUTO, FLAW_F32, 0)) return 2;
    flaw_loss_values v = tiny_step(&x);
    float loss[6] = {(float)v.contrast, (float)v.state, (float)v.peak, (float)v.local, (float)v.dice, (float)v.distil};
    size_t patches = (size_t)flaw_clip_patches(&x.t.shape), width = (size_t)x.t.shape.image.width;
    for (size_t i = 0; i < x.t.list.count; i++) {
        const flaw_parameter *p = &x.t.list.item[i];
        put("w/", p->name, FLAW_DTYPE_F32, x.t.weights + p->offset, p->shape[0], p->shape[1]);
        put("g/", p->name, FLAW_DTYPE_F32, x.t.grads + p->offset, p->shape[0], p->shape[1]);
    }
    put("", "pixels", FLAW_DTYPE_F32, x.pixels, TINY_PICTURES, 3 * 16 * 16);
    put("", "target", FLAW_DTYPE_F32, x.target, TINY_PICTURES, patches);
    for (int k = 0; k < FLAW_STAGES; k++)
        put("teacher/", (const char *[]){"0", "1", "2", "3"}[k], FLAW_DTYPE_F32, x.teacher[k],
            TINY_PICTURES * (1 + patches), width);
    put("", "ids", FLAW_DTYPE_I32, x.ids, TINY_TEXTS, (size_t)x.t.shape.context);
    put("", "end", FLAW_DTYPE_I32, x.end, TINY_TEXTS, 1);
    put("", "group", FLAW_DTYPE_I32, x.group, TINY_PICTURES, 1);
    put("", "loss", FLAW_DTYPE_F32, loss, 6, 1);
    put("", "weight", FLAW_DTYPE_F32, &x.weight, 6, 1);
    flaw_status status = flaw_safetensors_write(argv[1], items, count, NULL, 0, &err);
    if (status) fprintf(stderr, "%s\n", err.text);
    for (size_t i = 0; i < count; i++) free((char *)items[i].name);
    tiny_close(&x);
    return status ? 1 : 0;
}
