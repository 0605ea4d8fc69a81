#include "model/bundle/describe.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "model/voice/anomalygpt_files.h"
#include "model/open/clip_load.h"
#include "model/bundle/describe_part.h"
#include "model/bundle/embedded.h"
#include "model/open/look.h"

void flaw_describe_text(json_t *o, const char *key, flaw_buffer *text)
{
    if (!text->failed) json_object_set_new(o, key, json_string(text->data ? text->data : ""));
    flaw_buffer_release(text);
}

static void tower(json_t *o, const char *key, const flaw_block_shape *b, int layers, const char *extra, int x, int y)
{
    static const char *const activation[] = {"no activation", "GELU", "QuickGELU", "SiLU"};
    flaw_buffer text;
    flaw_buffer_init(&text, 1024);
    flaw_buffer_printf(&text, "%d blocks, width %d, %d heads, hidden %d, %s%s, ", layers, b->width, b->heads, b->hidden,
                       b->gated ? "gated " : "", activation[b->act]);
    flaw_buffer_printf(&text, extra, x, y);
    flaw_describe_text(o, key, &text);
}

static void describe_shape(json_t *o, const flaw_clip_shape *s)
{
    const flaw_prepare_shape *p = &s->prepare;
    flaw_buffer text;
    tower(o, "image", &s->image, s->image_layers, "pictures of %d pixels in patches of %d", s->side, s->patch);
    if (s->text.width) tower(o, "text", &s->text, s->text_layers, "%d tokens of %d", s->context, s->vocab);
    if (s->registers) json_object_set_new(o, "registers", json_integer(s->registers));
    if (s->joint) json_object_set_new(o, "joint", json_integer(s->joint));
    if (s->classes) json_object_set_new(o, "classes", json_integer(s->classes));
    if (s->local_head) json_object_set_new(o, "local_head", json_true());
    flaw_buffer_init(&text, 1024);
    flaw_buffer_printf(&text, "shorter side to %d, centre %d, mean %.4g %.4g %.4g, deviation %.4g %.4g %.4g",
                       p->resize_to, s->side, (double)p->mean[0], (double)p->mean[1], (double)p->mean[2],
                       (double)p->std[0], (double)p->std[1], (double)p->std[2]);
    flaw_describe_text(o, "prepare", &text);
}

/* Does a tensor count to the part whose names begin so? */
static bool belongs(const char *name, const char *begin)
{
    if (begin) return strncmp(name, begin, strlen(begin)) == 0;
    return strncmp(name, "language.", 9) != 0 && strncmp(name, "voice.", 6) != 0;
}

/* "F16 120, I64 2": tensors of each type. */
void flaw_describe_types(json_t *o, const flaw_tensors *t, const char *begin)
{
    size_t count[FLAW_DTYPE_Q6_K + 1] = {0}, all = 0;
    flaw_buffer text;
    flaw_buffer_init(&text, 1024);
    for (size_t i = 0; i < t->count; i++) {
        if (!belongs(t->item[i].name, begin)) continue;
        count[t->item[i].dtype]++;
        all++;
    }
    for (size_t d = 0; d <= FLAW_DTYPE_Q6_K; d++)
        if (count[d])
            flaw_buffer_printf(&text, "%s%s %zu", text.size ? ", " : "", flaw_dtype_name((flaw_dtype)d), count[d]);
    json_object_set_new(o, "tensors", json_integer((json_int_t)all));
    flaw_describe_text(o, "dtype", &text);
}

static void describe_list(json_t *o, const char *key, const flaw_name_list *list)
{
    if (!list->count) return;
    json_t *names = json_array();
    for (size_t i = 0; i < list->count; i++) json_array_append_new(names, json_string(list->name[i]));
    json_object_set_new(o, key, names);
}

void flaw_describe_binding(json_t *o, const flaw_binding *b)
{
    json_object_set_new(o, "parameters", json_integer((json_int_t)b->list->total));
    describe_list(o, "missing", &b->missing);
    describe_list(o, "left_over", &b->left_over);
    describe_list(o, "misshapen", &b->misshapen);
}

