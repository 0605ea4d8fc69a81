/* Who writes sentences: an endpoint, a language model in a file, or the small one inside. */
#ifndef FLAW_TALK_PROMPTS_WRITER_H
#define FLAW_TALK_PROMPTS_WRITER_H

#include "base/buffer.h"
#include "flaw/prompts.h"

/* One question. */
typedef struct flaw_wanted {
    int side; /* 0 normal, 1 abnormal */
    int count;
    const char *object, *brief;
    char *const *have; /* [have_count] sentences that are there already */
    int have_count;
    const char *system, *user; /* the same in words */
} flaw_wanted;

typedef struct flaw_writer {
    /* Append the answer to *reply; may set `model`. */
    flaw_status (*write)(struct flaw_writer *w, const flaw_wanted *wanted, flaw_buffer *reply, flaw_error *err);
    void (*close)(struct flaw_writer *w);
    void *self;
    char model[128]; /* who answers, as far as is known after the first answer */
} flaw_writer;

#define FLAW_WRITER_TOKENS(count) (40 * (count) + 200) /* most of an answer */

flaw_status flaw_writer_endpoint(flaw_writer *out, const flaw_prompts_options *options, flaw_error *err);
/* options->llm_model is a file or folder. */
flaw_status flaw_writer_local(flaw_writer *out, const flaw_prompts_options *options, flaw_error *err);
/* The embedded model chooses from a bank of sentences. */
flaw_status flaw_writer_inside(flaw_writer *out, const flaw_prompts_options *options, flaw_error *err);
void flaw_writer_close(flaw_writer *w); /* safe on a zeroed one */

#endif
