/* A data set of simulated anomalies on disk: MVTec layout, dialogues, contact sheet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "detect/regions.h"
#include "image/write_png.h"
#include "simulate/simulate_inside.h"
#include "learn/simulate_sheet.h"

enum { PATH_ROOM = 4096, DIALOGUES_MOST = 1 << 30, STREAM_SOURCE = 1, STREAM_PATCHES = 2, STREAMS = 4 };

typedef struct writer {
    const flaw_simulate_set *set;
    const char *root;
    const char **train, **test; /* readable pictures of each part, borrowed */
    flaw_buffer dialogues;
    flaw_sheet sheet;
    flaw_simulate_summary summary;
    size_t done, total;
    bool stopped;
} writer;

static flaw_status check(const flaw_simulate_set *set, const char *folder, flaw_error *err)
{
    if (set->good_count == 0) return flaw_fail(err, FLAW_USAGE, "simulation: no pictures of good parts");
    if (set->count < 0 || set->count > 1000000)
        return flaw_fail(err, FLAW_USAGE, "simulation: %d pictures, allowed 0 .. 1000000", set->count);
    if (set->most_patches < 0 || set->most_patches > FLAW_SIMULATE_PATCHES)
        return flaw_fail(err, FLAW_USAGE, "simulation: %d patches, allowed 1 .. %d", set->most_patches,
                         FLAW_SIMULATE_PATCHES);
    if (!set->poisson && !set->paste) return flaw_fail(err, FLAW_USAGE, "simulation: neither blend is asked for");
    if (strlen(folder) > PATH_ROOM - 100)
        return flaw_fail(err, FLAW_USAGE, "simulation: path of folder '%.100s...' is too long", folder);
    return FLAW_OK;
}

static void path_of(char out[PATH_ROOM], const writer *w, const char *inside)
{
    snprintf(out, PATH_ROOM, "%s/%s", w->root, inside);
}

/* Folders of pictures; the last two only with both blends. */
static const char *const folders[] = {"train/good",  "test/good",          "test/simulated", "ground_truth/simulated",
                                      "test/pasted", "ground_truth/pasted"};
enum { FOLDERS = 6, FOLDERS_OF_ONE = 4 };

/* Pictures of an earlier run would be measured along with the new ones. */
static flaw_status check_empty(const writer *w, flaw_error *err)
{
    for (int i = 0; i < FOLDERS; i++) {
        char path[PATH_ROOM];
        flaw_names names;
        path_of(path, w, folders[i]);
        if (!flaw_file_is_folder(path)) continue;
        flaw_status status = flaw_file_list(&names, path, err);
        if (status != FLAW_OK) return status;
        size_t count = names.count;
        flaw_names_release(&names);
        if (count)
            return flaw_fail(err, FLAW_USAGE, "folder '%s' is not empty; a new data set needs a folder of its own",
                             path);
    }
    return FLAW_OK;
}

static flaw_status make_folders(const writer *w, flaw_error *err)
{
    int count = w->set->poisson && w->set->paste ? FOLDERS : FOLDERS_OF_ONE;
    flaw_status status = check_empty(w, err);
    for (int i = 0; i < count && status == FLAW_OK; i++) {
        char path[PATH_ROOM];
        path_of(path, w, folders[i]);
        status = flaw_file_make_folder(path, err);
    }
    return status;
}

static void step(writer *w, const char *what)
{
    w->done++;
    if (w->set->progress && w->set->progress(w->set->context, w->done, w->total, what)) w->stopped = true;
}

static const char *object_of(const writer *w)
{
    return w->set->object ? w->set->object : "object";
}

static const char *place_of(const flaw_simulated *s, int i)
{
    return flaw_place_name((s->x[i] + 0.5) / s->picture.width, (s->y[i] + 0.5) / s->picture.height);
}

/* s NULL: a good picture. */
static void answer_of(char out[512], const flaw_simulated *s)
{
    const char *place[FLAW_SIMULATE_PATCHES];
    int count = s ? s->patches : 0;
    for (int i = 0; i < count; i++) place[i] = place_of(s, i);
    flaw_simulate_answer(out, 512, count, place);
}

