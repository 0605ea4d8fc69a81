/* Per-region overlap, exactly as MVTec defines it: at every threshold the share of each defect region that is found,
 * averaged over regions, against the share of defect-free pixels over all pictures that are wrongly found; the curve
 * starts at (0,0), ties are one step, straight lines join the points, and the area over FPR in [0, limit] is divided by
 * limit. Conventions: no region or no background pixel gives NaN; a perfect map gives 1; a constant map limit/2. */
#include <stdlib.h>

#include "base/checked.h"
#include "measure/metrics/pixels_exact.h"

flaw_status flaw_pro(double *out, const float *const *maps, const uint8_t *const *masks, const int *width,
                     const int *height, size_t n, double limit, flaw_error *err)
{
    size_t bytes;
    if (!flaw_mul_ok(&bytes, n ? n : 1, sizeof(flaw_pixels_picture)))
        return flaw_fail(err, FLAW_NO_MEMORY, "per-region overlap of %zu maps: too many", n);
    flaw_pixels_picture *pictures = malloc(bytes);
    if (!pictures) return flaw_fail(err, FLAW_NO_MEMORY, "per-region overlap of %zu maps: no memory", n);
    for (size_t i = 0; i < n; i++)
        pictures[i] = (flaw_pixels_picture){
            .id = i, .map = maps[i], .mask = masks[i], .width = width[i], .height = height[i]};
    flaw_pixel_figures figures;
    flaw_status status = flaw_pixels_sort(&figures, pictures, n, limit, true, err);
    if (status == FLAW_OK) *out = figures.aupro.value;
    free(pictures);
    return status;
}
