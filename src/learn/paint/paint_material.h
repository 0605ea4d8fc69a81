/* Materials: how a layer's inside looks. A material is chosen once per product (`choose`) and filled once per shot with
 * a seed that says which part of the endless surface this shot shows. */
#ifndef FLAW_LEARN_PAINT_MATERIAL_H
#define FLAW_LEARN_PAINT_MATERIAL_H

#include "learn/paint/paint.h"

typedef enum flaw_material_kind {
    FLAW_PLASTIC,
    FLAW_PAINT,
    FLAW_PORCELAIN,
    FLAW_RUBBER,
    FLAW_BRUSHED,
    FLAW_POLISHED,
    FLAW_CAST,
    FLAW_HAMMERED,
    FLAW_ZINC,
    FLAW_WOOD,
    FLAW_LEATHER,
    FLAW_CLOTH,
    FLAW_TWILL,
    FLAW_KNIT,
    FLAW_FELT,
    FLAW_CARPET,
    FLAW_MARBLE,
    FLAW_GRANITE,
    FLAW_CONCRETE,
    FLAW_PAPER,
    FLAW_CARDBOARD,
    FLAW_FOAM,
    FLAW_DOUGH,
    FLAW_SHELL,
    FLAW_PEEL,
    FLAW_TILE,
    FLAW_BRICK,
    FLAW_CORK,
    FLAW_MESH,
    FLAW_PERFORATED,
    FLAW_RIBBED,
    FLAW_ASPHALT,
    FLAW_FUR,
    FLAW_TERRAZZO,
    FLAW_MATERIAL_KINDS
} flaw_material_kind;

typedef struct flaw_material {
    flaw_material_kind kind;
    flaw_rgb a, b; /* main and second colour */
    float scale;   /* features per local unit */
    float contrast;
    float relief; /* slope of its bumps */
    float gloss, metal;
    float angle;   /* of the grain, radians */
    uint32_t seed; /* which part of the surface */
} flaw_material;

/* Plausible colours and figures for one product. */
void flaw_material_choose(flaw_material *m, flaw_material_kind kind, flaw_random *design);
/* Albedo, gloss and metal of the layer; adds relief to its height. */
void flaw_material_fill(flaw_layer *l, const flaw_material *m);
const char *flaw_material_word(flaw_material_kind kind);

/* The fills that stand in files of their own. */
void flaw_fill_wood(flaw_layer *l, const flaw_material *m);
void flaw_fill_leather(flaw_layer *l, const flaw_material *m);
void flaw_fill_cloth(flaw_layer *l, const flaw_material *m);
void flaw_fill_knit(flaw_layer *l, const flaw_material *m);
void flaw_fill_felt(flaw_layer *l, const flaw_material *m);
void flaw_fill_carpet(flaw_layer *l, const flaw_material *m);
void flaw_fill_fur(flaw_layer *l, const flaw_material *m);
void flaw_fill_marble(flaw_layer *l, const flaw_material *m);
void flaw_fill_granite(flaw_layer *l, const flaw_material *m);
void flaw_fill_tile(flaw_layer *l, const flaw_material *m);
void flaw_fill_mesh(flaw_layer *l, const flaw_material *m);
void flaw_fill_perforated(flaw_layer *l, const flaw_material *m);
void flaw_fill_ribbed(flaw_layer *l, const flaw_material *m);
void flaw_fill_foam(flaw_layer *l, const flaw_material *m);
void flaw_fill_dough(flaw_layer *l, const flaw_material *m);

#endif
