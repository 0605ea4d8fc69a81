/* The one table of all flags. Adding one: a field in cli_settings, a row here, a default in cli_settings_init. */
#include <math.h>

#include "options.h"

#define AT(field) offsetof(cli_settings, field)
#define ENGINE (CLI_INSPECT | CLI_LEARN | CLI_EMBED | CLI_EVAL | CLI_BENCH)
#define TALK (CLI_ASK | CLI_CHAT)
#define SPEAK (TALK | CLI_ABLATION)
#define WRITE (CLI_COMPLETE | TALK)
#define COUNT(field, name, argument, least, about)                                                                     \
    {                                                                                                                  \
        name, 0, CLI_INTEGER, AT(field), argument, NULL, least, 1e9, CLI_TRAIN, about                                  \
    }
#define WEIGHT(field, name, about)                                                                                     \
    {                                                                                                                  \
        name, 0, CLI_REAL, AT(field), "X", NULL, 0, 1e6, CLI_TRAIN, about                                              \
    }
#define SENTENCES (CLI_PROMPTS | CLI_INSPECT | CLI_LEARN | CLI_EVAL) /* a language model may write them */
#define JUDGE (CLI_INSPECT | CLI_LEARN | CLI_EVAL | CLI_BENCH)

const cli_option cli_option_table[] = {
    {"object", 0, CLI_TEXT, AT(object), "NAME", NULL, 0, 0, JUDGE | CLI_SIMULATE | SPEAK | CLI_PROMPTS,
     "Name of the product in plain words, e.g. \"metal nut\" (default: object; eval and ablation: name of the "
     "folder)."},
    {"good", 'g', CLI_LIST, AT(good), "PATH", NULL, 0, 0, CLI_INSPECT | CLI_LEARN | TALK,
     "Folder of pictures of good parts, or one such picture; may be repeated."},
    {"recipe", 'r', CLI_TEXT, AT(recipe), "FILE", NULL, 0, 0, CLI_INSPECT,
     "Recipe written by flaw learn; takes the place of --good, --object and all that follows from them; "
     "--threshold may stand beside it."},
    {"method", 'm', CLI_TEXT, AT(method), "NAME", NULL, 0, 0, JUDGE,
     "Method to judge with (default: auto: by words without good parts, by comparison with them); see flaw method "
     "list. eval: or several with commas."},
    {"method-option", 0, CLI_TEXT, AT(method_option), "NAME=VALUE,...", NULL, 0, 0, JUDGE,
     "Options of the method, with commas in between; flaw method list names them."},
    {"model", 0, CLI_TEXT, AT(model), "MODEL", NULL, 0, 0, ENGINE | WRITE | CLI_TRAIN | CLI_ABLATION,
     "Model: default (embedded in the program), or a folder or file of weights."},
    {"side", 0, CLI_INTEGER, AT(side), "PIXELS", NULL, 0, 8192, ENGINE,
     "Side at which the model reads pictures, a multiple of its patches; for timm's models and DINOv2, whose positions "
     "are resampled (default: 0, the model's own)."},
    {"prompts", 0, CLI_TEXT, AT(prompts), "FILE", NULL, 0, 0, JUDGE | TALK,
     "Sentences for normal and anomalous parts: a prompt file (JSON), or llm: written for the object by a language "
     "model, once, and kept (default: the built-in ones)."},
    {"prompts", 0, CLI_TEXT, AT(prompts), "FILE", NULL, 0, 0, CLI_PROMPTS,
     "make: take the sentences from a prompt file, or from an answer of any model that was saved as text."},
    {"brief", 0, CLI_TEXT, AT(brief), "FILE", NULL, 0, 0, SENTENCES | TALK,
     "Inspection brief: a page of plain text about the product (\"round, black and orange; glare is normal\"). Told to "
     "the language model, shown with the facts, kept in recipes."},
    {"prompt-count", 'K', CLI_INTEGER, AT(prompt_count), "N", NULL, 5, 100, SENTENCES | TALK,
     "Sentences of each state that a language model is asked for (default: 25)."},
    {"prompt-cache", 0, CLI_TEXT, AT(prompt_cache), "DIR", NULL, 0, 0, SENTENCES | TALK,
     "Where sentences of language models are kept, or none (default: flaw/prompts in XDG_CACHE_HOME, else in "
     "~/.cache)."},
    {"refresh", 0, CLI_SWITCH, AT(refresh), NULL, NULL, 0, 0, SENTENCES,
     "Ask the language model though the cache has its answer; that stands in when nobody answers."},
    {"offline", 0, CLI_SWITCH, AT(offline), NULL, NULL, 0, 0, SENTENCES,
     "Ask no endpoint: the cache answers, or the command fails."},
    {"prompts-fallback", 0, CLI_SWITCH, AT(prompts_fallback), NULL, NULL, 0, 0, SENTENCES | TALK,
     "Take the built-in sentences when the language model gives none that can be used; said on standard error and in "
     "the note of the prompts (default: an error)."},
    {"weights", 0, CLI_TEXT, AT(weights), "FILE", NULL, 0, 0, JUDGE,
     "Trained part of a method that needs one; see flaw method list."},
    {"pin", 0, CLI_LINES, AT(pin), "SENTENCE", NULL, 0, 0, CLI_INSPECT | CLI_LEARN | CLI_EVAL,
     "Sentence that counts for every picture: one of the prompts, or a new one with its side, \"normal: a {} without "
     "burrs\" or \"abnormal: ...\" ({} is the object); may be repeated."},
    {"ban", 0, CLI_LINES, AT(ban), "SENTENCE", NULL, 0, 0, CLI_INSPECT | CLI_LEARN | CLI_EVAL,
     "Leave out this sentence of the prompts, or where there is none such all that hold this text; with \"normal: \" "
     "or \"abnormal: \" in front of one side only; may be repeated."},
    {"threshold", 0, CLI_REAL, AT(threshold), "X", NULL, -INFINITY, INFINITY, JUDGE,
     "Call a part anomalous above this score (default: from the good parts, or by the two-sided text rule)."},
    {"alarm-rate", 0, CLI_SHARE, AT(false_alarm_rate), "X", NULL, 1e-9, 1, JUDGE,
     "Share of good parts that may be called anomalous, 0.01, 1% or 1/100: promised from the good parts alone, refused "
     "when they are too few for it (default: a limit over their scores, and the share that it bounds)."},
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
    {"fit", 0, CLI_CHOICE, AT(fit), "HOW", "squash|crop", 0, 0, SPEAK,
     "How a picture meets the square input of the model (default: as it was trained: published weights crop)."},
    {"views", 0, CLI_INTEGER, AT(views), "N", NULL, 0, 11, JUDGE | SPEAK | CLI_TRAIN,
     "Looks at each picture when it is judged by words: 1, 2 (and turned), 6, 7 or 11 (and overlapping halves, "
     "enlarged); time grows as N (default: 1; in a dialogue with the model inside 11). train anomalygpt: the same, "
     "with --decoder-rate 0."},
    {"windows", 0, CLI_CHOICE, AT(windows), "WHEN", "auto|on|off", 0, 0, JUDGE,
     "Score windows of the picture too in ALFA (default: auto, unless the model has a local head)."},
    {"score", 0, CLI_CHOICE, AT(score), "WHAT", "auto|cls|map|both", 0, 0, JUDGE,
     "What makes the score of a picture in ALFA: its embedding, the top of its map, or both (default: auto)."},
    {"out", 'o', CLI_TEXT, AT(out), "DIR", NULL, 0, 0,
     CLI_INSPECT | CLI_SCENES | CLI_TRAIN | CLI_SIMULATE | CLI_ABLATION | CLI_CHAT | CLI_EVAL,
     "Folder to write to; made when it is not there. inspect writes NAME_overlay.png, NAME_map.npy and NAME_mask.png; "
     "eval every judgement (results.jsonl), the figures (summary.csv) and a page of all of it (report.html); eval report: "
     "the file of the page."},
    {"output", 'o', CLI_TEXT, AT(output), "FILE", NULL, 0, 0, CLI_LEARN, "Recipe file to write."},
    {"output", 'o', CLI_TEXT, AT(output), "FILE", NULL, 0, 0, CLI_PROMPTS,
     "make: prompt file to write (default: standard output)."},
    {"output", 'o', CLI_TEXT, AT(output), "PATH", NULL, 0, 0, CLI_MODEL,
     "merge-delta: folder to write to, made when it is not there. convert, quantize: file to write."},
    {"keep", 0, CLI_CHOICE, AT(keep), "HOW", "file|f32|bf16|int8|int4", 0, 0, CLI_MODEL,
     "convert, quantize: how the matrices of the language model are kept (default: file, as they are). With int8 and "
     "int4 the towers' become F16."},
    {"json", 'j', CLI_SWITCH, AT(json), NULL, NULL, 0, 0,
     ENGINE | CLI_MODEL | CLI_DATASET | CLI_METHOD | CLI_ABLATION | WRITE,
     "Write JSON, one object a line, on standard output."},
    {"short", 's', CLI_SWITCH, AT(terse), NULL, NULL, 0, 0, CLI_INSPECT,
     "One line a picture and nothing else: picture, verdict, score, limit and, with --out, overlay; tabs in between."},
    {"explain", 0, CLI_SWITCH, AT(explain), NULL, NULL, 0, 0, CLI_INSPECT,
     "Say what every sentence of the prompts did to a picture's score; with --out as a chart too, NAME.explain.png."},
    {"fail-on-anomaly", 0, CLI_SWITCH, AT(fail_on_anomaly), NULL, NULL, 0, 0, CLI_INSPECT,
     "Exit with status 1 when a part is anomalous or its verdict unknown."},
    {"progress", 0, CLI_CHOICE, AT(progress), "WHEN", "auto|always|never", 0, 0,
     CLI_INSPECT | CLI_LEARN | CLI_EVAL | CLI_DATASET | CLI_SCENES | CLI_MODEL | CLI_PROMPTS,
     "Bar on standard error while working (default: auto, on a terminal and when the work is long)."},
    {"image", 'i', CLI_TEXT, AT(image), "FILE", NULL, 0, 0, CLI_EMBED, "Picture to embed."},
    {"text", 't', CLI_WORDS, AT(text), "TEXT", NULL, 0, 0, CLI_EMBED, "Text to embed."},
    {"dump", 0, CLI_TEXT, AT(dump), "FILE", NULL, 0, 0, CLI_EMBED,
     "Also write all that the image tower computed (pixels, blocks, tokens, windows) as a safetensors file."},
    {"tokens", 0, CLI_SWITCH, AT(tokens), NULL, NULL, 0, 0, CLI_EMBED, "Print the token ids of the text only."},
    {"logits", 0, CLI_SWITCH, AT(logits), NULL, NULL, 0, 0, CLI_EMBED,
     "Print the class scores of a model with a classifier head."},
    {"shots", 'k', CLI_TEXT, AT(shots), "K", NULL, 0, 0, CLI_EVAL | CLI_ABLATION,
     "Good parts shown before the test: a number, or all; eval: or several with commas (default: 0, judged by words "
     "alone)."},
    {"seeds", 0, CLI_INTEGER, AT(seeds), "N", NULL, 1, 1000, CLI_EVAL | CLI_ABLATION,
     "How often other good parts are drawn; mean and deviation are over these (default: 5)."},
    {"layout", 0, CLI_TEXT, AT(layout), "NAME", NULL, 0, 0, CLI_EVAL | CLI_ABLATION | CLI_DATASET,
     "Layout of the data set: mvtec, loco, mvtec-ad2, btad, visa, visa-object, cookies, meta, manifest, table, folder, "
     "pictures (default: guessed)."},
    {"map-side", 0, CLI_INTEGER, AT(map_side), "N", NULL, 16, 4096, CLI_EVAL,
     "Pixel figures are taken at N x N: maps bilinear, masks nearest (default: 256)."},
    {"resume", 0, CLI_SWITCH, AT(resume), NULL, NULL, 0, 0, CLI_EVAL,
     "Go on with the run that --out holds: what is judged already is not judged again."},
    {"shard", 0, CLI_TEXT, AT(shard), "I/N", NULL, 0, 0, CLI_EVAL,
     "Judge only every Nth picture, beginning with the Ith: the others are dealt to other runs; see flaw eval merge."},
    {"count", 'n', CLI_INTEGER, AT(count), "N", NULL, 1, 1e6, CLI_SCENES | CLI_SIMULATE | CLI_ABLATION,
     "How many pictures to make (default: scenes 200, simulate one of every second picture, ablation 400 and "
     "at least 4 of each kind)."},
    {"blend", 0, CLI_CHOICE, AT(blend), "HOW", "poisson|paste|both", 0, 0, CLI_SIMULATE,
     "How a patch is put in: by Poisson editing, which leaves no seam, plainly, or both ways (default: poisson)."},
    {"source", 0, CLI_LIST, AT(source), "FOLDER", NULL, 0, 0, CLI_SIMULATE,
     "Pictures that patches are cut from (default: the good pictures that none is simulated from); may be repeated."},
    {"most", 0, CLI_INTEGER, AT(most), "N", NULL, 1, 4, CLI_SIMULATE,
     "Most patches of a picture: one always, each further one with probability 1/2 (default: 2)."},
    {"adapter", 0, CLI_TEXT, AT(adapter), "MODEL", NULL, 0, 0, CLI_ABLATION,
     "Model trained with adapters in place of the prompt learner, for that row (default: the row is left out)."},
    {"question", 0, CLI_TEXT, AT(question), "TEXT", NULL, 0, 0, CLI_ABLATION,
     "What is asked about every picture (default: Is there any anomaly in the image?)."},
    {"described", 0, CLI_SWITCH, AT(described), NULL, NULL, 0, 0, CLI_ABLATION,
     "Put a description of the product before the question, as the paper's test does; published weights need it."},
    {"size", 0, CLI_INTEGER, AT(size), "PIXELS", NULL, 32, 1024, CLI_SCENES, "Side of a picture (default: 224)."},
    {"kind", 0, CLI_TEXT, AT(kind), "NAME", NULL, 0, 0, CLI_SCENES, "Draw this kind of product only; list shows all."},
    {"split", 0, CLI_CHOICE, AT(split), "WHICH", "train|held-out|all", 0, 0, CLI_SCENES,
     "Which kinds to draw: those a model may be trained on, or those kept aside for tests (default: train)."},
    {"held-out", 0, CLI_SWITCH, AT(held_out), NULL, NULL, 0, 0, CLI_SCENES, "The same as --split held-out."},
    {"anomalous-share", 0, CLI_SHARE, AT(anomalous_share), "X", NULL, 0, 1, CLI_SCENES,
     "Share of pictures with a defect (default: 0.3)."},
    {"products", 0, CLI_INTEGER, AT(products), "N", NULL, 1, 1e6, CLI_SCENES,
     "Folders (designs) of each kind (default: 1)."},
    {"seed", 0, CLI_INTEGER, AT(seed), "N", NULL, 0, 9e15,
     JUDGE | CLI_SCENES | CLI_SIMULATE | CLI_ABLATION | CLI_TRAIN | WRITE | CLI_PROMPTS,
     "Seed of all random choices; the same seed gives the same result (default: 0)."},
    {"init", 0, CLI_TEXT, AT(init), "MODEL", NULL, 0, 0, CLI_TRAIN,
     "timm model (safetensors file or folder) the image tower starts from, or a bundle that is trained on (default: a "
     "random start)."},
    {"words", 0, CLI_TEXT, AT(words), "FILE", NULL, 0, 0, CLI_TRAIN, "Word lists (default: models/words.txt)."},
    {"photos", 0, CLI_LIST, AT(photos), "FOLDER[,name=N][,prefix=P][,weight=W]", NULL, 0, 0, CLI_TRAIN,
     "Photographs without defects, with subfolders: name of what they show, beginning of the files to take, how often "
     "against 1; may be repeated."},
    {"scene-share", 0, CLI_SHARE, AT(scene_share), "X", NULL, 0, 1, CLI_TRAIN,
     "Share of drawn scenes among the pairs, the others are photographs."},
    {"vary", 0, CLI_SHARE, AT(vary), "X", NULL, 0, 1, CLI_TRAIN,
     "Share of the subjects that become other products: recoloured, printed on, warped, laid out as many small ones (default: 0)."},
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
    {"language", 0, CLI_TEXT, AT(language), "MODEL", NULL, 0, 0, CLI_TRAIN,
     "anomalygpt: language model that is to speak (default: the embedded one); with a voice, training goes on with "
     "that."},
    {"language-rate", 0, CLI_REAL, AT(language_rate), "X", NULL, 0, 1000, CLI_TRAIN,
     "anomalygpt: multiplier for the language model's own weights (default: 0, frozen)."},
    {"adapter", 0, CLI_INTEGER, AT(adapter_rank), "RANK", NULL, 1, 16384, CLI_TRAIN,
     "anomalygpt: train adapters (LoRA) of this rank in the language model in place of the prompt learner, as the "
     "paper's ablation does; --language-rate is then theirs (default: 1)."},
    {"decoder-rate", 0, CLI_REAL, AT(decoder_rate), "X", NULL, 0, 1000, CLI_TRAIN,
     "anomalygpt: multiplier for the decoder."},
    {"linear", 0, CLI_SWITCH, AT(linear), NULL, NULL, 0, 0, CLI_TRAIN,
     "anomalygpt: linear decay of the rate, not a cosine."},
    COUNT(batch, "batch", "N", 1, "anomalygpt, april-gan: samples of one pass."),
    COUNT(accumulate, "accumulate", "N", 1, "anomalygpt: passes of one step."),
    COUNT(base, "base", "N", 1, "anomalygpt: prompts learnt once, of a new voice."),
    COUNT(window, "window", "N", 1, "anomalygpt, april-gan: subjects kept and used again."),
    {"fresh", 0, CLI_SHARE, AT(fresh), "X", NULL, 0, 1, CLI_TRAIN,
     "anomalygpt, april-gan: new subjects for each sample used."},
    {"swap-share", 0, CLI_SHARE, AT(swap_share), "X", NULL, 0, 1, CLI_TRAIN,
     "anomalygpt: share of the samples that get the embedding of their other state, so that words follow the map "
     "(default: 0)."},
    {"even-levels", 0, CLI_SWITCH, AT(even_levels), NULL, NULL, 0, 0, CLI_TRAIN,
     "anomalygpt: move each joined map so that 0.5 lies between the highest values of a subject without and with its "
     "defect."},
    WEIGHT(focal, "weight-focal", "anomalygpt, april-gan: weight of the map's focal loss."),
    {"few-shot-share", 0, CLI_SHARE, AT(few_shot_share), "X", NULL, 0, 1, CLI_TRAIN,
     "anomalygpt: share of the samples whose prompts come from the few-shot map, where there is a normal picture."},
    {"ground-share", 0, CLI_SHARE, AT(ground_share), "X", NULL, 0, 1, CLI_TRAIN,
     "anomalygpt: share of the samples in which a drawn map stands for a picture."},
    {"dialogue-share", 0, CLI_SHARE, AT(dialogue_share), "X", NULL, 0, 1, CLI_TRAIN,
     "anomalygpt: share of the samples with an ordinary dialogue."},
    COUNT(log_every, "log-every", "STEPS", 0, "How often a line is printed; 0 never."),
    COUNT(checkpoint_every, "checkpoint-every", "STEPS", 0, "How often a checkpoint is written; 0 only at the end."),
    COUNT(evaluate_every, "evaluate-every", "STEPS", 0,
          "How often figures on held-out scenes or texts are printed; 0 never."),
    COUNT(evaluate_pairs, "evaluate-pairs", "N", 1, "Pairs of held-out scenes these figures are over."),
    {"max-tokens", 'n', CLI_INTEGER, AT(max_tokens), "N", NULL, 1, 1e6, CLI_COMPLETE,
     "Most tokens to write (default: 256)."},
    {"max-tokens", 'n', CLI_INTEGER, AT(max_tokens), "N", NULL, 1, 1e6, TALK,
     "Most tokens of an answer (default: 128)."},
    {"temperature", 0, CLI_REAL, AT(temperature), "X", NULL, 0, 100, WRITE | CLI_PROMPTS,
     "0 takes the likeliest token each time; above it one is drawn, 1 as often as the model has it (default: 0)."},
    {"top-p", 0, CLI_SHARE, AT(top_p), "X", NULL, 0, 1, WRITE | CLI_PROMPTS,
     "Draw from the fewest likeliest tokens that make up this share (default: 1, all)."},
    {"top-k", 0, CLI_INTEGER, AT(top_k), "N", NULL, 0, 1e9, CLI_COMPLETE,
     "Draw from the N likeliest tokens (default: 0, all)."},
    {"llm", 0, CLI_TEXT, AT(llm), "URL", NULL, 0, 0, SPEAK,
     "OpenAI-compatible endpoint (http://host:port/v1) that puts the measured facts into words; it sees no picture."},
    {"llm", 0, CLI_TEXT, AT(llm), "URL", NULL, 0, 0, SENTENCES,
     "OpenAI-compatible endpoint (http://host:port/v1) that writes the sentences about the object."},
    {"llm-model", 0, CLI_TEXT, AT(llm_model), "MODEL", NULL, 0, 0, SENTENCES,
     "With --llm the model to ask for. Without it who writes: a LLaMA folder, a GGUF file, or inside (the small model "
     "that flaw carries chooses from a bank of sentences)."},
    {"llm-model", 0, CLI_TEXT, AT(llm_model), "NAME", NULL, 0, 0, SPEAK,
     "Model to ask the endpoint for (default: its own)."},
    {"llm-key-env", 0, CLI_TEXT, AT(llm_key_env), "NAME", NULL, 0, 0, SPEAK | SENTENCES,
     "Environment variable that holds the endpoint's key (default: FLAW_LLM_KEY)."},
    {"llm-timeout", 0, CLI_REAL, AT(llm_timeout), "X", NULL, 0.001, 86400, SPEAK | SENTENCES,
     "Seconds that the endpoint may take for an answer, all tries together (default: 60)."},
    {"rotations", 0, CLI_SWITCH, AT(rotations), NULL, NULL, 0, 0, SPEAK,
     "Compare with the good parts turned by 90, 180 and 270 degrees, too."},
    {"upstream-quirks", 0, CLI_SWITCH, AT(upstream_quirks), NULL, NULL, 0, 0, SPEAK,
     "Do as the published AnomalyGPT does where that differs (docs/anomalygpt.md)."},
    {"repeat", 0, CLI_INTEGER, AT(repeat), "N", NULL, 1, 100000, CLI_BENCH, "Timed rounds (default: 20)."},
    {"threads", 'T', CLI_INTEGER, AT(threads), "N", NULL, 0, 1024,
     ENGINE | CLI_DATASET | CLI_TRAIN | WRITE | CLI_ABLATION | CLI_PROMPTS,
     "Threads to compute with; results are the same for any number (default: 0, all processors)."},
    {"precision", 0, CLI_CHOICE, AT(precision), "P", "auto|f32|bf16|int8", 0, 0, ENGINE,
     "Arithmetic of the matrix products (default: auto, float32; bf16 for a model of over 512 MB of float32)."},
    {"precision", 0, CLI_CHOICE, AT(precision), "P", "auto|f32|bf16", 0, 0, CLI_TRAIN,
     "Arithmetic of the matrix products (default: auto, bf16)."},
    {"precision", 0, CLI_CHOICE, AT(precision), "P", "auto|f32|bf16|int8|int4", 0, 0,
     WRITE | CLI_ABLATION | CLI_PROMPTS,
     "How the language model's matrices are kept (default: auto, as the file has them; above 4 GiB as int4)."},
    {"level", 0, CLI_CHOICE, AT(level), "L", "auto|ref|neon|neon-dot|avx2|avx2-vnni|avx512|avx512-vnni|avx512-bf16|amx", 0, 0,
     ENGINE | WRITE | CLI_ABLATION | CLI_PROMPTS,
     "Instruction set to use, one that this machine has; ref is plain C (default: auto, what the environment's FLAW_CPU "
     "names, else the best of this machine)."},
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
                        .seeds = 5,
                        .map_side = 256,
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
