/* One scene from options and seed. Streams of random numbers are kept apart, so that a defect changes nothing else:
 * the product's design, the shot, the defect, the camera and the words each have their own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/paint/defect.h"
#include "learn/scene/scene.h"

enum {
    STREAM_KIND = 1,
    STREAM_DESIGN,
    STREAM_STATE,
    STREAM_SHOT,
    STREAM_DEFECT,
    STREAM_CAMERA,
    STREAM_WORDS,
    STREAM_OTHER
};

void flaw_scene_options_init(flaw_scene_options *options)
{
    *options = (flaw_scene_options){.size = 224, .kind = -1, .anomalous = -1, .split = FLAW_SPLIT_TRAIN};
}

void flaw_scene_release(flaw_scene *scene)
{
    flaw_picture_release(&scene->picture);
    free(scene->mask);
    free(scene->foreground);
    memset(scene, 0, sizeof *scene);
}

static bool in_split(int kind, flaw_split split)
{
    return split == FLAW_SPLIT_ALL || flaw_scene_kind_held_out(kind) == (split == FLAW_SPLIT_HELD_OUT);
}

static flaw_status choose_kind(int *kind, const flaw_scene_options *o, uint64_t product, flaw_error *err)
{
    int count = flaw_scene_kind_count(), fit = 0;
    if (o->size != 0 && (o->size < 32 || o->size > 1024))
        return flaw_fail(err, FLAW_USAGE, "scene: size %d, allowed 32 .. 1024", o->size);
    if (o->split < FLAW_SPLIT_TRAIN || o->split > FLAW_SPLIT_ALL)
        return flaw_fail(err, FLAW_USAGE, "scene: split %d, allowed 0 .. 2", (int)o->split);
    if (o->kind < -1 || o->kind >= count)
        return flaw_fail(err, FLAW_USAGE, "scene: kind %d, allowed -1 .. %d", o->kind, count - 1);
    if (o->kind >= 0 && !in_split(o->kind, o->split))
        return flaw_fail(err, FLAW_USAGE, "scene: kind '%s' is %s held out and so not in the split asked for",
                         flaw_scene_kind_name(o->kind), flaw_scene_kind_held_out(o->kind) ? "" : "not");
    *kind = o->kind;
    if (o->kind >= 0) return FLAW_OK;
    for (int i = 0; i < count; i++) fit += in_split(i, o->split);
    flaw_random r;
    flaw_random_init(&r, product, STREAM_KIND);
    int at = flaw_random_below(&r, fit);
    for (*kind = 0; !in_split(*kind, o->split) || at-- > 0;) (*kind)++;
    return FLAW_OK;
}

/* Everything up to the light, as 8-bit pixels before the camera. Returns the number of pieces. */
static int draw_stage(flaw_stage *s, uint64_t product, uint64_t seed, flaw_picture *out, uint8_t *foreground)
{
    flaw_random design;
    flaw_random_init(&design, product, STREAM_DESIGN);
    flaw_random_init(&s->shot, seed, STREAM_SHOT);
    s->parts = 0;
    s->material = NULL;
    s->background = "";
    flaw_canvas_clear(&s->canvas);
    flaw_stage_lamp(s, &design);
    if (!(s->kind->flags & FLAW_KIND_TEXTURE)) {
        flaw_stage_background(s, &design);
        flaw_stage_clutter(s, &design);
    }
    int pieces = flaw_stage_pieces(s, &design);
    flaw_stage_half_shadow(s, &design);
    flaw_stage_age(s, &design);
    flaw_canvas_light(&s->canvas, out, foreground);
    return pieces;
}

static void copy_text(char *to, size_t room, const char *from)
{
    size_t n = strlen(from);
    n = n < room ? n : room - 1;
    memcpy(to, from, n);
    to[n] = 0;
}

static flaw_status make_room(flaw_scene *scene, int size, flaw_error *err)
{
    memset(scene, 0, sizeof *scene);
    flaw_status st = flaw_picture_new(&scene->picture, size, size, err);
    if (st) return st;
    size_t n = (size_t)size * (size_t)size;
    scene->mask = calloc(n, 1);
    scene->foreground = calloc(n, 1);
    if (scene->mask && scene->foreground) return FLAW_OK;
    flaw_scene_release(scene);
    return flaw_fail(err, FLAW_NO_MEMORY, "scene: no memory for masks of %d x %d", size, size);
}

