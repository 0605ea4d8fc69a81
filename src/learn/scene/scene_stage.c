/* The stage: where pieces stand, what lies under them, how they are lit. */
#include <math.h>
#include <stddef.h>

#include "learn/scene/scene.h"

static const float TURN = 6.2831853f;

flaw_material flaw_pick_metal(flaw_random *r)
{
    static const flaw_material_kind metals[] = {FLAW_BRUSHED, FLAW_POLISHED, FLAW_CAST, FLAW_ZINC, FLAW_BRUSHED};
    return flaw_pick_material(r, metals[flaw_random_below(r, 5)]);
}

flaw_pose flaw_pose_at(flaw_pose p, float u, float v, float turn, float scale)
{
    float c = cosf(p.angle), s = sinf(p.angle);
    return (flaw_pose){p.x + p.scale * (c * u - s * v), p.y + p.scale * (s * u + c * v), p.scale * scale,
                       p.angle + turn};
}

flaw_layer *flaw_stage_body(flaw_stage *s, flaw_pose p, float reach_u, float reach_v)
{
    return flaw_layer_begin(&s->canvas, p.x, p.y, p.scale, p.angle, reach_u, reach_v);
}

flaw_layer *flaw_stage_detail(flaw_stage *s, flaw_pose p, float u, float v, float turn, float scale, float reach_u,
                              float reach_v)
{
    return flaw_stage_body(s, flaw_pose_at(p, u, v, turn, scale), reach_u, reach_v);
}

flaw_layer *flaw_stage_print(flaw_stage *s, flaw_pose p, float u, float v, float turn, float scale, float reach_u,
                             float reach_v)
{
    flaw_layer *l = flaw_stage_detail(s, p, u, v, turn, scale, reach_u, reach_v);
    l->decal = true;
    return l;
}

flaw_layer *flaw_stage_part(flaw_stage *s, flaw_pose p, float u, float v, float turn, float scale, float reach_u,
                            float reach_v)
{
    bool odd = s->fault != FLAW_FAULT_NONE && s->parts == s->odd_part;
    s->parts++;
    flaw_random r = s->fault_random;
    if (odd && s->fault == FLAW_FAULT_MISPLACED) {
        float way = flaw_pick(&r, 0, TURN),
              far = flaw_pick(&r, 0.4, 0.9) * scale * (reach_u < reach_v ? reach_u : reach_v);
        u += far * cosf(way), v += far * sinf(way), turn += flaw_pick(&r, -0.4, 0.4);
    }
    if (odd && s->fault == FLAW_FAULT_TURNED) turn += flaw_pick(&r, 0.35, 1.2);
    flaw_layer *l = flaw_stage_detail(s, p, u, v, turn, scale, reach_u, reach_v);
    if (odd && s->fault == FLAW_FAULT_MISSING) l->w = l->h = l->n = 0;
    return l;
}

void flaw_stage_end(flaw_stage *s)
{
    flaw_layer_end(&s->canvas);
}

void flaw_stage_fill(flaw_stage *s, flaw_layer *l, const flaw_material *m)
{
    flaw_material mine = *m;
    mine.seed = flaw_pick_seed(&s->shot);
    flaw_material_fill(l, &mine);
    if (!s->material) s->material = flaw_material_word(m->kind);
}

/* Surfaces that things are photographed on, with the words for them. */
static const struct ground {
    const char *words;
    flaw_material_kind material;
    float scale, calm; /* factors on scale and contrast: grounds keep quiet */
} grounds[] = {
    {"on a wooden table", FLAW_WOOD, 0.8f, 0.7f},
    {"on fabric", FLAW_CLOTH, 1.3f, 0.5f},
    {"on concrete", FLAW_CONCRETE, 1, 0.6f},
    {"on paper", FLAW_PAPER, 1, 0.7f},
    {"on cardboard", FLAW_CARDBOARD, 1, 0.8f},
    {"on brushed metal", FLAW_BRUSHED, 1, 0.5f},
    {"on felt", FLAW_FELT, 1, 0.7f},
    {"on a rubber mat", FLAW_RUBBER, 1, 0.7f},
    {"on marble", FLAW_MARBLE, 0.8f, 0.5f},
    {"on a granite plate", FLAW_GRANITE, 1.2f, 0.6f},
    {"on a conveyor belt", FLAW_RIBBED, 1, 0.4f},
    {"on twill fabric", FLAW_TWILL, 1.2f, 0.6f},
    {"on a plastic tray", FLAW_PLASTIC, 1, 1},
    {"on a painted plate", FLAW_PAINT, 1, 1},
    {"on foam", FLAW_FOAM, 1, 0.4f},
    {"on a tiled table", FLAW_TILE, 0.8f, 0.6f},
    {"on a steel plate", FLAW_CAST, 1, 0.5f},
    {"on a perforated sheet", FLAW_PERFORATED, 1, 0.6f},
};

static const char *plain_words(flaw_rgb c)
{
    float bright = sqrtf((c.r + c.g + c.b) / 3), top = fmaxf(c.r, fmaxf(c.g, c.b)), low = fminf(c.r, fminf(c.g, c.b));
    if (bright < 0.25f) return "on a black background";
    if (sqrtf(top) - sqrtf(low) < 0.15f) return bright > 0.8f ? "on a white background" : "on a grey background";
    if (c.b == top) return c.r > 0.6f * top ? "on a purple background" : "on a blue background";
    if (c.g == top) return c.r > 0.7f * top ? "on a yellow background" : "on a green background";
    return c.g > 0.7f * c.r   ? "on a yellow background"
           : c.g > 0.3f * c.r ? "on an orange background"
                              : "on a red background";
}

