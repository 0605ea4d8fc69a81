/* A meta.json that lists pictures: rows that are whole, or one line that names the file. */
#include "table_check.h"

static void parse(const uint8_t *data, size_t size)
{
    flaw_error err = {.status = FLAW_OK};
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_rows rows = {.arena = &arena};
    check_rows(&rows, flaw_rows_meta(&rows, data, size, "input", &err), &err);
    flaw_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size);
    return 0;
}