/* One line of dialogues.jsonl; s and mask NULL for a good picture. */
static flaw_status say(writer *w, const char *image, const char *mask, const char *from, const char *blend,
                       const flaw_simulated *s, flaw_error *err)
{
    char question[1024], answer[512];
    flaw_simulate_question(question, sizeof question, object_of(w));
    answer_of(answer, s);
    json_t *places = json_array(), *centres = json_array(), *boxes = json_array();
    for (int i = 0; s && i < s->patches; i++) {
        const int *b = s->box[i];
        json_array_append_new(places, json_string(place_of(s, i)));
        json_array_append_new(centres, json_pack("[i,i]", s->x[i], s->y[i]));
        json_array_append_new(boxes, json_pack("[i,i,i,i]", b[0], b[1], b[2], b[3]));
    }
    json_t *line = json_pack("{s:s, s:s?, s:o, s:o, s:s?, s:b, s:i, s:o, s:o, s:o, s:o, s:s}", "image", image, "mask",
                             mask, "from", flaw_json_text(from), "object", flaw_json_text(object_of(w)), "blend", blend,
                             "anomalous", s != NULL, "count", s ? s->patches : 0, "places", places, "centres", centres,
                             "boxes", boxes, "question", flaw_json_text(question), "answer", answer);
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    if (!text) return flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for the dialogue of '%s'", image);
    flaw_buffer_printf(&w->dialogues, "%s\n", text);
    free(text);
    return FLAW_OK;
}

/* *ok false: the picture is left out, and that was told. */
static void read_picture(flaw_picture *out, bool *ok, writer *w, const char *path)
{
    flaw_error err;
    *ok = flaw_picture_read(out, path, &err) == FLAW_OK;
    if (*ok) return;
    w->summary.unreadable++;
    if (w->set->unreadable) w->set->unreadable(w->set->context, &err);
}

/* Every second readable picture is for training, the first is not. */
static flaw_status write_good(writer *w, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < w->set->good_count && status == FLAW_OK && !w->stopped; i++) {
        flaw_picture picture;
        bool ok;
        read_picture(&picture, &ok, w, w->set->good[i]);
        if (ok) {
            bool train = (w->summary.train + w->summary.test) % 2 == 1;
            int number = train ? w->summary.train++ : w->summary.test++;
            char inside[64], path[PATH_ROOM];
            (train ? w->train : w->test)[number] = w->set->good[i];
            snprintf(inside, sizeof inside, "%s/good/%03d.png", train ? "train" : "test", number);
            path_of(path, w, inside);
            status = flaw_picture_write_png(&picture, path, err);
            if (status == FLAW_OK && !train) status = say(w, inside, NULL, w->set->good[i], NULL, NULL, err);
            flaw_picture_release(&picture);
        }
        step(w, "copied");
    }
    if (status == FLAW_OK && !w->stopped && w->summary.test == 0)
        return flaw_fail(err, FLAW_BAD_DATA, "simulation: none of %zu pictures could be read", w->set->good_count);
    return status;
}

static flaw_status write_simulated(writer *w, const flaw_simulated *s, const char *kind, const char *blend,
                                   const char *from, flaw_error *err)
{
    char image[64], mask[64], path[PATH_ROOM];
    size_t pixels = (size_t)s->picture.width * (size_t)s->picture.height;
    snprintf(image, sizeof image, "test/%s/%03d.png", kind, w->summary.simulated);
    snprintf(mask, sizeof mask, "ground_truth/%s/%03d_mask.png", kind, w->summary.simulated);
    uint8_t *marked = malloc(pixels);
    if (!marked) return flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for the mask of '%s'", image);
    for (size_t i = 0; i < pixels; i++) marked[i] = s->label[i] > FLAW_SIMULATE_MASK;
    path_of(path, w, image);
    flaw_status status = flaw_picture_write_png(&s->picture, path, err);
    path_of(path, w, mask);
    if (status == FLAW_OK) status = flaw_mask_write_png(marked, s->picture.width, s->picture.height, path, err);
    free(marked);
    return status == FLAW_OK ? say(w, image, mask, from, blend, s, err) : status;
}

/* Another picture to cut from; NULL: there is only this one. */
static const char *choose_source(const writer *w, flaw_random *r)
{
    const flaw_simulate_set *set = w->set;
    if (set->source_count) return set->source[flaw_random_below(r, (int)set->source_count)];
    if (w->summary.train) return w->train[flaw_random_below(r, w->summary.train)];
    return NULL;
}

