/* Any bytes in an error message (a file name, a tensor name) come out as one line of plain UTF-8. */
#include <string.h>

#include "base/utf8.h"
#include "flaw/status.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_error err;
    const flaw_status status = flaw_fail(&err, FLAW_BAD_DATA, "%.*s", (int)size, (const char *)data);
    flaw_fuzz_require(status == FLAW_BAD_DATA && err.status == FLAW_BAD_DATA);
    const size_t length = strnlen(err.text, sizeof err.text);
    flaw_fuzz_require(length < sizeof err.text);
    flaw_fuzz_require(flaw_utf8_valid(err.text, length));
    for (size_t i = 0; i < length; i++) flaw_fuzz_require((unsigned char)err.text[i] >= 0x20 && err.text[i] != 0x7f);
    return 0;
}
