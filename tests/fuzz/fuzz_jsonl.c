/* JSON lines that list pictures, as our tables have them and as manifests do: rows that are whole, or one line that
 * names the file. */
#include "table_check.h"

static void parse(const uint8_t *data, size_t size, bool manifest)
{
    flaw_error err = {.status = FLAW_OK};
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_rows rows = {.arena = &arena};
    check_rows(&rows, flaw_rows_jsonl(&rows, data, size, manifest, "input", &err), &err);
    flaw_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size, false);
    parse(data, size, true);
    for (int manifest = 0; manifest < 2; manifest++) (void)flaw_table_is_jsonl(data, size, manifest != 0);
    return 0;
}
