/* judge PICTURE GOOD...: compare a picture with good parts, in the fewest lines. */
#include <stdio.h>

#include "flaw/inspect.h"

int main(int argc, char **argv)
{
    flaw_error err;
    flaw_engine *engine = NULL;
    flaw_inspector *inspector = NULL;
    flaw_result result = {0};
    flaw_engine_options model = {0}; /* the embedded model, all processors */
    flaw_inspect_options options;
    flaw_inspect_defaults(&options);
    options.object = "bolt";
    options.good = (const char *const *)argv + 2;
    options.good_count = argc > 2 ? (size_t)(argc - 2) : 0;

    flaw_status status = flaw_engine_open(&engine, &model, &err);
    if (!status) status = flaw_inspector_new(&inspector, engine, &options, NULL, NULL, &err);
    if (!status) status = flaw_inspector_judge_file(inspector, argc > 1 ? argv[1] : "part.jpg", &result, &err);
    if (!status) printf("%s %.3f %s\n", flaw_verdict_name(result.verdict), result.score, result.words);
    else fprintf(stderr, "%s\n", err.text);

    flaw_result_release(&result);
    flaw_inspector_free(inspector);
    flaw_engine_close(engine);
    return flaw_status_exit(status);
}
