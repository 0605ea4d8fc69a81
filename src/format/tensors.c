/* What the tables of all containers share, however they were filled. */
#include "format/tensors.h"

#include <stdlib.h>
#include <string.h>

void flaw_tensors_close(flaw_tensors *t)
{
    flaw_bytes_release(&t->file);
    for (size_t i = 0; i < t->more_count; i++) flaw_bytes_release(&t->more[i]);
    free(t->more);
    flaw_arena_release(&t->arena);
    *t = (flaw_tensors){0};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const flaw_tensor *)a)->name, ((const flaw_tensor *)b)->name);
}

const flaw_tensor *flaw_tensors_find(const flaw_tensors *t, const char *name)
{
    const flaw_tensor key = {.name = name};
    return t->count ? bsearch(&key, t->item, t->count, sizeof *t->item, compare_names) : NULL;
}

const char *flaw_tensors_metadata(const flaw_tensors *t, const char *key)
{
    for (size_t i = 0; i < t->metadata_count; i++)
        if (strcmp(t->metadata[2 * i], key) == 0) return t->metadata[2 * i + 1];
    return NULL;
}

void flaw_tensor_drop_part(const flaw_tensors *t, const flaw_tensor *tensor, size_t offset, size_t size)
{
    flaw_bytes_drop(&t->file, tensor->data + offset, size);
    for (size_t i = 0; i < t->more_count; i++) flaw_bytes_drop(&t->more[i], tensor->data + offset, size);
}

void flaw_tensor_drop(const flaw_tensors *t, const flaw_tensor *tensor)
{
    flaw_tensor_drop_part(t, tensor, 0, tensor->bytes);
}
