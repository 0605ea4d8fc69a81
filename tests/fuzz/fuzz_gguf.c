/* Any bytes are a container whose tensors lie inside of them, aligned and apart, or are refused. */
#include <string.h>

#include "format/gguf.h"
#include "fuzz.h"

static void check_tensor(const flaw_tensors *t, const flaw_tensor *x, const uint8_t *data, size_t size)
{
    size_t count = 1;
    flaw_error err;
    for (int i = 0; i < x->rank; i++) count *= x->shape[i];
    flaw_fuzz_require(count == x->count && count % flaw_dtype_block(x->dtype) == 0);
    flaw_fuzz_require(x->bytes == count / flaw_dtype_block(x->dtype) * flaw_dtype_size(x->dtype));
    flaw_fuzz_require(x->data >= data && x->bytes <= size && x->data - data <= (ptrdiff_t)(size - x->bytes));
    flaw_fuzz_require(flaw_tensors_find(t, x->name) == x);
    for (size_t i = 0; i < t->count; i++) {
        const flaw_tensor *y = &t->item[i];
        flaw_fuzz_require(y == x || x->data + x->bytes <= y->data || y->data + y->bytes <= x->data);
    }
    float *out = malloc(x->count * sizeof *out + 1);
    flaw_status status = flaw_tensor_to_f32(t, x, out, &err);
    flaw_fuzz_require(status == FLAW_OK || (status == FLAW_BAD_DATA && strlen(err.text) > 10));
    free(out);
}

/* Sums of all that an array says, so that a sanitizer sees every byte read. */
static void check_arrays(const flaw_tensors *t)
{
    static const char *const keys[] = {"b.tokens", "b.scores", "b.kinds", "b.ids", "b.large", "b.none", "k.array"};
    volatile size_t sum = 0;
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        flaw_error err;
        const flaw_gguf_text *text = NULL;
        const float *floats = NULL;
        const int32_t *ints = NULL;
        size_t count = 0;
        if (flaw_gguf_texts(t, keys[k], &text, &count, &err) == FLAW_OK && text)
            for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < text[i].size; j++) sum += (uint8_t)text[i].text[j];
        if (flaw_gguf_floats(t, keys[k], &floats, &count, &err) == FLAW_OK && floats)
            for (size_t i = 0; i < count; i++) sum += floats[i] > 0;
        if (flaw_gguf_ints(t, keys[k], &ints, &count, &err) == FLAW_OK && ints)
            for (size_t i = 0; i < count; i++) sum += ints[i] > 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_tensors t = {.count = 77};
    flaw_error err = {.status = FLAW_OK};
    const flaw_status status = flaw_gguf_parse(&t, data, size, "input", &err);
    if (status != FLAW_OK) {
        flaw_fuzz_require(status == FLAW_BAD_DATA || status == FLAW_NO_MEMORY);
        flaw_fuzz_require(err.status == status && strlen(err.text) > 10 && t.count == 77);
        return 0;
    }
    for (size_t i = 0; i < t.count; i++) {
        check_tensor(&t, &t.item[i], data, size);
        flaw_fuzz_require(i == 0 || strcmp(t.item[i - 1].name, t.item[i].name) < 0);
    }
    for (size_t i = 0; i < t.metadata_count; i++) flaw_fuzz_require(flaw_tensors_metadata(&t, t.metadata[2 * i]));
    check_arrays(&t);
    flaw_tensors_close(&t);
    return 0;
}
