/* Writes one pass of the voice's trainer for tools/check_voice.py: dump_voice GOLDEN_FOLDER DIALOGUE FILE [RANK]
 * With RANK: adapters in place of the prompt learner, both halves nonzero. */
#include "voice_golden.h"

enum { MAX_ITEMS = 512 };

static flaw_tensor items[MAX_ITEMS];
static char names[MAX_ITEMS][96];
static size_t count;

static void put(const char *prefix, const char *name, flaw_dtype dtype, const void *data, size_t a, size_t b)
{
    snprintf(names[count], sizeof names[0], "%s%s", prefix, name);
    items[count] = (flaw_tensor){.name = names[count], .dtype = dtype, .rank = 2, .shape = {a, b}, .count = a * b,
                                 .bytes = a * b * flaw_dtype_size(dtype), .data = data};
    count++;
}

static void put_sight(const char *prefix, const flaw_sight *s, const flaw_voice_shape *shape)
{
    size_t patches = (size_t)shape->grid * (size_t)shape->grid;
    for (int i = 0; i < FLAW_STAGES; i++)
        put(prefix, (const char *[]){"stage0", "stage1", "stage2", "stage3"}[i], FLAW_DTYPE_F32, s->stage[i], patches,
            (size_t)shape->width);
    put(prefix, "embedding", FLAW_DTYPE_F32, s->embedding, 1, (size_t)shape->joint);
}

/* w/ and g/ of all that was trained, w/ of the language model as it was without adapters (`base`). */
static void put_list(const char *prefix, const flaw_parameters *list, const float *data)
{
    for (size_t i = 0; i < list->count; i++) {
        const flaw_parameter *p = &list->item[i];
        put(prefix, p->name, FLAW_DTYPE_F32, data + p->offset, p->shape[0], p->shape[1]);
    }
}

static void put_all(const voice_golden *g, const float *base, const float loss[4])
{
    const flaw_voice_shape *shape = &g->t.voice->shape;
    put_list("w/", &g->t.voice->list, g->t.voice->weights);
    put_list("g/", &g->t.voice->list, g->t.voice_grads);
    put_list("w/", &g->t.language->list, base);
    if (g->options.adapter) put_list("w/", &g->t.lora.list, g->t.lora.weights);
    if (g->options.adapter) put_list("g/", &g->t.lora.list, g->t.lora.grads);
    for (int i = 0; i < 2; i++) {
        size_t side = (size_t)shape->side;
        put_sight(i ? "1/defective/" : "0/defective/", &g->entry[i].defective, shape);
        put_sight(i ? "1/normal/" : "0/normal/", &g->entry[i].normal, shape);
        put(i ? "1/" : "0/", "mask", FLAW_DTYPE_U8, g->entry[i].mask, side, side);
    }
    put("", "text", FLAW_DTYPE_F32, g->entry[0].text, 2, (size_t)shape->joint);
    put("", "ids", FLAW_DTYPE_I32, g->batch.ids, (size_t)g->batch.n, (size_t)g->batch.tokens);
    put("", "target", FLAW_DTYPE_I32, g->batch.target, (size_t)g->batch.n, (size_t)g->batch.tokens);
    put("", "loss", FLAW_DTYPE_F32, loss, 4, 1);
}

/* Adapters that do something: their B begins as zero. */
static flaw_status adapt(voice_golden *g, flaw_error *err)
{
    flaw_lora *l = &g->t.lora;
    flaw_random r;
    flaw_random_init(&r, 17, 0);
    for (size_t i = 0; i < l->list.total; i++) l->weights[i] = (float)(0.1 * flaw_random_normal(&r));
    flaw_lora_apply(&g->t.compute, l);
    return flaw_language_train_pack(&g->t.pass, &g->t.compute, err);
}

int main(int argc, char **argv)
{
    voice_golden g;
    flaw_error err = {.text = "usage: dump_voice GOLDEN_FOLDER DIALOGUE FILE [RANK]"};
    int rank = argc == 5 ? (int)strtol(argv[4], NULL, 10) : 0;
    float *base = NULL;
    flaw_status s = argc == 4 || rank > 0 ? golden_open(&g, argv[1], argv[2], rank, &err) : FLAW_USAGE;
    if (!s) {
        size_t bytes = g.t.language->list.total * sizeof *base;
        base = malloc(bytes);
        if (base) memcpy(base, g.t.language->weights, bytes);
        s = !base ? flaw_fail(&err, FLAW_NO_MEMORY, "no memory") : rank ? adapt(&g, &err) : FLAW_OK;
    }
    if (!s) {
        flaw_voice_pass(&g.t, &g.batch, 1);
        if (rank) flaw_voice_adapter_backward(&g.t);
        const flaw_voice_values *v = &g.t.values;
        const float loss[4] = {(float)(v->words / (double)v->targets), (float)(v->focal / (double)v->pictures),
                               (float)(v->dice / (double)v->pictures), (float)g.t.language->shape.block.heads};
        put_all(&g, base, loss);
        s = flaw_safetensors_write(argv[3], items, count, NULL, 0, &err);
        golden_close(&g);
    }
    free(base);
    if (s) fprintf(stderr, "%s\n", err.text);
    return s ? 1 : 0;
}
