#include "tower_windows.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "nn/watch.h"

static const int size[2] = {2, 3};

static float *floats(size_t count, flaw_random *r)
{
    float *x = aligned_alloc(64, (count * sizeof *x + 63) / 64 * 64);
    for (size_t i = 0; x && i < count; i++) x[i] = r ? (float)flaw_random_range(r, -1.0, 1.0) : 0.0f;
    return x;
}

flaw_status tower_windows_open(tower_windows *out, const flaw_clip *m, const flaw_compute *c, flaw_error *err)
{
    const flaw_clip_shape *s = &m->shape;
    flaw_random r;
    flaw_random_init(&r, 4, 0);
    *out = (tower_windows){.work = floats(flaw_clip_window_workspace(c, m, 2, size), NULL)};
    out->embedded = floats((size_t)flaw_clip_tokens(s) * (size_t)s->image.width, &r);
    bool ok = out->work && out->embedded;
    for (int i = 0; i < 2; i++) {
        int windows = (s->grid - size[i] + 1) * (s->grid - size[i] + 1);
        out->tokens += windows * (1 + size[i] * size[i] + s->registers);
        out->out[i] = floats((size_t)windows * (size_t)flaw_clip_width(s), NULL);
        ok = ok && out->out[i];
    }
    if (ok) return FLAW_OK;
    tower_windows_close(out);
    return flaw_fail(err, FLAW_NO_MEMORY, "no memory for windows");
}

void tower_windows_close(tower_windows *w)
{
    free(w->embedded);
    free(w->out[0]);
    free(w->out[1]);
    free(w->work);
    memset(w, 0, sizeof *w);
}

double tower_windows_pass(const tower_windows *w, const flaw_clip *m, flaw_compute *c)
{
    double start = flaw_watch_now();
    flaw_clip_encode_windows(c, m, 2, size, w->embedded, w->out, w->work);
    return 1e3 * (flaw_watch_now() - start);
}