void flaw_stage_background(flaw_stage *s, flaw_random *design)
{
    flaw_layer *l = flaw_layer_frame(&s->canvas, 1, flaw_chance(design, 0.5) ? 0 : flaw_pick(design, 0, TURN));
    l->backdrop = true;
    const struct ground *g = &grounds[flaw_random_below(design, (int)(sizeof grounds / sizeof *grounds))];
    bool plain = flaw_chance(design, 0.5);
    flaw_material m = flaw_pick_material(design, plain ? FLAW_PAINT : g->material);
    m.scale *= g->scale;
    m.contrast *= plain ? 0.3f : g->calm;
    m.relief *= plain ? 0.2f : g->calm;
    m.gloss *= 0.5f;
    m.seed = flaw_pick_seed(&s->shot);
    double p = flaw_random_uniform(design);
    if (plain && p < 0.3) m.a = flaw_rgb_hsv(0.6f, 0.03f, flaw_pick(design, 0.02, 0.2));
    else if (plain && p < 0.55) m.a = flaw_rgb_hsv(0.1f, 0.03f, flaw_pick(design, 0.75, 0.98));
    else if (plain && p < 0.8)
        m.a = flaw_rgb_hsv(flaw_pick(design, 0, 1), flaw_pick(design, 0, 0.15), flaw_pick(design, 0.2, 0.75));
    if (plain) m.b = flaw_rgb_scale(m.a, 0.8f);
    flaw_material_fill(l, &m);
    flaw_layer_end(&s->canvas);
    s->background = plain ? plain_words(m.a) : g->words;
}

void flaw_stage_lamp(flaw_stage *s, flaw_random *design)
{
    flaw_light *light = &s->canvas.light;
    float way = flaw_pick(design, 0, TURN) + flaw_pick(&s->shot, -0.12, 0.12);
    float low = flaw_pick(design, 0.15, 0.95) + flaw_pick(&s->shot, -0.04, 0.04), inv = 1 / sqrtf(1 + low * low);
    light->x = cosf(way) * low * inv, light->y = sinf(way) * low * inv, light->z = inv;
    light->ambient = flaw_pick(design, 0.25, 0.65);
    light->soft = flaw_pick(design, 0.2, 2.5);
    light->depth = flaw_pick(design, 0.45, 0.9);
    float warm = flaw_pick(design, -0.07, 0.09) + flaw_pick(&s->shot, -0.01, 0.01);
    light->tint = (flaw_rgb){1 + warm, 1, 1 - warm};
    float slope = flaw_pick(design, 0, 0.25);
    light->fall_x = slope * cosf(way) + flaw_pick(&s->shot, -0.03, 0.03), light->fall_y = slope * sinf(way);
    light->vignette = flaw_chance(design, 0.5) ? flaw_pick(design, 0, 0.5) : 0;
    light->exposure = flaw_pick(design, 0.95, 1.4) * flaw_pick(&s->shot, 0.94, 1.06);
    light->room[0] = flaw_pick(design, 0.35, 1.3), light->room[1] = flaw_pick(design, 0, 1);
    light->room[2] = flaw_pick(design, 0.35, 2.0), light->room[3] = flaw_pick(design, 0, 1);
}

/* Pieces: one in the middle, or several on a loose grid. The design decides how far places and turns vary. */
int flaw_stage_pieces(flaw_stage *s, const flaw_random *design)
{
    flaw_random plan = *design, piece;
    const flaw_kind *k = s->kind;
    int across = 1, down = 1;
    if ((k->flags & FLAW_KIND_MANY) && flaw_chance(&plan, 0.35))
        across = 1 + flaw_random_below(&plan, 3), down = 1 + flaw_random_below(&plan, 3);
    float turn = flaw_pick(&plan, 0, TURN), free = flaw_chance(&plan, 0.5) ? 3.2f : 0.1f,
          size = flaw_pick(&plan, 0.45, 0.92);
    float wander = flaw_pick(&plan, 0.02, 0.2), zoom = flaw_pick(&plan, 0, 0.08);
    bool close = across * down == 1 && flaw_chance(&plan, 0.08),
         neighbour = (k->flags & FLAW_KIND_MANY) && flaw_chance(&plan, 0.1);
    if (close) size = flaw_pick(&plan, 1.0, 1.6);
    if (k->flags & FLAW_KIND_UPRIGHT) turn = 0, free = 0.08f;
    if (k->flags & FLAW_KIND_WIDE) size = flaw_pick(&plan, 0.75, 1.0), wander = 0.04f;
    if (k->flags & FLAW_KIND_TEXTURE) size = 1, free = free > 1 ? 3.2f : 0.04f, wander = 0;
    int n = across > down ? across : down;
    float step = 2.0f / (float)n;
    for (int j = 0; j < down; j++)
        for (int i = 0; i < across; i++) {
            flaw_pose p = {((float)i - 0.5f * (float)(across - 1)) * step, ((float)j - 0.5f * (float)(down - 1)) * step,
                           0, 0};
            float slack = wander * step * 0.5f;
            p.x += flaw_pick(&s->shot, -slack, slack), p.y += flaw_pick(&s->shot, -slack, slack);
            p.scale = size * 0.5f * step * (1 + flaw_pick(&s->shot, -zoom, zoom));
            p.angle = turn + flaw_pick(&s->shot, -free, free);
            piece = plan;
            k->draw(s, &piece, p);
        }
    if (neighbour && across * down == 1) {
        float way = flaw_pick(&s->shot, 0, TURN);
        flaw_pose p = {1.45f * cosf(way), 1.45f * sinf(way), size, turn + flaw_pick(&s->shot, -free, free)};
        if (size < 0.7f) k->draw(s, &plan, p);
    }
    return across * down;
}
