/* Vicuna's weights were published as differences from LLaMA's: target = base + delta, tensor by tensor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "flaw/model.h"
#include "format/writer.h"
#include "model/open/bind.h"

enum { PIECE = 1 << 18, SMALL_FILE = 64 << 20 }; /* elements summed at a time; bytes of a file that is copied */
#define MEGABYTE 1000000
#define WEIGHTS "model.safetensors"

typedef struct merger {
    const char *base_path, *delta_path, *out_path;
    flaw_tensors base, delta;
    flaw_tensor *item; /* [count] of the result, sorted by name */
    size_t count;
    flaw_arena arena;
    flaw_tensor_writer *writer;
    float *sum, *add;   /* [PIECE] */
    uint16_t *half;     /* [PIECE] */
    size_t done, total; /* bytes of the result */
    flaw_progress progress;
    void *context;
    flaw_error *err;
} merger;

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The rotation's frequencies, which older versions of the library kept as buffers. */
static bool is_computed(const char *name)
{
    return ends_with(name, "rotary_emb.inv_freq");
}

/* Tensors with one row for each token, which may have more of them in the delta. */
static bool has_token_rows(const char *name)
{
    return strcmp(name, "model.embed_tokens.weight") == 0 || strcmp(name, "lm_head.weight") == 0;
}

static bool fits(const flaw_tensor *base, const flaw_tensor *delta)
{
    if (base->rank != delta->rank) return false;
    for (int i = 0; i < base->rank; i++) {
        const bool more = i == 0 && has_token_rows(base->name) && delta->shape[0] > base->shape[0];
        if (base->shape[i] != delta->shape[i] && !more) return false;
    }
    return true;
}

/* ---- names ---- */

static void add_name(flaw_name_list *list, const char *name)
{
    list->name[list->count++] = name;
}

static flaw_status add_misshapen(merger *m, flaw_name_list *list, const flaw_tensor *base, const flaw_tensor *delta)
{
    flaw_buffer text;
    flaw_buffer_init(&text, 1024);
    flaw_buffer_printf(&text, "%.120s: base", base->name);
    for (int i = 0; i < base->rank; i++) flaw_buffer_printf(&text, " %zu", base->shape[i]);
    flaw_buffer_text(&text, ", delta");
    for (int i = 0; i < delta->rank; i++) flaw_buffer_printf(&text, " %zu", delta->shape[i]);
    char *copy = text.failed ? NULL : flaw_arena_copy_string(&m->arena, text.data, text.size);
    flaw_buffer_release(&text);
    if (!copy) return flaw_fail(m->err, FLAW_NO_MEMORY, "%s: no memory to match the tensors", m->delta_path);
    add_name(list, copy);
    return FLAW_OK;
}

/* Every tensor of the base has its delta and the other way round; the result's table. */
static flaw_status match(merger *m)
{
    flaw_tensors named = {.path = (char *)m->delta_path};
    flaw_binding b = {.tensors = &named};
    const size_t most = m->base.count + m->delta.count;
    b.missing.name = flaw_arena_alloc(&m->arena, most, sizeof *b.missing.name);
    b.left_over.name = flaw_arena_alloc(&m->arena, most, sizeof *b.left_over.name);
    b.misshapen.name = flaw_arena_alloc(&m->arena, most, sizeof *b.misshapen.name);
    m->item = flaw_arena_alloc(&m->arena, most, sizeof *m->item);
    if (!b.missing.name || !b.left_over.name || !b.misshapen.name || !m->item)
        return flaw_fail(m->err, FLAW_NO_MEMORY, "%s: no memory to match the tensors", m->delta_path);
    for (size_t i = 0; i < m->base.count; i++) {
        const flaw_tensor *x = &m->base.item[i], *d = flaw_tensors_find(&m->delta, x->name);
        flaw_status status = FLAW_OK;
        if (is_computed(x->name)) continue;
        if (!d) add_name(&b.missing, x->name);
        else if (!fits(x, d)) status = add_misshapen(m, &b.misshapen, x, d);
        if (status) return status;
        if (!d) continue;
        m->item[m->count] = *d;
        m->item[m->count++].dtype = FLAW_DTYPE_F16;
        m->total += 2 * d->count;
    }
    for (size_t i = 0; i < m->delta.count; i++) {
        const char *name = m->delta.item[i].name;
        if (!is_computed(name) && !flaw_tensors_find(&m->base, name)) add_name(&b.left_over, name);
    }
    if (m->count == 0 && m->base.count == 0)
        return flaw_fail(m->err, FLAW_BAD_DATA, "%s: holds no tensors", m->base_path);
    return flaw_binding_verdict(&b, m->err);
}

