/* Writing: token after token until one ends it. What might still become part of the stop, or of a character, is held
 * back. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/language/language.h"

#define TEXT_LIMIT ((size_t)64 << 20)

typedef struct writer {
    flaw_reading *r;
    const flaw_language *m;
    const flaw_writing *w;
    flaw_written *out;
    flaw_buffer raw;  /* what the tokens spell, bytes as they come */
    size_t sent;      /* bytes of `raw` that are in out->text */
    size_t before[2]; /* size of `raw` before the last token and before the one before it */
    int cut_token;    /* "##"; -1: no such piece, or it ends nothing */
} writer;

/* Move raw[sent, end) to the text, NUL and bytes that are no UTF-8 as U+FFFD, and show it. False when the caller has enough. */
static bool send_text(writer *x, size_t end)
{
    flaw_buffer *text = &x->out->text;
    size_t from = text->size;
    while (x->sent < end) {
        size_t length = flaw_utf8_length(x->raw.data + x->sent, end - x->sent);
        if (length && x->raw.data[x->sent]) flaw_buffer_append(text, x->raw.data + x->sent, length);
        else flaw_buffer_text(text, "\xef\xbf\xbd");
        x->sent += length ? length : 1;
    }
    if (text->size == from || !x->w->words || text->failed) return true;
    return x->w->words(x->w->context, text->data + from, text->size - from) == 0;
}

/* Bytes at the end of the text that a stop may begin with. */
static size_t begun_stop(const flaw_buffer *raw, const char *stop)
{
    size_t longest = strlen(stop) - 1;
    for (size_t n = longest < raw->size ? longest : raw->size; n > 0; n--)
        if (memcmp(raw->data + raw->size - n, stop, n) == 0) return n;
    return 0;
}

/* Place of the stop in the text, or the size of the text. */
static size_t find_stop(const writer *x)
{
    const char *stop = x->w->stop;
    size_t length = strlen(stop), from = x->sent; /* nothing that was sent is part of a stop */
    const char *at = x->raw.size >= from + length ? memmem(x->raw.data + from, x->raw.size - from, stop, length) : NULL;
    return at ? (size_t)(at - x->raw.data) : x->raw.size;
}

/* Bytes that may be shown while more is to come. */
static size_t safe_end(const writer *x)
{
    if (!x->raw.size) return 0;
    size_t end = x->w->upstream_cut ? x->before[1] : x->raw.size;
    if (x->w->stop && !x->w->upstream_cut) end -= begun_stop(&x->raw, x->w->stop);
    end = flaw_pieces_complete(x->raw.data, end);
    return end > x->sent ? end : x->sent;
}

/* Take up one token; true when it ended the writing. */
static bool take(writer *x, int32_t id)
{
    flaw_written *out = x->out;
    bool first = out->count == 0 && x->w->fresh;
    out->ids[out->count++] = id;
    x->before[1] = x->before[0];
    x->before[0] = x->raw.size;
    if (x->m->pieces) flaw_pieces_append(x->m->pieces, id, first, &x->raw);
    if (id == x->m->eos || (x->w->upstream_cut && id == x->cut_token)) {
        out->end = id == x->m->eos ? FLAW_END_TOKEN : FLAW_END_STOP;
        return true;
    }
    if (x->w->stop && !x->w->upstream_cut) {
        size_t at = find_stop(x);
        if (at < x->raw.size) {
            out->end = FLAW_END_STOP;
            x->raw.size = at;
            return true;
        }
    }
    if (id == x->cut_token) {
        out->end = FLAW_END_STOP;
        x->raw.size = x->before[0];
        return true;
    }
    if (!send_text(x, safe_end(x))) {
        out->end = FLAW_END_CALLER;
        return true;
    }
    return false;
}

static void send_rest(writer *x)
{
    size_t end = x->w->upstream_cut ? x->before[1] : x->raw.size;
    if (!x->raw.size || x->out->end == FLAW_END_CALLER) return;
    end = flaw_pieces_complete(x->raw.data, end);
    if (end > x->sent && !send_text(x, end)) x->out->end = FLAW_END_CALLER;
}

static flaw_status run(writer *x, flaw_error *err)
{
    flaw_random random;
    flaw_status status = FLAW_OK;
    flaw_random_init(&random, x->w->seed, 0);
    for (bool ended = false; !ended && !status;) {
        float *logits = flaw_reading_logits(x->r);
        if (!logits) return flaw_fail(err, FLAW_USAGE, "%s: there is nothing yet that could be continued", x->m->name);
        int32_t id = flaw_language_sample(logits, x->m->shape.vocab, &x->w->sampling, &random);
        ended = take(x, id) || x->out->count >= x->w->max_tokens || flaw_reading_length(x->r) >= x->m->shape.context;
        if (!ended) status = flaw_reading_ids(x->r, &id, 1, err);
    }
    if (!status) send_rest(x);
    if (!status && (x->raw.failed || x->out->text.failed))
        status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for a text of %zu bytes", x->m->name, x->raw.size);
    return status;
}

flaw_status flaw_language_write(flaw_reading *r, const flaw_writing *w, flaw_written *out, flaw_error *err)
{
    const flaw_language *m = flaw_reading_model(r);
    flaw_written written = {.end = FLAW_END_LENGTH};
    flaw_writing task = *w;
    if (task.stop && !*task.stop) task.stop = NULL;
    if (task.max_tokens < 1)
        return flaw_fail(err, FLAW_USAGE, "%d tokens were asked for, at least one is allowed", task.max_tokens);
    if (!m->pieces && (task.stop || task.hashes || task.upstream_cut))
        return flaw_fail(err, FLAW_USAGE, "%s: no tokenizer, so no text can end the writing", m->name);
    int most = task.max_tokens < m->shape.context ? task.max_tokens : m->shape.context + 1;
    writer x = {.r = r, .m = m, .w = &task, .out = &written, .cut_token = -1};
    if (task.hashes || task.upstream_cut) x.cut_token = flaw_pieces_find(m->pieces, "##");
    flaw_buffer_init(&x.raw, TEXT_LIMIT);
    flaw_buffer_init(&written.text, 3 * TEXT_LIMIT);
    written.ids = malloc((size_t)most * sizeof *written.ids);
    flaw_status status =
        written.ids ? run(&x, err) : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for %d tokens", m->name, most);
    flaw_buffer_release(&x.raw);
    if (status) flaw_written_release(&written);
    else *out = written;
    return status;
}

void flaw_written_release(flaw_written *w)
{
    flaw_buffer_release(&w->text);
    free(w->ids);
    *w = (flaw_written){0};
}
