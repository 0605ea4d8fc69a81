/* An inspector as a recipe file and back. A recipe names its model by the hash of the weights, and carries a
 * self-check: what this inspector said about a picture drawn from a formula. Another build, processor or precision that
 * comes to other numbers is refused by name instead of judging by them. */
#include <math.h>
#include <string.h>

#include "inspect/inside.h"
#include "record/recipe.h"

#define CHECK_SIDE 160
#define CHECK_WITHIN 1e-4      /* float32 on both sides: scores and maps differ by rounding only */
#define CHECK_WITHIN_BF16 0.03 /* either side multiplied in bfloat16, which has 8 bits */
#define CHECK_WITHIN_INT8 0.1  /* either side multiplied in int8 */

typedef struct named_text {
    const char *name;
    const char *value;
} named_text;

/* Stripes, rings and a dark blot in three colours: edges and gradients of many directions. */
static flaw_status check_picture(flaw_picture *out, flaw_error *err)
{
    flaw_status s = flaw_picture_new(out, CHECK_SIDE, CHECK_SIDE, err);
    for (int y = 0; !s && y < CHECK_SIDE; y++)
        for (int x = 0; x < CHECK_SIDE; x++) {
            uint8_t *p = out->rgb + 3 * (y * CHECK_SIDE + x);
            int square = (x - 90) * (x - 90) + (y - 60) * (y - 60);
            bool blot = (x - 40) * (x - 40) + 2 * (y - 110) * (y - 110) < 500;
            p[0] = (uint8_t)(blot ? 20 : (x + y) / 12 % 2 ? 200 : 90);
            p[1] = (uint8_t)(blot ? 25 : square / 64 % 256);
            p[2] = (uint8_t)(blot ? 30 : (x * 255 / CHECK_SIDE + 3 * y) % 256);
        }
    return s;
}

static flaw_status run_check(flaw_inspector *in, flaw_score *score, flaw_error *err)
{
    flaw_picture picture = {0};
    flaw_seen seen;
    bool sound = false;
    flaw_status s = check_picture(&picture, err);
    if (!s) s = flaw_inspector_measure(in, &picture, &seen, score, &sound, err);
    flaw_picture_release(&picture);
    if (!s && !sound) s = flaw_fail(err, FLAW_BAD_DATA, "the self-check picture gives numbers that are not finite");
    return s;
}

static flaw_status save_options(const flaw_inspector *in, flaw_record *r, flaw_error *err)
{
    const flaw_inspect_options *o = &in->options;
    const named_text texts[] = {{"options.rule", o->rule},
                                {"options.windows", o->windows},
                                {"options.score", o->score},
                                {"options.fit", o->fit},
                                {"options.method", o->method_options}};
    flaw_status s = flaw_record_put_text(r, "method", in->method->name, err);
    if (!s && o->brief) s = flaw_record_put_text(r, "brief", o->brief, err);
    if (!s) s = flaw_record_put_text(r, "object", in->object, err);
    if (!s) s = flaw_record_put_number(r, "options.lambda", o->lambda, err);
    if (!s) s = flaw_record_put_number(r, "options.tau", o->tau, err);
    if (!s) s = flaw_record_put_number(r, "options.bank_limit", o->bank_limit, err);
    if (!s) s = flaw_record_put_number(r, "options.views", in->views.count ? in->views.count : 1, err);
    for (size_t i = 0; !s && i < sizeof texts / sizeof *texts; i++)
        s = flaw_record_put_text(r, texts[i].name, texts[i].value ? texts[i].value : "", err);
    return s;
}

static flaw_status load_options(flaw_inspect_options *o, const flaw_record *r, flaw_error *err)
{
    flaw_inspect_defaults(o);
    const flaw_record_item *brief = flaw_record_find(r, "brief"); /* not every recipe has one */
    if (brief && brief->kind == FLAW_RECORD_TEXT) o->brief = brief->text;
    flaw_status s = flaw_record_text(r, "method", &o->method, err);
    if (!s) s = flaw_record_text(r, "object", &o->object, err);
    if (!s) s = flaw_record_number(r, "options.lambda", &o->lambda, err);
    if (!s) s = flaw_record_number(r, "options.tau", &o->tau, err);
    if (!s) s = flaw_record_integer(r, "options.bank_limit", 0, 1000000000, &o->bank_limit, err);
    if (!s) s = flaw_record_text(r, "options.rule", &o->rule, err);
    if (!s) s = flaw_record_text(r, "options.windows", &o->windows, err);
    if (!s) s = flaw_record_text(r, "options.score", &o->score, err);
    if (!s) s = flaw_record_text(r, "options.fit", &o->fit, err);
    if (!s && flaw_record_find(r, "options.method")) /* recipes of before have none */
        s = flaw_record_text(r, "options.method", &o->method_options, err);
    o->views = 1; /* as recipes of before looked */
    if (!s && flaw_record_find(r, "options.views"))
        s = flaw_record_integer(r, "options.views", 1, FLAW_VIEWS_MOST, &o->views, err);
    return s;
}

static const char *const precision_names[FLAW_PRECISIONS] = {"f32", "bf16", "int8"};