/* ---- files beside the weights ---- */

static flaw_status join(flaw_buffer *out, const char *folder, const char *name, flaw_error *err)
{
    flaw_buffer_init(out, 1 << 16);
    flaw_buffer_printf(out, "%s/%s", folder, name);
    return out->failed ? flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", folder) : FLAW_OK;
}

/* Configuration and tokenizer; indices are of files that are not copied. */
static bool belongs(const char *name)
{
    if (ends_with(name, ".index.json")) return false;
    return ends_with(name, ".json") || strcmp(name, "tokenizer.model") == 0;
}

static flaw_status copy_file(const merger *m, const char *name)
{
    flaw_buffer from, to;
    flaw_bytes bytes;
    flaw_status status = join(&from, m->delta_path, name, m->err);
    if (!status) status = flaw_file_read(&bytes, from.data, SMALL_FILE, m->err);
    flaw_buffer_release(&from);
    if (status) return status;
    status = join(&to, m->out_path, name, m->err);
    if (!status) status = flaw_file_write(to.data, bytes.data, bytes.size, m->err);
    flaw_buffer_release(&to);
    flaw_bytes_release(&bytes);
    return status;
}

static flaw_status copy_files(const merger *m)
{
    flaw_names names;
    bool config = false, tokenizer = false;
    flaw_status status = flaw_file_list(&names, m->delta_path, m->err);
    if (status) return status;
    for (size_t i = 0; i < names.count; i++) {
        config = config || strcmp(names.name[i], "config.json") == 0;
        tokenizer = tokenizer || strcmp(names.name[i], "tokenizer.model") == 0;
    }
    if (!config || !tokenizer)
        status = flaw_fail(m->err, FLAW_MISSING, "%s: no %s here: the result takes it from the delta's folder",
                           m->delta_path, config ? "tokenizer.model" : "config.json");
    for (size_t i = 0; i < names.count && !status; i++)
        if (belongs(names.name[i])) status = copy_file(m, names.name[i]);
    flaw_names_release(&names);
    return status;
}

/* Writing into one of the two would put the result beside other weights of the same model. */
static flaw_status make_folder(const merger *m)
{
    struct stat out, other;
    flaw_status status = flaw_file_make_folder(m->out_path, m->err);
    if (status) return status;
    const char *const used[] = {m->base_path, m->delta_path};
    for (int i = 0; i < 2; i++) {
        if (!flaw_file_is_folder(used[i]))
            return flaw_fail(m->err, FLAW_USAGE, "'%s' is no folder: expected is one with config.json and weights",
                             used[i]);
        if (stat(m->out_path, &out) == 0 && stat(used[i], &other) == 0 && out.st_dev == other.st_dev &&
            out.st_ino == other.st_ino)
            return flaw_fail(m->err, FLAW_USAGE, "'%s' is read from, the result needs a folder of its own",
                             m->out_path);
    }
    return FLAW_OK;
}

/* ---- sums ---- */

