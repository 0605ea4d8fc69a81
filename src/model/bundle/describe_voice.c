/* Language model, voice, and where a bundle came from, in words. */
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "model/bundle/describe_part.h"
#include "model/language/language_adapters.h"
#include "model/language/language_source.h"
#include "model/voice/voice_read.h"

static void describe_shape(json_t *o, const flaw_language_config *c)
{
    static const char *const rotary[] = {"no rotation", "rotated halves", "rotated pairs"};
    const flaw_language_shape *s = &c->shape;
    const flaw_block_shape *b = &s->block;
    flaw_buffer text;
    flaw_buffer_init(&text, 1024);
    flaw_buffer_printf(&text, "%d blocks, width %d, %d heads", s->layers, b->width, b->heads);
    if (b->kv_heads && b->kv_heads != b->heads) flaw_buffer_printf(&text, " over %d of keys and values", b->kv_heads);
    flaw_buffer_printf(&text, ", hidden %d, %s (base %g), %d tokens of %d", b->hidden, rotary[b->rotary],
                       (double)b->rotary_base, s->context, s->vocab);
    if (s->stretch.factor > 0)
        flaw_buffer_printf(&text, ", positions stretched by %g%s", (double)s->stretch.factor,
                           s->stretch.high > 0 ? " as LLaMA 3 does" : "");
    if (s->tied) flaw_buffer_text(&text, ", head tied to the token table");
    flaw_describe_text(o, "shape", &text);
}

static flaw_status describe_pieces(json_t *o, const flaw_language_source *s, flaw_error *err)
{
    flaw_pieces *p = NULL;
    flaw_buffer text;
    flaw_status status = flaw_language_source_pieces(&p, s, err);
    if (status || !p) return status;
    flaw_buffer_init(&text, 256);
    flaw_buffer_printf(&text, "%d pieces, start %d, end %d", flaw_pieces_count(p), flaw_pieces_bos(p),
                       flaw_pieces_eos(p));
    flaw_describe_text(o, "tokenizer", &text);
    flaw_pieces_free(p);
    return FLAW_OK;
}

/* Which matrices have adapters, and of which rank. */
static flaw_status describe_adapters(json_t *o, const flaw_tensors *projection, const flaw_language_shape *shape,
                                     flaw_arena *arena, flaw_error *err)
{
    const flaw_adapters adapters = {.tensors = projection, .scale = 1};
    flaw_adapter *table = NULL;
    flaw_buffer text;
    int count = 0, rank = 0;
    flaw_status status = flaw_adapters_match(&table, &adapters, shape, arena, err);
    if (status) return status;
    for (int i = 0; i < 4 * shape->layers; i++)
        if (table[i].a) {
            count++;
            rank = table[i].rank > rank ? table[i].rank : rank;
        }
    flaw_buffer_init(&text, 256);
    flaw_buffer_printf(&text, "%d of rank %d", count, rank);
    flaw_describe_text(o, "adapters", &text);
    return FLAW_OK;
}

flaw_status flaw_describe_language(json_t *o, const char *path, const flaw_tensors *projection, flaw_error *err)
{
    flaw_language_source s;
    flaw_status status = flaw_language_source_open(&s, path, err);
    if (status) return status;
    flaw_binding b;
    flaw_parameters list;
    flaw_arena arena;
    flaw_error second;
    flaw_arena_init(&arena, 0);
    json_object_set_new(o, "form", json_string(flaw_language_form_name(s.form)));
    json_object_set_new(o, "weights", json_string(s.tensors.path));
    describe_shape(o, &s.config);
    flaw_describe_types(o, &s.tensors, s.form == FLAW_LANGUAGE_BUNDLE ? "language." : "");
    status = flaw_language_source_bind(&b, &list, &s, &arena, err);
    if (!status) {
        flaw_describe_binding(o, &b);
        status = flaw_binding_verdict(&b, err);
    }
    const flaw_status words = describe_pieces(o, &s, status ? &second : err);
    if (!status) status = words;
    if (!status && projection) status = describe_adapters(o, projection, &s.config.shape, &arena, err);
    flaw_arena_release(&arena);
    flaw_language_source_close(&s);
    return status;
}

