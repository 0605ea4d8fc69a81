/* Lists of dialogues: any bytes are refused with a reason, or give dialogues of one line a turn that are filled
 * throughout. */
#include <string.h>

#include "fuzz.h"
#include "learn/language/dialogue.h"

static void check_line(const char *text)
{
    flaw_fuzz_require(*text && strlen(text) < FLAW_TURN_TEXT - 1);
    flaw_fuzz_require(!strpbrk(text, "\n{}"));
}

static void check_lists(const flaw_dialogues *d)
{
    static flaw_dialogue about, talk;
    flaw_error err;
    for (uint64_t i = 0; i < 4; i++) {
        flaw_random r;
        flaw_truth t;
        flaw_random_init(&r, 1, i);
        flaw_truth_draw(&t, d, &r);
        flaw_fuzz_require(flaw_truth_check(&t, &err) == FLAW_OK);
        flaw_fuzz_require(flaw_dialogue_draw(&about, d, &t, &r, &err) == FLAW_OK);
        for (int k = 0; k < about.turns; k++) {
            check_line(about.turn[k].question);
            check_line(about.turn[k].answer);
        }
        flaw_dialogue_talk(&talk, d, &r);
        for (int k = 0; k < talk.turns; k++) check_line(talk.turn[k].answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_dialogues *d = NULL;
    flaw_error err = {.status = FLAW_OK};
    flaw_status status = flaw_dialogues_parse(&d, (const char *)data, size, "input", &err);
    if (status) {
        flaw_fuzz_require(!d && err.status == status && strlen(err.text) > 10);
        return 0;
    }
    check_lists(d);
    flaw_dialogues_free(d);
    return 0;
}
