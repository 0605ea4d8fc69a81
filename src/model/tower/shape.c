/* Limits of a CLIP shape. They are far above any published model and keep every later product of sizes in range. */
#include "model/tower/clip.h"

typedef struct limit {
    const char *what;
    int value, min, max;
} limit;

static flaw_status check_limits(const limit *limits, size_t count, const char *name, flaw_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (limits[i].value < limits[i].min || limits[i].value > limits[i].max)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: %s is %d, allowed are %d to %d", name, limits[i].what,
                             limits[i].value, limits[i].min, limits[i].max);
    return FLAW_OK;
}

static flaw_status check_block(const flaw_block_shape *b, const char *tower, const char *name, flaw_error *err)
{
    const limit limits[] = {
        {"width of a tower", b->width, 1, 16384},
        {"number of heads", b->heads, 1, 1024},
        {"hidden width of an MLP", b->hidden, 1, 131072},
    };
    flaw_status status = check_limits(limits, sizeof limits / sizeof limits[0], name, err);
    if (status) return status;
    if (b->width % b->heads)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %s tower: width %d is not a multiple of its %d heads", name, tower,
                         b->width, b->heads);
    if (!(b->eps > 0 && b->eps < 1))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %s tower: epsilon of the norms is %g, allowed are values in (0, 1)",
                         name, tower, (double)b->eps);
    return FLAW_OK;
}

flaw_status flaw_clip_shape_check(const flaw_clip_shape *s, const char *name, flaw_error *err)
{
    const limit limits[] = {
        {"width of the joint space", s->joint, 0, 16384}, {"number of image layers", s->image_layers, 1, 512},
        {"side of the picture", s->side, 1, 8192},        {"side of a patch", s->patch, 1, s->side},
        {"number of classes", s->classes, 0, 1000000},    {"side to resize to", s->prepare.resize_to, s->side, 16384},
        {"number of registers", s->registers, 0, 64},
    };
    flaw_status status = check_limits(limits, sizeof limits / sizeof limits[0], name, err);
    if (!status) status = check_block(&s->image, "image", name, err);
    if (status) return status;
    if (s->side % s->patch || s->side / s->patch != s->grid || s->grid > 256)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: picture side %d must be a multiple (1 to 256) of the patch side %d",
                         name, s->side, s->patch);
    for (int i = 0; i < 3; i++)
        if (!(s->prepare.std[i] > 1e-6f && s->prepare.std[i] < 1e6f && s->prepare.mean[i] > -1e6f &&
              s->prepare.mean[i] < 1e6f))
            return flaw_fail(err, FLAW_BAD_DATA, "%s: channel %d: mean %g and deviation %g cannot normalise a picture",
                             name, i, (double)s->prepare.mean[i], (double)s->prepare.std[i]);
    for (int i = 0; i < FLAW_STAGES; i++)
        if (s->stage[i] < 0 || s->stage[i] >= s->image_layers)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: stage %d is block %d, there are %d", name, i, s->stage[i],
                             s->image_layers);
    if (s->local_head && !s->joint) return flaw_fail(err, FLAW_BAD_DATA, "%s: a local head needs a joint space", name);
    if (s->text.width == 0) return FLAW_OK;
    const limit text[] = {
        {"width of the joint space (with a text tower)", s->joint, 1, 16384},
        {"number of text layers", s->text_layers, 1, 512},
        {"context length", s->context, 3, 8192},
        {"vocabulary", s->vocab, 3, 1 << 24},
        {"end token", s->text_end, 0, s->vocab - 1},
    };
    status = check_limits(text, sizeof text / sizeof text[0], name, err);
    return status ? status : check_block(&s->text, "text", name, err);
}

void flaw_clip_shape_derive(flaw_clip_shape *s)
{
    s->grid = s->patch > 0 ? s->side / s->patch : 0;
    for (int i = 0; i < FLAW_STAGES; i++) {
        int last = (i + 1) * s->image_layers / FLAW_STAGES - 1;
        s->stage[i] = last > 0 ? last : 0;
    }
}

flaw_status flaw_clip_shape_resize(flaw_clip_shape *s, int side, const char *name, flaw_error *err)
{
    if (side < s->patch || side > 8192 || side % s->patch)
        return flaw_fail(err, FLAW_USAGE, "%s: side %d is not a multiple of the model's patches of %d pixels; %d is",
                         name, side, s->patch,
                         (side < s->patch ? 1 : (side < 8192 ? side : 8192) / s->patch) * s->patch);
    s->prepare.resize_to = (int)((long)s->prepare.resize_to * side / s->side);
    s->side = side;
    flaw_clip_shape_derive(s);
    return flaw_clip_shape_check(s, name, err);
}
