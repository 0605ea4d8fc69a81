/* The small language model inside cannot write sentences about products it has never heard of: it was trained on
 * dialogues about maps, and that is what it answers with. It chooses instead, from a bank of states and wordings: the
 * sentences that it finds likeliest after the name of the object, in bits per byte, each state once and each wording
 * equally often, as far as there are enough. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/prompts.h"
#include "detect/sentence.h"
#include "model/language/language.h"
#include "talk/prompts_bank.h"
#include "talk/prompts_writer.h"

enum { STATES = 64, IDS = 512 };

typedef struct inside {
    flaw_compute compute;
    flaw_language *model;
    flaw_reading *reading;
    int32_t ids[IDS]; /* what stands in the reading */
    double bits[IDS]; /* of token i after those before it */
    int count, head; /* tokens in all, and of what stands before the sentences */
} inside;

typedef struct candidate {
    char text[FLAW_PROMPT_BYTES];
    double rate; /* bits per byte of the sentence */
    int state, frame;
    bool taken;
} candidate;

static void close_inside(flaw_writer *w)
{
    inside *x = w->self;
    flaw_reading_close(x->reading);
    flaw_language_close(x->model);
    if (x->compute.pool) flaw_compute_close(&x->compute);
    free(x);
    w->self = NULL;
}

/* Bits of token `id` under logits [V]. */
static double bits_of(const float *logits, int vocab, int32_t id)
{
    double top = logits[0], sum = 0;
    for (int i = 1; i < vocab; i++) top = fmax(top, logits[i]);
    for (int i = 0; i < vocab; i++) sum += exp(logits[i] - top);
    return (log(sum) + top - logits[id]) / log(2);
}

/* Read a text token by token; what it shares with the one before is not read again. */
static flaw_status read_text(inside *x, const char *text, int *count, flaw_error *err)
{
    int32_t ids[IDS];
    size_t n = 0, first = x->model->bos >= 0;
    if (first) ids[0] = x->model->bos;
    flaw_status s = flaw_pieces_encode(x->model->pieces, text, strlen(text), ids + first, IDS - first, &n, err);
    n += first;
    if (!s && (n > IDS || n > (size_t)x->model->shape.context))
        s = flaw_fail(err, FLAW_USAGE, "the name of the object is too long for the language model inside");
    if (s) return s;
    int same = 0;
    while (same < x->count && same < (int)n && x->ids[same] == ids[same]) same++;
    int from = same > 0 ? same - 1 : 0; /* the last shared token again, for its logits */
    flaw_reading_rewind(x->reading, from);
    for (int i = from; !s && i < (int)n; i++) {
        if (i > from) x->bits[i] = bits_of(flaw_reading_logits(x->reading), x->model->shape.vocab, ids[i]);
        x->ids[i] = ids[i];
        s = flaw_reading_ids(x->reading, &ids[i], 1, err);
    }
    x->count = s ? 0 : (int)n;
    *count = x->count;
    return s;
}

/* Bits per byte of `sentence` behind `before`. */
static flaw_status rate(inside *x, double *out, const char *before, const char *sentence, flaw_error *err)
{
    char text[2 * FLAW_PROMPT_BYTES];
    int all;
    snprintf(text, sizeof text, "%s%s", before, sentence);
    flaw_status s = read_text(x, text, &all, err);
    if (s) return s;
    double sum = 0;
    for (int i = x->head; i < all; i++) sum += x->bits[i];
    *out = sum / (double)strlen(sentence);
    return FLAW_OK;
}

static int by_rate(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return x->rate < y->rate ? -1 : x->rate > y->rate ? 1 : strcmp(x->text, y->text);
}

static bool is_there(const flaw_wanted *w, const char *text)
{
    for (int i = 0; i < w->have_count; i++)
        if (flaw_sentence_same(w->have[i], text)) return true;
    return false;
}

