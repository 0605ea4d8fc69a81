#include "measure/components.h"

#include <stdlib.h>

/* Flood fill with a stack of its own: each pixel is pushed once, when it is labelled. */
static void flood(uint32_t *label, const uint8_t *mask, int width, int height, uint32_t name, uint32_t start,
                  uint32_t *stack)
{
    size_t depth = 0;
    label[start] = name;
    stack[depth++] = start;
    while (depth) {
        uint32_t at = stack[--depth];
        int x = (int)(at % (uint32_t)width), y = (int)(at / (uint32_t)width);
        for (int v = y > 0 ? y - 1 : 0; v <= y + 1 && v < height; v++) {
            for (int u = x > 0 ? x - 1 : 0; u <= x + 1 && u < width; u++) {
                uint32_t near = (uint32_t)v * (uint32_t)width + (uint32_t)u;
                if (!mask[near] || label[near]) continue;
                label[near] = name;
                stack[depth++] = near;
            }
        }
    }
}

flaw_status flaw_components_label(uint32_t *label, uint32_t *count, const uint8_t *mask, int width, int height,
                                  uint32_t first, flaw_error *err)
{
    if (width < 1 || height < 1 || (uint64_t)width * (uint64_t)height > UINT32_MAX - first)
        return flaw_fail(err, FLAW_USAGE, "components of a %d x %d mask: size out of range", width, height);
    uint32_t n = (uint32_t)width * (uint32_t)height;
    uint32_t *stack = malloc((size_t)n * sizeof *stack);
    if (!stack) return flaw_fail(err, FLAW_NO_MEMORY, "components of a %d x %d mask: no memory", width, height);
    for (uint32_t i = 0; i < n; i++) label[i] = 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < n; i++)
        if (mask[i] && !label[i]) flood(label, mask, width, height, first + found++, i, stack);
    free(stack);
    *count = found;
    return FLAW_OK;
}
