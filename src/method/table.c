#include <string.h>

#include "method/method.h"

static const flaw_method *const table[] = {
    &flaw_method_few_shot,  &flaw_method_few_shot_plus, &flaw_method_alfa,
    &flaw_method_alfa_plus, &flaw_method_winclip,       &flaw_method_winclip_plus,
};

int flaw_method_count(void)
{
    return sizeof table / sizeof *table;
}

const flaw_method *flaw_method_at(int index)
{
    return index >= 0 && index < flaw_method_count() ? table[index] : NULL;
}

const char *flaw_method_name(int index)
{
    return flaw_method_at(index) ? table[index]->name : NULL;
}

const char *flaw_method_about(int index)
{
    return flaw_method_at(index) ? table[index]->about : NULL;
}

const flaw_method *flaw_method_find(const char *name)
{
    for (int i = 0; i < flaw_method_count(); i++)
        if (!strcmp(table[i]->name, name)) return table[i];
    return NULL;
}

static const char *automatic(const flaw_clip *model, size_t good)
{
    if (!good) return "alfa";
    return model->tokenizer && model->shape.local_head ? "few-shot+" : "few-shot";
}

flaw_status flaw_method_choose(const flaw_method **out, const char *name, const flaw_clip *model, size_t good,
                               flaw_error *err)
{
    bool choose = !name || !*name || !strcmp(name, "auto");
    const flaw_method *method = flaw_method_find(choose ? automatic(model, good) : name);
    if (!method)
        return flaw_fail(err, FLAW_USAGE,
                         "method \"%s\" is unknown, allowed are auto, few-shot, few-shot+, alfa, alfa+, winclip and "
                         "winclip+",
                         name);
    if (method->prompts && !model->tokenizer)
        return flaw_fail(err, FLAW_USAGE,
                         choose
                             ? "this model has no text tower, so it cannot judge without good parts; give some (--good)"
                             : "method %s needs a model with a text tower; this one has only pictures",
                         method->name);
    if (method->needs_local_head && !model->shape.local_head)
        return flaw_fail(
            err, FLAW_USAGE,
            "method %s needs a model with a local head (the embedded default has one); take few-shot or alfa+",
            method->name);
    if (method->needs_good && good == 0)
        return flaw_fail(err, FLAW_USAGE, "method %s needs at least one good part, given are none", method->name);
    *out = method;
    return FLAW_OK;
}
