/* Binding: which tensors of a file feed which parameters, what is missing, left over or misshapen; then the reading.
 * Nothing is allocated for weights before everything fits, so a lying configuration costs no memory. */
#ifndef FLAW_MODEL_BIND_H
#define FLAW_MODEL_BIND_H

#include "format/tensors.h"
#include "model/tower/clip.h"
#include "model/open/names.h"

typedef struct flaw_name_list {
    const char **name;
    size_t count;
} flaw_name_list;

typedef struct flaw_binding {
    const flaw_tensors *tensors;
    const flaw_parameters *list;
    struct flaw_bound {
        const flaw_tensor *part[3]; /* q, k, v for FLAW_LAYOUT_QKV; values and scales for FLAW_LAYOUT_INT8 */
        flaw_layout layout;
    } *bound; /* [list->count] */
    flaw_name_list missing;   /* foreign names */
    flaw_name_list left_over; /* foreign names, with the reason where one is known */
    flaw_name_list misshapen; /* "NAME is [3, 4], expected [4, 4]" */
} flaw_binding;

/* `table` NULL: canonical names (flaw bundle; tensors of its other parts are let be). Fails only for want of memory; the
 * lists say what does not fit. */
flaw_status flaw_binding_make(flaw_binding *out, const flaw_tensors *tensors, const flaw_name_table *table,
                              const flaw_parameters *list, flaw_arena *arena, flaw_error *err);
/* FLAW_OK when everything fits, else one line that counts and names. */
flaw_status flaw_binding_verdict(const flaw_binding *b, flaw_error *err);
/* Convert one parameter into out [its count]. */
flaw_status flaw_binding_read_one(const flaw_binding *b, size_t index, float *out, flaw_error *err);
/* Rows row .. row + rows - 1 alone, for the layouts of which that is possible; a matrix of two sides. */
bool flaw_binding_by_rows(const flaw_binding *b, size_t index);
flaw_status flaw_binding_read_rows(const flaw_binding *b, size_t index, int row, int rows, float *out, flaw_error *err);
/* Convert everything into weights [list->total]. */
flaw_status flaw_binding_read(const flaw_binding *b, float *weights, flaw_error *err);

#endif
