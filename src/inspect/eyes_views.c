/* Several views of one picture (detect/views.h) for the map by words: the decoder's logits of each are joined before
 * they become probabilities. What the language model gets of the picture itself stays the whole's. */
#include "detect/views_voice.h"
#include "inspect/eyes.h"

/* With normal pictures the map is a comparison, of the whole alone. Towers of our own look as often as they can, for a
 * conversation has the time; published ones look once, as they were trained to. */
static flaw_status choose_count(flaw_eyes *eyes, const flaw_talk_options *options, flaw_error *err)
{
    flaw_status s = options->views ? flaw_views_check(options->views, err) : FLAW_OK;
    if (!s && options->views > 1 && options->good_count)
        s = flaw_fail(err, FLAW_USAGE, "%d views beside normal pictures are not allowed: views are for a map by words",
                      options->views);
    if (!s && eyes->m->voice->shape.grid < 2 && options->views > 1)
        s = flaw_fail(err, FLAW_USAGE, "views need at least 2 x 2 patches, this model has one");
    bool own = eyes->m->towers->shape.local_head && eyes->m->voice->shape.grid >= 2;
    eyes->views = options->views ? options->views : own && !options->good_count ? FLAW_VIEWS_MOST : 1;
    return s;
}

flaw_status flaw_eyes_views_open(flaw_eyes *eyes, const flaw_talk_options *options, flaw_error *err)
{
    const flaw_voice_shape *v = &eyes->m->voice->shape;
    size_t cells = (size_t)flaw_views_cells(v);
    flaw_status s = choose_count(eyes, options, err);
    if (s || eyes->views == 1) return s;
    eyes->logits = flaw_arena_alloc(&eyes->arena, FLAW_STAGES * (size_t)v->grid * (size_t)v->grid, sizeof(float));
    eyes->joined = flaw_arena_alloc(&eyes->arena, FLAW_STAGES * cells * cells, sizeof(float));
    if (!eyes->logits || !eyes->joined)
        return flaw_fail(err, FLAW_NO_MEMORY, "memory to look at pictures was refused");
    for (int i = 1; !s && i < eyes->views; i++) s = flaw_sight_new(&eyes->other[i], v, err);
    return s;
}

flaw_status flaw_eyes_views_look(flaw_eyes *eyes, const flaw_picture *square, const flaw_picture *picture,
                                 flaw_error *err)
{
    flaw_picture twice = {0};
    flaw_status s = flaw_views_prepare(&twice, &eyes->m->towers->shape, eyes->fit, picture, err);
    for (int i = 1; !s && i < eyes->views; i++) {
        flaw_picture cut = {0};
        s = flaw_view_cut(&cut, square, &twice, i, err);
        if (!s) s = flaw_eyes_encode(eyes, &cut, &eyes->other[i], err);
        flaw_picture_release(&cut);
    }
    flaw_picture_release(&twice);
    return s;
}

void flaw_eyes_views_map(flaw_eyes *eyes)
{
    const flaw_voice *v = eyes->m->voice;
    const flaw_sight *view[FLAW_VIEWS_MOST] = {&eyes->sight};
    for (int i = 1; i < eyes->views; i++) view[i] = &eyes->other[i];
    flaw_views_logits(eyes->c, v, view, eyes->views, eyes->text, eyes->joined, eyes->logits, eyes->work);
    flaw_decoder_map_of(eyes->c, v, eyes->joined, flaw_views_cells(&v->shape), eyes->map, eyes->work);
}
