#include "format/pickle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"

enum { STACK_LIMIT = 65536, MARK_LIMIT = 1024, NAME_LIMIT = 100 };
#define PICKLE_LIMIT ((size_t)16 << 20)

typedef struct stack {
    flaw_pickle_value *item;
    size_t count, capacity;
} stack;

struct flaw_pickle {
    flaw_cursor c;
    size_t at; /* of the opcode being read */
    const char *name;
    const flaw_pickle_words *words;
    stack stack, memo;              /* malloc'ed */
    size_t mark[MARK_LIMIT], marks; /* heights of the stack */
    flaw_arena *arena;
    flaw_error *err;
};

/* Names of the opcodes that exist, for what is refused (Python's pickletools). */
static const char *opcode_name(uint8_t op)
{
    static const struct {
        uint8_t op;
        const char *name;
    } names[] = {
        {'0', "POP"},
        {'1', "POP_MARK"},
        {'2', "DUP"},
        {'F', "FLOAT"},
        {'I', "INT"},
        {'L', "LONG"},
        {'P', "PERSID"},
        {'S', "STRING"},
        {'T', "BINSTRING"},
        {'U', "SHORT_BINSTRING"},
        {'V', "UNICODE"},
        {'d', "DICT"},
        {'g', "GET"},
        {'i', "INST"},
        {'l', "LIST"},
        {'o', "OBJ"},
        {'p', "PUT"},
        {'B', "BINBYTES"},
        {'C', "SHORT_BINBYTES"},
        {0x81, "NEWOBJ"},
        {0x82, "EXT1"},
        {0x83, "EXT2"},
        {0x84, "EXT4"},
        {0x8b, "LONG4"},
        {0x8c, "SHORT_BINUNICODE"},
        {0x8d, "BINUNICODE8"},
        {0x8e, "BINBYTES8"},
        {0x8f, "EMPTY_SET"},
        {0x90, "ADDITEMS"},
        {0x91, "FROZENSET"},
        {0x92, "NEWOBJ_EX"},
        {0x93, "STACK_GLOBAL"},
        {0x94, "MEMOIZE"},
        {0x95, "FRAME"},
        {0x96, "BYTEARRAY8"},
        {0x97, "NEXT_BUFFER"},
        {0x98, "READONLY_BUFFER"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].op == op) return names[i].name;
    return "unknown";
}

