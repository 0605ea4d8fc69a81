/* The table of kinds. The order is fixed: indices are stored with data sets, so new kinds go at the end of a group's
 * table only before a release. */
#include <stddef.h>
#include <string.h>

#include "learn/scene/scene.h"

static const flaw_kind *const groups[] = {flaw_kinds_metal, flaw_kinds_food,    flaw_kinds_medical, flaw_kinds_electric,
                                          flaw_kinds_house, flaw_kinds_surface, flaw_kinds_part};

const flaw_kind *flaw_kind_at(int index)
{
    for (size_t g = 0; index >= 0 && g < sizeof groups / sizeof *groups; g++)
        for (const flaw_kind *k = groups[g]; k->name; k++)
            if (index-- == 0) return k;
    return NULL;
}

int flaw_scene_kind_count(void)
{
    int n = 0;
    while (flaw_kind_at(n)) n++;
    return n;
}

const char *flaw_scene_kind_name(int kind)
{
    const flaw_kind *k = flaw_kind_at(kind);
    return k ? k->name : NULL;
}

bool flaw_scene_kind_held_out(int kind)
{
    const flaw_kind *k = flaw_kind_at(kind);
    return k && (k->flags & FLAW_KIND_HELD_OUT);
}

bool flaw_scene_kind_texture(int kind)
{
    const flaw_kind *k = flaw_kind_at(kind);
    return k && (k->flags & FLAW_KIND_TEXTURE);
}

int flaw_scene_kind_find(const char *name)
{
    for (int i = 0; flaw_kind_at(i); i++)
        if (strcmp(flaw_kind_at(i)->name, name) == 0) return i;
    return -1;
}
