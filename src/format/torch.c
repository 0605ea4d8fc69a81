/* PyTorch's files: a zip archive of one pickle, which describes tensors, and one entry for each storage they look into.
 *
 *   NAME/data.pkl    a dictionary of tensors
 *   NAME/data/KEY    the bytes of storage KEY, little endian
 *   NAME/byteorder   "little" or "big", in newer files
 *
 * A tensor is _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks), with sizes and strides in
 * elements; a parameter is _rebuild_parameter(tensor, requires_grad, hooks). Several tensors may look into one
 * storage. PyTorch 2 has more spellings: _rebuild_tensor_v3(..., dtype) over an UntypedStorage, which is counted in
 * bytes; _rebuild_parameter_with_state(..., state) and _rebuild_from_type_v2(function, type, values, state) for what
 * carries attributes of Python's, which say nothing of the numbers and are read past. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "format/pickle.h"
#include "format/tensors.h"
#include "format/zip.h"

enum {
    WORD_ORDERED_DICT,
    WORD_TENSOR,
    WORD_TENSOR_TYPED,
    WORD_PARAMETER,
    WORD_PARAMETER_STATE,
    WORD_FROM_TYPE,
    WORD_TYPE,         /* torch.Tensor, Parameter: named only */
    WORD_DTYPE = 32,   /* + dtype: torch.float32 ... */
    WORD_STORAGE = 64, /* + dtype: a storage's class; UntypedStorage counts bytes */
};

typedef struct storage {
    flaw_dtype dtype;
    const uint8_t *data;
    size_t count; /* elements */
} storage;

/* What a "made" value of the pickle points to. */
typedef struct made {
    enum { MADE_STORAGE, MADE_TENSOR } kind;
    storage storage;
    flaw_tensor tensor; /* its name is not known yet */
} made;

typedef struct reader {
    flaw_tensors *t;
    flaw_zip zip;
    const char *root; /* "NAME/", in the archive */
    size_t root_size;
    size_t copied, copy_limit; /* bytes of views that are not contiguous */
    flaw_error *err;
} reader;

/* ---- the words of the pickle ---- */

static const struct {
    const char *name;
    const char *type;
    flaw_dtype dtype;
} storages[] = {
    {"FloatStorage", "float32", FLAW_DTYPE_F32}, {"HalfStorage", "float16", FLAW_DTYPE_F16},
    {"BFloat16Storage", "bfloat16", FLAW_DTYPE_BF16}, {"DoubleStorage", "float64", FLAW_DTYPE_F64},
    {"CharStorage", "int8", FLAW_DTYPE_I8}, {"ByteStorage", "uint8", FLAW_DTYPE_U8},
    {"ShortStorage", "int16", FLAW_DTYPE_I16}, {"IntStorage", "int32", FLAW_DTYPE_I32},
    {"LongStorage", "int64", FLAW_DTYPE_I64}, {"BoolStorage", "bool", FLAW_DTYPE_BOOL},
};

static const struct {
    const char *module, *name;
    int64_t word;
} allowed[] = {
    {"collections", "OrderedDict", WORD_ORDERED_DICT},
    {"torch._utils", "_rebuild_tensor_v2", WORD_TENSOR},
    {"torch._utils", "_rebuild_tensor_v3", WORD_TENSOR_TYPED},
    {"torch._utils", "_rebuild_parameter", WORD_PARAMETER},
    {"torch._utils", "_rebuild_parameter_with_state", WORD_PARAMETER_STATE},
    {"torch._tensor", "_rebuild_from_type_v2", WORD_FROM_TYPE},
    {"torch", "Tensor", WORD_TYPE},
    {"torch.nn.parameter", "Parameter", WORD_TYPE},
    {"torch.storage", "UntypedStorage", WORD_STORAGE + FLAW_DTYPE_U8},
};

