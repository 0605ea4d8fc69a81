#include "learn/voice/voice_data.h"

#include <stdlib.h>
#include <string.h>

#include "flaw/simulate.h"
#include "image/resize.h"
#include "learn/paint/defect.h"
#include "model/tower/prepare.h"

enum { STREAM_SUBJECT = 7 }; /* of random numbers; those below are data.c's */
#define PHOTO_TRIES 4
#define SIMULATED 0.2   /* of the subjects: the defect is a patch of another picture (NSA), as AnomalyGPT's data are made */
#define VISIBLE 0.3f    /* label from which a simulated defect counts */
#define LOOK 3 /* pictures of a subject, which go through the tower together where each is looked at once */

static flaw_status entry_open(flaw_voice_entry *e, const flaw_voice_data *d, flaw_error *err)
{
    size_t area = (size_t)d->shape->side * (size_t)d->shape->side;
    e->mask = malloc(area);
    e->text = malloc(2 * (size_t)d->shape->joint * sizeof *e->text);
    size_t cells = (size_t)flaw_views_cells(d->shape), logits = FLAW_STAGES * cells * cells;
    bool joined = d->views == 1;
    if (!joined) {
        e->joined[0] = malloc(2 * logits * sizeof *e->joined[0]);
        e->joined[1] = e->joined[0] ? e->joined[0] + logits : NULL;
        joined = e->joined[0] != NULL;
    }
    flaw_status status = joined && e->mask && e->text ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory for a subject");
    if (!status) status = flaw_sight_new(&e->normal, d->shape, err);
    if (!status) status = flaw_sight_new(&e->defective, d->shape, err);
    return status ? status : flaw_sight_new(&e->reference, d->shape, err);
}

static void entry_close(flaw_voice_entry *e)
{
    flaw_sight_release(&e->normal);
    flaw_sight_release(&e->defective);
    flaw_sight_release(&e->reference);
    free(e->joined[0]);
    free(e->mask);
    free(e->text);
}

flaw_status flaw_voice_data_open(flaw_voice_data *out, flaw_error *err)
{
    flaw_arena_init(&out->arena, 0);
    out->entry = calloc((size_t)out->window, sizeof *out->entry);
    out->work = flaw_arena_alloc(&out->arena, flaw_sight_workspace(out->towers, out->shape, LOOK), sizeof *out->work);
    bool room = out->entry && out->work;
    flaw_status status =
        room ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory for %d subjects", out->window);
    if (!status) status = flaw_voice_looks_open(&out->looks, out->towers, out->voice, out->c, out->views, err);
    if (status) flaw_voice_data_close(out);
    return status;
}

void flaw_voice_data_close(flaw_voice_data *data)
{
    for (int i = 0; data->entry && i < data->window; i++) entry_close(&data->entry[i]);
    free(data->entry);
    flaw_voice_looks_close(&data->looks);
    flaw_arena_release(&data->arena);
    data->entry = NULL;
}

const flaw_voice_entry *flaw_voice_data_entry(const flaw_voice_data *data, uint64_t number)
{
    return &data->entry[number % (uint64_t)data->window];
}

/* One subject on its way in: drawn by one thread, without the tower. */
typedef struct drawn {
    uint64_t number;
    float *pixels; /* [2 views + 1, 3, S, S] normal, defective, reference */
    flaw_status status;
    flaw_error error;
} drawn;

typedef struct drawing {
    flaw_voice_data *d;
    drawn *item;
} drawing;

/* A scene as a pair, and another shot of the same product; foreground [size, size] comes along. */
static flaw_status draw_scene(flaw_subject *out, flaw_picture *reference, uint8_t **foreground, const flaw_voice_data *d,
                              flaw_random *random, flaw_error *err)
{
    flaw_scene_options o;
    flaw_scene normal, defective, other;
    flaw_scene_options_init(&o);
    o.size = d->shape->side;
    o.split = d->split;
    o.one_product = true;
    o.product = flaw_random_u64(random);
    uint64_t shot = flaw_random_u64(random), second = flaw_random_u64(random);
    flaw_status status = flaw_scene_draw_pair(&normal, &defective, &o, shot, err);
    if (status) return status;
    o.anomalous = 0;
    status = flaw_scene_draw(&other, &o, second, err);
    if (!status) {
        *out = (flaw_subject){.normal = normal.picture, .defective = defective.picture, .mask = defective.mask,
                              .texture = normal.texture};
        *reference = other.picture;
        *foreground = normal.foreground;
        memcpy(out->name, normal.object, sizeof normal.object);
        normal.picture = defective.picture = other.picture = (flaw_picture){0};
        defective.mask = normal.foreground = NULL;
        flaw_scene_release(&other);
    }
    flaw_scene_release(&normal);
    flaw_scene_release(&defective);
    return status;
}