static flaw_status write_blends(writer *w, const flaw_simulated blends[2], const flaw_picture *picture,
                                const char *from, flaw_error *err)
{
    const flaw_simulate_set *set = w->set;
    char answer[512], words[600];
    flaw_status status = FLAW_OK;
    if (set->poisson) status = write_simulated(w, &blends[FLAW_BLEND_POISSON], "simulated", "poisson", from, err);
    if (status == FLAW_OK && set->paste)
        status =
            write_simulated(w, &blends[FLAW_BLEND_PASTE], set->poisson ? "pasted" : "simulated", "paste", from, err);
    answer_of(answer, &blends[FLAW_BLEND_POISSON]);
    snprintf(words, sizeof words, "%03d   %s", w->summary.simulated, answer);
    if (status == FLAW_OK)
        status = flaw_sheet_add(&w->sheet, picture, &blends[FLAW_BLEND_PASTE], &blends[FLAW_BLEND_POISSON], words, err);
    w->summary.simulated++;
    return status;
}

/* Number i of the simulated pictures. Both blends are made where they are written or shown on the sheet. */
static flaw_status simulate_one(writer *w, int i, flaw_error *err)
{
    const flaw_simulate_set *set = w->set;
    const char *from = w->test[i % w->summary.test];
    flaw_random r;
    flaw_random_init(&r, set->seed, STREAMS * (uint64_t)i + STREAM_SOURCE);
    const char *source_path = choose_source(w, &r);
    flaw_picture picture, source = {0};
    flaw_simulate_preset preset;
    flaw_simulated blends[2];
    memset(blends, 0, sizeof blends);
    bool ok, has_source = false;
    read_picture(&picture, &ok, w, from);
    if (!ok) return FLAW_OK; /* it was readable a moment ago */
    if (source_path) read_picture(&source, &has_source, w, source_path);
    flaw_status status = flaw_simulate_preset_find(&preset, object_of(w), &picture, err);
    bool show = !flaw_sheet_full(&w->sheet);
    for (flaw_blend b = FLAW_BLEND_POISSON; b <= FLAW_BLEND_PASTE && status == FLAW_OK; b++) {
        const flaw_simulate_options options = {&preset, b, set->most_patches, set->seed,
                                               STREAMS * (unsigned long long)i + STREAM_PATCHES};
        if (show || b == FLAW_BLEND_POISSON || set->paste)
            status = flaw_simulate(&blends[b], &picture, has_source ? &source : NULL, &options, err);
    }
    if (status == FLAW_OK && blends[0].patches == 0) w->summary.unplaced++;
    else if (status == FLAW_OK) status = write_blends(w, blends, &picture, from, err);
    flaw_simulated_release(&blends[0]);
    flaw_simulated_release(&blends[1]);
    flaw_picture_release(&picture);
    flaw_picture_release(&source);
    return status;
}

static flaw_status write_all(writer *w, flaw_error *err)
{
    flaw_status status = make_folders(w, err);
    if (status == FLAW_OK) status = write_good(w, err);
    int count = w->set->count ? w->set->count : w->summary.test;
    w->total = w->set->good_count + (size_t)count;
    for (int i = 0; i < count && status == FLAW_OK && !w->stopped; i++) {
        status = simulate_one(w, i, err);
        step(w, "simulated");
    }
    char path[PATH_ROOM];
    path_of(path, w, "dialogues.jsonl");
    if (status == FLAW_OK && w->dialogues.failed)
        status =
            flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for dialogues of more than %d bytes", DIALOGUES_MOST);
    if (status == FLAW_OK)
        status = flaw_file_write(path, w->dialogues.data ? w->dialogues.data : "", w->dialogues.size, err);
    path_of(path, w, "contact.png");
    return status == FLAW_OK && w->sheet.rows ? flaw_sheet_write(&w->sheet, object_of(w), path, err) : status;
}

flaw_status flaw_simulate_write(flaw_simulate_summary *out, const char *folder, const flaw_simulate_set *set,
                                flaw_error *err)
{
    flaw_status status = check(set, folder, err);
    if (status != FLAW_OK) return status;
    writer w = {.set = set, .root = folder};
    w.total = set->good_count + (set->count ? (size_t)set->count : (set->good_count + 1) / 2);
    w.train = calloc(set->good_count + 1, sizeof *w.train);
    w.test = calloc(set->good_count + 1, sizeof *w.test);
    flaw_buffer_init(&w.dialogues, DIALOGUES_MOST);
    if (w.train && w.test) status = write_all(&w, err);
    else status = flaw_fail(err, FLAW_NO_MEMORY, "simulation: no memory for %zu paths", set->good_count);
    if (status == FLAW_OK) *out = w.summary;
    flaw_sheet_release(&w.sheet);
    flaw_buffer_release(&w.dialogues);
    free(w.train);
    free(w.test);
    return status;
}