static bool same(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

static flaw_status read_global(void *context, flaw_pickle *p, const char *module, size_t module_size, const char *name,
                               size_t name_size, int64_t *number)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (same(module, module_size, allowed[i].module) && same(name, name_size, allowed[i].name)) {
            *number = allowed[i].word;
            return FLAW_OK;
        }
    for (size_t i = 0; same(module, module_size, "torch") && i < sizeof storages / sizeof storages[0]; i++) {
        bool type = same(name, name_size, storages[i].type);
        if (!type && !same(name, name_size, storages[i].name)) continue;
        *number = (type ? WORD_DTYPE : WORD_STORAGE) + (int64_t)storages[i].dtype;
        return FLAW_OK;
    }
    return flaw_pickle_refuse(p,
                              "the name '%.*s.%.*s' is not allowed: only dictionaries, tensors and storages of "
                              "plain numbers are read, and nothing is executed",
                              (int)module_size, module, (int)name_size, name);
}

/* ('storage', class, key, location, elements) */
static flaw_status read_storage(void *context, flaw_pickle *p, const flaw_pickle_value *id, flaw_pickle_value *out)
{
    const reader *r = context;
    const flaw_pickle_value *part = id->kind == FLAW_PICKLE_TUPLE ? id->items->item : NULL;
    if (!part || id->items->count != 5 || !flaw_pickle_text_is(&part[0], "storage") ||
        part[1].kind != FLAW_PICKLE_GLOBAL || part[1].number < WORD_STORAGE || part[2].kind != FLAW_PICKLE_TEXT ||
        part[3].kind != FLAW_PICKLE_TEXT || part[4].kind != FLAW_PICKLE_INT || part[4].number < 0)
        return flaw_pickle_refuse(p, "a persistent id that is not ('storage', class, key, place, elements)");
    char name[512];
    const size_t room = sizeof name - r->root_size - 5, size = r->root_size + 5 + part[2].size;
    if (part[2].size > room) return flaw_pickle_refuse(p, "a storage's key of %u bytes", part[2].size);
    memcpy(name, r->root, r->root_size);
    memcpy(name + r->root_size, "data/", 5);
    memcpy(name + r->root_size + 5, part[2].text, part[2].size);
    const flaw_zip_entry *entry = flaw_zip_find(&r->zip, name, size);
    if (!entry) return flaw_pickle_refuse(p, "storage '%.*s' is not in the archive", (int)size, name);

    made *m = flaw_arena_alloc(flaw_pickle_arena(p), 1, sizeof *m);
    if (!m) return flaw_fail(r->err, FLAW_NO_MEMORY, "%s: no memory for its storages", r->t->path);
    const flaw_dtype dtype = (flaw_dtype)(part[1].number - WORD_STORAGE);
    const size_t count = (size_t)part[4].number;
    size_t bytes;
    if (!flaw_mul_ok(&bytes, count, flaw_dtype_size(dtype)) || bytes != entry->size)
        return flaw_pickle_refuse(p, "storage '%.*s' is said to have %zu elements of %s, its entry has %zu bytes",
                                  (int)size, name, count, flaw_dtype_name(dtype), entry->size);
    *m = (made){.kind = MADE_STORAGE, .storage = {.dtype = dtype, .data = entry->data, .count = count}};
    *out = (flaw_pickle_value){.kind = FLAW_PICKLE_MADE, .made = m};
    return FLAW_OK;
}

/* ---- views ---- */

/* Sizes or strides: a tuple of whole numbers >= 0. */
static flaw_status read_sides(flaw_pickle *p, const flaw_pickle_value *v, const char *what, size_t *out, int *rank)
{
    if (v->kind != FLAW_PICKLE_TUPLE || v->items->count > FLAW_TENSOR_MAX_RANK)
        return flaw_pickle_refuse(p, "a tensor's %s must be a tuple of at most %d numbers", what, FLAW_TENSOR_MAX_RANK);
    *rank = (int)v->items->count;
    for (int i = 0; i < *rank; i++) {
        const flaw_pickle_value *n = &v->items->item[i];
        if (n->kind != FLAW_PICKLE_INT || n->number < 0)
            return flaw_pickle_refuse(p, "a tensor's %s: number %d is %s, expected is a whole number >= 0", what, i,
                                      n->kind == FLAW_PICKLE_INT ? "negative" : flaw_pickle_kind_name(n->kind));
        out[i] = (size_t)n->number;
    }
    return FLAW_OK;
}

