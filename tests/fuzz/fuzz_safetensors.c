/* Any bytes are a container whose tensors lie inside of them and cover the data exactly once, or are refused. */
#include <string.h>

#include "format/tensors.h"
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
    float *out = malloc(x->count * sizeof *out + 1);
    flaw_status status = flaw_tensor_to_f32(t, x, out, &err);
    flaw_fuzz_require(status == FLAW_OK || (status == FLAW_BAD_DATA && strlen(err.text) > 10));
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_tensors t = {.count = 77};
    flaw_error err = {.status = FLAW_OK};
    const flaw_status status = flaw_safetensors_parse(&t, data, size, "input", &err);
    if (status != FLAW_OK) {
        flaw_fuzz_require(status == FLAW_BAD_DATA || status == FLAW_NO_MEMORY);
        flaw_fuzz_require(err.status == status && strlen(err.text) > 10 && t.count == 77);
        return 0;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < t.count; i++) {
        check_tensor(&t, &t.item[i], data, size);
        flaw_fuzz_require(i == 0 || strcmp(t.item[i - 1].name, t.item[i].name) < 0);
        bytes += t.item[i].bytes;
    }
    flaw_fuzz_require(bytes < size);
    for (size_t i = 0; i < t.metadata_count; i++) flaw_fuzz_require(flaw_tensors_metadata(&t, t.metadata[2 * i]));
    flaw_tensors_close(&t);
    return 0;
}
