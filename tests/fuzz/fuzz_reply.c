/* Replies of an endpoint: what comes out does not depend on how the bytes were cut, and is UTF-8. */
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "talk/answer.h"
#include "talk/reply.h"

static flaw_status read_all(flaw_reply *r, const char *bytes, size_t size, size_t piece)
{
    flaw_error err;
    flaw_status status = FLAW_OK;
    flaw_reply_init(r, "endpoint", NULL, NULL);
    for (size_t at = 0; !status && at < size; at += piece)
        status = flaw_reply_feed(r, bytes + at, size - at < piece ? size - at : piece, &err);
    return status ? status : flaw_reply_end(r, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_reply whole, pieces;
    flaw_answer answer = {0};
    char message[100];
    const char *bytes = (const char *)data;
    flaw_status first = read_all(&whole, bytes, size, size ? size : 1);
    flaw_fuzz_require(read_all(&pieces, bytes, size, 1 + size / 9) == first);
    flaw_fuzz_require(whole.text.size == pieces.text.size);
    if (whole.text.size) {
        flaw_fuzz_require(memcmp(whole.text.data, pieces.text.data, whole.text.size) == 0);
        flaw_fuzz_require(flaw_utf8_valid(whole.text.data, whole.text.size));
        flaw_answer_parse(&answer, whole.text.data);
        flaw_fuzz_require(answer.places <= FLAW_MAX_PLACES && answer.count >= -1);
    }
    flaw_reply_message(message, sizeof message, bytes, size);
    flaw_fuzz_require(flaw_utf8_valid(message, strlen(message)));
    flaw_reply_release(&whole);
    flaw_reply_release(&pieces);
    return 0;
}
