#include "model/prepare.h"

#include "image/resize.h"

#define LONGEST_RATIO 64

void flaw_prepare_normalise(float *pixels, const flaw_picture *square, const flaw_prepare_shape *prepare)
{
    size_t count = (size_t)square->width * (size_t)square->height;
    for (size_t channel = 0; channel < 3; channel++) {
        float value[256];
        for (int v = 0; v < 256; v++)
            value[v] = ((float)v / 255.0f - prepare->mean[channel]) / prepare->std[channel];
        for (size_t i = 0; i < count; i++) pixels[channel * count + i] = value[square->rgb[3 * i + channel]];
    }
}

/* Half of n, where a half itself goes to the even side, as Python's round() does in torchvision's CenterCrop. */
static int centre(int n)
{
    int half = n / 2;
    return n % 2 && half % 2 ? half + 1 : half;
}

static flaw_status crop_long(flaw_picture *out, const flaw_picture *in, flaw_error *err)
{
    int longest_w = in->height * LONGEST_RATIO, longest_h = in->width * LONGEST_RATIO;
    int w = in->width < longest_w ? in->width : longest_w, h = in->height < longest_h ? in->height : longest_h;
    return flaw_picture_crop(out, in, (in->width - w) / 2, (in->height - h) / 2, w, h, err);
}

/* Shorter side to `to`, then the square of side S in the middle. */
static flaw_status shortest(flaw_picture *out, const flaw_picture *in, int to, int side, flaw_error *err)
{
    flaw_picture resized;
    bool wide = in->width > in->height;
    int shorter = wide ? in->height : in->width, longer = wide ? in->width : in->height;
    int grown = (int)((long long)to * longer / shorter);
    flaw_status status = flaw_picture_resize(&resized, in, wide ? grown : to, wide ? to : grown, FLAW_FILTER_BICUBIC,
                                             err);
    if (status) return status;
    status = flaw_picture_crop(out, &resized, centre(resized.width - side), centre(resized.height - side), side, side,
                               err);
    flaw_picture_release(&resized);
    return status;
}

static flaw_status make_square(flaw_picture *out, const flaw_picture *in, const flaw_clip_shape *s,
                               flaw_resize_mode mode, flaw_error *err)
{
    if (mode == FLAW_RESIZE_SQUASH) return flaw_picture_resize(out, in, s->side, s->side, FLAW_FILTER_BICUBIC, err);
    if (in->width <= (long long)in->height * LONGEST_RATIO && in->height <= (long long)in->width * LONGEST_RATIO)
        return shortest(out, in, s->prepare.resize_to, s->side, err);
    flaw_picture middle;
    flaw_status status = crop_long(&middle, in, err);
    if (status) return status;
    status = shortest(out, &middle, s->prepare.resize_to, s->side, err);
    flaw_picture_release(&middle);
    return status;
}

flaw_status flaw_prepare_pixels(float *pixels, const flaw_picture *picture, const flaw_clip_shape *shape,
                                flaw_resize_mode mode, flaw_error *err)
{
    flaw_picture square;
    flaw_status status = make_square(&square, picture, shape, mode, err);
    if (status) return status;
    flaw_prepare_normalise(pixels, &square, &shape->prepare);
    flaw_picture_release(&square);
    return FLAW_OK;
}