static void describe(flaw_scene *scene, const flaw_stage *s, int kind, int pieces)
{
    scene->kind = kind;
    scene->held_out = s->kind->flags & FLAW_KIND_HELD_OUT;
    scene->texture = s->kind->flags & FLAW_KIND_TEXTURE;
    scene->object_count = pieces;
    copy_text(scene->object, sizeof scene->object, s->kind->name);
    copy_text(scene->material, sizeof scene->material, s->material ? s->material : "");
    copy_text(scene->background, sizeof scene->background, s->background);
}

/* The same scene with one loose part missing, moved or turned; the mask is where the pictures differ. */
static bool part_fault(flaw_scene *bad, flaw_stage *s, uint64_t product, uint64_t seed, flaw_random *r)
{
    static const char *const names[] = {"", "missing part", "misplaced part", "misplaced part"};
    flaw_scene *b = bad;
    size_t n = (size_t)b->picture.width * (size_t)b->picture.height;
    uint8_t *good = malloc(3 * n);
    if (!good) return false;
    memcpy(good, b->picture.rgb, 3 * n);
    s->odd_part = flaw_random_below(r, s->parts);
    s->fault = (flaw_fault)(1 + flaw_random_below(r, 3));
    s->fault_random = *r;
    draw_stage(s, product, seed, &b->picture, NULL);
    size_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        int most = 0;
        for (int c = 0; c < 3; c++)
            most = abs(good[3 * i + c] - b->picture.rgb[3 * i + c]) > most
                       ? abs(good[3 * i + c] - b->picture.rgb[3 * i + c])
                       : most;
        b->mask[i] = most > 16 ? 255 : 0;
        seen += most > 16;
    }
    bool visible = seen >= 20;
    if (visible) {
        copy_text(b->defect, sizeof b->defect, names[s->fault]);
        b->defect_count = 1;
    } else {
        memcpy(b->picture.rgb, good, 3 * n);
        memset(b->mask, 0, n);
    }
    s->fault = FLAW_FAULT_NONE;
    free(good);
    return visible;
}

/* A small picture of some other material to paste from. */
static flaw_status other_picture(flaw_picture *out, flaw_random *r, flaw_error *err)
{
    enum { SIDE = 96 };
    flaw_canvas c;
    flaw_status st = flaw_canvas_init(&c, SIDE, err);
    if (st) return st;
    flaw_material m = flaw_pick_material(r, (flaw_material_kind)flaw_random_below(r, FLAW_MATERIAL_KINDS));
    flaw_layer *l = flaw_layer_frame(&c, 1.5f, 0);
    flaw_material_fill(l, &m);
    flaw_layer_end(&c);
    st = flaw_picture_new(out, SIDE, SIDE, err);
    if (!st) flaw_canvas_light(&c, out, NULL);
    flaw_canvas_release(&c);
    return st;
}

static flaw_status paint_defects(flaw_scene *bad, flaw_random *r, flaw_error *err)
{
    int count = flaw_chance(r, 0.8) ? 1 : 2 + flaw_random_below(r, 2);
    int kind = flaw_defect_any(r, bad->material), painted = kind;
    const uint8_t *where = bad->texture ? NULL : bad->foreground;
    flaw_picture other = {0};
    for (int k = 0; k < count; k++) {
        flaw_status st = FLAW_OK;
        if (flaw_chance(r, 0.25) && !other.rgb) st = other_picture(&other, r, err);
        if (!st)
            st = flaw_defect_paint(&bad->picture, where, other.rgb ? &other : NULL, kind, r, bad->mask, &painted, err);
        /* Too faint everywhere, or no border in sight: something that shows on any ground. */
        if (st == FLAW_UNAVAILABLE && k == 0)
            st = flaw_defect_paint(&bad->picture, where, NULL, flaw_defect_find("paint splash"), r, bad->mask, &painted,
                                   err);
        if (st == FLAW_UNAVAILABLE && k > 0) break;
        if (st) {
            flaw_picture_release(&other);
            return st;
        }
        if (k == 0) {
            copy_text(bad->defect, sizeof bad->defect, flaw_defect_name(painted));
            copy_text(bad->place, sizeof bad->place, flaw_scene_place(bad->mask, bad->picture.width));
        }
        bad->defect_count++;
        if (flaw_chance(r, 0.3)) kind = flaw_defect_any(r, bad->material);
    }
    flaw_picture_release(&other);
    return FLAW_OK;
}

