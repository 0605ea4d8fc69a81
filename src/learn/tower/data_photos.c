#include "learn/tower/data_photos.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "image/resize.h"

/* Parts of paths that say nothing about what is seen. */
static const char *const noise_words[] = {
    "img",    "image",    "images",  "photo",    "photos", "picture", "pictures", "train", "training", "test",  "temp",
    "good",   "normal",   "src",     "data",     "static", "pix",     "dataset",  "resized", "previews", "external",
    "group",  "general",  "textures", "texture", "materials", "assets", "resources", "albedo", "diffuse", "base",
    "color",  "col",      "preparation", "object", "objects", "step", "validation", "pcbdata", "jpg", "px", "srgb",
};

static bool is_noise(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof noise_words / sizeof *noise_words; i++)
        if (strlen(noise_words[i]) == length && !memcmp(noise_words[i], word, length)) return true;
    return length < 3;
}

/* Lower-case words of text[0, length), noise left out; a part with letters and digits mixed (a hash) gives none. */
static void words_of(char out[FLAW_NAME], const char *text, size_t length)
{
    size_t used = 0;
    out[0] = 0;
    for (size_t at = 0; at < length;) {
        size_t from = at;
        char word[FLAW_NAME];
        size_t n = 0;
        bool digits = false;
        for (; at < length && isalnum((unsigned char)text[at]); at++) {
            bool camel = at > from && isupper((unsigned char)text[at]) && islower((unsigned char)text[at - 1]);
            if (camel) break;
            if (isdigit((unsigned char)text[at])) digits = true;
            else if (digits) n = FLAW_NAME; /* letters after digits: not a word */
            else if (n < FLAW_NAME - 1) word[n++] = (char)tolower((unsigned char)text[at]);
        }
        if (at == from) at++;
        if (n == 0 || n >= FLAW_NAME - 1 || is_noise(word, n) || used + n + 2 > FLAW_NAME) continue;
        if (used) out[used++] = ' ';
        memcpy(out + used, word, n);
        used += n;
        out[used] = 0;
    }
}

static bool looks_like_hash(const char *text, size_t length)
{
    size_t digits = 0;
    for (size_t i = 0; i < length; i++) digits += isdigit((unsigned char)text[i]) != 0;
    return length > 12 && digits * 4 > length;
}

void flaw_photo_name(char out[FLAW_NAME], const char *path)
{
    size_t length = strlen(path);
    const char *dot = strrchr(path, '.');
    size_t end = dot && !strchr(dot, '/') ? (size_t)(dot - path) : length;
    out[0] = 0;
    while (end > 0 && !out[0]) {
        size_t from = end;
        while (from > 0 && path[from - 1] != '/' && !(from > 1 && path[from - 1] == '_' && path[from - 2] == '_'))
            from--;
        if (!looks_like_hash(path + from, end - from)) words_of(out, path + from, end - from);
        end = from;
        while (end > 0 && (path[end - 1] == '/' || path[end - 1] == '_')) end--;
    }
}

typedef struct listing {
    char **path;
    const flaw_train_source **source;
    size_t count, capacity;
} listing;

static flaw_status list_one(listing *l, const char *path, const flaw_train_source *source, flaw_error *err)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 256;
        char **paths = realloc(l->path, capacity * sizeof *paths);
        if (paths) l->path = paths;
        const flaw_train_source **from = realloc(l->source, capacity * sizeof *from);
        if (from) l->source = from;
        if (!paths || !from) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to list photographs");
        l->capacity = capacity;
    }
    l->path[l->count] = strdup(path);
    if (!l->path[l->count]) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to list photographs");
    l->source[l->count++] = source;
    return FLAW_OK;
}

static bool is_picture_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") || !strcasecmp(dot, ".png") ||
                   !strcasecmp(dot, ".bmp"));
}

#define MAX_DEPTH 8

static flaw_status list_folder(listing *l, const char *folder, const flaw_train_source *source, int depth,
                               flaw_error *err)
{
    flaw_names names;
    flaw_status status = flaw_file_list(&names, folder, err);
    if (status) return status;
    for (size_t i = 0; i < names.count && !status; i++) {
        char path[4096];
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, names.name[i]) >= sizeof path) continue;
        bool wanted = !source->prefix || !strncmp(names.name[i], source->prefix, strlen(source->prefix));
        if (flaw_file_is_folder(path)) {
            if (depth < MAX_DEPTH) status = list_folder(l, path, source, depth + 1, err);
        } else if (wanted && is_picture_name(names.name[i])) {
            status = list_one(l, path, source, err);
        }
    }
    flaw_names_release(&names);
    return status;
}

