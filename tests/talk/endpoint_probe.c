/* endpoint_probe URL KEY TIMEOUT WAIT WORDS QUESTION: asks an endpoint and prints as JSON what came of it. KEY "-":
 * none. After WORDS pieces the answer is stopped (0: never; -1: at the first time nothing comes). For test_endpoint.py.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "talk/endpoint.h"

typedef struct heard {
    json_t *pieces;
    long most;
} heard;

static int hear(void *context, const char *text, size_t size)
{
    heard *h = context;
    if (!size) return h->most < 0;
    json_array_append_new(h->pieces, json_stringn(text, size));
    return h->most > 0 && (long)json_array_size(h->pieces) >= h->most;
}

int main(int argc, char **argv)
{
    if (argc != 7) return 2;
    flaw_endpoint e = {.url = argv[1],
                       .model = "small",
                       .key = strcmp(argv[2], "-") ? argv[2] : NULL,
                       .timeout = strtod(argv[3], NULL),
                       .wait = strtod(argv[4], NULL),
                       .max_tokens = 50,
                       .temperature = 0.5,
                       .top_p = 0.9,
                       .seed = 7};
    flaw_result facts = {.verdict = FLAW_ANOMALOUS, .score = 0.7, .threshold = 0.5, .width = 64, .height = 48};
    flaw_buffer rules;
    flaw_buffer_init(&rules, 100000);
    flaw_endpoint_system(&rules, &facts);
    flaw_message messages[] = {{FLAW_SPEAKER_SYSTEM, rules.data}, {FLAW_SPEAKER_USER, argv[6]}};
    flaw_error err = {.text = ""};
    flaw_endpoint_answer answer = {0};
    heard h = {.pieces = json_array(), .most = strtol(argv[5], NULL, 10)};
    flaw_status status = flaw_endpoint_ask(&answer, &e, messages, 2, hear, &h, &err);
    json_t *out = json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "status", flaw_status_name(status), "error", err.text,
                            "text", answer.text ? answer.text : "", "cut", (int)answer.cut, "stopped",
                            (int)answer.stopped, "pieces", h.pieces);
    json_dumpf(out, stdout, JSON_COMPACT);
    json_decref(out);
    free(answer.text);
    flaw_buffer_release(&rules);
    return 0;
}
