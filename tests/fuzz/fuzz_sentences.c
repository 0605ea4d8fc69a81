/* Answers of language models read as sentences, and what the sifting makes of them: promises of talk/sentences.h and
 * talk/prompts_sift.h, whatever the bytes. The first byte says which list was asked for. */
#include <string.h>

#include "base/utf8.h"
#include "detect/prompts.h"
#include "fuzz.h"
#include "talk/brief.h"
#include "talk/prompts_query.h"
#include "talk/prompts_sift.h"

static void check_line(const char *line)
{
    size_t size = strlen(line);
    flaw_fuzz_require(size > 0 && size < FLAW_PROMPT_BYTES);
    flaw_fuzz_require(flaw_utf8_valid(line, size));
    for (size_t i = 0; i < size; i++) flaw_fuzz_require((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
    flaw_fuzz_require(line[0] != ' ' && line[size - 1] != ' ' && line[size - 1] != '.');
}

static void check_sifting(const flaw_sentences *s)
{
    flaw_sift sift;
    flaw_error err;
    flaw_sift_init(&sift, "bolt", 25);
    flaw_fuzz_require(flaw_sift_add(&sift, s, &err) == FLAW_OK);
    flaw_sift_balance(&sift);
    flaw_fuzz_require(sift.count[0] == sift.count[1] && sift.count[0] <= 25);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < sift.count[side]; i++) flaw_fuzz_require(!strpbrk(sift.text[side][i], "{}"));
    flaw_fuzz_require(flaw_utf8_valid(sift.report.data, sift.report.size));
    flaw_sift_release(&sift);
}

/* The same bytes as a brief: quoted lines only. */
static void check_brief(const char *text, size_t size)
{
    char *brief;
    flaw_error err;
    flaw_buffer quoted;
    if (flaw_brief_clean(&brief, text, size, "brief", &err) != FLAW_OK) return;
    flaw_buffer_init(&quoted, 1 << 16);
    flaw_buffer_text(&quoted, "");
    flaw_brief_quote(&quoted, brief);
    flaw_fuzz_require(!quoted.failed && !strstr(quoted.data, "##"));
    for (const char *at = quoted.data; *at; at = strchr(at, '\n') + 1) {
        flaw_fuzz_require(!strncmp(at, "> ", 2));
        flaw_fuzz_require(strchr(at, '\n') != NULL);
    }
    flaw_buffer_release(&quoted);
    free(brief);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_sentences s;
    flaw_error err;
    if (size < 1) return 0;
    const char *text = (const char *)data + 1;
    flaw_fuzz_require(flaw_sentences_read(&s, text, size - 1, data[0] & 1, &err) == FLAW_OK);
    flaw_fuzz_require(s.count[0] + s.count[1] <= FLAW_SENTENCES_MOST);
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < s.count[side]; i++) check_line(s.text[side][i]);
    check_sifting(&s);
    flaw_sentences_release(&s);
    check_brief(text, size - 1);
    return 0;
}
