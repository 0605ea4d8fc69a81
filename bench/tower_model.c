#include "tower_model.h"

#include <string.h>

#include "base/random.h"
#include "nn/watch.h"

static const struct {
    const char *name;
    int width, heads, layers, side, patch, joint;
} towers[] = {{"b", 768, 12, 12, 240, 16, 512}, {"l", 1024, 16, 24, 336, 14, 768}, {"tiny", 192, 3, 12, 224, 16, 512}};

/* Uniform in +- 0.035, a deviation of 0.02 as CLIP's weights begin with: four values from each random number. */
static void fill(float *x, size_t n)
{
    flaw_random r;
    flaw_random_init(&r, 1, 0);
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++, bits >>= 16) {
        if (i % 4 == 0) bits = flaw_random_u64(&r);
        x[i] = ((float)(bits & 0xffff) - 32767.5f) * (0.035f / 32768.0f);
    }
}

static void ones(float *x, int n)
{
    for (int i = 0; x && i < n; i++) x[i] = 1.0f;
}

static flaw_status make(flaw_clip **out, size_t which, flaw_compute *c, flaw_error *err)
{
    flaw_clip_shape s = {.joint = towers[which].joint, .image_layers = towers[which].layers, .side = towers[which].side,
                         .patch = towers[which].patch, .pre_norm = true,
                         .prepare = {towers[which].side, {0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}}};
    int d = towers[which].width;
    s.image = (flaw_block_shape){.width = d, .heads = towers[which].heads, .hidden = 4 * d, .act = FLAW_ACT_QUICK_GELU,
                                 .eps = 1e-5f};
    flaw_clip_shape_derive(&s);
    flaw_clip *m = NULL;
    flaw_status status = flaw_clip_new(&m, &s, towers[which].name, err);
    if (status) return status;
    fill(m->weights, m->list.total);
    ones(m->view.pre_w, d);
    ones(m->view.post_w, d);
    for (int l = 0; l < s.image_layers; l++) {
        ones(m->view.image_block[l].norm1_w, d);
        ones(m->view.image_block[l].norm2_w, d);
    }
    status = flaw_clip_pack(m, c, err);
    if (status) flaw_clip_close(m);
    else *out = m;
    return status;
}

flaw_status tower_open(flaw_clip **out, const char *name, flaw_compute *c, flaw_error *err)
{
    for (size_t i = 0; i < sizeof towers / sizeof towers[0]; i++)
        if (!strcmp(name, towers[i].name)) return make(out, i, c, err);
    return flaw_clip_open(out, name, c, err);
}

double tower_station_flops(const flaw_clip_shape *s, int station)
{
    double t = flaw_clip_tokens(s), d = s->image.width, f = s->image.hidden, l = s->image_layers;
    switch (station) {
    case FLAW_STATION_PATCH: return 2.0 * flaw_clip_patches(s) * 3.0 * s->patch * s->patch * d;
    case FLAW_STATION_QKV: return 2.0 * l * t * d * flaw_block_qkv_width(&s->image);
    case FLAW_STATION_ATTENTION: return 4.0 * l * t * t * d;
    case FLAW_STATION_OUT: return 2.0 * l * t * d * d;
    case FLAW_STATION_FC1: return 2.0 * l * t * d * flaw_block_fc1_width(&s->image);
    case FLAW_STATION_FC2: return 2.0 * l * t * d * f;
    default: return 0.0;
    }
}

double tower_flops(const flaw_clip_shape *s)
{
    double sum = 2.0 * s->image.width * s->joint;
    for (int i = 0; i < FLAW_STATIONS; i++) sum += tower_station_flops(s, i);
    return sum;
}