static flaw_status make_anomalous(flaw_scene *bad, flaw_stage *s, uint64_t product, uint64_t seed, flaw_error *err)
{
    flaw_random r;
    flaw_random_init(&r, seed, STREAM_DEFECT);
    bad->anomalous = true;
    flaw_status st = FLAW_OK;
    bool odd = flaw_chance(&r, 0.25);
    if (!(odd && s->parts > 0 && part_fault(bad, s, product, seed, &r))) st = paint_defects(bad, &r, err);
    if (!st && !bad->place[0])
        copy_text(bad->place, sizeof bad->place, flaw_scene_place(bad->mask, bad->picture.width));
    return st;
}

static flaw_status finish(flaw_scene *scene, uint64_t product, uint64_t seed, flaw_error *err)
{
    flaw_random design, shot, words;
    flaw_random_init(&design, product, STREAM_CAMERA);
    flaw_random_init(&shot, seed, STREAM_CAMERA);
    flaw_random_init(&words, seed, STREAM_WORDS);
    flaw_scene_caption(scene, &words);
    return flaw_camera_apply(&scene->picture, &design, &shot, err);
}

static flaw_status copy_scene(flaw_scene *to, const flaw_scene *from, flaw_error *err)
{
    flaw_scene fresh;
    flaw_status st = make_room(&fresh, from->picture.width, err);
    if (st) return st;
    size_t n = (size_t)from->picture.width * (size_t)from->picture.height;
    memcpy(fresh.picture.rgb, from->picture.rgb, 3 * n);
    memcpy(fresh.foreground, from->foreground, n);
    *to = *from;
    to->picture = fresh.picture, to->mask = fresh.mask, to->foreground = fresh.foreground;
    return FLAW_OK;
}

/* Either output may be NULL. */
static flaw_status draw(flaw_scene *normal, flaw_scene *bad, const flaw_scene_options *o, uint64_t seed,
                        flaw_error *err)
{
    uint64_t product = o->one_product ? o->product : seed;
    int kind = 0, size = o->size ? o->size : 224;
    flaw_status st = choose_kind(&kind, o, product, err);
    if (st) return st;
    flaw_stage s = {.kind = flaw_kind_at(kind)};
    flaw_scene first, second = {0};
    if ((st = make_room(&first, size, err))) return st;
    if ((st = flaw_canvas_init(&s.canvas, size, err))) {
        flaw_scene_release(&first);
        return st;
    }
    int pieces = draw_stage(&s, product, seed, &first.picture, first.foreground);
    describe(&first, &s, kind, pieces);
    if (first.texture) memset(first.foreground, 255, (size_t)size * (size_t)size);
    if (bad) st = copy_scene(&second, &first, err);
    if (!st && bad) st = make_anomalous(&second, &s, product, seed, err);
    if (!st && bad) st = finish(&second, product, seed, err);
    if (!st && normal) st = finish(&first, product, seed, err);
    flaw_canvas_release(&s.canvas);
    if (!st && normal) *normal = first;
    else flaw_scene_release(&first);
    if (!st && bad) *bad = second;
    else flaw_scene_release(&second);
    return st;
}

flaw_status flaw_scene_draw(flaw_scene *out, const flaw_scene_options *options, uint64_t seed, flaw_error *err)
{
    flaw_random r;
    flaw_random_init(&r, seed, STREAM_STATE);
    if (options->anomalous < -1 || options->anomalous > 1)
        return flaw_fail(err, FLAW_USAGE, "scene: anomalous %d, allowed -1, 0 or 1", options->anomalous);
    bool bad = options->anomalous < 0 ? flaw_chance(&r, 0.5) : options->anomalous == 1;
    return bad ? draw(NULL, out, options, seed, err) : draw(out, NULL, options, seed, err);
}

flaw_status flaw_scene_draw_pair(flaw_scene *normal, flaw_scene *anomalous, const flaw_scene_options *options,
                                 uint64_t seed, flaw_error *err)
{
    return draw(normal, anomalous, options, seed, err);
}
