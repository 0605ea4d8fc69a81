/* Parts of a bundle (docs/decisions/0013) on their way into one file. A part is a list of tensors, whose data is in
 * memory or comes piece by piece while the file is written, and the part's own metadata. */
#ifndef FLAW_MODEL_PART_H
#define FLAW_MODEL_PART_H

#include "base/buffer.h"
#include "flaw/inspect.h" /* flaw_progress */
#include "format/writer.h"
#include "model/tower/clip.h"

typedef enum flaw_storage { FLAW_STORE_F32, FLAW_STORE_F16, FLAW_STORE_I8 } flaw_storage;

typedef struct flaw_part {
    flaw_tensor *item; /* [count]; data NULL: `write` brings it */
    size_t count, room;
    const char *metadata[8]; /* key, value, ... */
    size_t pairs;
    flaw_status (*write)(const struct flaw_part *part, size_t item, flaw_tensor_writer *to, flaw_error *err);
    const void *from; /* what `write` reads; must stay until the part is written */
    const char *name; /* for messages */
    flaw_arena arena;
} flaw_part;

/* Empty, with room for `room` tensors. */
flaw_status flaw_part_init(flaw_part *out, size_t room, const char *name, flaw_error *err);
void flaw_part_release(flaw_part *p);
/* Metadata, copied. */
flaw_status flaw_part_tell(flaw_part *p, const char *key, const char *text, size_t size, flaw_error *err);
/* A tensor (name, type, sides, data); what it points to must stay until the part is written. */
flaw_status flaw_part_add(flaw_part *p, const flaw_tensor *t, flaw_error *err);
/* All of a list. FLAW_STORE_I8: matrices as int8 rows and "NAME.scale", positions as F16, vectors as F32; the others
 * store everything in one type. FLAW_BAD_DATA, by name, for weights that are not finite or too large for F16. Needs
 * room for two tensors a parameter. */
flaw_status flaw_part_floats(flaw_part *p, const flaw_parameters *list, const float *weights, flaw_storage storage,
                             flaw_error *err);

/* One file of several parts and further metadata. Wide elements come first, so that all are aligned. */
flaw_status flaw_parts_write(const char *path, const flaw_part *const *part, size_t count, const char *const *metadata,
                             size_t pairs, flaw_error *err);
/* The same, telling after each tensor how many megabytes of how many are done. */
flaw_status flaw_parts_write_watched(const char *path, const flaw_part *const *part, size_t count,
                                     const char *const *metadata, size_t pairs, flaw_progress progress, void *context,
                                     flaw_error *err);

#endif
