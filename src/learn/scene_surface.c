/* Surfaces that fill the frame: one material each, turned and moved from shot to shot. */
#include "scene.h"

static void draw_surface(flaw_stage *s, flaw_random *design, flaw_pose p)
{
    flaw_material m = flaw_pick_material(design, s->kind->material);
    float zoom = flaw_pick(design, 0.7, 1.3);
    flaw_layer *l = flaw_layer_frame(&s->canvas, zoom, p.angle);
    flaw_stage_fill(s, l, &m);
    flaw_stage_end(s);
}

#define SURFACE(name, material)                                                                                        \
    {                                                                                                                  \
        name, draw_surface, FLAW_KIND_TEXTURE, material                                                                \
    }
#define KEPT(name, material)                                                                                           \
    {                                                                                                                  \
        name, draw_surface, FLAW_KIND_TEXTURE | FLAW_KIND_HELD_OUT, material                                           \
    }

const flaw_kind flaw_kinds_surface[] = {
    SURFACE("wood", FLAW_WOOD),
    KEPT("leather", FLAW_LEATHER),
    SURFACE("fabric", FLAW_CLOTH),
    SURFACE("twill fabric", FLAW_TWILL),
    SURFACE("knitted fabric", FLAW_KNIT),
    SURFACE("felt", FLAW_FELT),
    KEPT("carpet", FLAW_CARPET),
    SURFACE("marble", FLAW_MARBLE),
    SURFACE("granite", FLAW_GRANITE),
    SURFACE("concrete", FLAW_CONCRETE),
    SURFACE("paper", FLAW_PAPER),
    SURFACE("cardboard", FLAW_CARDBOARD),
    SURFACE("foam", FLAW_FOAM),
    SURFACE("tile", FLAW_TILE),
    SURFACE("brick wall", FLAW_BRICK),
    SURFACE("cork", FLAW_CORK),
    SURFACE("wire mesh", FLAW_MESH),
    SURFACE("perforated sheet", FLAW_PERFORATED),
    SURFACE("ribbed panel", FLAW_RIBBED),
    SURFACE("asphalt", FLAW_ASPHALT),
    SURFACE("plush", FLAW_FUR),
    SURFACE("terrazzo", FLAW_TERRAZZO),
    SURFACE("brushed metal", FLAW_BRUSHED),
    SURFACE("cast metal surface", FLAW_CAST),
    SURFACE("galvanized sheet", FLAW_ZINC),
    SURFACE("painted surface", FLAW_PAINT),
    SURFACE("rubber mat", FLAW_RUBBER),
    SURFACE("plastic sheet", FLAW_PLASTIC),
    SURFACE("hammered metal", FLAW_HAMMERED),
    {0},
};
