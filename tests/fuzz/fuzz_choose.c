/* Pins and bans of a user's own, one a line, '+' or '-' before each: whatever is chosen, the set keeps the promises of
 * detect/prompts.h, and a record of it gives the same back. */
#include <string.h>

#include "base/utf8.h"
#include "detect/prompts.h"
#include "fuzz.h"

enum { MOST = 32, WIDTH = 2 };

static const char JSON[] = "{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"*\","
                           "\"normal\":[\"a clean {}\",\"a whole {}\",\"a {} of one colour\"],"
                           "\"abnormal\":[\"a dirty {}\",\"a {} with a crack\",\"a {} of one colour\"]}]}";

static void check(const flaw_prompt_set *set)
{
    for (int c = 0; c < 2; c++) {
        flaw_fuzz_require(set->count[c] >= 1 && set->banned[c] >= 0);
        for (int i = 0; i < set->count[c] + set->banned[c]; i++) {
            const char *text = set->text[c][i];
            flaw_fuzz_require(text[0] != '\0' && strlen(text) < FLAW_PROMPT_BYTES);
            flaw_fuzz_require(flaw_utf8_valid(text, strlen(text)) && strchr(text, '\n') == NULL);
        }
    }
}

static void keep(flaw_prompt_set *set)
{
    flaw_error err;
    flaw_record record;
    flaw_prompt_set back;
    set->width = WIDTH;
    for (int c = 0; c < 2; c++) {
        size_t rows = (size_t)(set->count[c] + set->banned[c]);
        set->embedding[c] = flaw_arena_alloc(&set->arena, rows * WIDTH, sizeof(float));
        if (!set->embedding[c]) return;
    }
    flaw_record_init(&record);
    flaw_fuzz_require(flaw_prompts_save(set, &record, &err) == FLAW_OK);
    flaw_fuzz_require(flaw_prompts_load(&back, &record, WIDTH, &err) == FLAW_OK);
    for (int c = 0; c < 2; c++) {
        flaw_fuzz_require(back.count[c] == set->count[c] && back.banned[c] == set->banned[c]);
        for (int i = 0; i < set->count[c] + set->banned[c]; i++)
            flaw_fuzz_require(!strcmp(back.text[c][i], set->text[c][i]));
        for (int i = 0; i < set->count[c]; i++)
            flaw_fuzz_require((set->pinned[c] && set->pinned[c][i]) == (back.pinned[c] && back.pinned[c][i]));
    }
    flaw_prompts_release(&back);
    flaw_record_release(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_error err;
    flaw_prompt_set set;
    const char *list[2][MOST];
    size_t count[2] = {0, 0};
    char *lines = malloc(size + 1);
    if (!lines) return 0;
    memcpy(lines, data, size);
    lines[size] = '\0';
    for (char *at = lines; at && *at; at = strchr(at, '\0') < lines + size ? strchr(at, '\0') + 1 : NULL) {
        at[strcspn(at, "\n")] = '\0';
        int ban = *at == '-';
        if ((ban || *at == '+') && count[ban] < MOST) list[ban][count[ban]++] = at + 1;
    }
    if (flaw_prompts_parse(&set, JSON, sizeof JSON - 1, "prompts", "bottle", &err) == FLAW_OK) {
        flaw_status s = flaw_prompts_choose(&set, list[0], count[0], list[1], count[1], &err);
        flaw_fuzz_require(s == FLAW_OK || s == FLAW_USAGE || s == FLAW_NO_MEMORY);
        if (s == FLAW_OK) check(&set);
        if (s == FLAW_OK) keep(&set);
        flaw_prompts_release(&set);
    }
    free(lines);
    return 0;
}
