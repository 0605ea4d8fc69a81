/* How other programs name and lay out the parameters of flaw_clip_parameters: one table for each foreign form.
 * In canonical and foreign names '#' stands for the number of a block. */
#ifndef FLAW_MODEL_NAMES_H
#define FLAW_MODEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

typedef enum flaw_layout {
    FLAW_LAYOUT_SAME,      /* as the canonical parameter; leading sides of 1 are allowed */
    FLAW_LAYOUT_PICTURE,   /* [D, 3, p, p] for [D, 3*p*p] */
    FLAW_LAYOUT_FRAMES,    /* [D, 3, 2, p, p]: a convolution over two frames, which are the same picture: their sum */
    FLAW_LAYOUT_KERNEL_3,  /* [O, I, 3, 3] for [O, I*3*3] */
    FLAW_LAYOUT_KERNEL_5,  /* [O, I, 5, 5] for [O, I*5*5] */
    FLAW_LAYOUT_TRANSPOSE, /* [columns, rows] for [rows, columns] */
    FLAW_LAYOUT_QKV,       /* three tensors one below the other; '@' stands for q, k and v, '&' for query, key, value */
    FLAW_LAYOUT_SCALED,    /* rows (or elements) times those of the tensor behind the bar: layer scale, folded in */
    FLAW_LAYOUT_POSITION,  /* positions of any square grid, with or without the class token's, brought to ours (positions.h) */
    FLAW_LAYOUT_POSITION_SMOOTH, /* the same with antialiasing */
    FLAW_LAYOUT_POSITION_OFFSET, /* the same by a scale of (grid + 0.1) / grid of the file */
    FLAW_LAYOUT_INT8,      /* flaw bundle: int8 rows and NAME.scale (never in a table) */
} flaw_layout;

/* "NAME|OTHER": this rule holds for files that have both tensors (of the first block). A parameter may have several
 * rules: the first that holds counts, the last when none does. */
typedef struct flaw_name_rule {
    const char *canonical, *foreign;
    flaw_layout layout;
} flaw_name_rule;

typedef struct flaw_name_table {
    const flaw_name_rule *rule; /* ends with canonical NULL */
    const char *const *ignored; /* buffers that carry no weights, patterns of flaw_names_match; ends with NULL */
    const char *(*why_unsupported)(const char *foreign); /* reason for a known stranger, or NULL; may be NULL itself */
} flaw_name_table;

extern const flaw_name_table flaw_names_openclip, flaw_names_hf, flaw_names_timm, flaw_names_imagebind,
    flaw_names_dino;
/* LLaMA of Hugging Face and of GGUF. The tied one lets a head be that repeats the token table. */
extern const flaw_name_table flaw_names_llama, flaw_names_llama_tied, flaw_names_gguf;

/* Does `name` equal `pattern`, where '#' takes one run of digits and a '*' at its end all that is left?
 * *block is the last such number, or -1. */
bool flaw_names_match(const char *pattern, const char *name, int *block);
/* The next rule for a canonical name behind `after`, or the first for NULL; *block is its block number or -1. NULL when the
 * table has no more. */
const flaw_name_rule *flaw_names_find(const flaw_name_table *table, const flaw_name_rule *after, const char *canonical,
                                      int *block);
/* Foreign name with '#', '@' and '&' filled in, up to a bar; `part` 0..2 picks q, k, v. False when it does not fit. */
bool flaw_names_fill(char *out, size_t size, const char *foreign, int block, int part);

#endif
