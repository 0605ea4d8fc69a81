#include "learn/voice/voice_text.h"

#include <stdlib.h>
#include <string.h>

static flaw_status encode(const flaw_voice_text *t, const char *text, int32_t *ids, int room, int *count, flaw_error *err)
{
    size_t found;
    flaw_status status = flaw_pieces_encode(t->pieces, text, strlen(text), ids, (size_t)room, &found, err);
    if (!status && found > (size_t)room)
        return flaw_fail(err, FLAW_USAGE, "a dialogue of more than %d tokens, the context of the language model", t->context);
    *count = (int)found;
    return status;
}

static flaw_status open_fixed(flaw_voice_text *t, flaw_error *err)
{
    enum { ROOM = 64 };
    t->head = flaw_arena_alloc(&t->arena, ROOM, sizeof *t->head);
    t->tail = flaw_arena_alloc(&t->arena, ROOM, sizeof *t->tail);
    size_t all = (size_t)t->samples * (size_t)t->context;
    t->line = flaw_arena_alloc(&t->arena, all, sizeof *t->line);
    t->line_target = flaw_arena_alloc(&t->arena, all, sizeof *t->line_target);
    t->ids = flaw_arena_alloc(&t->arena, all, sizeof *t->ids);
    t->target = flaw_arena_alloc(&t->arena, all, sizeof *t->target);
    t->length = flaw_arena_alloc(&t->arena, (size_t)t->samples, sizeof *t->length);
    if (!t->head || !t->tail || !t->line || !t->line_target || !t->ids || !t->target || !t->length)
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the dialogues of a batch");
    flaw_status status = encode(t, "### Human: <Img>", t->head, ROOM, &t->heads, err);
    return status ? status : encode(t, "</Img> ", t->tail, ROOM, &t->tails, err);
}

flaw_status flaw_voice_text_open(flaw_voice_text *out, const flaw_language *m, const char *dialogue, int samples, int prompts,
                                 flaw_error *err)
{
    flaw_voice_text t = {.pieces = m->pieces, .context = m->shape.context, .bos = flaw_pieces_bos(m->pieces), .samples = samples,
                         .prompts = prompts};
    flaw_arena_init(&t.arena, 0);
    flaw_status status = flaw_dialogues_read(&t.dialogues, dialogue, err);
    if (!status) status = open_fixed(&t, err);
    if (status) flaw_voice_text_close(&t);
    else *out = t;
    return status;
}

void flaw_voice_text_close(flaw_voice_text *t)
{
    flaw_dialogues_free(t->dialogues);
    flaw_arena_release(&t->arena);
    *t = (flaw_voice_text){0};
}

/* One line being written. */
typedef struct line {
    flaw_voice_text *t;
    int32_t *ids, *target;
    int used;
} line;

static flaw_status put(line *l, const int32_t *ids, int count, bool answer, flaw_error *err)
{
    if (l->used + count > l->t->context)
        return flaw_fail(err, FLAW_USAGE, "a dialogue of more than %d tokens, the context of the language model", l->t->context);
    for (int i = 0; i < count; i++) {
        if (answer) l->target[l->used - 1] = ids[i]; /* said by the token before it */
        l->ids[l->used] = ids[i];
        l->target[l->used++] = -1;
    }
    return FLAW_OK;
}

static flaw_status put_text(line *l, const char *before, const char *text, const char *after, bool answer, flaw_error *err)
{
    enum { ROOM = 2 * FLAW_TURN_TEXT };
    int32_t ids[ROOM];
    int count = 0;
    flaw_buffer whole;
    flaw_buffer_init(&whole, 4 * FLAW_TURN_TEXT);
    flaw_buffer_text(&whole, before);
    flaw_buffer_text(&whole, text);
    flaw_buffer_text(&whole, after);
    flaw_status status = whole.failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory for a dialogue")
                                      : encode(l->t, whole.data, ids, ROOM, &count, err);
    flaw_buffer_release(&whole);
    return status ? status : put(l, ids, count, answer, err);
}

/* Turns that do not fit into the context any more are left out; the first one must. */
flaw_status flaw_voice_text_write(flaw_voice_text *t, int index, const flaw_dialogue *d, flaw_error *err)
{
    size_t at = (size_t)index * (size_t)t->context;
    line l = {.t = t, .ids = t->line + at, .target = t->line_target + at};
    int32_t bos = t->bos, row = -1 - index * (1 + t->prompts);
    flaw_status status = bos >= 0 ? put(&l, &bos, 1, false, err) : FLAW_OK;
    if (!status) status = put(&l, t->head, t->heads, false, err);
    if (!status) status = put(&l, &row, 1, false, err);
    if (!status) status = put(&l, t->tail, t->tails, false, err);
    for (int i = 0; i < t->prompts && !status; i++) {
        int32_t prompt = row - 1 - i;
        status = put(&l, &prompt, 1, false, err);
    }
    for (int i = 0; i < d->turns && !status; i++) {
        int before = l.used;
        status = put_text(&l, i ? "Human: " : "", d->turn[i].question, "\n### Assistant:", false, err);
        if (!status) status = put_text(&l, "", d->turn[i].answer, "\n###", true, err);
        if (!status || i == 0) continue;
        l.used = before;
        l.target[before - 1] = -1;
        status = FLAW_OK;
        break;
    }
    t->length[index] = l.used;
    return status;
}

void flaw_voice_text_batch(flaw_voice_text *t, flaw_language_batch *out)
{
    int longest = 1;
    for (int i = 0; i < t->samples; i++) longest = t->length[i] > longest ? t->length[i] : longest;
    for (int i = 0; i < t->samples; i++)
        for (int k = 0; k < longest; k++) {
            size_t from = (size_t)i * (size_t)t->context + (size_t)k, to = (size_t)i * (size_t)longest + (size_t)k;
            bool inside = k < t->length[i];
            t->ids[to] = inside ? t->line[from] : 0;
            t->target[to] = inside ? t->line_target[from] : -1;
        }
    *out = (flaw_language_batch){.n = t->samples, .tokens = longest, .ids = t->ids, .target = t->target};
}
