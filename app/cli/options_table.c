/* The one table of all flags. Adding one: a field in cli_settings, a row here, a default in cli_settings_init. */
#include <math.h>

#include "options.h"

#define AT(field) offsetof(cli_settings, field)
#define ENGINE (CLI_INSPECT | CLI_LEARN | CLI_EMBED | CLI_EVAL | CLI_BENCH)
#define TALK (CLI_ASK | CLI_CHAT)
#define WRITE (CLI_COMPLETE | TALK)
#define COUNT(field, name, argument, least, about)                                                                     \
    {                                                                                                                  \
        name, 0, CLI_INTEGER, AT(field), argument, NULL, least, 1e9, CLI_TRAIN, about                                  \
    }
#define WEIGHT(field, name, about)                                                                                     \
    {                                                                                                                  \
        name, 0, CLI_REAL, AT(field), "X", NULL, 0, 1e6, CLI_TRAIN, about                                              \
    }
#define JUDGE (CLI_INSPECT | CLI_LEARN | CLI_EVAL | CLI_BENCH)

const cli_option cli_option_table[] = {
    {"object", 0, CLI_TEXT, AT(object), "NAME", NULL, 0, 0, JUDGE | CLI_SIMULATE | TALK,
     "Name of the product in plain words, e.g. \"metal nut\" (default: object; eval: name of the folder)."},
    {"good", 'g', CLI_LIST, AT(good), "PATH", NULL, 0, 0, CLI_INSPECT | CLI_LEARN | TALK,
     "Folder of pictures of good parts, or one such picture; may be repeated."},
    {"recipe", 'r', CLI_TEXT, AT(recipe), "FILE", NULL, 0, 0, CLI_INSPECT,
     "Recipe written by flaw learn; takes the place of --good, --object and all that follows from them; "
     "--threshold may stand beside it."},
    {"method", 'm', CLI_TEXT, AT(method), "NAME", NULL, 0, 0, JUDGE,
     "Method to judge with (default: auto: by words without good parts, by comparison with them); see flaw method "
     "list."},
    {"model", 0, CLI_TEXT, AT(model), "MODEL", NULL, 0, 0, ENGINE | WRITE,
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
    {"fit", 0, CLI_CHOICE, AT(fit), "HOW", "squash|crop", 0, 0, TALK,
     "How a picture meets the square input of the model (default: as it was trained: published weights crop)."},
    {"windows", 0, CLI_CHOICE, AT(windows), "WHEN", "auto|on|off", 0, 0, JUDGE,
     "Score windows of the picture too in ALFA (default: auto, unless the model has a local head)."},
    {"score", 0, CLI_CHOICE, AT(score), "WHAT", "auto|cls|map|both", 0, 0, JUDGE,
     "What makes the score of a picture in ALFA: its embedding, the top of its map, or both (default: auto)."},
    {"out", 'o', CLI_TEXT, AT(out), "DIR", NULL, 0, 0, CLI_INSPECT | CLI_SCENES | CLI_TRAIN | CLI_SIMULATE | CLI_CHAT,
     "Folder to write to; made when it is not there. inspect writes NAME_overlay.png, NAME_map.npy and NAME_mask.png."},
    {"output", 'o', CLI_TEXT, AT(output), "FILE", NULL, 0, 0, CLI_LEARN, "Recipe file to write."},
    {"output", 'o', CLI_TEXT, AT(output), "PATH", NULL, 0, 0, CLI_MODEL,
     "merge-delta: folder to write to, made when it is not there. convert, quantize: file to write."},
    {"keep", 0, CLI_CHOICE, AT(keep), "HOW", "file|f32|bf16|int8|int4", 0, 0, CLI_MODEL,
     "convert, quantize: how the matrices of the language model are kept (default: file, as they are). With int8 and int4 "
     "the towers' become F16."},
    {"json", 'j', CLI_SWITCH, AT(json), NULL, NULL, 0, 0,
     CLI_INSPECT | CLI_LEARN | CLI_EMBED | CLI_MODEL | CLI_METHOD | CLI_EVAL | CLI_BENCH | WRITE,
     "Write JSON, one object a line, on standard output."},
    {"brief", 'b', CLI_SWITCH, AT(brief), NULL, NULL, 0, 0, CLI_INSPECT,
     "One line a picture and nothing else: picture, verdict, score, limit and, with --out, overlay; tabs in between."},
    {"fail-on-anomaly", 0, CLI_SWITCH, AT(fail_on_anomaly), NULL, NULL, 0, 0, CLI_INSPECT,
     "Exit with status 1 when a part is anomalous or its verdict unknown."},
    {"progress", 0, CLI_CHOICE, AT(progress), "WHEN", "auto|always|never", 0, 0,
     CLI_INSPECT | CLI_LEARN | CLI_EVAL | CLI_SCENES | CLI_MODEL,
     "Bar on standard error while working (default: auto, on a terminal and when the work is long)."},
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
    {"count", 'n', CLI_INTEGER, AT(count), "N", NULL, 1, 1e6, CLI_SCENES | CLI_SIMULATE,
     "How many pictures to make (default: scenes 200, simulate one of every second picture)."},
    {"blend", 0, CLI_CHOICE, AT(blend), "HOW", "poisson|paste|both", 0, 0, CLI_SIMULATE,
     "How a patch is put in: by Poisson editing, which leaves no seam, plainly, or both ways (default: poisson)."},
    {"source", 0, CLI_LIST, AT(source), "FOLDER", NULL, 0, 0, CLI_SIMULATE,
     "Pictures that patches are cut from (default: the good pictures that none is simulated from); may be repeated."},
    {"most", 0, CLI_INTEGER, AT(most), "N", NULL, 1, 4, CLI_SIMULATE,
     "Most patches of a picture: one always, each further one with probability 1/2 (default: 2)."},
    {"size", 0, CLI_INTEGER, AT(size), "PIXELS", NULL, 32, 1024, CLI_SCENES, "Side of a picture (default: 224)."},
    {"kind", 0, CLI_TEXT, AT(kind), "NAME", NULL, 0, 0, CLI_SCENES, "Draw this kind of product only; list shows all."},
    {"split", 0, CLI_CHOICE, AT(split), "WHICH", "train|held-out|all", 0, 0, CLI_SCENES,
     "Which kinds to draw: those a model may be trained on, or those kept aside for tests (default: train)."},
    {"held-out", 0, CLI_SWITCH, AT(held_out), NULL, NULL, 0, 0, CLI_SCENES, "The same as --split held-out."},
    {"anomalous-share", 0, CLI_SHARE, AT(anomalous_share), "X", NULL, 0, 1, CLI_SCENES,
     "Share of pictures with a defect (default: 0.3)."},
    {"products", 0, CLI_INTEGER, AT(products), "N", NULL, 1, 1e6, CLI_SCENES,
     "Folders (designs) of each kind (default: 1)."},
    {"seed", 0, CLI_INTEGER, AT(seed), "N", NULL, 0, 9e15, JUDGE | CLI_SCENES | CLI_SIMULATE | CLI_TRAIN | WRITE,
     "Seed of all random choices; the same seed gives the same result (default: 0)."},
    {"init", 0, CLI_TEXT, AT(init), "MODEL", NULL, 0, 0, CLI_TRAIN,
     "timm model (safetensors file or folder) the image tower starts from, or a bundle that is trained on (default: a random "
     "start)."},
    {"words", 0, CLI_TEXT, AT(words), "FILE", NULL, 0, 0, CLI_TRAIN, "Word lists (default: models/words.txt)."},
    {"photos", 0, CLI_LIST, AT(photos), "FOLDER[,name=N][,prefix=P][,weight=W]", NULL, 0, 0, CLI_TRAIN,
     "Photographs without defects, with subfolders: name of what they show, beginning of the files to take, how often "
     "against 1; may be repeated."},
    {"scene-share", 0, CLI_SHARE, AT(scene_share), "X", NULL, 0, 1, CLI_TRAIN,
     "Share of drawn scenes among the pairs, the others are photographs."},
    COUNT(steps, "steps", "N", 1, "Steps in all."),
    COUNT(pairs, "pairs", "N", 1, "Subjects of a batch, each once without and once with a defect."),
    COUNT(sentences, "sentences", "N", 1, "Sentences for each state of each subject."),
    COUNT(first_trained, "first-trained", "N", 0, "Image blocks below this one keep the weights of the start."),
    {"rate", 0, CLI_REAL, AT(rate), "X", NULL, 0, 10, CLI_TRAIN, "Peak learning rate."},
    {"tower-rate", 0, CLI_REAL, AT(tower_rate), "X", NULL, 0, 1000, CLI_TRAIN, "Multiplier for the image tower."},
    COUNT(warmup, "warmup", "N", 0, "Steps until the peak rate."),
    {"decay", 0, CLI_REAL, AT(decay), "X", NULL, 0, 10, CLI_TRAIN, "Weight decay."},
    {"clip", 0, CLI_REAL, AT(clip), "X", NULL, 0, 1e9, CLI_TRAIN, "Largest norm of the gradient."},
    {"ema", 0, CLI_REAL, AT(ema), "X", NULL, 0, 1, CLI_TRAIN, "Decay of the averaged weights."},
    WEIGHT(contrast, "weight-contrast", "Weight of pictures against captions."),
    WEIGHT(state, "weight-state", "Weight of whole pictures against normal and abnormal sentences."),
    WEIGHT(peak, "weight-peak", "Weight of the strongest patches against these sentences."),
    WEIGHT(local, "weight-local", "Weight of patches against the mask, focal."),
    WEIGHT(dice, "weight-dice", "Weight of patches against the mask, overlap."),
    WEIGHT(distil, "weight-distil", "Weight of stage tokens against those of the start."),
    COUNT(merges, "merges", "N", 0, "Merges of the vocabulary learnt from the words."),
    COUNT(joint, "joint", "N", 1, "Width of the joint space."),
    COUNT(text_width, "text-width", "N", 1, "Width of the text tower."),
    COUNT(text_layers, "text-layers", "N", 1, "Blocks of the text tower."),
    COUNT(text_heads, "text-heads", "N", 1, "Heads of the text tower."),
    COUNT(context, "context", "N", 2, "Tokens of a text."),
    {"dialogue", 0, CLI_TEXT, AT(dialogue), "FILE", NULL, 0, 0, CLI_TRAIN,
     "What dialogues are made of (default: models/dialogue.txt)."},
    {"texts", 0, CLI_TEXT, AT(texts), "FILE", NULL, 0, 0, CLI_TRAIN,
     "language: own texts to learn from beside the dialogues, parted by empty lines."},
    COUNT(dialogues, "dialogues", "N", 0, "language: dialogues that are made; 0 takes the texts alone."),
    COUNT(rows, "rows", "N", 1, "language: rows of a batch, each of --context tokens."),
    COUNT(part, "part", "N", 1, "language: rows that go through at a time; takes less memory."),
    COUNT(vocabulary, "vocabulary", "N", 300, "language: pieces of the vocabulary learnt from the texts."),
    COUNT(width, "width", "N", 1, "language: width of the model."),
    COUNT(layers, "layers", "N", 1, "language: blocks of the model."),
    COUNT(heads, "heads", "N", 1, "language: heads of each block."),
    COUNT(kv_heads, "kv-heads", "N", 1, "language: heads of keys and values; divides the heads."),
    COUNT(hidden, "hidden", "N", 1, "language: hidden width of each block's MLP."),
    COUNT(log_every, "log-every", "STEPS", 0, "How often a line is printed; 0 never."),
    COUNT(checkpoint_every, "checkpoint-every", "STEPS", 0, "How often a checkpoint is written; 0 only at the end."),
    COUNT(evaluate_every, "evaluate-every", "STEPS", 0, "How often figures on held-out scenes or texts are printed; 0 never."),
    COUNT(evaluate_pairs, "evaluate-pairs", "N", 1, "Pairs of held-out scenes these figures are over."),
    {"max-tokens", 'n', CLI_INTEGER, AT(max_tokens), "N", NULL, 1, 1e6, CLI_COMPLETE,
     "Most tokens to write (default: 256)."},
    {"max-tokens", 'n', CLI_INTEGER, AT(max_tokens), "N", NULL, 1, 1e6, TALK, "Most tokens of an answer (default: 128)."},
    {"temperature", 0, CLI_REAL, AT(temperature), "X", NULL, 0, 100, WRITE,
     "0 takes the likeliest token each time; above it one is drawn, 1 as often as the model has it (default: 0)."},
    {"top-p", 0, CLI_SHARE, AT(top_p), "X", NULL, 0, 1, WRITE,
     "Draw from the fewest likeliest tokens that make up this share (default: 1, all)."},
    {"top-k", 0, CLI_INTEGER, AT(top_k), "N", NULL, 0, 1e9, CLI_COMPLETE, "Draw from the N likeliest tokens (default: 0, all)."},
    {"llm", 0, CLI_TEXT, AT(llm), "URL", NULL, 0, 0, TALK,
     "OpenAI-compatible endpoint (http://host:port/v1) that puts the measured facts into words; it sees no picture."},
    {"llm-model", 0, CLI_TEXT, AT(llm_model), "NAME", NULL, 0, 0, TALK, "Model to ask the endpoint for (default: its own)."},
    {"llm-key-env", 0, CLI_TEXT, AT(llm_key_env), "NAME", NULL, 0, 0, TALK,
     "Environment variable that holds the endpoint's key (default: FLAW_LLM_KEY)."},
    {"llm-timeout", 0, CLI_REAL, AT(llm_timeout), "X", NULL, 0.001, 86400, TALK,
     "Seconds that the endpoint may take for an answer, all tries together (default: 60)."},
    {"rotations", 0, CLI_SWITCH, AT(rotations), NULL, NULL, 0, 0, TALK,
     "Compare with the good parts turned by 90, 180 and 270 degrees, too."},
    {"upstream-quirks", 0, CLI_SWITCH, AT(upstream_quirks), NULL, NULL, 0, 0, TALK,
     "Do as the published AnomalyGPT does where that differs (docs/anomalygpt.md)."},
    {"repeat", 0, CLI_INTEGER, AT(repeat), "N", NULL, 1, 100000, CLI_BENCH, "Timed rounds (default: 20)."},
    {"threads", 'T', CLI_INTEGER, AT(threads), "N", NULL, 0, 1024, ENGINE | CLI_TRAIN | WRITE,
     "Threads to compute with; results are the same for any number (default: 0, all processors)."},
    {"precision", 0, CLI_CHOICE, AT(precision), "P", "auto|f32|bf16", 0, 0, ENGINE | CLI_TRAIN,
     "Arithmetic of the matrix products (default: auto)."},
    {"precision", 0, CLI_CHOICE, AT(precision), "P", "auto|f32|bf16|int8|int4", 0, 0, WRITE,
     "How the language model's matrices are kept (default: auto, as the file has them; above 4 GiB as int4)."},
    {"level", 0, CLI_CHOICE, AT(level), "L", "auto|ref|avx2|avx512|amx", 0, 0, ENGINE | WRITE,
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
                        .size = 224,
                        .products = 1,
                        .anomalous_share = 0.3,
                        .top_p = 1,
                        .llm_timeout = 60,
                        .repeat = 20};
    for (int i = 0; i < cli_option_count; i++) {
        const cli_option *o = &cli_option_table[i];
        void *field = (char *)s + o->offset;
        if (o->commands != CLI_TRAIN) continue; /* shared flags have their defaults above */
        if (o->kind == CLI_INTEGER) *(int64_t *)field = -1;
        if (o->kind == CLI_REAL || o->kind == CLI_SHARE) *(double *)field = NAN;
    }
}
