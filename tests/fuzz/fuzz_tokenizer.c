/* Input: a list of merges, a zero byte, a text. Whatever both are, the ids are a start token, tokens of the vocabulary,
 * an end token and zeros; control comes from us alone; a text cut is a text cut. */
#include <string.h>

#include "fuzz.h"
#include "model/text/tokenizer_impl.h"

enum { CONTEXT = 32 };

static void check_text(const flaw_tokenizer *t, const char *text)
{
    int32_t ids[CONTEXT], longer[4 * CONTEXT];
    int length = 0, cut = -1, all = 0;
    flaw_error err;
    if (flaw_tokenizer_encode(t, text, ids, CONTEXT, &length, &cut, &err)) return;
    flaw_fuzz_require(length >= 2 && length <= CONTEXT && cut >= 0 && (cut == 0 || length == CONTEXT));
    flaw_fuzz_require(ids[0] == flaw_tokenizer_start(t) && ids[length - 1] == flaw_tokenizer_end(t));
    for (int i = 1; i < length - 1; i++) flaw_fuzz_require(ids[i] >= 0 && ids[i] < flaw_tokenizer_start(t));
    for (int i = length; i < CONTEXT; i++) flaw_fuzz_require(ids[i] == 0);
    flaw_fuzz_require(flaw_tokenizer_encode(t, text, longer, 4 * CONTEXT, &all, NULL, &err) == FLAW_OK);
    flaw_fuzz_require(memcmp(ids, longer, (size_t)(length - 1) * sizeof *ids) == 0);
    flaw_fuzz_require(all == 4 * CONTEXT || all == length + cut);
}

static void check_hf(const uint8_t *data, size_t size, size_t merges)
{
    flaw_tokenizer *t = NULL;
    flaw_error err = {.status = FLAW_OK};
    flaw_bytes list = {.data = (uint8_t *)(uintptr_t)data, .size = merges};
    flaw_bytes vocab = {.data = (uint8_t *)(uintptr_t)data + merges, .size = size - merges};
    if (flaw_tokenizer_from_hf_text(&t, &vocab, "vocab", &list, "merges", &err))
        flaw_fuzz_require(err.status != FLAW_OK && strlen(err.text) > 10);
    flaw_tokenizer_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t merges = zero ? (size_t)(zero - data) : size;
    flaw_tokenizer *t = NULL;
    flaw_error err = {.status = FLAW_OK};
    char *text = calloc(1, size - merges + 1);
    if (zero) memcpy(text, zero + 1, size - merges - 1);
    flaw_status status = flaw_tokenizer_from_merges(&t, data, merges, "input", 2000, &err);
    if (status) {
        flaw_fuzz_require(err.status == status && strlen(err.text) > 10);
    } else {
        check_text(t, text);
        flaw_tokenizer_free(t);
    }
    check_hf(data, size, merges);
    free(text);
    return 0;
}
