/* Writes the tiny language model, its batch, loss and gradients for tools/check_language.py: dump_language FILE tied|free */
#include <stdio.h>
#include <stdlib.h>

#include "format/tensors.h"
#include "tiny_language.h"

enum { MAX_ITEMS = 256 };

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

static void put_list(const flaw_parameters *list, const float *weights, const float *grads)
{
    for (size_t i = 0; i < list->count; i++) {
        const flaw_parameter *p = &list->item[i];
        put("w/", p->name, FLAW_DTYPE_F32, weights + p->offset, p->shape[0], p->shape[1]);
        put("g/", p->name, FLAW_DTYPE_F32, grads + p->offset, p->shape[0], p->shape[1]);
    }
}

int main(int argc, char **argv)
{
    tiny_language x;
    flaw_error err;
    if (argc != 3 || tiny_language_open(&x, !strcmp(argv[2], "tied"), 1, FLAW_LEVEL_AUTO)) return 2;
    flaw_language_loss l = flaw_language_train_step(&x.c, &x.t, &x.batch, TINY_SCALE);
    float loss = (float)(TINY_SCALE * l.sum);
    size_t width = (size_t)x.m->shape.block.width, each = width * (width + 2 * width / 3) + width * width;
    flaw_lora_backward(&x.c, &x.lora, &x.t.g);
    put_list(&x.m->list, x.m->weights, x.t.grads);
    put_list(&x.lora.list, x.lora.weights, x.lora.grads);
    put("", "base", FLAW_DTYPE_F32, x.lora.base, (size_t)x.m->shape.layers, each);
    put("", "ids", FLAW_DTYPE_I32, x.ids, TINY_N, TINY_T);
    put("", "target", FLAW_DTYPE_I32, x.target, TINY_N, TINY_T);
    put("", "rows", FLAW_DTYPE_F32, x.rows, TINY_ROWS, width);
    put("", "d_rows", FLAW_DTYPE_F32, x.d_rows, TINY_ROWS, width);
    put("", "loss", FLAW_DTYPE_F32, &loss, 1, 1);
    flaw_status status = flaw_safetensors_write(argv[1], items, count, NULL, 0, &err);
    if (status) fprintf(stderr, "%s\n", err.text);
    for (size_t i = 0; i < count; i++) free((char *)items[i].name);
    tiny_language_close(&x);
    return status ? 1 : 0;
}
