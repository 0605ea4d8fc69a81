/* A drawn data set on disk: MVTec layout, captions, contact sheet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/random.h"
#include "flaw/scenes.h"
#include "image/resize.h"
#include "image/write_png.h"

enum { SHEET_ACROSS = 8, SHEET_MOST = 64, SHEET_TILE = 128, SHEET_GAP = 2, PATH_ROOM = 1024, STREAM_FOLDER = 1000 };

typedef struct writer {
    const char *root;
    const flaw_scenes_options *options;
    flaw_scenes_progress progress;
    void *context;
    flaw_buffer captions;
    flaw_picture sheet;
    int shown, done, total;
    bool stopped;
} writer;

void flaw_scenes_options_init(flaw_scenes_options *o)
{
    *o = (flaw_scenes_options){
        .count = 200, .size = 224, .kind = -1, .split = FLAW_SPLIT_TRAIN, .anomalous_share = 0.3, .products = 1};
}

static flaw_status check(const flaw_scenes_options *o, flaw_error *err)
{
    if (o->count < 1 || o->count > 1000000)
        return flaw_fail(err, FLAW_USAGE, "scenes: count %d, allowed 1 .. 1000000", o->count);
    if (o->products < 1 || o->products > 1000)
        return flaw_fail(err, FLAW_USAGE, "scenes: %d products per kind, allowed 1 .. 1000", o->products);
    if (!(o->anomalous_share >= 0 && o->anomalous_share <= 1))
        return flaw_fail(err, FLAW_USAGE, "scenes: anomalous share %g, allowed 0 .. 1", o->anomalous_share);
    if (o->split < FLAW_SPLIT_TRAIN || o->split > FLAW_SPLIT_ALL)
        return flaw_fail(err, FLAW_USAGE, "scenes: split %d, allowed 0 .. 2", (int)o->split);
    return FLAW_OK;
}

static bool wanted(const flaw_scenes_options *o, int kind)
{
    if (o->kind >= 0) return kind == o->kind;
    return o->split == FLAW_SPLIT_ALL || flaw_scene_kind_held_out(kind) == (o->split == FLAW_SPLIT_HELD_OUT);
}

/* Folder names carry no spaces. */
static void underscore(char *text)
{
    for (; *text; text++)
        if (*text == ' ') *text = '_';
}

/* Thick enough to survive the shrinking of the sheet. */
static void outline(flaw_scene *s)
{
    int n = s->picture.width, r = 1 + n / 256;
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            if (!s->mask[y * n + x]) continue;
            bool border = false;
            for (int b = -r; b <= r && !border; b++)
                for (int a = -r; a <= r && !border; a++) {
                    int px = x + a, py = y + b;
                    border = px < 0 || py < 0 || px >= n || py >= n || !s->mask[py * n + px];
                }
            uint8_t *p = s->picture.rgb + 3 * (y * n + x);
            if (border) p[0] = 255, p[1] = 0, p[2] = 255;
        }
}

static flaw_status show(writer *w, flaw_scene *s, flaw_error *err)
{
    if (w->shown >= SHEET_MOST) return FLAW_OK;
    outline(s);
    flaw_picture small;
    flaw_status st = flaw_picture_resize(&small, &s->picture, SHEET_TILE, SHEET_TILE, FLAW_FILTER_BICUBIC, err);
    if (st) return st;
    int left = w->shown % SHEET_ACROSS * (SHEET_TILE + SHEET_GAP),
        top = w->shown / SHEET_ACROSS * (SHEET_TILE + SHEET_GAP);
    for (int y = 0; y < SHEET_TILE; y++)
        memcpy(w->sheet.rgb + 3 * ((size_t)(top + y) * (size_t)w->sheet.width + (size_t)left),
               small.rgb + 3 * y * SHEET_TILE, 3 * SHEET_TILE);
    flaw_picture_release(&small);
    w->shown++;
    return FLAW_OK;
}

/* All words come from the tables of kinds and defects: lower-case letters, digits and spaces, nothing to escape. */
static void say(writer *w, const flaw_scene *s, const char *image, const char *mask)
{
    flaw_buffer_printf(&w->captions, "{\"image\":\"%s\",\"mask\":", image);
    if (mask) flaw_buffer_printf(&w->captions, "\"%s\"", mask);
    else flaw_buffer_text(&w->captions, "null");
    flaw_buffer_printf(
        &w->captions,
        ",\"object\":\"%s\",\"material\":\"%s\",\"background\":\"%s\",\"anomalous\":%s,\"defect\":\"%s\","
        "\"defect_count\":%d,\"place\":\"%s\",\"held_out\":%s,\"caption\":\"%s\"}\n",
        s->object, s->material, s->background, s->anomalous ? "true" : "false", s->defect, s->defect_count, s->place,
        s->held_out ? "true" : "false", s->caption);
}

static flaw_status make_folder(const char *root, const char *inside, flaw_error *err)
{
    char path[PATH_ROOM];
    if (snprintf(path, sizeof path, "%s/%s", root, inside) >= (int)sizeof path)
        return flaw_fail(err, FLAW_USAGE, "scenes: path of folder '%.100s' is too long", root);
    return flaw_file_make_folder(path, err);
}