static flaw_status describe_tokenizer(json_t *o, const flaw_source *s, flaw_error *err)
{
    flaw_tokenizer *t = NULL;
    flaw_status status = flaw_source_tokenizer(&t, s, err);
    if (status || !t) return status;
    flaw_buffer text;
    flaw_buffer_init(&text, 256);
    flaw_buffer_printf(&text, "%d tokens, start %d, end %d", flaw_tokenizer_vocab(t), flaw_tokenizer_start(t),
                       flaw_tokenizer_end(t));
    flaw_describe_text(o, "tokenizer", &text);
    flaw_tokenizer_free(t);
    return FLAW_OK;
}

/* Read all weights, which finds what is not finite, and name them by their hash; one at a time, for they may be large.
 */
static flaw_status describe_weights(json_t *o, const flaw_source *s, const flaw_binding *b, flaw_error *err)
{
    flaw_clip *m = NULL;
    struct flaw_clip_origin origin = {.binding = *b};
    char hex[65];
    flaw_status status = flaw_clip_new(&m, &s->shape, s->name, err);
    if (status) return status;
    for (size_t i = 0; i < m->list.count && !status; i++) {
        float *at = m->weights + m->list.item[i].offset;
        status = flaw_binding_read_one(b, i, at, err);
        flaw_pages_give_back(&m->pages, at, m->list.item[i].count * sizeof *at);
    }
    if (!status) {
        m->origin = &origin;
        flaw_clip_hash(m, NULL, hex);
        m->origin = NULL;
        json_object_set_new(o, "hash", json_string(hex));
    }
    flaw_clip_close(m);
    return status;
}