/* One past the last element of the view; false when that is no size. */
static bool view_end(const flaw_tensor *x, size_t offset, const size_t *stride, size_t *end)
{
    *end = offset;
    if (x->count == 0) return true;
    for (int i = 0; i < x->rank; i++) {
        size_t reach;
        if (!flaw_mul_ok(&reach, x->shape[i] - 1, stride[i]) || !flaw_add_ok(end, *end, reach)) return false;
    }
    return flaw_add_ok(end, *end, 1);
}

/* Row-major without gaps; the stride of a side of 1 says nothing. */
static bool contiguous(const flaw_tensor *x, const size_t *stride)
{
    size_t expected = 1;
    for (int i = x->rank - 1; i >= 0 && x->count; i--) {
        if (x->shape[i] != 1 && stride[i] != expected) return false;
        expected *= x->shape[i];
    }
    return true;
}

/* Elements of a view in row-major order, each side counted like the wheels of an odometer. */
static void copy_view(const flaw_tensor *x, const uint8_t *from, const size_t *stride, uint8_t *to)
{
    const size_t size = flaw_dtype_size(x->dtype);
    size_t index[FLAW_TENSOR_MAX_RANK] = {0}, at = 0;
    for (size_t n = 0; n < x->count; n++) {
        memcpy(to + n * size, from + at * size, size);
        for (int i = x->rank - 1; i >= 0; i--) {
            at += stride[i];
            if (++index[i] < x->shape[i]) break;
            at -= stride[i] * x->shape[i];
            index[i] = 0;
        }
    }
}

static flaw_status place_view(reader *r, flaw_pickle *p, const storage *s, size_t offset, const size_t *stride,
                              flaw_tensor *x)
{
    size_t end;
    x->dtype = s->dtype;
    x->count = 1;
    for (int i = 0; i < x->rank; i++)
        if (!flaw_mul_ok(&x->count, x->count, x->shape[i]))
            return flaw_pickle_refuse(p, "a tensor with more elements than memory");
    if (!flaw_mul_ok(&x->bytes, x->count, flaw_dtype_size(x->dtype)) || !view_end(x, offset, stride, &end))
        return flaw_pickle_refuse(p, "a tensor with more bytes than memory");
    if (end > s->count)
        return flaw_pickle_refuse(p, "a tensor's elements end at %zu of its storage, which has %zu", end, s->count);
    const uint8_t *from = s->data + offset * flaw_dtype_size(x->dtype);
    x->data = from;
    if (contiguous(x, stride)) return FLAW_OK;
    /* A stride of 0 repeats elements, so that few bytes could ask for any amount of memory. */
    if (x->bytes > r->copy_limit - r->copied)
        return flaw_pickle_refuse(p, "views that are not contiguous come to more than %zu bytes", r->copy_limit);
    uint8_t *copy = flaw_arena_alloc(&r->t->arena, x->bytes, 1);
    if (!copy) return flaw_fail(r->err, FLAW_NO_MEMORY, "%s: no memory to copy %zu bytes", r->t->path, x->bytes);
    copy_view(x, from, stride, copy);
    r->copied += x->bytes;
    x->data = copy;
    return FLAW_OK;
}

static const made *made_of(const flaw_pickle_value *v)
{
    return v->kind == FLAW_PICKLE_MADE ? v->made : NULL;
}

static bool is_tensor(const flaw_pickle_value *v)
{
    return made_of(v) && made_of(v)->kind == MADE_TENSOR;
}

static bool empty_hooks(const flaw_pickle_value *v)
{
    return v->kind == FLAW_PICKLE_DICT && v->items->count == 0;
}

/* Bytes as numbers of the type that the call names behind the hooks. */
static flaw_status set_type(storage *s, flaw_pickle *p, const flaw_pickle_value *type)
{
    if (type->kind != FLAW_PICKLE_GLOBAL || type->number < WORD_DTYPE || type->number >= WORD_STORAGE)
        return flaw_pickle_refuse(p, "_rebuild_tensor_v3 without a type such as torch.float32");
    if (s->dtype != FLAW_DTYPE_U8) return flaw_pickle_refuse(p, "_rebuild_tensor_v3 of a storage that is no UntypedStorage");
    s->dtype = (flaw_dtype)(type->number - WORD_DTYPE);
    if (s->count % flaw_dtype_size(s->dtype))
        return flaw_pickle_refuse(p, "a storage of %zu bytes as numbers of %s", s->count, flaw_dtype_name(s->dtype));
    s->count /= flaw_dtype_size(s->dtype);
    return FLAW_OK;
}

