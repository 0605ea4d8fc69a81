/* flaw ask: one question about one picture. */
#include <stdlib.h>

#include "cli.h"
#include "commands.h"

/* Words that nobody has shown: those of facts that stand in for an endpoint. */
static void print_rest(const flaw_answer *answer, const cli_speech *speech, bool failed)
{
    if (failed && speech->shown) putchar('\n'); /* after the half of an answer */
    if (failed || !speech->shown) puts(answer->text);
    else putchar('\n');
    cli_print_findings(answer);
}

static flaw_status ask(flaw_talker *talker, const cli_settings *s, flaw_error *err)
{
    const char *picture = s->arguments.value[0], *question = s->arguments.value[1];
    cli_speech speech = {.quiet = s->json};
    flaw_answer answer = {0};
    flaw_status status = flaw_talker_look_file(talker, picture, err);
    if (status == FLAW_OK) status = flaw_talker_ask(talker, question, cli_speak, &speech, &answer, err);
    if (answer.text && s->json && !cli_print_answer_json(&answer, picture, question, flaw_talker_model(talker)))
        status = FLAW_NO_MEMORY;
    if (answer.text && !s->json) print_rest(&answer, &speech, status != FLAW_OK);
    flaw_answer_release(&answer);
    return status;
}

int cmd_ask(const cli_settings *s)
{
    if (s->arguments.count != 2)
        return cli_wrong_use(
            "ask: a PICTURE and a QUESTION are needed (quotes around its words), found are %zu arguments",
            s->arguments.count);
    flaw_error err = {0};
    flaw_talker *talker = NULL;
    flaw_status status = cli_open_talker(&talker, s, &err);
    if (status == FLAW_OK) status = ask(talker, s, &err);
    flaw_talker_close(talker);
    return status == FLAW_OK ? 0 : cli_report(&err);
}