flaw_status flaw_pickle_refuse(flaw_pickle *p, const char *format, ...)
{
    char what[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return flaw_fail(p->err, FLAW_BAD_DATA, "%s byte %zu: %s", p->name, p->at, what);
}

flaw_arena *flaw_pickle_arena(flaw_pickle *p)
{
    return p->arena;
}

const char *flaw_pickle_kind_name(flaw_pickle_kind kind)
{
    static const char *const names[] = {
        [FLAW_PICKLE_NONE] = "nothing",         [FLAW_PICKLE_BOOL] = "a truth value",
        [FLAW_PICKLE_INT] = "a number",         [FLAW_PICKLE_FLOAT] = "a number",
        [FLAW_PICKLE_TEXT] = "a text",          [FLAW_PICKLE_TUPLE] = "a tuple",
        [FLAW_PICKLE_LIST] = "a list",          [FLAW_PICKLE_DICT] = "a dictionary",
        [FLAW_PICKLE_GLOBAL] = "a global name", [FLAW_PICKLE_MADE] = "a tensor or storage",
    };
    return names[kind];
}

static flaw_status no_memory(flaw_pickle *p)
{
    return flaw_fail(p->err, FLAW_NO_MEMORY, "%s byte %zu: no memory for its values", p->name, p->at);
}

bool flaw_pickle_text_is(const flaw_pickle_value *v, const char *text)
{
    return v->kind == FLAW_PICKLE_TEXT && v->size == strlen(text) && memcmp(v->text, text, v->size) == 0;
}

const flaw_pickle_value *flaw_pickle_entry(const flaw_pickle_value *dict, const char *key)
{
    if (dict->kind != FLAW_PICKLE_DICT) return NULL;
    for (size_t i = dict->items->count; i >= 2; i -= 2)
        if (flaw_pickle_text_is(&dict->items->item[i - 2], key)) return &dict->items->item[i - 1];
    return NULL;
}

/* Set item `at` of a stack that grows by doubling; at <= count. */
static flaw_status stack_set(flaw_pickle *p, stack *s, size_t at, flaw_pickle_value v)
{
    if (at == s->capacity) {
        const size_t capacity = s->capacity ? 2 * s->capacity : 64;
        flaw_pickle_value *grown = realloc(s->item, capacity * sizeof *grown);
        if (!grown) return no_memory(p);
        s->item = grown;
        s->capacity = capacity;
    }
    s->item[at] = v;
    if (at == s->count) s->count++;
    return FLAW_OK;
}

static flaw_status push(flaw_pickle *p, flaw_pickle_value v)
{
    if (p->stack.count >= STACK_LIMIT) return flaw_pickle_refuse(p, "more than %d values on the stack", STACK_LIMIT);
    return stack_set(p, &p->stack, p->stack.count, v);
}

static flaw_status push_number(flaw_pickle *p, flaw_pickle_kind kind, int64_t number)
{
    return push(p, (flaw_pickle_value){.kind = kind, .number = number});
}

/* Values above the last mark, or all when there is none: what an opcode may take. */
static size_t within_reach(const flaw_pickle *p)
{
    return p->stack.count - (p->marks ? p->mark[p->marks - 1] : 0);
}

/* The top value leaves the stack. */
static flaw_status pop(flaw_pickle *p, flaw_pickle_value *out)
{
    if (within_reach(p) == 0) return flaw_pickle_refuse(p, "a value is taken from an empty stack");
    *out = p->stack.item[--p->stack.count];
    return FLAW_OK;
}

static flaw_status top(flaw_pickle *p, flaw_pickle_value *out)
{
    flaw_status status = pop(p, out);
    if (status == FLAW_OK) p->stack.count++;
    return status;
}

/* Leave the last mark; *from and *count are the values above it, which stay in place until the stack is pushed to. */
static flaw_status pop_mark(flaw_pickle *p, size_t *from, size_t *count)
{
    if (p->marks == 0) return flaw_pickle_refuse(p, "a mark is taken, but there is none");
    *from = p->mark[--p->marks];
    *count = p->stack.count - *from;
    p->stack.count = *from;
    return FLAW_OK;
}

static flaw_status items_append(flaw_pickle *p, flaw_pickle_items *to, const flaw_pickle_value *from, size_t count)
{
    if (count > to->capacity - to->count) {
        size_t capacity;
        if (!flaw_add_ok(&capacity, to->count, count) || !flaw_add_ok(&capacity, capacity, to->count))
            return no_memory(p);
        flaw_pickle_value *grown = flaw_arena_alloc(p->arena, capacity, sizeof *grown);
        if (!grown) return no_memory(p);
        if (to->count) memcpy(grown, to->item, to->count * sizeof *grown);
        to->item = grown;
        to->capacity = capacity;
    }
    if (count) memcpy(to->item + to->count, from, count * sizeof *from);
    to->count += count;
    return FLAW_OK;
}

static flaw_status make_items(flaw_pickle *p, flaw_pickle_kind kind, const flaw_pickle_value *from, size_t count,
                              flaw_pickle_value *out)
{
    flaw_pickle_items *items = flaw_arena_alloc(p->arena, 1, sizeof *items);
    if (!items) return no_memory(p);
    *out = (flaw_pickle_value){.kind = kind, .items = items};
    return items_append(p, items, from, count);
}

flaw_status flaw_pickle_dict(flaw_pickle *p, flaw_pickle_value *out)
{
    return make_items(p, FLAW_PICKLE_DICT, NULL, 0, out);
}

static flaw_status push_items(flaw_pickle *p, flaw_pickle_kind kind, size_t from, size_t count)
{
    flaw_pickle_value v = {0};
    p->stack.count = from;
    flaw_status status = make_items(p, kind, p->stack.item ? p->stack.item + from : NULL, count, &v);
    return status ? status : push(p, v);
}

/* TUPLE1, TUPLE2, TUPLE3 */
static flaw_status small_tuple(flaw_pickle *p, size_t count)
{
    if (within_reach(p) < count)
        return flaw_pickle_refuse(p, "a tuple of %zu values, the stack holds %zu", count, within_reach(p));
    return push_items(p, FLAW_PICKLE_TUPLE, p->stack.count - count, count);
}

static flaw_status marked_tuple(flaw_pickle *p)
{
    size_t from = 0, count = 0;
    flaw_status status = pop_mark(p, &from, &count);
    return status ? status : push_items(p, FLAW_PICKLE_TUPLE, from, count);
}

/* Put `count` values that lie above the stack into the list or dict at its top. */
static flaw_status put_into(flaw_pickle *p, flaw_pickle_kind kind, size_t from, size_t count)
{
    flaw_pickle_value container = {0};
    flaw_status status = top(p, &container);
    if (status) return status;
    if (container.kind != kind)
        return flaw_pickle_refuse(p, "entries are put into %s, only %s takes them",
                                  flaw_pickle_kind_name(container.kind), flaw_pickle_kind_name(kind));
    if (kind == FLAW_PICKLE_DICT && count % 2) return flaw_pickle_refuse(p, "a key without a value");
    for (size_t i = 0; kind == FLAW_PICKLE_DICT && i < count; i += 2) {
        const flaw_pickle_kind key = p->stack.item[from + i].kind;
        if (key != FLAW_PICKLE_TEXT && key != FLAW_PICKLE_INT)
            return flaw_pickle_refuse(p, "%s as a key, only texts and numbers are allowed", flaw_pickle_kind_name(key));
    }
    /* Containers are made by make_items; the const keeps readers from changing them. */
    return items_append(p, (flaw_pickle_items *)container.items, p->stack.item + from, count);
}

/* SETITEM, APPEND: `count` values at the top. SETITEMS, APPENDS: those above the mark. */
static flaw_status put_top(flaw_pickle *p, flaw_pickle_kind kind, size_t count)
{
    if (within_reach(p) < count) return flaw_pickle_refuse(p, "a value is taken from an empty stack");
    p->stack.count -= count;
    return put_into(p, kind, p->stack.count, count);
}

static flaw_status put_marked(flaw_pickle *p, flaw_pickle_kind kind)
{
    size_t from = 0, count = 0;
    flaw_status status = pop_mark(p, &from, &count);
    return status ? status : put_into(p, kind, from, count);
}

static flaw_status read_text(flaw_pickle *p)
{
    const uint32_t size = flaw_cursor_u32le(&p->c);
    const char *text = (const char *)flaw_cursor_bytes(&p->c, size);
    if (!text) return FLAW_OK; /* the cursor has failed */
    if (!flaw_utf8_valid(text, size)) return flaw_pickle_refuse(p, "a text of %u bytes is not UTF-8", size);
    return push(p, (flaw_pickle_value){.kind = FLAW_PICKLE_TEXT, .size = size, .text = text});
}

/* LONG1: `size` bytes, little endian, two's complement. */
static flaw_status read_long(flaw_pickle *p)
{
    const uint8_t size = flaw_cursor_u8(&p->c);
    const uint8_t *bytes = flaw_cursor_bytes(&p->c, size);
    uint64_t number = 0;
    if (!bytes) return FLAW_OK;
    if (size > 8) return flaw_pickle_refuse(p, "a number of %d bytes, at most 8 are allowed", size);
    if (size && (bytes[size - 1] & 0x80)) number = UINT64_MAX;
    for (int i = size - 1; i >= 0; i--) number = number << 8 | bytes[i];
    return push_number(p, FLAW_PICKLE_INT, (int64_t)number);
}

static bool read_line(flaw_pickle *p, const char **text, size_t *size)
{
    const uint8_t *end = memchr(p->c.at, '\n', flaw_cursor_left(&p->c));
    if (!end) {
        p->c.failed = true;
        return false;
    }
    *size = (size_t)(end - p->c.at);
    *text = (const char *)flaw_cursor_bytes(&p->c, *size + 1);
    return true;
}

static flaw_status read_global(flaw_pickle *p)
{
    const char *module, *name;
    size_t module_size, name_size;
    int64_t number = 0;
    if (!read_line(p, &module, &module_size) || !read_line(p, &name, &name_size)) return FLAW_OK;
    if (module_size > NAME_LIMIT || name_size > NAME_LIMIT)
        return flaw_pickle_refuse(p, "a global name of %zu bytes", module_size + 1 + name_size);
    flaw_status status = p->words->global(p->words->context, p, module, module_size, name, name_size, &number);
    return status ? status : push_number(p, FLAW_PICKLE_GLOBAL, number);
}

static flaw_status reduce(flaw_pickle *p)
{
    flaw_pickle_value arguments = {0}, function = {0}, made = {0};
    flaw_status status;
    if ((status = pop(p, &arguments)) || (status = pop(p, &function))) return status;
    if (function.kind != FLAW_PICKLE_GLOBAL || arguments.kind != FLAW_PICKLE_TUPLE)
        return flaw_pickle_refuse(p, "REDUCE calls %s with %s, only an allowed name with a tuple may be called",
                                  flaw_pickle_kind_name(function.kind), flaw_pickle_kind_name(arguments.kind));
    status = p->words->call(p->words->context, p, function.number, arguments.items, &made);
    return status ? status : push(p, made);
}

static flaw_status persistent(flaw_pickle *p)
{
    flaw_pickle_value id = {0}, made = {0};
    flaw_status status;
    if ((status = pop(p, &id)) || (status = p->words->persistent(p->words->context, p, &id, &made))) return status;
    return push(p, made);
}

/* PyTorch gives the dictionary of a module's weights one attribute, the versions of its layers. It is read past. */
static flaw_status build(flaw_pickle *p)
{
    flaw_pickle_value state = {0}, object = {0};
    flaw_status status;
    if ((status = pop(p, &state)) || (status = top(p, &object))) return status;
    const bool known = state.kind == FLAW_PICKLE_DICT && state.items->count == 2 &&
                       flaw_pickle_text_is(&state.items->item[0], "_metadata") &&
                       state.items->item[1].kind == FLAW_PICKLE_DICT;
    if (object.kind != FLAW_PICKLE_DICT || !known)
        return flaw_pickle_refuse(p, "BUILD gives state to %s, only \"_metadata\" of a dictionary is allowed",
                                  flaw_pickle_kind_name(object.kind));
    return FLAW_OK;
}

static flaw_status mark(flaw_pickle *p)
{
    if (p->marks == MARK_LIMIT) return flaw_pickle_refuse(p, "more than %d marks", MARK_LIMIT);
    p->mark[p->marks++] = p->stack.count;
    return FLAW_OK;
}

/* Python numbers its memo from 0 up; another order would only make room for numbers nobody gave. */
static flaw_status put(flaw_pickle *p, uint32_t index)
{
    flaw_pickle_value v = {0};
    if (p->c.failed) return FLAW_OK;
    flaw_status status = top(p, &v);
    if (status) return status;
    if (index > p->memo.count)
        return flaw_pickle_refuse(p, "memo number %u, the next one is %zu", index, p->memo.count);
    return stack_set(p, &p->memo, index, v);
}

static flaw_status get(flaw_pickle *p, uint32_t index)
{
    if (p->c.failed) return FLAW_OK;
    if (index >= p->memo.count)
        return flaw_pickle_refuse(p, "memo number %u was never given, there are %zu", index, p->memo.count);
    return push(p, p->memo.item[index]);
}

/* One opcode of the allow-list, but for PROTO and STOP. */
static flaw_status step(flaw_pickle *p, uint8_t op)
{
    switch (op) {
    case '(': return mark(p);
    case ')': return push_items(p, FLAW_PICKLE_TUPLE, p->stack.count, 0);
    case ']': return push_items(p, FLAW_PICKLE_LIST, p->stack.count, 0);
    case '}': return push_items(p, FLAW_PICKLE_DICT, p->stack.count, 0);
    case 't': return marked_tuple(p);
    case 0x85: return small_tuple(p, 1);
    case 0x86: return small_tuple(p, 2);
    case 0x87: return small_tuple(p, 3);
    case 'N': return push_number(p, FLAW_PICKLE_NONE, 0);
    case 0x88: return push_number(p, FLAW_PICKLE_BOOL, 1);
    case 0x89: return push_number(p, FLAW_PICKLE_BOOL, 0);
    case 'K': return push_number(p, FLAW_PICKLE_INT, flaw_cursor_u8(&p->c));
    case 'M': return push_number(p, FLAW_PICKLE_INT, flaw_cursor_u16le(&p->c));
    case 'J': return push_number(p, FLAW_PICKLE_INT, (int32_t)flaw_cursor_u32le(&p->c));
    case 0x8a: return read_long(p);
    case 'G': flaw_cursor_u64le(&p->c); return push_number(p, FLAW_PICKLE_FLOAT, 0);
    case 'X': return read_text(p);
    case 'a': return put_top(p, FLAW_PICKLE_LIST, 1);
    case 'e': return put_marked(p, FLAW_PICKLE_LIST);
    case 's': return put_top(p, FLAW_PICKLE_DICT, 2);
    case 'u': return put_marked(p, FLAW_PICKLE_DICT);
    case 'c': return read_global(p);
    case 'R': return reduce(p);
    case 'b': return build(p);
    case 'Q': return persistent(p);
    case 'q': return put(p, flaw_cursor_u8(&p->c));
    case 'r': return put(p, flaw_cursor_u32le(&p->c));
    case 'h': return get(p, flaw_cursor_u8(&p->c));
    case 'j': return get(p, flaw_cursor_u32le(&p->c));
    default:
        return flaw_pickle_refuse(p, "opcode 0x%02x (%s) is not allowed: weights do not need it", op, opcode_name(op));
    }
}

static flaw_status cut(flaw_pickle *p)
{
    return flaw_pickle_refuse(p, "the pickle ends in the middle of something, at %zu bytes",
                              (size_t)(p->c.end - p->c.begin));
}

static flaw_status run(flaw_pickle *p, flaw_pickle_value *out)
{
    if (flaw_cursor_u8(&p->c) != 0x80) return flaw_pickle_refuse(p, "no pickle: it does not begin with PROTO");
    const uint8_t protocol = flaw_cursor_u8(&p->c);
    if (p->c.failed) return cut(p);
    if (protocol != 2)
        return flaw_pickle_refuse(p, "pickle protocol %d, only 2 (what torch.save writes by default) is allowed",
                                  protocol);
    for (;;) {
        p->at = flaw_cursor_offset(&p->c);
        const uint8_t op = flaw_cursor_u8(&p->c);
        if (p->c.failed) return cut(p);
        if (op == '.') break;
        flaw_status status = step(p, op);
        if (status) return status;
        if (p->c.failed) return cut(p);
    }
    if (p->marks || p->stack.count != 1)
        return flaw_pickle_refuse(p, "STOP with %zu values and %zu marks left, expected is one value", p->stack.count,
                                  p->marks);
    if (flaw_cursor_left(&p->c))
        return flaw_pickle_refuse(p, "%zu bytes follow the end of the pickle", flaw_cursor_left(&p->c));
    *out = p->stack.item[0];
    return FLAW_OK;
}

flaw_status flaw_pickle_read(flaw_pickle_value *out, const uint8_t *bytes, size_t size, const char *name,
                             const flaw_pickle_words *words, flaw_arena *arena, flaw_error *err)
{
    if (size > PICKLE_LIMIT)
        return flaw_fail(err, FLAW_BAD_DATA, "%s has %zu bytes, allowed are %zu", name, size, PICKLE_LIMIT);
    flaw_pickle *p = calloc(1, sizeof *p);
    if (!p) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory", name);
    p->c = flaw_cursor_over(bytes, size);
    p->name = name;
    p->words = words;
    p->arena = arena;
    p->err = err;
    flaw_status status = run(p, out);
    free(p->stack.item);
    free(p->memo.item);
    free(p);
    return status;
}
