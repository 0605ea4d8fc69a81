#include "commands.h"

#include <string.h>

const cli_command cli_command_table[] = {
    {CLI_INSPECT, "inspect", "PICTURE|FOLDER...", "say of pictures whether something is wrong, and where",
     "Judges every picture: normal, anomalous, or unknown when in doubt. Without --good it goes by words alone; with "
     "pictures of good parts it compares. Folders are searched with all below them for .jpg, .jpeg, .png and .bmp; a "
     "named file is always tried. A picture that cannot be read gets one line on standard error, and the others are "
     "still done.",
     "flaw inspect part.jpg --object \"metal nut\"\n"
     "flaw inspect parts/ --good good/ --object hazelnut --out results\n"
     "flaw inspect parts/ --recipe hazelnut.recipe --json --fail-on-anomaly",
     cmd_inspect},
    {CLI_LEARN, "learn", "--good PATH --object NAME -o FILE", "keep what good parts look like in one recipe file",
     "Looks at the good parts once, calibrates the limit from them alone, and writes one file for flaw inspect "
     "--recipe. The recipe is bound to the model it was made with and checks itself when it is opened.",
     "flaw learn --good good/ --object hazelnut -o hazelnut.recipe", cmd_learn},
    {CLI_EMBED, "embed", "--image FILE | --text TEXT", "numbers that stand for a picture or a text",
     "Prints the embedding (unit length), one number a line, or {\"embedding\": [...]} with --json; for a text also "
     "its token \"ids\"; for a classifier with --logits also \"logits\" and \"top5\".",
     "flaw embed --image part.jpg --json\nflaw embed --text \"a photo of a bottle\" --json --model clip-folder",
     cmd_embed},
    {CLI_MODEL, "model",
     "info [PATH] | list | convert PATH -o FILE | quantize PATH -o FILE --keep int8|int4 | merge-delta BASE DELTA -o "
     "OUT",
     "what a model holds; weights put together",
     "info names the parts of a model (towers, language model, voice), what is missing and what is left over, and "
     "takes the hashes of a bundle again; without a path it tells about the embedded model. list shows the models that "
     "need no path. convert makes one file of any model: a folder of AnomalyGPT's published weights, a LLaMA folder, a "
     "GGUF file, towers, or another such file; quantize makes a language model smaller on the way. merge-delta adds "
     "the published differences of Vicuna v0 to LLaMA's weights, both Hugging Face folders, and writes a folder with "
     "the sum. None of them needs more memory than a few megabytes and the largest tensor.",
     "flaw model info clip-folder --json\n"
     "flaw model merge-delta llama-7b vicuna-7b-delta-v0 -o anomalygpt/vicuna\n"
     "flaw model convert anomalygpt -o anomalygpt.flaw --keep int4",
     cmd_model},
    {CLI_METHOD, "method", "list", "methods that judge",
     "Lists the methods for --method: what each does and needs, its options for --method-option, where it comes from; "
     "then those that are not there, and why.",
     "flaw method list", cmd_method},
    {CLI_PROMPTS, "prompts", "make --object NAME | lint FILE...",
     "have sentences about a product written; check prompt files",
     "make asks a language model (--llm, --llm-model, else the one inside; or --prompts FILE for a saved answer) alike "
     "for the normal and the abnormal state, leaves out what would mislead (reasons go to standard error), asks again "
     "for what is missing, and writes a prompt file for --prompts. Answers are kept: the same question is asked once. "
     "lint reports sentences that are empty, doubled, negated, too long, on both sides, or that do not name the "
     "object.",
     "flaw prompts make --object \"brass hose fitting\" --llm http://localhost:8080/v1 -o fitting.json\n"
     "flaw prompts make --object \"brass hose fitting\" --brief brief.txt --llm-model vicuna.gguf\n"
     "flaw prompts lint prompts.json", cmd_prompts},
    {CLI_EVAL, "eval", "DATASET... | merge SHARD... --out DIR | show DIR | report DIR [-o FILE]",
     "measure how well methods do on data sets",
     "Judges the test pictures of data sets by each method (--method A,B), from each number of good parts (--shots "
     "0,1,4), over draws of other good parts (--seeds), and prints the metrics, mean and standard deviation over the "
     "draws. A folder of data sets is measured one by one, with the mean over all. With --out every judgement is kept "
     "at once: a run that was stopped goes on with --resume; --shard I/N deals the pictures to several runs, and merge "
     "puts their folders together, with the numbers of a single run to the last bit; show prints a kept run again; "
     "report writes a kept run as one HTML page (DIR/report.html): tables, curves, histograms, the worst false alarms "
     "and misses as pictures. Pixel figures are taken at 256 x 256, PRO up to 30 % false positives.",
     "flaw eval data/hazelnut --shots 4\n"
     "flaw eval mvtec/ --method alfa,winclip,patchcore --shots 0,1,4 --out run --resume\n"
     "flaw eval mvtec/ --method alfa --shard 1/2 --out first\n"
     "flaw eval merge first second --out whole\n"
     "flaw eval report whole -o whole.html",
     cmd_eval},
    {CLI_DATASET, "dataset", "info PATH... | check PATH...",
     "what is understood of data sets, and what is wrong with them",
     "A path is a folder, or a table that lists pictures; the layout is guessed (docs/data.md shows all of them). info "
     "prints what was understood, with the pictures of each part and kind. check reads every picture and mask: "
     "unreadable ones, masks of another size, empty masks of bad pictures and marked ones of good pictures, the same "
     "picture twice (by its decoded pixels) within a part or across parts, names that differ by case only, lines of a "
     "table whose files are not there. Exit status 65 when something is wrong.",
     "flaw dataset info data/\nflaw dataset check data/hazelnut\nflaw dataset check --layout table list.csv --json",
     cmd_dataset},
    {CLI_ABLATION, "ablation", "DATASET... | --out DIR [-n COUNT] | alfa DATASET...",
     "what each part of an AnomalyGPT, or of ALFA, brings",
     "Asks about every test picture of a data set and measures the answers against the masks: yes or no, how many, "
     "where. Rows: the language model alone, the map against the largest value on normal pictures, adapters in place "
     "of the prompt learner, and everything; the paper's figures stand beside them. Without a data set, scenes of "
     "held-out kinds are drawn to DIR/scenes first. With the word alfa in front the parts of ALFA are measured: "
     "WinCLIP's templates, a language model's sentences, contextual scoring by each rule, the aligner at several "
     "lambdas, good parts; then the mean over the arguments.",
     "flaw ablation --out ablation -n 400\nflaw ablation data/hazelnut --shots 1 --json\n"
     "flaw ablation alfa data/hazelnut data/cookies scenes/",
     cmd_ablation},
    {CLI_SCENES, "scenes", "--out DIR [-n COUNT] | list", "draw product pictures with and without defects",
     "Draws scenes of products with lighting, noise, defects, masks and captions, as data set folders for flaw eval "
     "and flaw train.",
     "flaw scenes -n 200 --out scenes --held-out", cmd_scenes},
    {CLI_SIMULATE, "simulate", "PICTURE|FOLDER... --out DIR", "make anomalies out of pictures of good parts",
     "Cuts a piece out of one good picture, resizes it and puts it into another, by Poisson editing or plainly: a data "
     "set for flaw eval, with masks, dialogues.jsonl (questions, answers, places) and contact.png to look at. Every "
     "second picture is kept to compare with; patches come from those. Products of MVTec AD and VisA have presets; for "
     "others sizes, contrast and background are taken from the picture.",
     "flaw simulate parts/good --out simulated --object hazelnut --blend both\n"
     "flaw simulate good.jpg --source scratches/ -n 50 --most 3 --out simulated",
     cmd_simulate},
    {CLI_TRAIN, "train",
     "--out DIR [--init MODEL] [--photos FOLDER]... | language --out DIR | anomalygpt --out DIR | april-gan --out DIR "
     "| export CHECKPOINT... FILE",
     "train the small models that the program carries inside",
     "Trains the towers on drawn scenes and on photographs with painted defects. The folder holds the checkpoint and "
     "the finished model; started again with the same folder it goes on with the same bits. Ctrl-C writes a checkpoint "
     "and stops. language trains a small language model on dialogues, from random weights, and draws its loss curve. "
     "anomalygpt trains a voice: the decoder of the map and what tells a language model of it. april-gan trains the "
     "linear layers of that method for a model (DIR/model.safetensors is what --weights takes). export writes the "
     "model of a checkpoint, or of the mean of several.",
     "flaw train --out run --init deit-tiny --photos photos --steps 20000\n"
     "flaw train language --out speech --steps 1500\n"
     "flaw train april-gan --model clip-vit-l14-336 --out april\n"
     "flaw train export run/checkpoint.safetensors model.safetensors",
     cmd_train},
    {CLI_ASK, "ask", "PICTURE QUESTION", "ask something about a picture",
     "Answers in words: the model's own voice, an endpoint (--llm), or without either the measured facts as a "
     "sentence. Below stands what the words say (verdict, how many, where) beside what the map says alone. --json "
     "prints one object: \"answer\", \"ids\" (its tokens), \"verdict\", \"count\" and \"places\" (of the words), "
     "\"score\", \"threshold\" and \"map_verdict\" (of the map), \"agree\", \"source\". With --good the map compares "
     "with good parts. Where an endpoint fails the facts stand in, and the exit status tells.",
     "flaw ask part.jpg \"Is there any anomaly in the image?\" --object \"metal nut\"\n"
     "flaw ask --model anomalygpt-folder --good good.jpg --json part.jpg \"Where is the defect?\"\n"
     "flaw ask --llm http://localhost:8080/v1 part.jpg \"What is wrong with it?\"",
     cmd_ask},
    {CLI_CHAT, "chat", "PICTURE", "talk about a picture",
     "Questions line by line, from a terminal or a pipe; the dialogue is kept and the picture encoded once. /map shows "
     "the heat map (opened where there is a display, its path printed), /facts what was measured, /restart forgets the "
     "dialogue, /picture FILE takes up another one, /help lists these, /quit or the end of input ends. Ctrl-C stops an "
     "answer. With --json one object an answer, as from flaw ask.",
     "flaw chat part.jpg --object \"metal nut\"\n"
     "printf 'Is it good?\\nWhere?\\n' | flaw chat part.jpg --json", cmd_chat},
    {CLI_COMPLETE, "complete", "--model MODEL PROMPT", "let a language model go on with a text",
     "Prints what the model writes after the prompt, word by word; \"\" lets it begin by itself. MODEL is a Hugging "
     "Face folder of a LLaMA, a GGUF file or a flaw bundle; without --model the small one inside goes on. Without "
     "--temperature the likeliest word is taken each time. --json prints one object with \"text\", the \"ids\" of its "
     "tokens, \"model\" and \"ms\".",
     "flaw complete --model stories.gguf \"Once upon a time\"\n"
     "flaw complete --model llama-folder --precision int4 --temperature 0.8 --top-p 0.95 --seed 7 \"The part is\"",
     cmd_complete},
    {CLI_BENCH, "bench", "[PICTURE]", "how fast this machine is",
     "Medians over rounds: opening the engine, decoding the picture, preparing and encoding it once (with the GFLOP/s "
     "of the image tower), judging it by words, and judging it by comparison with one good part (itself). Without a "
     "picture a drawn scene is used, and what needs a file is left out.",
     "flaw bench\nflaw bench part.jpg --threads 1 --json", cmd_bench},
    {CLI_HELP, "help", "[COMMAND]", "this page, or the page of a command", "Shows what a command does and its options.",
     "flaw help inspect", cmd_help},
    {CLI_COMPLETION, "completion", "bash", "completion for the shell",
     "Prints a script that completes commands, options and their values.",
     "flaw completion bash > ~/.local/share/bash-completion/completions/flaw", cmd_completion},
};

const int cli_command_count = sizeof cli_command_table / sizeof *cli_command_table;

const cli_command *cli_command_of(unsigned bit)
{
    for (int i = 0; i < cli_command_count; i++)
        if (cli_command_table[i].bit == bit) return &cli_command_table[i];
    return &cli_command_table[0];
}

const cli_command *cli_command_find(const char *name)
{
    for (int i = 0; i < cli_command_count; i++)
        if (strcmp(cli_command_table[i].name, name) == 0) return &cli_command_table[i];
    return NULL;
}
