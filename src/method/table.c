#include <stdio.h>
#include <string.h>

#include "method/method.h"

static const flaw_method *const table[] = {
    &flaw_method_few_shot, &flaw_method_few_shot_plus, &flaw_method_alfa,       &flaw_method_alfa_plus,
    &flaw_method_winclip,  &flaw_method_winclip_plus,  &flaw_method_anomalygpt, &flaw_method_anomalygpt_plus,
    &flaw_method_april_gan, &flaw_method_april_gan_plus, &flaw_method_uniad, &flaw_method_jnld,
    &flaw_method_spade,    &flaw_method_padim,         &flaw_method_patchcore,  &flaw_method_anomalydino,
    &flaw_method_musc,
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

int flaw_method_needs_of(const flaw_method *m)
{
    return (m->prompts != FLAW_PROMPTS_NONE || m->needs_text ? FLAW_NEEDS_TEXT : 0) |
           (m->needs_good ? FLAW_NEEDS_GOOD : 0) | (m->needs_batch ? FLAW_NEEDS_BATCH : 0) |
           (m->needs_weights || m->trains ? FLAW_NEEDS_TRAINING : 0) |
           (m->needs_local_head ? FLAW_NEEDS_LOCAL_HEAD : 0);
}

int flaw_method_needs(const char *name)
{
    const flaw_method *m = name ? flaw_method_find(name) : NULL;
    return m ? flaw_method_needs_of(m) : 0;
}

flaw_method_facts flaw_method_tell(int index)
{
    const flaw_method *m = flaw_method_at(index);
    if (!m) return (flaw_method_facts){0};
    return (flaw_method_facts){m->name, m->about, m->paper, flaw_method_needs_of(m), m->option};
}

flaw_method_absence flaw_method_absent(int index)
{
    static const flaw_method_absence absent[] = {
        {"riad", "Zavrtanik et al. 2021, Pattern Recognition 112",
         "in-painting by a U-Net of its own, not a transformer"},
        {"intra", "Pirnay and Chai 2022, arXiv 2104.13897",
         "an in-painting transformer trained on the product's own pixels, no pretrained image tower"},
        {"anoddpm", "Wyatt et al. 2022, CVPR workshops", "a diffusion model of pixels, not a transformer"},
        {"scadn", "Yan et al. 2021, AAAI", "a generative network over pixels, not a transformer"},
        {"patchsvdd", "Yi and Yoon 2020, arXiv 2006.16067",
         "convolutional encoders trained from scratch for each product"},
        {"pyramidflow", "Lei et al. 2023, arXiv 2303.02595",
         "normalising flows over pixel pyramids, trained for each product"},
        {"cflow", "Gudovskiy et al. 2022, arXiv 2107.12571",
         "normalising flows over convolutional stages of falling resolution, trained for each product"},
        {"cfa", "Lee et al. 2022, arXiv 2206.04325",
         "a descriptor trained for each product over convolutional stages of falling resolution"},
    };
    const int count = sizeof absent / sizeof *absent;
    return index >= 0 && index < count ? absent[index] : (flaw_method_absence){0};
}

static const char *automatic(const flaw_clip *model, size_t good)
{
    if (!good) return "alfa";
    return model->tokenizer && model->shape.local_head ? "few-shot+" : "few-shot";
}

static flaw_status refuse_name(const char *name, flaw_error *err)
{
    char names[300] = "";
    size_t used = 0;
    for (int i = 0; i < flaw_method_count() && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, ", %s", table[i]->name);
    for (int i = 0; flaw_method_absent(i).name; i++)
        if (!strcmp(flaw_method_absent(i).name, name))
            return flaw_fail(err, FLAW_USAGE, "method %s is not there: %s", name, flaw_method_absent(i).reason);
    return flaw_fail(err, FLAW_USAGE, "method \"%.60s\" is unknown, allowed are auto%s", name, names);
}

flaw_status flaw_method_choose(const flaw_method **out, const char *name, const flaw_clip *model, size_t good,
                               flaw_error *err)
{
    bool choose = !name || !*name || !strcmp(name, "auto");
    const flaw_method *method = flaw_method_find(choose ? automatic(model, good) : name);
    if (!method) return refuse_name(name, err);
    if ((method->prompts || method->needs_text) && !model->tokenizer)
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
    if (method->needs_batch && good == 0)
        return flaw_fail(err, FLAW_USAGE, "method %s needs the pictures to be judged all at once, given are none",
                         method->name);
    *out = method;
    return FLAW_OK;
}