/* (storage, offset, size, stride, requires_grad, hooks[, metadata]), with `typed` a type before the metadata, which
 * would change the numbers' meaning. */
static flaw_status rebuild_tensor(reader *r, flaw_pickle *p, const flaw_pickle_items *a, bool typed, flaw_pickle_value *out)
{
    const size_t least = typed ? 7 : 6;
    if (a->count != least && a->count != least + 1)
        return flaw_pickle_refuse(p, "_rebuild_tensor_v%d with %zu values, expected are %zu or %zu", typed ? 3 : 2, a->count,
                                  least, least + 1);
    const made *from = made_of(&a->item[0]);
    if (!from || from->kind != MADE_STORAGE)
        return flaw_pickle_refuse(p, "_rebuild_tensor_v%d of something that is no storage", typed ? 3 : 2);
    if (a->item[1].kind != FLAW_PICKLE_INT || a->item[1].number < 0)
        return flaw_pickle_refuse(p, "a tensor's offset must be a whole number >= 0");
    if (a->item[4].kind != FLAW_PICKLE_BOOL || !empty_hooks(&a->item[5]))
        return flaw_pickle_refuse(p, "a tensor with hooks: only an empty dictionary is allowed there");
    if (a->count > least && a->item[least].kind != FLAW_PICKLE_NONE && !empty_hooks(&a->item[least]))
        return flaw_pickle_refuse(p, "a tensor with metadata (conjugated or negated views), none is allowed");
    made *m = flaw_arena_alloc(flaw_pickle_arena(p), 1, sizeof *m);
    if (!m) return flaw_fail(r->err, FLAW_NO_MEMORY, "%s: no memory for its tensors", r->t->path);
    m->kind = MADE_TENSOR;
    size_t stride[FLAW_TENSOR_MAX_RANK];
    int strides = 0;
    storage s = from->storage;
    flaw_status status = typed ? set_type(&s, p, &a->item[6]) : FLAW_OK;
    if (status == FLAW_OK) status = read_sides(p, &a->item[2], "sizes", m->tensor.shape, &m->tensor.rank);
    if (status == FLAW_OK) status = read_sides(p, &a->item[3], "strides", stride, &strides);
    if (status) return status;
    if (strides != m->tensor.rank)
        return flaw_pickle_refuse(p, "a tensor of %d sizes and %d strides", m->tensor.rank, strides);
    status = place_view(r, p, &s, (size_t)a->item[1].number, stride, &m->tensor);
    *out = (flaw_pickle_value){.kind = FLAW_PICKLE_MADE, .made = m};
    return status;
}

/* (tensor, requires_grad, hooks[, state]) */
static flaw_status rebuild_parameter(flaw_pickle *p, const flaw_pickle_items *a, bool state, flaw_pickle_value *out)
{
    const made *m = a->count == (state ? 4 : 3) ? made_of(&a->item[0]) : NULL;
    if (!m || m->kind != MADE_TENSOR || a->item[1].kind != FLAW_PICKLE_BOOL || !empty_hooks(&a->item[2]))
        return flaw_pickle_refuse(p, "_rebuild_parameter of something that is not (tensor, truth value, no hooks)");
    *out = a->item[0];
    return FLAW_OK;
}