typedef struct loading {
    const listing *list;
    const flaw_train_source *sources;
    flaw_photo *item;
    flaw_status *status;
    flaw_error *error;
} loading;

static flaw_status load_one(flaw_photo *photo, const char *path, flaw_error *err)
{
    flaw_picture read = {0};
    flaw_status status = flaw_picture_read(&read, path, err);
    if (status) return status;
    int shorter = read.width < read.height ? read.width : read.height;
    if (shorter <= FLAW_PHOTO_SIDE) {
        photo->picture = read;
        return FLAW_OK;
    }
    double by = (double)FLAW_PHOTO_SIDE / shorter;
    int width = (int)(read.width * by + 0.5), height = (int)(read.height * by + 0.5);
    status = flaw_picture_resize(&photo->picture, &read, width, height, FLAW_FILTER_BICUBIC, err);
    flaw_picture_release(&read);
    return status;
}

static void load_piece(void *context, int piece, int worker)
{
    const loading *l = context;
    (void)worker;
    const flaw_train_source *source = l->list->source[piece];
    l->status[piece] = load_one(&l->item[piece], l->list->path[piece], &l->error[piece]);
    if (source->name && source->name[0]) snprintf(l->item[piece].name, FLAW_NAME, "%s", source->name);
    else flaw_photo_name(l->item[piece].name, l->list->path[piece] + strlen(source->folder));
    l->item[piece].end = source->weight;
    l->item[piece].product = source->name && source->name[0] ? 1 + (int)(source - l->sources) : 0;
}

static flaw_status load_all(flaw_photos *out, const listing *list, const flaw_train_source *sources, flaw_pool *pool,
                            flaw_error *err)
{
    loading l = {.list = list, .sources = sources, .item = calloc(list->count, sizeof *l.item)};
    l.status = calloc(list->count, sizeof *l.status);
    l.error = calloc(list->count, sizeof *l.error);
    flaw_status status = FLAW_OK;
    if (!l.item || !l.status || !l.error)
        status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu photographs", list->count);
    if (!status) flaw_pool_run(pool, load_piece, &l, (int)list->count);
    for (size_t i = 0; i < list->count && !status; i++) {
        status = l.status[i];
        if (status && err) *err = l.error[i];
        if (i) l.item[i].end += l.item[i - 1].end;
    }
    flaw_photos loaded = {.item = l.item, .count = l.item ? list->count : 0};
    free(l.status);
    free(l.error);
    if (status) flaw_photos_release(&loaded);
    else *out = loaded;
    return status;
}

flaw_status flaw_photos_load(flaw_photos *out, const flaw_train_source *sources, int count, flaw_pool *pool,
                             flaw_error *err)
{
    listing list = {0};
    flaw_status status = FLAW_OK;
    for (int i = 0; i < count && !status; i++) {
        size_t before = list.count;
        status = list_folder(&list, sources[i].folder, &sources[i], 0, err);
        if (!status && list.count == before)
            status =
                flaw_fail(err, FLAW_MISSING, "%s: no photographs (.jpg, .jpeg, .png, .bmp)%s%s", sources[i].folder,
                          sources[i].prefix ? " that begin with " : "", sources[i].prefix ? sources[i].prefix : "");
    }
    *out = (flaw_photos){0};
    if (!status && list.count) status = load_all(out, &list, sources, pool, err);
    for (size_t i = 0; i < list.count; i++) free(list.path[i]);
    free(list.path);
    free(list.source);
    return status;
}

void flaw_photos_release(flaw_photos *photos)
{
    for (size_t i = 0; i < photos->count; i++) flaw_picture_release(&photos->item[i].picture);
    free(photos->item);
    *photos = (flaw_photos){0};
}

const flaw_photo *flaw_photos_pick(const flaw_photos *photos, flaw_random *random)
{
    double at = flaw_random_uniform(random) * photos->item[photos->count - 1].end;
    size_t low = 0, high = photos->count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (photos->item[middle].end > at) high = middle;
        else low = middle + 1;
    }
    return &photos->item[low];
}