/* How far two runs may be apart whose products had this precision. */
static double self_check_within(const char *precision)
{
    if (!strcmp(precision, "int8")) return CHECK_WITHIN_INT8;
    return strcmp(precision, "bf16") ? CHECK_WITHIN : CHECK_WITHIN_BF16;
}

static flaw_status save_check(flaw_inspector *in, flaw_record *r, flaw_error *err)
{
    size_t grid = (size_t)in->features.cells;
    flaw_score score;
    flaw_status s = run_check(in, &score, err);
    if (!s) s = flaw_record_put_number(r, "check.score", score.image, err);
    if (!s) s = flaw_record_put_table(r, "check.map", score.map, grid, grid, err);
    if (!s) s = flaw_record_put_text(r, "check.precision", precision_names[in->engine->precision], err);
    return s;
}

flaw_status flaw_inspector_save(const flaw_inspector *inspector, const char *path, flaw_error *err)
{
    /* The self-check runs a picture through; const for the caller: nothing it can see changes. */
    flaw_inspector *in = (flaw_inspector *)inspector;
    flaw_record r;
    flaw_record_init(&r);
    flaw_status s = flaw_record_put_text(&r, "model.name", flaw_engine_model_name(in->engine), err);
    if (!s) s = flaw_record_put_text(&r, "model.hash", flaw_engine_model_hash(in->engine), err);
    if (!s) s = flaw_record_put_text(&r, "program", "flaw " FLAW_VERSION, err);
    if (!s) s = save_options(in, &r, err);
    if (!s) s = flaw_calibration_save(&in->calibration, &r, err);
    if (!s && in->method->prompts) s = flaw_prompts_save(&in->prompts, &r, err);
    if (!s) s = in->method->save(in->state, &r, err);
    if (!s) s = save_check(in, &r, err);
    if (!s) s = flaw_recipe_write(&r, path, err);
    flaw_record_release(&r);
    return s;
}

static flaw_status check_model(const flaw_engine *engine, const flaw_record *r, const char *path, flaw_error *err)
{
    const char *name, *hash;
    flaw_status s = flaw_record_text(r, "model.name", &name, err);
    if (!s) s = flaw_record_text(r, "model.hash", &hash, err);
    if (s || !strcmp(hash, flaw_engine_model_hash(engine))) return s;
    return flaw_fail(err, FLAW_USAGE, "%s: this recipe was made for the model %.60s (%.12s), not for %.60s (%.12s)",
                     path, name, hash, flaw_engine_model_name(engine), flaw_engine_model_hash(engine));
}

static flaw_status check_self(flaw_inspector *in, const flaw_record *r, const char *path, flaw_error *err)
{
    double expected;
    const float *map;
    const char *precision;
    size_t rows, grid = (size_t)in->features.cells;
    flaw_score score;
    flaw_status s = flaw_record_number(r, "check.score", &expected, err);
    if (!s) s = flaw_record_table(r, "check.map", grid, &map, &rows, err);
    if (!s) s = flaw_record_text(r, "check.precision", &precision, err);
    if (!s && rows != grid)
        s = flaw_fail(err, FLAW_BAD_DATA, "%s: the self-check map has %zu rows, not %zu", path, rows, grid);
    if (!s) s = run_check(in, &score, err);
    if (s) return s;
    double here = self_check_within(precision_names[in->engine->precision]);
    double within = fmax(here, self_check_within(precision)), worst = fabs(score.image - expected);
    for (size_t i = 0; i < grid * grid; i++) worst = fmax(worst, fabs((double)score.map[i] - (double)map[i]));
    if (worst <= within) return FLAW_OK;
    return flaw_fail(err, FLAW_BAD_DATA,
                     "%s: the recipe's self-check differs: by %.3g, allowed is %.3g; this program or "
                     "machine computes other numbers than the one that made it",
                     path, worst, within);
}

static flaw_status from_record(flaw_inspector **out, const flaw_engine *engine, const flaw_record *r, const char *path,
                               flaw_error *err)
{
    flaw_inspect_options options;
    flaw_inspector *in = NULL;
    flaw_status s = check_model(engine, r, path, err);
    if (!s) s = load_options(&options, r, err);
    if (!s) s = flaw_inspector_begin(&in, engine, &options, r, err);
    if (s) return s;
    s = in->method->load(in->state, r, err);
    if (!s) s = flaw_calibration_load(&in->calibration, r, err);
    if (!s) s = check_self(in, r, path, err);
    if (s) {
        flaw_inspector_free(in);
        return s;
    }
    *out = in;
    return FLAW_OK;
}

flaw_status flaw_inspector_from_recipe(flaw_inspector **out, const flaw_engine *engine, const char *path,
                                       flaw_error *err)
{
    flaw_record r;
    flaw_error why = {0};
    flaw_status s = flaw_recipe_read(&r, path, err);
    if (s) return s;
    s = from_record(out, engine, &r, path, &why);
    flaw_record_release(&r);
    if (!s) return FLAW_OK;
    /* Whatever is wrong inside, the message names the file. */
    return strncmp(why.text, path, strlen(path)) ? flaw_fail(err, s, "%s: %s", path, why.text)
                                                 : flaw_fail(err, s, "%s", why.text);
}
