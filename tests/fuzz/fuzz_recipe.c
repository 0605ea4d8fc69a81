/* A recipe file, as it is and with its digest put right (or no change would ever get past the digest), and what is
 * loaded from it: nothing half-loaded, no number that is not one, sentences as many as embeddings. */
#include <math.h>
#include <string.h>

#include "base/sha256.h"
#include "detect/calibrate.h"
#include "detect/prompts.h"
#include "fuzz.h"
#include "record/recipe.h"

enum { DIGEST_AT = 12, HEAD = 44, WIDTH = 4 };

static void load(const flaw_record *record)
{
    flaw_error err;
    flaw_calibration calibration;
    flaw_prompt_set prompts;
    if (flaw_calibration_load(&calibration, record, &err) == FLAW_OK) {
        flaw_fuzz_require(memchr(calibration.rule, '\0', sizeof calibration.rule) != NULL);
        flaw_fuzz_require(memchr(calibration.about, '\0', sizeof calibration.about) != NULL);
        flaw_fuzz_require(calibration.good >= 0);
    }
    if (flaw_prompts_load(&prompts, record, WIDTH, &err) != FLAW_OK) return;
    for (int c = 0; c < 2; c++) {
        flaw_fuzz_require(prompts.count[c] >= 1);
        for (int i = 0; i < prompts.count[c] + prompts.banned[c]; i++) {
            flaw_fuzz_require(strlen(prompts.text[c][i]) < SIZE_MAX);
            for (int k = 0; k < WIDTH; k++) flaw_fuzz_require(isfinite(prompts.embedding[c][i * WIDTH + k]));
        }
    }
    flaw_prompts_release(&prompts);
}

static void parse(const uint8_t *data, size_t size)
{
    flaw_error err;
    flaw_record record;
    if (flaw_recipe_parse(&record, data, size, "recipe", &err) != FLAW_OK) return;
    for (size_t i = 0; i < record.count; i++) {
        flaw_fuzz_require(flaw_record_find(&record, record.item[i].name) == &record.item[i]);
        const float *table = record.item[i].table;
        float sum = 0; /* every value of a table is there to be read */
        for (size_t k = 0; table && k < record.item[i].rows * record.item[i].columns; k++) sum += table[k];
        volatile float keep = sum;
        (void)keep;
    }
    load(&record);
    flaw_record_release(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size);
    if (size < HEAD) return 0;
    uint8_t *sealed = malloc(size);
    if (!sealed) return 0;
    memcpy(sealed, data, size);
    flaw_sha256 h;
    flaw_sha256_init(&h);
    flaw_sha256_update(&h, data + HEAD, size - HEAD);
    flaw_sha256_final(&h, sealed + DIGEST_AT);
    parse(sealed, size);
    free(sealed);
    return 0;
}
