/* Figures on drawn scenes of held-out kinds: the whole road, from the picture to words, with the weights as they are. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flaw/metrics.h"
#include "flaw/talk.h"
#include "learn/voice/voice_train_state.h"
#include "talk/dialogue_prompt.h"

#define EVALUATION_SEED 777000ULL
#define GROUP 8       /* subjects drawn at a time */
#define ANSWER 64     /* tokens */
#define QUESTION "Is there any anomaly in the image?"

typedef struct tally {
    flaw_voice_trainer *t;
    flaw_voice_data data;
    flaw_reading *reading;
    flaw_dialogue_prompt prompt;
    flaw_voice_sample *s; /* borrowed from the trainer: its arrays */
    float *rows;
    float *score;
    uint8_t *label;
    int pictures, yes_no, defective, count, place;
    flaw_voice_train_figures *out;
} tally;

static flaw_status open_tally(tally *y, flaw_voice_trainer *t, flaw_voice_train_figures *out, flaw_error *err)
{
    *y = (tally){.t = t, .s = t->sample, .rows = t->rows, .out = out};
    y->data = (flaw_voice_data){.towers = t->towers, .shape = &t->voice->shape, .c = &t->compute, .seed = EVALUATION_SEED,
                                .scene_share = 1, .split = FLAW_SPLIT_HELD_OUT, .plain = true, .window = GROUP,
                                .voice = t->voice, .views = t->options->views};
    size_t pictures = 2 * (size_t)t->options->evaluate_pairs;
    y->score = calloc(pictures, sizeof *y->score);
    y->label = calloc(pictures, 1);
    flaw_status status = y->score && y->label ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu answers", pictures);
    if (!status) status = flaw_voice_data_open(&y->data, err);
    return status ? status : flaw_reading_open(&y->reading, t->language, &t->compute, err);
}

static void close_tally(tally *y)
{
    flaw_dialogue_prompt_release(&y->prompt);
    flaw_reading_close(y->reading);
    flaw_voice_data_close(&y->data);
    free(y->score);
    free(y->label);
}

static flaw_status answer_of(tally *y, flaw_answer *out, char example[256], flaw_error *err)
{
    flaw_voice_trainer *t = y->t;
    size_t words = (size_t)t->voice->shape.words;
    flaw_written written = {0};
    flaw_status status = flaw_dialogue_prompt_begin(&y->prompt, t->language, y->reading, y->rows, y->rows + words,
                                                    flaw_voice_prompts(&t->voice->shape), err);
    if (!status) status = flaw_dialogue_prompt_ask(&y->prompt, QUESTION, ANSWER, err);
    if (!status)
        status = flaw_language_write(y->reading, &(flaw_writing){.max_tokens = ANSWER, .stop = FLAW_DIALOGUE_STOP}, &written, err);
    if (status) return status;
    const char *text = written.text.data ? written.text.data : "";
    flaw_answer_parse(out, text);
    if (!*example) snprintf(example, 256, "%s", text);
    flaw_written_release(&written);
    return FLAW_OK;
}

/* Is every place that the answer names one of the truth's, and is there one? */
static bool places_right(const flaw_answer *a, const flaw_truth *truth)
{
    for (int i = 0; i < a->places; i++) {
        bool found = false;
        for (int k = 0; k < truth->count; k++) found |= !strcmp(a->place[i], truth->anomaly[k].place);
        if (!found) return false;
    }
    return a->places > 0;
}

static flaw_status judge(tally *y, const flaw_voice_entry *e, bool defective, flaw_error *err)
{
    flaw_voice_trainer *t = y->t;
    flaw_answer answer = {0};
    size_t area = (size_t)t->voice->shape.side * (size_t)t->voice->shape.side;
    y->s->entry = e;
    y->s->defective = defective;
    y->s->few_shot = false;
    y->s->shift = 0;
    y->s->swapped = false;
    flaw_voice_look(t, y->s, y->rows);
    double top = 0;
    for (size_t i = 0; i < area; i++) top = fmax(top, (double)y->s->map[i]);
    y->score[y->pictures] = (float)top;
    y->label[y->pictures++] = defective;
    flaw_status status = answer_of(y, &answer, y->out->example[defective], err);
    if (status) return status;
    bool yes = answer.verdict == FLAW_ANOMALOUS;
    y->yes_no += defective ? yes : answer.verdict == FLAW_NORMAL;
    if (defective && e->truth.count > 0) {
        y->defective++;
        y->count += yes && answer.count == e->truth.count;
        y->place += yes && places_right(&answer, &e->truth);
    }
    return FLAW_OK;
}

flaw_status flaw_voice_evaluate(flaw_voice_trainer *t, flaw_voice_train_figures *out, flaw_error *err)
{
    tally y;
    *out = (flaw_voice_train_figures){.step = t->step};
    flaw_status status = open_tally(&y, t, out, err);
    for (int first = 0; first < t->options->evaluate_pairs && !status; first += GROUP) {
        uint64_t number[GROUP];
        int left = t->options->evaluate_pairs - first, n = left < GROUP ? left : GROUP;
        for (int i = 0; i < n; i++) number[i] = (uint64_t)(first + i);
        status = flaw_voice_data_need(&y.data, number, n, err);
        for (int i = 0; i < 2 * n && !status; i++)
            status = judge(&y, flaw_voice_data_entry(&y.data, number[i / 2]), i % 2 == 1, err);
    }
    if (!status) {
        out->pictures = y.pictures;
        out->yes_no = (double)y.yes_no / y.pictures;
        out->count = y.defective ? (double)y.count / y.defective : 0;
        out->place = y.defective ? (double)y.place / y.defective : 0;
        status = flaw_auroc(&out->map_auroc, y.score, y.label, (size_t)y.pictures, err);
    }
    close_tally(&y);
    return status;
}
