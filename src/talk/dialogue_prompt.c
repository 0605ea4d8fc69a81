#include "talk/dialogue_prompt.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_LIMIT ((size_t)1 << 20) /* bytes of all turns: the tokenizer reads no more */

static const char human[] = "### Human:", assistant[] = "\n### Assistant:", turn[] = "\n" FLAW_DIALOGUE_STOP " Human: ";

/* Ids of a text; *ids is malloc'ed [*count]. */
static flaw_status encode(const flaw_pieces *pieces, const char *text, size_t size, int32_t **ids, size_t *count, flaw_error *err)
{
    flaw_status status = flaw_pieces_encode(pieces, text, size, NULL, 0, count, err);
    if (status) return status;
    int32_t *out = malloc((*count + 1) * sizeof *out);
    if (!out) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu tokens", *count);
    status = flaw_pieces_encode(pieces, text, size, out, *count, count, err);
    if (status) free(out);
    else *ids = out;
    return status;
}

static flaw_status feed(flaw_dialogue_prompt *p, const char *text, flaw_error *err)
{
    int32_t *ids = NULL;
    size_t count;
    flaw_status status = encode(p->pieces, text, strlen(text), &ids, &count, err);
    if (status) return status;
    status = flaw_reading_ids(p->reading, ids, (int)count, err);
    free(ids);
    return status;
}

static flaw_status feed_head(flaw_dialogue_prompt *p, const float *picture, const float *prompts, int prompt_rows, flaw_error *err)
{
    const int32_t bos = flaw_pieces_bos(p->pieces);
    flaw_reading_rewind(p->reading, 0);
    flaw_status status = bos >= 0 ? flaw_reading_ids(p->reading, &bos, 1, err) : FLAW_OK;
    if (!status) status = feed(p, picture ? "### Human: <Img>" : human, err);
    if (!status && picture) status = flaw_reading_rows(p->reading, picture, 1, err);
    if (!status && picture) status = feed(p, "</Img> ", err);
    if (!status && prompt_rows) status = flaw_reading_rows(p->reading, prompts, prompt_rows, err);
    p->base = flaw_reading_length(p->reading);
    return status;
}

flaw_status flaw_dialogue_prompt_begin(flaw_dialogue_prompt *out, const flaw_language *m, flaw_reading *reading,
                                       const float *picture, const float *prompts, int prompt_rows, flaw_error *err)
{
    if (!m->pieces) return flaw_fail(err, FLAW_USAGE, "%s has no tokenizer: it cannot read words", m->name);
    flaw_dialogue_prompt_release(out);
    out->pieces = m->pieces;
    out->reading = reading;
    out->context = m->shape.context;
    flaw_buffer_init(&out->text, TEXT_LIMIT);
    flaw_status status = feed_head(out, picture, prompts, prompt_rows, err);
    if (status) flaw_dialogue_prompt_release(out);
    return status;
}

flaw_status flaw_dialogue_prompt_change(flaw_dialogue_prompt *p, const float *picture, const float *prompts, int prompt_rows,
                                        flaw_error *err)
{
    p->count = 0;
    return feed_head(p, picture, prompts, prompt_rows, err);
}

void flaw_dialogue_prompt_release(flaw_dialogue_prompt *p)
{
    flaw_buffer_release(&p->text);
    free(p->ids);
    *p = (flaw_dialogue_prompt){0};
}

/* The text ends at `size` again. */
static void cut(flaw_dialogue_prompt *p, size_t size)
{
    p->text.size = size;
    if (p->text.data) p->text.data[size] = '\0';
    p->text.failed = false;
}

void flaw_dialogue_prompt_restart(flaw_dialogue_prompt *p)
{
    cut(p, 0);
    p->first = p->settled = 0;
}

/* Text that cannot become a mark of the dialogue. */
static void append_tame(flaw_buffer *out, const char *question, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char *at = question + i;
        flaw_buffer_append(out, at, 1);
        bool mark = !strncasecmp(at, "<Img>", 5) || !strncasecmp(at, "</Img>", 6);
        if (mark || (*at == '#' && i + 1 < size && at[1] == '#')) flaw_buffer_text(out, " ");
    }
}

