/* Python's pickle, protocol 2, as data: a list of opcodes that build plain values. What a global name, a call or a
 * persistent id means is said by the caller's three functions; nothing else happens, nothing is executed, and every
 * opcode that could do more is refused by name. */
#ifndef FLAW_FORMAT_PICKLE_H
#define FLAW_FORMAT_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "flaw/status.h"

typedef enum flaw_pickle_kind {
    FLAW_PICKLE_NONE,
    FLAW_PICKLE_BOOL,
    FLAW_PICKLE_INT,
    FLAW_PICKLE_FLOAT, /* read past, its value is not kept */
    FLAW_PICKLE_TEXT,
    FLAW_PICKLE_TUPLE,
    FLAW_PICKLE_LIST,
    FLAW_PICKLE_DICT,
    FLAW_PICKLE_GLOBAL, /* `number` is the caller's */
    FLAW_PICKLE_MADE,   /* by the caller: `made` */
} flaw_pickle_kind;

typedef struct flaw_pickle_value flaw_pickle_value;
typedef struct flaw_pickle_items flaw_pickle_items;

struct flaw_pickle_value {
    flaw_pickle_kind kind;
    uint32_t size; /* bytes of a text */
    union {
        int64_t number;                 /* whole numbers, booleans (0, 1), globals */
        const char *text;               /* UTF-8 in the pickle, not NUL-terminated */
        const flaw_pickle_items *items; /* tuple, list; dict: key, value, key, value ... */
        const void *made;
    };
};

struct flaw_pickle_items {
    flaw_pickle_value *item;
    size_t count, capacity; /* a dict of n entries has a count of 2 n */
};

typedef struct flaw_pickle flaw_pickle;

/* What the caller knows. Each returns FLAW_OK or the status of flaw_pickle_refuse. */
typedef struct flaw_pickle_words {
    void *context;
    /* Is this name allowed? *number becomes the value's. */
    flaw_status (*global)(void *context, flaw_pickle *p, const char *module, size_t module_size, const char *name,
                          size_t name_size, int64_t *number);
    /* Call of an allowed name. */
    flaw_status (*call)(void *context, flaw_pickle *p, int64_t number, const flaw_pickle_items *arguments,
                        flaw_pickle_value *out);
    flaw_status (*persistent)(void *context, flaw_pickle *p, const flaw_pickle_value *id, flaw_pickle_value *out);
} flaw_pickle_words;

/* The value of the pickle; its parts lie in the arena and in `bytes`. name: for messages, "model.pt: data.pkl".
 * Bounds: 16 MiB, 65536 values on the stack, memo numbers given in order. */
flaw_status flaw_pickle_read(flaw_pickle_value *out, const uint8_t *bytes, size_t size, const char *name,
                             const flaw_pickle_words *words, flaw_arena *arena, flaw_error *err);

/* FLAW_BAD_DATA that names the byte of the opcode being read. */
flaw_status flaw_pickle_refuse(flaw_pickle *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A new, empty dictionary. */
flaw_status flaw_pickle_dict(flaw_pickle *p, flaw_pickle_value *out);
flaw_arena *flaw_pickle_arena(flaw_pickle *p);
bool flaw_pickle_text_is(const flaw_pickle_value *v, const char *text);
/* The value under a text key, the last one given as in Python; NULL when there is none. */
const flaw_pickle_value *flaw_pickle_entry(const flaw_pickle_value *dict, const char *key);
const char *flaw_pickle_kind_name(flaw_pickle_kind kind); /* "a number", "a dictionary", ... */

#endif
