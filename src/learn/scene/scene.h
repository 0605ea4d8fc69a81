/* The inside of scene drawing: the stage that kinds draw on, and the table of kinds. */
#ifndef FLAW_LEARN_SCENE_H
#define FLAW_LEARN_SCENE_H

#include "flaw/scenes.h"
#include "learn/paint/paint.h"
#include "learn/paint/paint_material.h"

/* Where one piece stands: frame units, -1 .. 1 over the picture; `scale` frame units per unit of the piece. */
typedef struct flaw_pose {
    float x, y, scale, angle;
} flaw_pose;

typedef enum flaw_fault { FLAW_FAULT_NONE, FLAW_FAULT_MISSING, FLAW_FAULT_MISPLACED, FLAW_FAULT_TURNED } flaw_fault;

typedef struct flaw_stage flaw_stage;
typedef struct flaw_kind flaw_kind;

struct flaw_stage {
    flaw_canvas canvas;
    const flaw_kind *kind;
    flaw_random shot; /* this picture and piece: grain, small differences between pieces */
    int parts;        /* loose parts drawn so far */
    int odd_part;     /* the one with the fault */
    flaw_fault fault;
    flaw_random fault_random;
    const char *material; /* words, for the caption */
    const char *background;
};

enum { FLAW_KIND_TEXTURE = 1, FLAW_KIND_UPRIGHT = 2, FLAW_KIND_MANY = 4, FLAW_KIND_HELD_OUT = 8, FLAW_KIND_WIDE = 16 };

struct flaw_kind {
    const char *name;
    void (*draw)(flaw_stage *s, flaw_random *design, flaw_pose pose);
    int flags;                   /* texture; always upright; often several in one picture; held out; fills the frame */
    flaw_material_kind material; /* of a texture */
};

/* The tables, each in the file that draws its kinds; scene_kinds.c strings them together. */
extern const flaw_kind flaw_kinds_metal[], flaw_kinds_food[], flaw_kinds_electric[], flaw_kinds_house[],
    flaw_kinds_medical[], flaw_kinds_surface[], flaw_kinds_part[];
const flaw_kind *flaw_kind_at(int index); /* NULL past the end */

/* The body of a piece: a layer at the pose. */
flaw_layer *flaw_stage_body(flaw_stage *s, flaw_pose p, float reach_u, float reach_v);
/* A loose part of the piece at (u, v) of its units, turned by `turn` and scaled; a fault may hit it. */
flaw_layer *flaw_stage_part(flaw_stage *s, flaw_pose p, float u, float v, float turn, float scale, float reach_u,
                            float reach_v);
/* As a part, but never missing: details that belong to the body. `print` lies on the surface and throws no shadow. */
flaw_layer *flaw_stage_detail(flaw_stage *s, flaw_pose p, float u, float v, float turn, float scale, float reach_u,
                              float reach_v);
flaw_layer *flaw_stage_print(flaw_stage *s, flaw_pose p, float u, float v, float turn, float scale, float reach_u,
                             float reach_v);
void flaw_stage_end(flaw_stage *s); /* lay the current layer down */
/* Fill with a material of which every shot shows another piece, and remember its word if none is known yet. */
void flaw_stage_fill(flaw_stage *s, flaw_layer *l, const flaw_material *m);
flaw_pose flaw_pose_at(flaw_pose p, float u, float v, float turn, float scale);

/* Draw background and pieces. Sets background word. */
void flaw_stage_background(flaw_stage *s, flaw_random *design);
void flaw_stage_clutter(flaw_stage *s, flaw_random *design);
void flaw_stage_age(flaw_stage *s, flaw_random *design);
void flaw_stage_half_shadow(flaw_stage *s, flaw_random *design);
void flaw_stage_lamp(flaw_stage *s, flaw_random *design);
int flaw_stage_pieces(flaw_stage *s, const flaw_random *design);

/* What the lens and the sensor add; equal seeds add equal things. */
flaw_status flaw_camera_apply(flaw_picture *picture, flaw_random *design, flaw_random *shot, flaw_error *err);

/* Words: place names of the 3 x 3 grid from a mask, and the caption. */
const char *flaw_scene_place(const uint8_t *mask, int size);
void flaw_scene_caption(flaw_scene *scene, flaw_random *r);

/* Short names for what every kind needs. */
static inline float flaw_pick(flaw_random *r, double lo, double hi)
{
    return (float)flaw_random_range(r, lo, hi);
}

static inline bool flaw_chance(flaw_random *r, double p)
{
    return flaw_random_uniform(r) < p;
}

static inline flaw_material flaw_pick_material(flaw_random *r, flaw_material_kind kind)
{
    flaw_material m;
    flaw_material_choose(&m, kind, r);
    return m;
}

static inline uint32_t flaw_pick_seed(flaw_random *r)
{
    return (uint32_t)flaw_random_u64(r);
}

flaw_material flaw_pick_metal(flaw_random *r);

#endif