/* Another photograph of the same product, whole; none: reference stays empty. */
static flaw_status draw_reference(flaw_picture *reference, const flaw_voice_data *d, const flaw_photo *photo, flaw_random *random,
                                  flaw_error *err)
{
    const flaw_photo *found = NULL;
    int seen = 0;
    for (size_t i = 0; photo->product && i < d->photos->count; i++) {
        const flaw_photo *p = &d->photos->item[i];
        if (p == photo || p->product != photo->product) continue;
        if (flaw_random_below(random, ++seen) == 0) found = p;
    }
    if (!found) return FLAW_OK;
    return flaw_picture_resize(reference, &found->picture, d->shape->side, d->shape->side, FLAW_FILTER_BICUBIC, err);
}

static flaw_status draw_photo(flaw_subject *out, flaw_picture *reference, const flaw_voice_data *d, flaw_random *random,
                              flaw_error *err)
{
    flaw_status status = FLAW_UNAVAILABLE;
    for (int i = 0; i < PHOTO_TRIES && status == FLAW_UNAVAILABLE; i++) {
        const flaw_photo *photo = flaw_photos_pick(d->photos, random);
        flaw_photo alone = *photo;
        alone.end = 1;
        const flaw_photos one = {.item = &alone, .count = 1};
        status = flaw_subject_photo(out, &one, d->shape->side, random, err);
        if (!status) status = draw_reference(reference, d, photo, random, err);
    }
    return status;
}

/* One or two defects more, for answers that count. Places where none shows are passed over. */
static flaw_status add_defects(flaw_subject *s, const uint8_t *foreground, flaw_random *random, flaw_error *err)
{
    double u = flaw_random_uniform(random);
    flaw_status status = FLAW_OK;
    for (int more = u < 0.55 ? 0 : u < 0.85 ? 1 : 2; more > 0 && !status; more--) {
        status = flaw_defect_paint(&s->defective, s->texture ? NULL : foreground, NULL, -1, random, s->mask, NULL, err);
        if (status == FLAW_UNAVAILABLE) status = FLAW_OK;
    }
    return status;
}

/* A patch of another picture in the place of the painted defect; where none can be placed, that one stays. */
static flaw_status simulate(flaw_subject *s, const flaw_voice_data *d, flaw_random *random, flaw_error *err)
{
    flaw_simulate_preset preset;
    flaw_simulated out;
    flaw_picture source = {0};
    flaw_simulate_options o = {.preset = &preset, .most_patches = 2};
    flaw_status status = flaw_simulate_preset_find(&preset, s->name, &s->normal, err);
    if (!status && d->photos && d->photos->count && flaw_random_uniform(random) < 0.5)
        status = flaw_picture_resize(&source, &flaw_photos_pick(d->photos, random)->picture, s->normal.width, s->normal.height,
                                     FLAW_FILTER_BICUBIC, err);
    o.blend = flaw_random_uniform(random) < 0.7 ? FLAW_BLEND_POISSON : FLAW_BLEND_PASTE;
    o.seed = flaw_random_u64(random);
    if (!status) status = flaw_simulate(&out, &s->normal, source.rgb ? &source : NULL, &o, err);
    flaw_picture_release(&source);
    if (status) return status;
    size_t area = (size_t)s->normal.width * (size_t)s->normal.height;
    bool placed = false;
    for (size_t i = 0; i < area && out.patches; i++) placed |= out.label[i] > VISIBLE;
    if (placed) {
        for (size_t i = 0; i < area; i++) s->mask[i] = out.label[i] > VISIBLE ? 255 : 0;
        flaw_picture swapped = s->defective;
        s->defective = out.picture;
        out.picture = swapped;
    }
    flaw_simulated_release(&out);
    return FLAW_OK;
}

static flaw_status draw_subject(flaw_subject *s, flaw_picture *reference, const flaw_voice_data *d, flaw_random *random,
                                flaw_error *err)
{
    uint8_t *foreground = NULL;
    bool scene = !d->photos || d->photos->count == 0 || flaw_random_uniform(random) < d->scene_share;
    flaw_status status = scene ? FLAW_UNAVAILABLE : draw_photo(s, reference, d, random, err);
    if (status == FLAW_UNAVAILABLE) status = draw_scene(s, reference, &foreground, d, random, err);
    if (!status && !foreground) {
        foreground = malloc((size_t)s->normal.width * (size_t)s->normal.height);
        if (!foreground) status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for a foreground");
        else flaw_defect_foreground(&s->normal, foreground);
    }
    if (!status && !d->plain && flaw_random_uniform(random) < SIMULATED) status = simulate(s, d, random, err);
    else if (!status && !d->plain) status = add_defects(s, foreground, random, err);
    free(foreground);
    return status;
}

