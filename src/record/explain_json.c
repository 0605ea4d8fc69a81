/* Explanations as JSON. */
#include "base/json.h"
#include "flaw/explain.h"

static const char *side_of(const flaw_sentence *s)
{
    return s->abnormal ? "abnormal" : "normal";
}

static json_t *sentence_json(const flaw_explanation *e, const flaw_sentence *s)
{
    json_t *one =
        json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:b, s:o}", "side", side_of(s), "number",
                  s->number, "sentence", flaw_json_text(s->text), "similarity", flaw_json_number(s->similarity),
                  "weight", flaw_json_number(s->weight), "pull", flaw_json_number(s->pull), "kept", s->kept,
                  "ambiguous", s->ambiguous, "pinned", s->pinned, "banned", s->banned, "tips", s->tips,
                  s->banned ? "score_with" : "score_without", flaw_json_number(s->other));
    if (!one || s->twin < 0) return one;
    const flaw_sentence *twin = &e->sentence[s->twin];
    json_t *of = json_pack("{s:s, s:i, s:o}", "side", side_of(twin), "number", twin->number, "cosine",
                           flaw_json_number(s->twin_cosine));
    if (!json_object_set_new(one, "duplicate_of", of)) return one;
    json_decref(one);
    return NULL;
}

char *flaw_explanation_json(const flaw_explanation *e)
{
    json_t *list = json_array();
    int failed = !list;
    for (int i = 0; !failed && i < e->count; i++)
        failed = json_array_append_new(list, sentence_json(e, &e->sentence[i]));
    char *out = failed ? NULL : json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(list);
    return out;
}