static void describe_voice(json_t *o, const flaw_voice_source *s)
{
    const flaw_voice_shape *v = &s->shape;
    flaw_buffer text;
    flaw_buffer_init(&text, 1024);
    flaw_buffer_printf(&text, "map of %d pixels from %d x %d patches of width %d, ", v->side, v->grid, v->grid,
                       v->width);
    if (v->base) flaw_buffer_printf(&text, "%d + %d soft prompts of width %d", v->base, flaw_voice_cells(v), v->words);
    else flaw_buffer_text(&text, "no prompt learner");
    flaw_describe_text(o, "shape", &text);
    flaw_describe_binding(o, &s->binding);
}

flaw_status flaw_describe_voice_released(json_t *o, const flaw_tensors *delta, const flaw_tensors *projection,
                                         const flaw_clip_shape *towers, flaw_error *err)
{
    flaw_voice_source s;
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_status status = flaw_voice_bind_released(&s, delta, projection, towers, &arena, err);
    if (!status) describe_voice(o, &s);
    if (!status) flaw_describe_types(o, &s.both, "");
    flaw_arena_release(&arena);
    return status;
}

flaw_status flaw_describe_voice(json_t *o, const flaw_tensors *bundle, flaw_error *err)
{
    flaw_voice_source s;
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_status status = flaw_voice_bind_bundle(&s, bundle, &arena, err);
    if (!status) describe_voice(o, &s);
    if (!status) flaw_describe_types(o, bundle, "voice.");
    flaw_arena_release(&arena);
    return status;
}

/* ---- where it came from ---- */

/* "NAME, N bytes, sha256 HEX" of each file that the bundle was made of. */
static void describe_manifest(json_t *o, const flaw_tensors *bundle)
{
    const char *text = flaw_tensors_metadata(bundle, "manifest");
    json_t *manifest = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL, *lines = json_array();
    const json_t *list = json_object_get(manifest, "sources");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *file = json_string_value(json_object_get(entry, "file"));
        const char *hash = json_string_value(json_object_get(entry, "sha256"));
        flaw_buffer line;
        flaw_buffer_init(&line, 4096);
        flaw_buffer_printf(&line, "%s (%" JSON_INTEGER_FORMAT " bytes, SHA-256 %s)", file ? file : "?",
                           json_integer_value(json_object_get(entry, "bytes")), hash ? hash : "?");
        if (!line.failed) json_array_append_new(lines, json_string(line.data));
        flaw_buffer_release(&line);
    }
    if (json_array_size(lines)) json_object_set(o, "sources", lines);
    json_decref(lines);
    json_decref(manifest);
}

static void hash_tensor(const flaw_tensors *t, const flaw_tensor *x, char hex[65])
{
    const size_t piece = (size_t)1 << 22;
    flaw_sha256 h;
    uint8_t digest[32];
    flaw_sha256_init(&h);
    for (size_t at = 0; at < x->bytes; at += piece) {
        const size_t size = x->bytes - at < piece ? x->bytes - at : piece;
        flaw_sha256_update(&h, x->data + at, size);
        flaw_tensor_drop_part(t, x, at, size);
    }
    flaw_sha256_final(&h, digest);
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

flaw_status flaw_describe_origin(json_t *o, const flaw_tensors *bundle, flaw_error *err)
{
    const char *text = flaw_tensors_metadata(bundle, "sha256");
    json_t *said = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    flaw_status status = FLAW_OK;
    size_t checked = 0;
    describe_manifest(o, bundle);
    for (size_t i = 0; i < bundle->count && said && !status; i++) {
        const flaw_tensor *x = &bundle->item[i];
        const char *want = json_string_value(json_object_get(said, x->name));
        char hex[65];
        if (!want) continue;
        hash_tensor(bundle, x, hex);
        if (strcmp(hex, want) != 0)
            status = flaw_fail(err, FLAW_BAD_DATA,
                               "%s: tensor '%s' is not as it was written: its SHA-256 is %s, the file says %s",
                               bundle->path, x->name, hex, want);
        checked++;
    }
    if (checked && !status) {
        flaw_buffer line;
        flaw_buffer_init(&line, 256);
        flaw_buffer_printf(&line, "%zu of %zu tensors are as they were written", checked, bundle->count);
        flaw_describe_text(o, "hashes", &line);
    }
    json_decref(said);
    return status;
}
