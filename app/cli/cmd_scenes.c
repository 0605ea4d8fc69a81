/* flaw scenes: drawn product pictures as data set folders. */
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/scenes.h"

static int list_kinds(void)
{
    for (int i = 0; i < flaw_scene_kind_count(); i++)
        printf("%-28s%-10s%s\n", flaw_scene_kind_name(i), flaw_scene_kind_held_out(i) ? "held-out" : "train",
               flaw_scene_kind_texture(i) ? "surface" : "object");
    return 0;
}

typedef struct drawing {
    cli_progress progress;
    int done; /* more than asked for where every kind gets its one picture */
} drawing;

static bool step(void *context, int done, int total)
{
    drawing *d = context;
    d->done = done;
    return cli_progress_step(&d->progress, (size_t)done, (size_t)total, "drawn") == 0;
}

static flaw_split split_of(const cli_settings *s)
{
    if (s->held_out) return FLAW_SPLIT_HELD_OUT;
    if (!s->split || strcmp(s->split, "train") == 0) return FLAW_SPLIT_TRAIN;
    return strcmp(s->split, "all") == 0 ? FLAW_SPLIT_ALL : FLAW_SPLIT_HELD_OUT;
}

int cmd_scenes(const cli_settings *s)
{
    if (s->arguments.count == 1 && strcmp(s->arguments.value[0], "list") == 0) return list_kinds();
    if (s->arguments.count) return cli_wrong_use("scenes: '%s' is not expected", s->arguments.value[0]);
    if (!s->out) return cli_wrong_use("scenes: no folder to write to; usage: flaw scenes --out DIR [-n COUNT]");
    flaw_scenes_options options;
    flaw_scenes_options_init(&options);
    if (s->count) options.count = (int)s->count;
    options.size = (int)s->size;
    options.seed = (uint64_t)s->seed;
    options.split = split_of(s);
    options.anomalous_share = s->anomalous_share;
    options.products = (int)s->products;
    if (s->kind && (options.kind = flaw_scene_kind_find(s->kind)) < 0)
        return cli_wrong_use("scenes: '%.80s' is no kind of product; flaw scenes list shows them", s->kind);
    if (s->kind && !s->split && !s->held_out) options.split = FLAW_SPLIT_ALL;
    flaw_error err;
    drawing work = {.progress = cli_progress_begin(s)};
    flaw_status status = flaw_scenes_write(s->out, &options, step, &work, &err);
    cli_progress_clear(&work.progress);
    if (status != FLAW_OK) return cli_report(&err);
    printf("%s: %d pictures\n", s->out, work.done);
    return 0;
}