/* The first failure is what counts, but the lists and the tokenizer are described all the same. */
static flaw_status describe_source(json_t *o, const flaw_source *s, flaw_arena *arena, flaw_error *err)
{
    flaw_parameters list;
    flaw_binding b;
    flaw_error second;
    json_object_set_new(o, "form", json_string(flaw_form_name(s->form)));
    json_object_set_new(o, "weights", json_string(s->weights));
    if (s->config) json_object_set_new(o, "config", json_string(s->config));
    describe_shape(o, &s->shape);
    flaw_describe_types(o, &s->tensors, NULL);
    flaw_status status = flaw_clip_parameters(&list, &s->shape, arena, err);
    if (!status) status = flaw_binding_make(&b, &s->tensors, flaw_source_names(s), &list, arena, err);
    if (status) return status;
    flaw_describe_binding(o, &b);
    status = flaw_binding_verdict(&b, err);
    flaw_status words = describe_tokenizer(o, s, status ? &second : err);
    if (!status && !words) status = describe_weights(o, s, &b, err);
    const char *card = flaw_tensors_metadata(&s->tensors, "card");
    json_t *parsed = card ? json_loads(card, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (parsed) json_object_set_new(o, "card", parsed);
    return status ? status : words;
}

static void describe_files(json_t *o, const char *path)
{
    flaw_names names;
    if (!path || !flaw_file_is_folder(path) || flaw_file_list(&names, path, NULL)) return;
    json_t *files = json_array();
    for (size_t i = 0; i < names.count; i++) json_array_append_new(files, json_string(names.name[i]));
    json_object_set_new(o, "files", files);
    flaw_names_release(&names);
}

/* Lines "key: value"; lists are joined by commas, parts stand indented below their name, other objects (the card) stay
 * JSON. */
static void write_lines(flaw_buffer *out, json_t *o, const char *indent)
{
    const char *key;
    json_t *value, *element;
    size_t i;
    json_object_foreach(o, key, value)
    {
        const bool part = strcmp(key, "language") == 0 || strcmp(key, "voice") == 0;
        flaw_buffer_printf(out, "%s%s:%s", indent, key, part ? "\n" : " ");
        if (part) {
            write_lines(out, value, "  ");
            continue;
        }
        if (json_is_string(value)) {
            flaw_buffer_text(out, json_string_value(value));
        } else if (json_is_array(value)) {
            json_array_foreach(value, i, element)
                flaw_buffer_printf(out, "%s%s", i ? ", " : "", json_string_value(element));
        } else {
            char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
            flaw_buffer_text(out, text ? text : "");
            free(text);
        }
        flaw_buffer_text(out, "\n");
    }
}

/* A path on its way into words: the first failure is the model's, the rest is described all the same. */
typedef struct description {
    json_t *o;
    const char *path;
    flaw_look look;
    flaw_clip_shape towers; /* of a released model, for its voice */
    flaw_tensors delta, projection, bundle;
    flaw_arena arena;
    flaw_error why; /* of the first failure */
} description;

static void note(description *d, flaw_status status, const flaw_error *err)
{
    if (status && !d->why.status) d->why = *err;
}

static void describe_towers(description *d)
{
    flaw_source s;
    flaw_error err = {.text = ""};
    flaw_status status = flaw_source_open(&s, d->path, &err);
    if (!status) {
        d->towers = s.shape;
        status = describe_source(d->o, &s, &d->arena, &err);
        flaw_source_close(&s);
    }
    note(d, status, &err);
}

static flaw_status open_released(description *d, flaw_error *err)
{
    const char *delta = flaw_path_join(&d->arena, d->path, FLAW_FILE_ANOMALYGPT);
    const char *projection = flaw_path_join(&d->arena, d->path, FLAW_FILE_PANDAGPT);
    if (!delta || !projection) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", d->path);
    flaw_status status = flaw_torch_open(&d->delta, delta, err);
    return status ? status : flaw_torch_open(&d->projection, projection, err);
}

static flaw_status open_bundle(description *d, bool inside, flaw_error *err)
{
    if (!inside) return flaw_tensors_open(&d->bundle, d->path, err);
    return flaw_safetensors_parse(&d->bundle, flaw_embedded_voice,
                                  (size_t)(flaw_embedded_voice_end - flaw_embedded_voice), "embedded voice", err);
}

static void describe_language(description *d)
{
    flaw_error err = {.text = ""};
    const char *path = d->look.released ? flaw_path_join(&d->arena, d->path, FLAW_FILE_VICUNA) : d->path;
    json_t *o = json_object();
    note(d, flaw_describe_language(o, path, d->look.released ? &d->projection : NULL, &err), &err);
    json_object_set_new(d->o, "language", o);
}

static void describe_voice(description *d)
{
    flaw_error err = {.text = ""};
    json_t *o = json_object();
    flaw_status status;
    if (d->look.released) status = flaw_describe_voice_released(o, &d->delta, &d->projection, &d->towers, &err);
    else status = flaw_describe_voice(o, &d->bundle, &err);
    note(d, status, &err);
    json_object_set_new(d->o, "voice", o);
}

static void describe_all(description *d)
{
    flaw_error err = {.text = ""};
    const bool inside = !d->path || !*d->path || strcmp(d->path, "default") == 0;
    describe_files(d->o, d->path);
    flaw_status status = flaw_model_look(&d->look, d->path, &err);
    note(d, status, &err);
    if (status) d->look.language = d->look.voice = false; /* of a released folder the towers may be there */
    if (status && !d->look.released) return;
    if (d->look.towers) describe_towers(d);
    if (d->look.released && !status) note(d, status = open_released(d, &err), &err);
    if (!d->look.released && !flaw_file_is_folder(d->path) && (!inside || d->look.voice))
        note(d, status = open_bundle(d, inside, &err), &err);
    if (status) return;
    if (d->look.language) describe_language(d);
    if (d->look.voice) describe_voice(d);
    if (d->bundle.count) note(d, flaw_describe_origin(d->o, &d->bundle, &err), &err);
}

static void write_out(const description *d, int json, flaw_buffer *out)
{
    if (!json) {
        write_lines(out, d->o, "");
        return;
    }
    char *text = json_dumps(d->o, JSON_COMPACT);
    flaw_buffer_text(out, text ? text : "{}");
    free(text);
}

flaw_status flaw_model_describe(flaw_buffer *out, const char *path, int json, flaw_error *err)
{
    description d = {.path = path, .o = json_object()};
    if (!d.o) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to describe a model");
    flaw_arena_init(&d.arena, 0);
    json_object_set_new(d.o, "model", json_string(path && *path ? path : "default"));
    describe_all(&d);
    const flaw_status status = d.why.status;
    json_object_set_new(d.o, "whole", json_boolean(status == FLAW_OK));
    if (status) json_object_set_new(d.o, "problem", json_string(d.why.text));
    write_out(&d, json, out);
    json_decref(d.o);
    flaw_tensors_close(&d.delta);
    flaw_tensors_close(&d.projection);
    flaw_tensors_close(&d.bundle);
    flaw_arena_release(&d.arena);
    if (status && err) *err = d.why;
    return !status && out->failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory to describe a model") : status;
}
