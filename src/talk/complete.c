/* flaw_complete: the language model alone, without picture and dialogue. */
#include <stdlib.h>
#include <string.h>

#include "flaw/talk.h"
#include "model/language/language.h"

void flaw_complete_defaults(flaw_complete_options *options)
{
    *options = (flaw_complete_options){.max_tokens = 256, .top_p = 1};
}

/* Ids that the model reads: its beginning token, where it has one, and the prompt. */
static flaw_status read_prompt(flaw_reading *r, const char *prompt, flaw_error *err)
{
    const flaw_language *m = flaw_reading_model(r);
    size_t size = strlen(prompt), count = 0, first = m->bos >= 0;
    if (size && !m->pieces)
        return flaw_fail(err, FLAW_USAGE, "%s: no tokenizer, so it reads no prompt but the empty one", m->name);
    if (!size && !first) return flaw_fail(err, FLAW_USAGE, "%s: no beginning token, so it needs a prompt", m->name);
    size_t room = first + 4 * size + 4; /* a text has at most one token a byte, and the dummy space */
    int32_t *ids = malloc(room * sizeof *ids);
    if (!ids) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for a prompt of %zu bytes", m->name, size);
    flaw_status status = FLAW_OK;
    if (first) ids[0] = m->bos;
    if (size) status = flaw_pieces_encode(m->pieces, prompt, size, ids + first, room - first, &count, err);
    count += first;
    if (!status && (count > room || count > (size_t)m->shape.context))
        status = flaw_fail(err, FLAW_USAGE, "%s: the prompt has %zu tokens, at most %d are allowed", m->name, count,
                           m->shape.context);
    if (!status) status = flaw_reading_ids(r, ids, (int)count, err);
    free(ids);
    return status;
}

typedef struct completion {
    flaw_compute compute;
    flaw_language *model;
    flaw_reading *reading;
    flaw_written written;
} completion;

static flaw_status run(completion *x, const flaw_complete_options *o, const char *prompt, flaw_talk_words words,
                       void *context, flaw_error *err)
{
    flaw_keep keep;
    flaw_level level;
    flaw_status status = flaw_keep_parse(&keep, o->precision, err);
    if (!status) status = flaw_level_parse(&level, o->level, err);
    if (!status) status = flaw_compute_open(&x->compute, o->threads, level, FLAW_F32, err);
    if (!status) status = flaw_language_open(&x->model, o->model, keep, NULL, &x->compute, err);
    if (!status) status = flaw_reading_open(&x->reading, x->model, &x->compute, err);
    if (!status) status = read_prompt(x->reading, prompt, err);
    if (status) return status;
    const flaw_writing task = {.max_tokens = o->max_tokens,
                               .sampling = {.temperature = o->temperature, .top_p = o->top_p, .top_k = o->top_k},
                               .seed = o->seed,
                               .fresh = !*prompt,
                               .words = words,
                               .context = context};
    return flaw_language_write(x->reading, &task, &x->written, err);
}

flaw_status flaw_complete(const flaw_complete_options *options, const char *prompt, flaw_talk_words words,
                          void *context, char **text, int **ids, int *count, flaw_error *err)
{
    completion x = {.model = NULL};
    char *copy = NULL;
    if (options->threads < 0 || options->max_tokens < 1 || options->top_k < 0 || !(options->temperature >= 0) ||
        !(options->top_p > 0 && options->top_p <= 1))
        return flaw_fail(
            err, FLAW_USAGE,
            "%d threads, %d tokens, temperature %g, top-p %g, top-k %d: allowed are at least 0, 1, 0, values in (0, "
            "1], and 0",
            options->threads, options->max_tokens, options->temperature, options->top_p, options->top_k);
    flaw_status status = run(&x, options, prompt, words, context, err);
    if (!status) {
        copy = x.written.text.data ? strdup(x.written.text.data) : calloc(1, 1);
        if (!copy) status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for a text of %zu bytes", x.written.text.size);
    }
    if (!status) {
        *text = copy;
        if (count) *count = x.written.count;
        if (ids) *ids = x.written.ids;
        if (ids) x.written.ids = NULL; /* the caller's now */
    }
    flaw_written_release(&x.written);
    flaw_reading_close(x.reading);
    flaw_language_close(x.model);
    flaw_compute_close(&x.compute);
    return status;
}
