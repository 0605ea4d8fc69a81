#include "model/describe.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/clip_load.h"

static void set_text(json_t *o, const char *key, flaw_buffer *text)
{
    if (!text->failed) json_object_set_new(o, key, json_string(text->data ? text->data : ""));
    flaw_buffer_release(text);
}

static void tower(json_t *o, const char *key, const flaw_block_shape *b, int layers, const char *extra, int x, int y)
{
    static const char *const activation[] = {"no activation", "GELU", "QuickGELU"};
    flaw_buffer text;
    flaw_buffer_init(&text, 1024);
    flaw_buffer_printf(&text, "%d blocks, width %d, %d heads, hidden %d, %s, ", layers, b->width, b->heads, b->hidden,
                       activation[b->act]);
    flaw_buffer_printf(&text, extra, x, y);
    set_text(o, key, &text);
}

static void describe_shape(json_t *o, const flaw_clip_shape *s)
{
    const flaw_prepare_shape *p = &s->prepare;
    flaw_buffer text;
    tower(o, "image", &s->image, s->image_layers, "pictures of %d pixels in patches of %d", s->side, s->patch);
    if (s->text.width) tower(o, "text", &s->text, s->text_layers, "%d tokens of %d", s->context, s->vocab);
    if (s->joint) json_object_set_new(o, "joint", json_integer(s->joint));
    if (s->classes) json_object_set_new(o, "classes", json_integer(s->classes));
    if (s->local_head) json_object_set_new(o, "local_head", json_true());
    flaw_buffer_init(&text, 1024);
    flaw_buffer_printf(&text, "shorter side to %d, centre %d, mean %.4g %.4g %.4g, deviation %.4g %.4g %.4g",
                       p->resize_to, s->side, (double)p->mean[0], (double)p->mean[1], (double)p->mean[2],
                       (double)p->std[0], (double)p->std[1], (double)p->std[2]);
    set_text(o, "prepare", &text);
}

/* "F16 120, I64 2": tensors of each type. */
static void describe_types(json_t *o, const flaw_tensors *t)
{
    size_t count[FLAW_DTYPE_Q6_K + 1] = {0};
    flaw_buffer text;
    flaw_buffer_init(&text, 1024);
    for (size_t i = 0; i < t->count; i++) count[t->item[i].dtype]++;
    for (size_t d = 0; d <= FLAW_DTYPE_Q6_K; d++)
        if (count[d])
            flaw_buffer_printf(&text, "%s%s %zu", text.size ? ", " : "", flaw_dtype_name((flaw_dtype)d), count[d]);
    json_object_set_new(o, "tensors", json_integer((json_int_t)t->count));
    set_text(o, "dtype", &text);
}

static void describe_list(json_t *o, const char *key, const flaw_name_list *list)
{
    if (!list->count) return;
    json_t *names = json_array();
    for (size_t i = 0; i < list->count; i++) json_array_append_new(names, json_string(list->name[i]));
    json_object_set_new(o, key, names);
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
    set_text(o, "tokenizer", &text);
    flaw_tokenizer_free(t);
    return FLAW_OK;
}

/* Read all weights, which finds what is not finite, and name them by their hash; one at a time, for they may be large. */
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
    describe_types(o, &s->tensors);
    flaw_status status = flaw_clip_parameters(&list, &s->shape, arena, err);
    if (!status) status = flaw_binding_make(&b, &s->tensors, flaw_source_names(s), &list, arena, err);
    if (status) return status;
    json_object_set_new(o, "parameters", json_integer((json_int_t)list.total));
    describe_list(o, "missing", &b.missing);
    describe_list(o, "left_over", &b.left_over);
    describe_list(o, "misshapen", &b.misshapen);
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

/* Lines "key: value"; lists are joined by commas, objects (the card) stay JSON. */
static void write_lines(flaw_buffer *out, json_t *o)
{
    const char *key;
    json_t *value, *element;
    size_t i;
    json_object_foreach(o, key, value)
    {
        flaw_buffer_printf(out, "%s: ", key);
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

flaw_status flaw_model_describe(flaw_buffer *out, const char *path, int json, flaw_error *err)
{
    flaw_source s;
    flaw_arena arena;
    flaw_error why = {.text = ""};
    json_t *o = json_object();
    if (!o) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to describe a model");
    flaw_arena_init(&arena, 0);
    json_object_set_new(o, "model", json_string(path && *path ? path : "default"));
    describe_files(o, path);
    flaw_status status = flaw_source_open(&s, path, &why);
    if (!status) {
        status = describe_source(o, &s, &arena, &why);
        flaw_source_close(&s);
    }
    json_object_set_new(o, "whole", json_boolean(status == FLAW_OK));
    if (status) json_object_set_new(o, "problem", json_string(why.text));
    if (json) {
        char *text = json_dumps(o, JSON_COMPACT);
        flaw_buffer_text(out, text ? text : "{}");
        free(text);
    } else {
        write_lines(out, o);
    }
    json_decref(o);
    flaw_arena_release(&arena);
    if (status && err) *err = why;
    return !status && out->failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory to describe a model") : status;
}
