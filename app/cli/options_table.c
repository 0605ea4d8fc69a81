/* The one table of all flags. Adding one: a field in cli_settings, a row here, a default in cli_settings_init. */
#include <math.h>

#include "options.h"

#define AT(field) offsetof(cli_settings, field)
#define ENGINE (CLI_INSPECT | CLI_LEARN | CLI_EMBED | CLI_EVAL | CLI_BENCH)
#define JUDGE (CLI_INSPECT | CLI_LEARN | CLI_EVAL | CLI_BENCH)

const cli_option cli_option_table[] = {
    {"object", 0, CLI_TEXT, AT(object), "NAME", NULL, 0, 0, JUDGE,
     "Name of the product in plain words, e.g. \"metal nut\" (default: object; eval: name of the folder)."},
    {"good", 'g', CLI_LIST, AT(good), "PATH", NULL, 0, 0, CLI_INSPECT | CLI_LEARN,
     "Folder of pictures of good parts, or one such picture; may be repeated."},
    {"recipe", 'r', CLI_TEXT, AT(recipe), "FILE", NULL, 0, 0, CLI_INSPECT,
     "Recipe written by flaw learn; takes the place of --good, --object and all that follows from them."},
    {"method", 'm', CLI_TEXT, AT(method), "NAME", NULL, 0, 0, JUDGE,
     "Method to judge with (default: auto: by words without good parts, by comparison with them); see flaw method "
     "list."},
    {"model", 0, CLI_TEXT, AT(model), "MODEL", NULL, 0, 0, ENGINE,
     "Model: default (embedded in the program), or a folder or file of weights."},
    {"prompts", 0, CLI_TEXT, AT(prompts), "FILE", NULL, 0, 0, JUDGE,
     "Prompt file (JSON) with sentences for normal and anomalous parts (default: the built-in ones)."},
    {"threshold", 0, CLI_REAL, AT(threshold), "X", NULL, -INFINITY, INFINITY, JUDGE,
     "Call a part anomalous above this score (default: from the good parts, or by the two-sided text rule)."},
    {"false-alarm-rate", 0, CLI_SHARE, AT(false_alarm_rate), "X", NULL, 0, 1, JUDGE,
     "Share of good parts that may be called anomalous: 0.01, 1% or 1/100 (default: the smallest the good parts "
     "allow)."},
    {"rule", 0, CLI_CHOICE, AT(rule), "RULE", "overlap|relevance|soft|none", 0, 0, JUDGE,
     "Contextual scoring of sentences in ALFA (default: overlap)."},
    {"lambda", 0, CLI_REAL, AT(lambda), "X", NULL, 0, INFINITY, JUDGE,
     "Ridge of the fine-grained aligner of ALFA; inf switches it off (default: 1)."},
    {"tau", 0, CLI_REAL, AT(tau), "X", NULL, 1e-6, 1e6, JUDGE,
     "Temperature of the softmax over sentences (default: of the model, else 0.07)."},
    {"bank-limit", 0, CLI_INTEGER, AT(bank_limit), "N", NULL, 0, 1e9, JUDGE,
     "Patches kept of the good parts; above it a coreset is taken (default: 0, chosen by the method)."},
    {"fit", 0, CLI_CHOICE, AT(fit), "HOW", "squash|crop", 0, 0, JUDGE,
     "How a picture meets the square input of the model (default: squash: the whole picture is seen)."},
    {"out", 'o', CLI_TEXT, AT(out), "DIR", NULL, 0, 0, CLI_INSPECT | CLI_SCENES,
     "Folder to write to; made when it is not there. inspect writes NAME_overlay.png, NAME_map.npy and NAME_mask.png."},
    {"output", 'o', CLI_TEXT, AT(output), "FILE", NULL, 0, 0, CLI_LEARN, "Recipe file to write."},
    {"json", 'j', CLI_SWITCH, AT(json), NULL, NULL, 0, 0,
     CLI_INSPECT | CLI_LEARN | CLI_EMBED | CLI_MODEL | CLI_METHOD | CLI_EVAL | CLI_BENCH,
     "Write JSON, one object a line, on standard output."},
    {"fail-on-anomaly", 0, CLI_SWITCH, AT(fail_on_anomaly), NULL, NULL, 0, 0, CLI_INSPECT,
     "Exit with status 1 when a part is anomalous or its verdict unknown."},
    {"image", 'i', CLI_TEXT, AT(image), "FILE", NULL, 0, 0, CLI_EMBED, "Picture to embed."},
    {"text", 't', CLI_WORDS, AT(text), "TEXT", NULL, 0, 0, CLI_EMBED, "Text to embed."},
    {"dump", 0, CLI_TEXT, AT(dump), "FILE", NULL, 0, 0, CLI_EMBED,
     "Also write all that the image tower computed (pixels, blocks, tokens, windows) as a safetensors file."},
    {"tokens", 0, CLI_SWITCH, AT(tokens), NULL, NULL, 0, 0, CLI_EMBED, "Print the token ids of the text only."},
    {"logits", 0, CLI_SWITCH, AT(logits), NULL, NULL, 0, 0, CLI_EMBED,
     "Print the class scores of a model with a classifier head."},
    {"shots", 'k', CLI_TEXT, AT(shots), "K", NULL, 0, 0, CLI_EVAL,
     "Good parts shown before the test: a number, or all (default: 0, judged by words alone)."},
    {"draws", 0, CLI_INTEGER, AT(draws), "N", NULL, 1, 1000, CLI_EVAL,
     "How often other good parts are drawn; mean and deviation are over these (default: 5)."},
    {"count", 'n', CLI_INTEGER, AT(count), "N", NULL, 1, 1e8, CLI_SCENES, "How many pictures to draw (default: 200)."},
    {"size", 0, CLI_INTEGER, AT(size), "PIXELS", NULL, 32, 1024, CLI_SCENES, "Side of a picture (default: 224)."},
    {"kind", 0, CLI_TEXT, AT(kind), "NAME", NULL, 0, 0, CLI_SCENES, "Draw this kind of product only; list shows all."},
    {"split", 0, CLI_CHOICE, AT(split), "WHICH", "train|held-out|all", 0, 0, CLI_SCENES,
     "Which kinds to draw: those a model may be trained on, or those kept aside for tests (default: train)."},
    {"held-out", 0, CLI_SWITCH, AT(held_out), NULL, NULL, 0, 0, CLI_SCENES, "The same as --split held-out."},
    {"anomalous-share", 0, CLI_SHARE, AT(anomalous_share), "X", NULL, 0, 1, CLI_SCENES,
     "Share of pictures with a defect (default: 0.3)."},
    {"products", 0, CLI_INTEGER, AT(products), "N", NULL, 1, 1e6, CLI_SCENES,
     "Folders (designs) of each kind (default: 1)."},
    {"seed", 0, CLI_INTEGER, AT(seed), "N", NULL, 0, 9e15, JUDGE | CLI_SCENES,
     "Seed of all random choices; the same seed gives the same result (default: 0)."},
    {"repeat", 0, CLI_INTEGER, AT(repeat), "N", NULL, 1, 100000, CLI_BENCH, "Timed rounds (default: 20)."},
    {"threads", 'T', CLI_INTEGER, AT(threads), "N", NULL, 0, 1024, ENGINE,
     "Threads to compute with; results are the same for any number (default: 0, all processors)."},
    {"precision", 0, CLI_CHOICE, AT(precision), "P", "auto|f32|bf16", 0, 0, ENGINE,
     "Arithmetic of the matrix products (default: auto)."},
    {"level", 0, CLI_CHOICE, AT(level), "L", "auto|ref|avx2|avx512|amx", 0, 0, ENGINE,
     "Highest instruction set to use; ref is plain C (default: auto, the best of this machine)."},
    {"man", 0, CLI_SWITCH, AT(man), NULL, NULL, 0, 0, CLI_HELP, "Print the manual page (troff)."},
    {"markdown", 0, CLI_SWITCH, AT(markdown), NULL, NULL, 0, 0, CLI_HELP, "Print the reference page (docs/cli.md)."},
    {"help", 'h', CLI_SWITCH, AT(help), NULL, NULL, 0, 0, CLI_ALL, "Show what this command does and its options."},
};

const int cli_option_count = sizeof cli_option_table / sizeof *cli_option_table;

void cli_settings_init(cli_settings *s)
{
    *s = (cli_settings){.threshold = NAN,
                        .lambda = NAN,
                        .tau = NAN,
                        .shots = "0",
                        .draws = 5,
                        .count = 200,
                        .size = 224,
                        .products = 1,
                        .anomalous_share = 0.3,
                        .repeat = 20};
}