/* One wording for all states that fit: texts that begin alike are read one after the other. */
static flaw_status word_states(inside *x, candidate *out, int *n, const flaw_wanted *w, const char *before, int f,
                               flaw_error *err)
{
    const char *frame = flaw_bank_frame(w->side, f), *hole = strstr(frame, "%s"), *state;
    unsigned materials = flaw_bank_materials(w->object, w->brief);
    flaw_status s = FLAW_OK;
    int fits;
    for (int i = 0; !s && i < STATES && (state = flaw_bank_state(w->side, i, materials, &fits)); i++) {
        char form[FLAW_PROMPT_BYTES];
        candidate *c = &out[*n];
        if (!fits) continue;
        snprintf(form, sizeof form, "%.*s%s", (int)(hole - frame), frame, state);
        *c = (candidate){.state = i, .frame = f};
        if (!flaw_prompts_fill(c->text, sizeof c->text, form, w->object))
            return flaw_fail(err, FLAW_USAGE, "the name of the object is too long");
        s = rate(x, &c->rate, before, c->text, err);
        c->taken = is_there(w, c->text);
        ++*n;
    }
    return s;
}

/* The likeliest first. A state comes a second time only when every one came once; wordings share the first pass
 * equally. */
static void take_likeliest(candidate *list, int n, int count, flaw_buffer *reply)
{
    int state[STATES] = {0}, frame[FLAW_BANK_FRAMES] = {0}, told = 0;
    int most = (count + FLAW_BANK_FRAMES - 1) / FLAW_BANK_FRAMES;
    for (int pass = 1; pass <= FLAW_BANK_FRAMES; pass++)
        for (int i = 0; i < n && told < count; i++) {
            candidate *c = &list[i];
            if (c->taken || state[c->state] >= pass || frame[c->frame] >= (pass > 1 ? n : most)) continue;
            flaw_buffer_printf(reply, "- %s\n", c->text);
            c->taken = true;
            state[c->state]++;
            frame[c->frame]++;
            told++;
        }
}

static flaw_status choose(flaw_writer *writer, const flaw_wanted *w, flaw_buffer *reply, flaw_error *err)
{
    inside *x = writer->self;
    candidate *list = calloc(STATES * FLAW_BANK_FRAMES, sizeof *list);
    char before[FLAW_OBJECT_ROOM + 64];
    int n = 0;
    flaw_status s = list ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused");
    /* As in its dialogues: the object's name in place of a picture, and what the map shows (learn/language/dialogue.h). */
    snprintf(before, sizeof before, "### Human: <Img> %s </Img>  %s ", w->object, w->side ? "1 region." : "no region.");
    if (!s) s = read_text(x, before, &x->head, err);
    for (int f = 0; !s && f < FLAW_BANK_FRAMES; f++) s = word_states(x, list, &n, w, before, f, err);
    if (!s) qsort(list, (size_t)n, sizeof *list, by_rate);
    if (!s) take_likeliest(list, n, w->count, reply);
    free(list);
    return s || !reply->failed ? s : flaw_fail(err, FLAW_NO_MEMORY, "memory for a reply was refused");
}

flaw_status flaw_writer_inside(flaw_writer *out, const flaw_prompts_options *o, flaw_error *err)
{
    flaw_level level;
    inside *x = calloc(1, sizeof *x);
    if (!x) return flaw_fail(err, FLAW_NO_MEMORY, "a language model was refused");
    flaw_writer w = {.write = choose, .close = close_inside, .self = x};
    snprintf(w.model, sizeof w.model, "the small model inside, choosing from a bank");
    flaw_status s = flaw_level_parse(&level, o->level, err);
    if (!s) s = flaw_compute_open(&x->compute, o->threads, level, FLAW_F32, err);
    if (!s) s = flaw_language_open(&x->model, NULL, FLAW_KEEP_AUTO, NULL, &x->compute, err);
    if (!s) s = flaw_reading_open(&x->reading, x->model, &x->compute, err);
    if (s) flaw_writer_close(&w);
    else *out = w;
    return s;
}
