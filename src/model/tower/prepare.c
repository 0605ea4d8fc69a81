#include "model/tower/prepare.h"

#include "image/resize.h"

void flaw_prepare_normalise(float *pixels, const flaw_picture *square, const flaw_prepare_shape *prepare)
{
    size_t count = (size_t)square->width * (size_t)square->height;
    for (size_t channel = 0; channel < 3; channel++) {
        float value[256];
        for (int v = 0; v < 256; v++) value[v] = ((float)v / 255.0f - prepare->mean[channel]) / prepare->std[channel];
        for (size_t i = 0; i < count; i++) pixels[channel * count + i] = value[square->rgb[3 * i + channel]];
    }
}

/* Half of n, where a half itself goes to the even side, as Python's round() does in torchvision's CenterCrop. */
static int centre(int n)
{
    int half = n / 2;
    return n % 2 && half % 2 ? half + 1 : half;
}

/* Shorter side to `to`, then the square of side S in the middle. */
static flaw_status shortest(flaw_picture *out, const flaw_picture *in, int to, int side, flaw_error *err)
{
    bool wide = in->width > in->height;
    int shorter = wide ? in->height : in->width, longer = wide ? in->width : in->height;
    int grown = (int)((long long)to * longer / shorter), width = wide ? grown : to, height = wide ? to : grown;
    flaw_box middle = {centre(width - side), centre(height - side), side, side};
    return flaw_picture_resize_part(out, in, width, height, middle, FLAW_FILTER_BICUBIC, err);
}

flaw_status flaw_prepare_fit(flaw_picture *out, const flaw_picture *in, const flaw_clip_shape *s,
                             flaw_resize_mode mode, flaw_error *err)
{
    return mode == FLAW_RESIZE_SHORTEST ? shortest(out, in, s->prepare.resize_to, s->side, err)
                                        : flaw_picture_resize(out, in, s->side, s->side, FLAW_FILTER_BICUBIC, err);
}

flaw_status flaw_prepare_pixels(float *pixels, const flaw_picture *picture, const flaw_clip_shape *shape,
                                flaw_resize_mode mode, flaw_error *err)
{
    flaw_picture square;
    flaw_status status = flaw_prepare_fit(&square, picture, shape, mode, err);
    if (status) return status;
    flaw_prepare_normalise(pixels, &square, &shape->prepare);
    flaw_picture_release(&square);
    return FLAW_OK;
}