void flaw_dialogue_question(flaw_buffer *out, const char *question)
{
    while (isspace((unsigned char)*question)) question++;
    size_t size = strlen(question);
    while (size && isspace((unsigned char)question[size - 1])) size--;
    append_tame(out, question, size);
}

/* Forget the oldest turn of the text from `first` on; false when there is one only. */
static bool forget_turn(flaw_dialogue_prompt *p)
{
    const char *next = strstr(p->text.data + p->first, turn);
    if (!next) return false;
    p->first = (size_t)(next - p->text.data) + strlen(turn);
    return true;
}

/* Feed what differs from the ids that stand in the reading. At least the last token is fed, for its logits. */
static flaw_status feed_ids(flaw_dialogue_prompt *p, int32_t *ids, size_t count, flaw_error *err)
{
    size_t same = 0;
    int length = flaw_reading_length(p->reading);
    while (same < p->count && same + 1 < count && (int)same < length - p->base && p->ids[same] == ids[same]) same++;
    free(p->ids);
    p->ids = ids;
    p->count = count;
    flaw_reading_rewind(p->reading, p->base + (int)same);
    flaw_status status = flaw_reading_ids(p->reading, ids + same, (int)(count - same), err);
    if (status) p->count = 0;
    return status;
}

/* All of the text that fits: the oldest turns are forgotten until `room` tokens stay free. */
static flaw_status feed_text(flaw_dialogue_prompt *p, int room, flaw_error *err)
{
    for (;;) {
        int32_t *ids = NULL;
        size_t count = 0;
        flaw_status status = encode(p->pieces, p->text.data + p->first, p->text.size - p->first, &ids, &count, err);
        if (status) return status;
        if (count + (size_t)p->base + (size_t)room <= (size_t)p->context) return feed_ids(p, ids, count, err);
        free(ids);
        if (!forget_turn(p))
            return flaw_fail(err, FLAW_USAGE, "a question of %zu tokens: the model reads %d, of which %d are taken and %d kept for "
                             "the answer", count, p->context, p->base, room);
    }
}

flaw_status flaw_dialogue_prompt_ask(flaw_dialogue_prompt *p, const char *question, int room, flaw_error *err)
{
    cut(p, p->settled);
    if (p->settled > p->first) flaw_buffer_text(&p->text, turn);
    bool empty = !question[strspn(question, " \t\n\v\f\r")];
    append_tame(&p->text, question, strlen(question));
    flaw_buffer_text(&p->text, assistant);
    flaw_status status = FLAW_OK;
    if (empty) status = flaw_fail(err, FLAW_USAGE, "an empty question");
    else if (p->text.failed) status = flaw_fail(err, FLAW_USAGE, "a dialogue of more than %zu bytes", TEXT_LIMIT);
    if (!status) status = feed_text(p, room, err);
    if (status) cut(p, p->settled);
    return status;
}

/* Want of memory costs reading them again, nothing else. */
void flaw_dialogue_prompt_written(flaw_dialogue_prompt *p, const int32_t *ids, int count)
{
    int standing = flaw_reading_length(p->reading) - p->base - (int)p->count;
    if (count > standing) count = standing; /* the last one may not have been fed */
    if (count <= 0) return;
    int32_t *longer = realloc(p->ids, (p->count + (size_t)count) * sizeof *longer);
    if (!longer) return;
    memcpy(longer + p->count, ids, (size_t)count * sizeof *longer);
    p->ids = longer;
    p->count += (size_t)count;
}

flaw_status flaw_dialogue_prompt_answer(flaw_dialogue_prompt *p, const char *answer, flaw_error *err)
{
    size_t before = p->text.size;
    flaw_buffer_text(&p->text, " ");
    flaw_buffer_text(&p->text, answer);
    if (p->text.failed) {
        cut(p, before);
        return flaw_fail(err, FLAW_USAGE, "a dialogue of more than %zu bytes", TEXT_LIMIT);
    }
    p->settled = p->text.size;
    return FLAW_OK;
}
