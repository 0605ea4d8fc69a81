/* flaw embed: a picture or a text -> numbers. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "cli.h"
#include "commands.h"

enum { MOST_TOKENS = 65536 };

/* Floats with the 9 digits that bring back the same float; not finite becomes null. */
static json_t *number_list(const float *value, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(list, cli_json_number(value[i]));
    return list;
}

static json_t *id_list(const int *id, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(list, json_integer(id[i]));
    return list;
}

/* JSON as one line; else one number a line, for people and for awk. */
static void print_answer(const cli_settings *s, const json_t *answer)
{
    if (s->json) {
        char *text = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(9));
        if (text) puts(text);
        free(text);
        return;
    }
    const char *first = s->tokens ? "ids" : s->logits ? "logits" : "embedding";
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(answer, first), i, value)
    {
        if (json_is_integer(value)) printf("%lld\n", (long long)json_integer_value(value));
        else printf("%.9g\n", json_is_real(value) ? json_real_value(value) : NAN);
    }
}

static flaw_status add_ids(json_t *answer, const flaw_engine *engine, const char *text, flaw_error *err)
{
    int *id = malloc(MOST_TOKENS * sizeof *id), count = 0;
    if (!id) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %d token ids", MOST_TOKENS);
    flaw_status status = flaw_embed_tokens(engine, text, id, MOST_TOKENS, &count, err);
    if (status == FLAW_OK) json_object_set_new(answer, "ids", id_list(id, count < MOST_TOKENS ? count : MOST_TOKENS));
    free(id);
    return status;
}

/* The whole text must fit: a text that was cut is embedded all the same (as CLIP does), and reported. */
static flaw_status embed_text(json_t *answer, const flaw_engine *engine, const cli_settings *s, int *cut,
                              flaw_error *err)
{
    flaw_status status = FLAW_OK;
    if (!s->tokens) {
        int width = flaw_engine_width(engine);
        float *vector = malloc((size_t)width * sizeof *vector);
        status = vector ? flaw_embed_text(engine, s->text, vector, cut, err)
                        : flaw_fail(err, FLAW_NO_MEMORY, "no memory for %d numbers", width);
        if (status == FLAW_OK) json_object_set_new(answer, "embedding", number_list(vector, width));
        free(vector);
    }
    return status == FLAW_OK ? add_ids(answer, engine, s->text, err) : status;
}

/* [[class, score]] of the five largest, largest first; of equal ones the lower class first. */
static json_t *top5(const float *logit, int n)
{
    json_t *list = json_array();
    int taken[5], count = n < 5 ? n : 5;
    for (int k = 0; k < count; k++) {
        int best = -1;
        for (int i = 0; i < n; i++) {
            bool used = false;
            for (int j = 0; j < k; j++) used |= taken[j] == i;
            if (!used && (best < 0 || logit[i] > logit[best])) best = i;
        }
        taken[k] = best;
        json_array_append_new(list, json_pack("[i, f]", best, (double)logit[best]));
    }
    return list;
}

static flaw_status embed_image(json_t *answer, const flaw_engine *engine, const cli_settings *s, flaw_error *err)
{
    flaw_picture picture = {0};
    flaw_status status = flaw_picture_read(&picture, s->image, err);
    if (status != FLAW_OK) return status;
    int width = flaw_engine_width(engine), classes = s->logits ? flaw_engine_classes(engine) : 0;
    float *vector = malloc((size_t)(width + classes) * sizeof *vector), *logit = vector + width;
    if (!vector) status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for %d numbers", width + classes);
    if (status == FLAW_OK) status = flaw_embed_picture(engine, &picture, vector, err);
    if (status == FLAW_OK) json_object_set_new(answer, "embedding", number_list(vector, width));
    if (status == FLAW_OK && s->logits) {
        status = flaw_embed_logits(engine, &picture, logit, err);
        if (status == FLAW_OK) json_object_set_new(answer, "logits", number_list(logit, classes));
        if (status == FLAW_OK) json_object_set_new(answer, "top5", top5(logit, classes));
    }
    if (status == FLAW_OK && s->dump) status = flaw_embed_dump(engine, &picture, s->dump, err);
    free(vector);
    flaw_picture_release(&picture);
    return status;
}

int cmd_embed(const cli_settings *s)
{
    if (s->arguments.count)
        return cli_wrong_use("embed: '%s' is not expected; use --image FILE or --text TEXT", s->arguments.value[0]);
    if (!s->image == !s->text) return cli_wrong_use("embed: exactly one of --image FILE and --text TEXT is needed");
    if (s->text && (s->dump || s->logits))
        return cli_wrong_use("embed: %s needs --image", s->dump ? "--dump" : "--logits");
    if (s->image && s->tokens) return cli_wrong_use("embed: --tokens needs --text");
    flaw_error err;
    flaw_engine *engine = NULL;
    int cut = 0, exit = 0;
    json_t *answer = json_object();
    flaw_status status = cli_open_engine(&engine, s, &err);
    if (status == FLAW_OK)
        status = s->text ? embed_text(answer, engine, s, &cut, &err) : embed_image(answer, engine, s, &err);
    if (status == FLAW_OK) print_answer(s, answer);
    if (status == FLAW_OK && cut > 0)
        status = flaw_fail(&err, FLAW_BAD_DATA, "text '%.40s...': %d tokens too long for the model; they were left out",
                           s->text, cut);
    if (status != FLAW_OK) exit = cli_report(&err);
    json_decref(answer);
    flaw_engine_close(engine);
    return exit;
}