/* Elements first .. first + count - 1 of the result; the base ends before the delta where rows were added. */
static flaw_status sum_piece(merger *m, const flaw_tensor *base, const flaw_tensor *delta, size_t first, size_t count)
{
    const size_t there = first < base->count ? base->count - first : 0, both = there < count ? there : count;
    flaw_status status = flaw_tensor_part_to_f32(&m->delta, delta, first, count, m->sum, m->err);
    if (!status && both) status = flaw_tensor_part_to_f32(&m->base, base, first, both, m->add, m->err);
    if (status) return status;
    for (size_t i = 0; i < both; i++) m->sum[i] += m->add[i];
    for (size_t i = 0; i < count; i++) {
        m->half[i] = flaw_half_of(m->sum[i]);
        if ((m->half[i] & 0x7c00u) == 0x7c00u)
            return flaw_fail(m->err, FLAW_BAD_DATA, "%s: '%s': element %zu of the sum is %g, too large for F16",
                             m->delta_path, base->name, first + i, (double)m->sum[i]);
    }
    const size_t base_size = flaw_dtype_size(base->dtype), delta_size = flaw_dtype_size(delta->dtype);
    flaw_tensor_drop_part(&m->delta, delta, first * delta_size, count * delta_size);
    if (both) flaw_tensor_drop_part(&m->base, base, first * base_size, both * base_size);
    return flaw_tensor_writer_data(m->writer, m->half, count * sizeof *m->half, m->err);
}

static flaw_status sum_all(merger *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const flaw_tensor *base = flaw_tensors_find(&m->base, m->item[i].name);
        const flaw_tensor *delta = flaw_tensors_find(&m->delta, m->item[i].name);
        for (size_t first = 0; first < delta->count; first += PIECE) {
            const size_t count = delta->count - first < PIECE ? delta->count - first : PIECE;
            flaw_status status = sum_piece(m, base, delta, first, count);
            if (status) return status;
            m->done += 2 * count;
            if (m->progress && m->progress(m->context, m->done / MEGABYTE, m->total / MEGABYTE, "MB"))
                return flaw_fail(m->err, FLAW_USAGE, "cancelled");
        }
    }
    return FLAW_OK;
}

static flaw_status write_weights(merger *m)
{
    static const char *const metadata[] = {"format", "pt"}; /* what Hugging Face's library asks for */
    flaw_buffer path;
    m->sum = flaw_arena_alloc(&m->arena, PIECE, sizeof *m->sum);
    m->add = flaw_arena_alloc(&m->arena, PIECE, sizeof *m->add);
    m->half = flaw_arena_alloc(&m->arena, PIECE, sizeof *m->half);
    if (!m->sum || !m->add || !m->half)
        return flaw_fail(m->err, FLAW_NO_MEMORY, "%s: no memory for the sums", m->delta_path);
    flaw_status status = join(&path, m->out_path, WEIGHTS, m->err);
    if (!status) status = flaw_tensor_writer_begin(&m->writer, path.data, m->item, m->count, metadata, 1, m->err);
    flaw_buffer_release(&path);
    if (!status) status = sum_all(m);
    if (!status) {
        status = flaw_tensor_writer_end(m->writer, NULL, m->err);
        m->writer = NULL;
    }
    flaw_tensor_writer_abandon(m->writer);
    return status;
}

/* The weights come last: a folder without them is no model, whatever stopped us. */
static flaw_status merge(merger *m)
{
    flaw_status status = flaw_tensors_open(&m->base, m->base_path, m->err);
    if (!status) status = flaw_tensors_open(&m->delta, m->delta_path, m->err);
    if (!status) status = match(m);
    if (!status) status = make_folder(m);
    if (!status) status = copy_files(m);
    return status ? status : write_weights(m);
}

flaw_status flaw_model_merge_delta(const char *base, const char *delta, const char *out, flaw_progress progress,
                                   void *context, flaw_error *err)
{
    merger m = {
        .base_path = base, .delta_path = delta, .out_path = out, .progress = progress, .context = context, .err = err};
    flaw_arena_init(&m.arena, 0);
    flaw_status status = merge(&m);
    flaw_tensors_close(&m.base);
    flaw_tensors_close(&m.delta);
    flaw_arena_release(&m.arena);
    return status;
}
