#include "detect/features.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* Rows of windows of k patches, or 0 where the grid is smaller. */
static size_t windows_of(int grid, int k)
{
    return grid >= k ? (size_t)(grid - k + 1) * (size_t)(grid - k + 1) : 0;
}

static float *take(float **at, size_t floats)
{
    float *here = *at;
    *at += floats;
    return here;
}

flaw_status flaw_features_new(flaw_features *out, const flaw_clip *model, int want, flaw_error *err)
{
    const flaw_clip_shape *shape = &model->shape;
    size_t width = (size_t)shape->image.width, joint = shape->joint ? (size_t)shape->joint : width;
    size_t patches = (size_t)shape->grid * (size_t)shape->grid;
    int cells = want & FLAW_WANT_VIEWS ? FLAW_VIEWS_FINE * shape->grid : shape->grid;
    size_t rows = (size_t)cells * (size_t)cells;
    size_t total = 0;
    if (want & FLAW_WANT_CLS) total += joint;
    if (want & FLAW_WANT_PATCHES) total += rows * joint;
    if (want & FLAW_WANT_STAGES) total += FLAW_BANK_STAGES * patches * width;
    if (want & FLAW_WANT_LAST) total += patches * width;
    total += FLAW_STAGES * patches; /* lengths */
    if (want & FLAW_WANT_WINDOWS) total += (windows_of(shape->grid, 2) + windows_of(shape->grid, 3)) * joint;
    float *memory = calloc(total + 1, sizeof(float));
    if (!memory) return flaw_fail(err, FLAW_NO_MEMORY, "features of a picture: %zu floats were refused", total);
    *out = (flaw_features){
        .grid = shape->grid, .cells = cells, .joint = (int)joint, .width = (int)width, .memory = memory};
    float *at = memory;
    if (want & FLAW_WANT_CLS) out->cls = take(&at, joint);
    if (want & FLAW_WANT_PATCHES) out->patches = take(&at, rows * joint);
    for (int s = 0; s < FLAW_STAGES; s++)
        if (want & (s < FLAW_BANK_STAGES ? FLAW_WANT_STAGES : FLAW_WANT_LAST))
            out->stage[s] = take(&at, patches * width);
    for (int i = 0; i < 2; i++) {
        size_t windows = windows_of(shape->grid, i + 2);
        if ((want & FLAW_WANT_WINDOWS) && windows) out->window[i] = take(&at, windows * joint);
    }
    for (int s = 0; s < FLAW_STAGES; s++)
        if (out->stage[s]) out->length[s] = take(&at, patches);
    return FLAW_OK;
}

void flaw_features_release(flaw_features *features)
{
    free(features->memory);
    memset(features, 0, sizeof *features);
}