static flaw_status write_scene(writer *w, flaw_scene *s, const char *folder, const char *part, int number,
                               flaw_error *err)
{
    char defect[64], inside[256], image[320], mask[320], path[PATH_ROOM + 320];
    snprintf(defect, sizeof defect, "%s", s->anomalous ? s->defect : "good");
    underscore(defect);
    snprintf(inside, sizeof inside, "%s/%s/%s", folder, part, defect);
    snprintf(image, sizeof image, "%s/%03d.png", inside, number);
    flaw_status st = make_folder(w->root, inside, err);
    snprintf(path, sizeof path, "%s/%s", w->root, image);
    if (!st) st = flaw_picture_write_png(&s->picture, path, err);
    if (!st && s->anomalous) {
        snprintf(inside, sizeof inside, "%s/ground_truth/%s", folder, defect);
        snprintf(mask, sizeof mask, "%s/%03d_mask.png", inside, number);
        st = make_folder(w->root, inside, err);
        snprintf(path, sizeof path, "%s/%s", w->root, mask);
        if (!st) st = flaw_mask_write_png(s->mask, s->picture.width, s->picture.height, path, err);
    }
    if (st) return st;
    say(w, s, image, s->anomalous ? mask : NULL);
    return show(w, s, err);
}

/* `count` pictures of one product: good ones for training and testing in turn, then the anomalous ones. */
static flaw_status write_product(writer *w, int kind, int product, int count, flaw_error *err)
{
    const flaw_scenes_options *o = w->options;
    flaw_random r;
    flaw_random_init(&r, o->seed, STREAM_FOLDER + (uint64_t)kind * 1000 + (uint64_t)product);
    flaw_scene_options each = {
        .size = o->size, .kind = kind, .split = FLAW_SPLIT_ALL, .one_product = true, .product = flaw_random_u64(&r)};
    char folder[80], suffix[12] = "";
    if (product > 0) snprintf(suffix, sizeof suffix, "-%d", product + 1);
    snprintf(folder, sizeof folder, "%s%s", flaw_scene_kind_name(kind), suffix);
    underscore(folder);
    int bad = (int)(o->anomalous_share * count + 0.5), good = count - bad, train = (good + 1) / 2;
    flaw_status st = FLAW_OK;
    for (int i = 0; i < count && !st && !w->stopped; i++) {
        flaw_scene s;
        each.anomalous = i >= good;
        st = flaw_scene_draw(&s, &each, flaw_random_u64(&r), err);
        if (st) break;
        int number = i < train ? i : i < good ? i - train : i - good;
        st = write_scene(w, &s, folder, i < train ? "train" : "test", number, err);
        flaw_scene_release(&s);
        w->done++;
        if (!st && w->progress && !w->progress(w->context, w->done, w->total)) w->stopped = true;
    }
    return st;
}

static flaw_status write_all(writer *w, int kinds, flaw_error *err)
{
    const flaw_scenes_options *o = w->options;
    int folders = kinds * o->products, at = 0;
    w->total = o->count > folders ? o->count : folders;
    flaw_status st = FLAW_OK;
    for (int kind = 0; kind < flaw_scene_kind_count() && !st; kind++) {
        if (!wanted(o, kind)) continue;
        for (int product = 0; product < o->products && !st && !w->stopped; product++, at++) {
            int share = w->total / folders + (at < w->total % folders);
            st = write_product(w, kind, product, share, err);
        }
    }
    return st;
}

static flaw_status write_summary(writer *w, flaw_error *err)
{
    char path[PATH_ROOM + 32];
    if (w->captions.failed) return flaw_fail(err, FLAW_NO_MEMORY, "scenes: no memory for %d captions", w->done);
    snprintf(path, sizeof path, "%s/captions.jsonl", w->root);
    flaw_status st = flaw_file_write(path, w->captions.data ? w->captions.data : "", w->captions.size, err);
    snprintf(path, sizeof path, "%s/sheet.png", w->root);
    return st ? st : flaw_picture_write_png(&w->sheet, path, err);
}

flaw_status flaw_scenes_write(const char *folder, const flaw_scenes_options *options, flaw_scenes_progress progress,
                              void *context, flaw_error *err)
{
    flaw_status st = check(options, err);
    if (st) return st;
    if (strlen(folder) >= PATH_ROOM - 300)
        return flaw_fail(err, FLAW_USAGE, "scenes: path of folder '%.100s...' is too long", folder);
    int kinds = 0, count = flaw_scene_kind_count();
    for (int i = 0; i < count; i++) kinds += wanted(options, i);
    if (kinds == 0) return flaw_fail(err, FLAW_USAGE, "scenes: kind %d, allowed -1 .. %d", options->kind, count - 1);
    writer w = {.root = folder, .options = options, .progress = progress, .context = context};
    int folders = kinds * options->products, total = options->count > folders ? options->count : folders;
    int tiles = total < SHEET_MOST ? total : SHEET_MOST, rows = (tiles + SHEET_ACROSS - 1) / SHEET_ACROSS;
    flaw_buffer_init(&w.captions, (size_t)1 << 30);
    st = flaw_picture_new(&w.sheet, SHEET_ACROSS * (SHEET_TILE + SHEET_GAP), rows * (SHEET_TILE + SHEET_GAP), err);
    if (!st) st = flaw_file_make_folder(folder, err);
    if (!st) st = write_all(&w, kinds, err);
    if (!st) st = write_summary(&w, err);
    flaw_buffer_release(&w.captions);
    flaw_picture_release(&w.sheet);
    return st;
}
