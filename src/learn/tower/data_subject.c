/* Subjects: drawn scenes, and photographs with a painted defect. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/resize.h"
#include "learn/tower/data.h"
#include "learn/paint/defect.h"

void flaw_subject_release(flaw_subject *subject)
{
    flaw_picture_release(&subject->normal);
    flaw_picture_release(&subject->defective);
    free(subject->mask);
    memset(subject, 0, sizeof *subject);
}

flaw_status flaw_subject_scene(flaw_subject *out, flaw_split split, int size, uint64_t seed, flaw_error *err)
{
    flaw_scene_options options;
    flaw_scene normal, defective;
    flaw_scene_options_init(&options);
    options.size = size;
    options.split = split;
    flaw_status status = flaw_scene_draw_pair(&normal, &defective, &options, seed, err);
    if (status) return status;
    *out = (flaw_subject){.normal = normal.picture, .defective = defective.picture, .mask = defective.mask,
                          .texture = normal.texture};
    snprintf(out->name, sizeof out->name, "%s", normal.object);
    snprintf(out->material, sizeof out->material, "%s", normal.material);
    snprintf(out->caption[0], sizeof out->caption[0], "%s", normal.caption);
    snprintf(out->caption[1], sizeof out->caption[1], "%s", defective.caption);
    normal.picture = defective.picture = (flaw_picture){0};
    defective.mask = NULL;
    flaw_scene_release(&normal);
    flaw_scene_release(&defective);
    return FLAW_OK;
}

/* A random part of the photograph (half the time all of it) at side x side. */
static flaw_status photo_part(flaw_picture *out, const flaw_picture *p, int side, flaw_random *random, flaw_error *err)
{
    if (flaw_random_uniform(random) < 0.4) return flaw_picture_resize(out, p, side, side, FLAW_FILTER_BICUBIC, err);
    double area = flaw_random_range(random, 0.2, 1), aspect = exp(flaw_random_range(random, -0.25, 0.25));
    int shorter = p->width < p->height ? p->width : p->height;
    int width = (int)(shorter * sqrt(area * aspect)), height = (int)(shorter * sqrt(area / aspect));
    width = width > p->width ? p->width : width < 1 ? 1 : width;
    height = height > p->height ? p->height : height < 1 ? 1 : height;
    int x = flaw_random_below(random, p->width - width + 1), y = flaw_random_below(random, p->height - height + 1);
    flaw_picture crop = {0};
    flaw_status status = flaw_picture_crop(&crop, p, x, y, width, height, err);
    if (!status) status = flaw_picture_resize(out, &crop, side, side, FLAW_FILTER_BICUBIC, err);
    flaw_picture_release(&crop);
    return status;
}

/* Defects befall the object where one stands clearly before its ground, else any place. */
static flaw_status paint(flaw_subject *s, const flaw_photos *photos, flaw_random *random, char *defect, size_t size,
                         flaw_error *err)
{
    uint8_t *foreground = malloc((size_t)s->normal.width * (size_t)s->normal.height);
    if (!foreground) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a foreground");
    const uint8_t *inside = flaw_defect_foreground(&s->normal, foreground) ? foreground : NULL;
    flaw_status status = FLAW_OK;
    const flaw_picture *other = flaw_random_uniform(random) < 0.5 ? &flaw_photos_pick(photos, random)->picture : NULL;
    int times = flaw_random_uniform(random) < 0.2 ? 2 : 1;
    defect[0] = 0;
    for (int i = 0; i < times && !status; i++) {
        int kind;
        status = flaw_defect_paint(&s->defective, inside, other, -1, random, s->mask, &kind, err);
        if (!status && i == 0) snprintf(defect, size, "%s", flaw_defect_name(kind));
    }
    free(foreground);
    return defect[0] ? FLAW_OK : status;
}

flaw_status flaw_subject_photo(flaw_subject *out, const flaw_photos *photos, int side, flaw_random *random,
                               flaw_error *err)
{
    const flaw_photo *photo = flaw_photos_pick(photos, random);
    flaw_subject s = {0};
    char defect[FLAW_NAME];
    flaw_status status = photo_part(&s.normal, &photo->picture, side, random, err);
    if (!status) status = flaw_picture_new(&s.defective, side, side, err);
    s.mask = calloc((size_t)side, (size_t)side);
    if (!status && !s.mask) status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for a mask");
    if (!status) {
        memcpy(s.defective.rgb, s.normal.rgb, 3 * (size_t)side * (size_t)side);
        status = paint(&s, photos, random, defect, sizeof defect, err);
    }
    if (status) {
        flaw_subject_release(&s);
        return status;
    }
    const char *name = photo->name[0] ? photo->name : "object";
    snprintf(s.name, sizeof s.name, "%s", photo->name);
    flaw_words_caption(s.caption[0], name, NULL, random);
    flaw_words_caption(s.caption[1], name, defect, random);
    *out = s;
    return FLAW_OK;
}