static flaw_status call(void *context, flaw_pickle *p, int64_t number, const flaw_pickle_items *a, flaw_pickle_value *out)
{
    if (number == WORD_FROM_TYPE) {
        const flaw_pickle_value *x = a->count == 4 ? a->item : NULL;
        if (!x || x[0].kind != FLAW_PICKLE_GLOBAL || x[0].number < WORD_TENSOR || x[0].number > WORD_PARAMETER_STATE ||
            x[1].kind != FLAW_PICKLE_GLOBAL || x[1].number != WORD_TYPE || x[2].kind != FLAW_PICKLE_TUPLE)
            return flaw_pickle_refuse(p, "_rebuild_from_type_v2 of something that is not (tensor or parameter, its type, "
                                      "values, state)");
        number = x[0].number;
        a = x[2].items;
    }
    if (number == WORD_TENSOR || number == WORD_TENSOR_TYPED)
        return rebuild_tensor(context, p, a, number == WORD_TENSOR_TYPED, out);
    if (number == WORD_PARAMETER || number == WORD_PARAMETER_STATE)
        return rebuild_parameter(p, a, number == WORD_PARAMETER_STATE, out);
    if (number != WORD_ORDERED_DICT) return flaw_pickle_refuse(p, "the name of a type or a storage is called");
    if (a->count != 0) return flaw_pickle_refuse(p, "OrderedDict with %zu values, none are allowed", a->count);
    return flaw_pickle_dict(p, out);
}

/* ---- the table ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const flaw_tensor *)a)->name, ((const flaw_tensor *)b)->name);
}

/* The dictionary of tensors: the value itself, or what stands below the names that training scripts use. */
static const flaw_pickle_value *find_state(const flaw_pickle_value *root)
{
    static const char *const below[] = {"state_dict", "model_state_dict", "model", "module", "trainable_linearlayer"};
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        const flaw_pickle_value *v = flaw_pickle_entry(root, below[i]);
        if (v && v->kind == FLAW_PICKLE_DICT) return v;
    }
    return root;
}

/* Training in parallel puts "module." before every name. */
static void cut_prefix(flaw_tensors *t)
{
    static const char prefix[] = "module.";
    const size_t size = sizeof prefix - 1;
    for (size_t i = 0; i < t->count; i++)
        if (strncmp(t->item[i].name, prefix, size) != 0) return;
    for (size_t i = 0; i < t->count; i++) t->item[i].name += size;
}

static flaw_status fill_table(reader *r, const flaw_pickle_value *root)
{
    flaw_tensors *t = r->t;
    const flaw_pickle_value *state = find_state(root);
    if (state->kind != FLAW_PICKLE_DICT)
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: holds %s, expected is a dictionary of tensors", t->path,
                         is_tensor(state) ? "a tensor without a name" : flaw_pickle_kind_name(state->kind));
    const size_t count = state->items->count / 2;
    t->item = flaw_arena_alloc(&t->arena, count, sizeof *t->item);
    if (!t->item) return flaw_fail(r->err, FLAW_NO_MEMORY, "%s: no memory for %zu tensors", t->path, count);
    for (size_t i = 0; i < count; i++) {
        const flaw_pickle_value *key = &state->items->item[2 * i], *value = key + 1;
        if (key->kind != FLAW_PICKLE_TEXT || memchr(key->text, 0, key->size))
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: entry %zu is not named by a plain text", t->path, i);
        if (!is_tensor(value))
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: '%.*s' is %s, expected is a tensor", t->path,
                             (int)(key->size < 200 ? key->size : 200), key->text, flaw_pickle_kind_name(value->kind));
        t->item[i] = made_of(value)->tensor;
        t->item[i].name = flaw_arena_copy_string(&t->arena, key->text, key->size);
        if (!t->item[i].name) return flaw_fail(r->err, FLAW_NO_MEMORY, "%s: no memory for its names", t->path);
    }
    t->count = count;
    cut_prefix(t);
    qsort(t->item, count, sizeof *t->item, compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(t->item[i - 1].name, t->item[i].name) == 0)
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: the tensor '%s' comes twice", t->path, t->item[i].name);
    return FLAW_OK;
}

/* ---- the archive ---- */

/* NAME/data.pkl, the only one. */
static flaw_status find_pickle(reader *r, const flaw_zip_entry **out)
{
    static const char end[] = "/data.pkl";
    const size_t end_size = sizeof end - 1;
    const flaw_zip_entry *found = NULL;
    for (size_t i = 0; i < r->zip.count; i++) {
        const flaw_zip_entry *e = &r->zip.entry[i];
        const char *slash = memchr(e->name, '/', e->name_size);
        if (!slash || !same(slash, e->name_size - (size_t)(slash - e->name), end)) continue;
        if (found)
            return flaw_fail(r->err, FLAW_BAD_DATA, "%s: two pickles, '%.*s' and '%.*s'", r->t->path,
                             (int)found->name_size, found->name, (int)e->name_size, e->name);
        found = e;
    }
    if (!found)
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: a zip archive, but no PyTorch file: it has no NAME/data.pkl",
                         r->t->path);
    r->root = found->name;
    r->root_size = found->name_size - end_size + 1;
    if (r->root_size > 256)
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: its entries have names of over 256 bytes", r->t->path);
    *out = found;
    return FLAW_OK;
}