/* Half the time as in inspection, half the time cropped, turned, in other light. */
static flaw_status view(drawn *out, flaw_voice_entry *e, flaw_subject *s, const flaw_picture *reference, const flaw_voice_data *d,
                        flaw_random *random, flaw_error *err)
{
    size_t picture = 3 * (size_t)d->shape->side * (size_t)d->shape->side, pair = 2 * picture, many = (size_t)d->views;
    bool plain = d->plain || flaw_random_uniform(random) < 0.5;
    flaw_status status = flaw_subject_view(out->pixels, NULL, e->mask, s, &d->towers->shape, plain, random, err);
    if (!status) status = flaw_truth_of_mask(&e->truth, e->mask, d->shape->side, err);
    e->has_reference = reference->rgb != NULL;
    if (!status && e->has_reference) flaw_prepare_normalise(out->pixels + many * pair, reference, &d->towers->shape.prepare);
    if (status || d->views == 1) return status;
    memcpy(out->pixels + many * picture, out->pixels + picture, picture * sizeof *out->pixels);
    for (size_t i = 0; i < 2 && !status; i++) status = flaw_voice_looks_cut(out->pixels + i * many * picture, &d->looks, err);
    return status;
}

static void draw_piece(void *context, int piece, int worker)
{
    drawing *w = context;
    drawn *out = &w->item[piece];
    flaw_voice_entry *e = &w->d->entry[out->number % (uint64_t)w->d->window];
    flaw_random random;
    flaw_subject s = {0};
    flaw_picture reference = {0};
    (void)worker;
    flaw_random_init(&random, w->d->seed * 8 + STREAM_SUBJECT, out->number);
    out->status = e->mask ? FLAW_OK : entry_open(e, w->d, &out->error);
    if (!out->status) out->status = draw_subject(&s, &reference, w->d, &random, &out->error);
    if (!out->status) out->status = view(out, e, &s, &reference, w->d, &random, &out->error);
    bool named = s.name[0] && (w->d->plain || flaw_random_uniform(&random) < 0.75);
    memcpy(e->name, named ? s.name : "object", named ? sizeof e->name : sizeof "object");
    e->truth.object = e->name;
    e->truth.texture = named && s.texture;
    flaw_subject_release(&s);
    flaw_picture_release(&reference);
}

/* Through the tower, and the words. */
static flaw_status look(flaw_voice_data *d, drawn *item, int count, flaw_error *err)
{
    size_t picture = 3 * (size_t)d->shape->side * (size_t)d->shape->side, many = (size_t)d->views;
    for (int i = 0; i < count; i++) {
        if (item[i].status) {
            if (err) *err = item[i].error;
            return item[i].status;
        }
        flaw_voice_entry *e = &d->entry[item[i].number % (uint64_t)d->window];
        flaw_sight *const out[] = {&e->normal, &e->defective, &e->reference};
        flaw_status status = flaw_anomalygpt_text(d->towers, d->c, e->name, e->text, err);
        if (status) return status;
        if (d->views == 1) flaw_sight_take(d->c, d->towers, d->shape, e->has_reference ? 3 : 2, item[i].pixels, out, d->work);
        for (size_t k = 0; k < 2 && d->views > 1; k++)
            e->top[k] = flaw_voice_looks_take(&d->looks, d->c, item[i].pixels + k * many * picture, e->text, out[k],
                                              e->joined[k]);
        if (d->views > 1 && e->has_reference)
            flaw_sight_take(d->c, d->towers, d->shape, 1, item[i].pixels + 2 * many * picture, out + 2, d->work);
        e->held = item[i].number + 1;
    }
    return FLAW_OK;
}

flaw_status flaw_voice_data_need(flaw_voice_data *data, const uint64_t *numbers, int count, flaw_error *err)
{
    size_t picture = 3 * (size_t)data->shape->side * (size_t)data->shape->side, pictures = 2 * (size_t)data->views + 1;
    int missing = 0;
    drawn *item = calloc((size_t)count, sizeof *item);
    flaw_status status = item ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory to draw %d subjects", count);
    for (int i = 0; i < count && !status; i++) {
        bool known = flaw_voice_data_entry(data, numbers[i])->held == numbers[i] + 1;
        for (int j = 0; j < missing; j++) known |= item[j].number == numbers[i];
        if (known) continue;
        data->entry[numbers[i] % (uint64_t)data->window].held = 0;
        item[missing].number = numbers[i];
        item[missing].pixels = malloc(pictures * picture * sizeof(float));
        if (!item[missing++].pixels) status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for the pixels of a subject");
    }
    drawing w = {.d = data, .item = item};
    if (!status) flaw_pool_run(data->c->pool, draw_piece, &w, missing);
    if (!status) status = look(data, item, missing, err);
    for (int i = 0; i < missing; i++) free(item[i].pixels);
    free(item);
    return status;
}
