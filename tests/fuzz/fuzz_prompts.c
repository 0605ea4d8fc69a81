/* A prompt file of the user's own: what is taken from it keeps the promises of detect/prompts.h. */
#include <string.h>

#include "base/utf8.h"
#include "detect/prompts.h"
#include "fuzz.h"

static void check_side(const flaw_prompt_set *set, int c)
{
    flaw_fuzz_require(set->count[c] >= 1);
    for (int i = 0; i < set->count[c]; i++) {
        const char *text = set->text[c][i];
        flaw_fuzz_require(text[0] != '\0');
        flaw_fuzz_require(flaw_utf8_valid(text, strlen(text)));
        flaw_fuzz_require(strchr(text, '\n') == NULL); /* a recipe keeps one sentence a line */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const objects[] = {"bottle", "metal_nut", "object"};
    for (size_t k = 0; k < sizeof objects / sizeof objects[0]; k++) {
        flaw_error err;
        flaw_prompt_set set;
        if (flaw_prompts_parse(&set, (const char *)data, size, "prompts", objects[k], &err) != FLAW_OK) continue;
        flaw_fuzz_require(set.count[0] == set.count[1]);
        for (int c = 0; c < 2; c++) check_side(&set, c);
        flaw_prompts_release(&set);
    }
    return 0;
}