static const flaw_zip_entry *find_entry(const reader *r, const char *name)
{
    char path[300];
    const size_t size = strlen(name);
    memcpy(path, r->root, r->root_size);
    memcpy(path + r->root_size, name, size);
    return flaw_zip_find(&r->zip, path, r->root_size + size);
}

static flaw_status check_kind(const reader *r)
{
    if (find_entry(r, "constants.pkl"))
        return flaw_fail(r->err, FLAW_BAD_DATA,
                         "%s: a TorchScript program, expected are weights: save its state_dict() with torch.save",
                         r->t->path);
    const flaw_zip_entry *order = find_entry(r, "byteorder");
    if (order && !same((const char *)order->data, order->size, "little"))
        return flaw_fail(r->err, FLAW_BAD_DATA, "%s: byte order '%.*s', only 'little' is read", r->t->path,
                         (int)(order->size < 16 ? order->size : 16), (const char *)order->data);
    return FLAW_OK;
}

static flaw_status not_zip(const flaw_tensors *t, const uint8_t *bytes, size_t size, flaw_error *err)
{
    /* The number that files before PyTorch 1.6 begin with, as a pickled LONG1. */
    static const uint8_t old[] = {0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
    if (size >= sizeof old && memcmp(bytes, old, sizeof old) == 0)
        return flaw_fail(
            err, FLAW_BAD_DATA,
            "%s: a PyTorch file of the form before 1.6, which is not read: load it with torch.load and save "
            "it again with torch.save",
            t->path);
    return flaw_fail(err, FLAW_BAD_DATA, "%s: not a PyTorch file%s: it does not begin as a zip archive", t->path,
                     size >= 2 && bytes[0] == 0x80 ? " (a bare pickle)" : "");
}

/* made and dictionaries live in a scratch arena, tensors' names and copied views in that of `t`. */
static flaw_status parse(flaw_tensors *t, const uint8_t *bytes, size_t size, flaw_arena *scratch, flaw_error *err)
{
    if (size < 4 || memcmp(bytes, "PK\3\4", 4) != 0) return not_zip(t, bytes, size, err);
    reader r = {.t = t, .copy_limit = size, .err = err};
    const flaw_zip_entry *pickle = NULL;
    flaw_status status = flaw_zip_read(&r.zip, bytes, size, t->path, scratch, err);
    if (status || (status = find_pickle(&r, &pickle)) || (status = check_kind(&r))) return status;
    if (!flaw_zip_intact(pickle))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: data.pkl is damaged: its CRC-32 does not fit", t->path);
    char name[512];
    snprintf(name, sizeof name, "%s: data.pkl", t->path);
    const flaw_pickle_words words = {.context = &r, .global = read_global, .call = call, .persistent = read_storage};
    flaw_pickle_value root;
    status = flaw_pickle_read(&root, pickle->data, pickle->size, name, &words, scratch, err);
    return status ? status : fill_table(&r, &root);
}

flaw_status flaw_torch_parse(flaw_tensors *out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err)
{
    flaw_tensors t = {0};
    flaw_arena scratch;
    flaw_arena_init(&t.arena, 0);
    flaw_arena_init(&scratch, 0);
    t.path = flaw_arena_copy_string(&t.arena, name, strlen(name));
    flaw_status status =
        t.path ? parse(&t, bytes, size, &scratch, err) : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", name);
    flaw_arena_release(&scratch);
    if (status) flaw_tensors_close(&t);
    else *out = t;
    return status;
}

flaw_status flaw_torch_open(flaw_tensors *out, const char *path, flaw_error *err)
{
    return flaw_tensors_map(out, path, flaw_torch_parse, err);
}
