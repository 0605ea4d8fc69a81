/* What the commands share: messages, opening engine and inspector, finding pictures, progress, neat lines. */
#ifndef FLAW_CLI_CLI_H
#define FLAW_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <jansson.h>

#include "flaw/explain.h"
#include "flaw/inspect.h"
#include "flaw/talk.h"
#include "options.h"

/* "flaw: MESSAGE" as one line on standard error (control bytes shown as '?'); returns the exit status. */
int cli_report(const flaw_error *err);
int cli_wrong_use(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A string for JSON; where it is not UTF-8 (a file name may hold anything) its other bytes become '?'. */
json_t *cli_json_text(const char *text);
json_t *cli_json_number(double value); /* null when not finite */

/* prompts.c: options -> who writes sentences. What the options point to belongs to the cli_writing. */
typedef struct cli_writing {
    flaw_prompts_options options;
    bool wanted; /* a language model is to write */
    char *brief; /* text of --brief; NULL without */
    char *cache;
} cli_writing;
/* speaks: --llm is the voice of the command (ask, chat), so only --prompts llm wants sentences. */
flaw_status cli_writing_begin(cli_writing *out, const cli_settings *s, bool speaks, flaw_error *err);
void cli_writing_end(cli_writing *w);
void cli_writing_clear(const cli_writing *w); /* the line that tells who is being asked, before other text */
/* Where sentences came from that a language model was to write, as a line on standard error. */
void cli_tell_prompts(const flaw_prompts_about *about, const cli_writing *w);

/* setup.c: options of the command line -> engine, inspector. Paths given by --good become files. */
flaw_status cli_open_engine(flaw_engine **out, const cli_settings *s, flaw_error *err);
void cli_inspect_options(flaw_inspect_options *out, const cli_settings *s, const cli_writing *writing); /* or NULL */
/* From --recipe, or from --good and the rest. */
flaw_status cli_open_inspector(flaw_inspector **out, const flaw_engine *engine, const cli_settings *s, flaw_error *err);

/* "4", or "all" (-1). */
bool cli_read_shots(int *out, const char *text);

/* talk.c: options -> talker; its words on standard output as they come (a flaw_talk_words; context: a cli_speech). */
typedef struct cli_speech {
    bool quiet;        /* show nothing */
    bool shown;        /* something was */
    size_t breaks;     /* line breaks not shown yet */
    int (*stop)(void); /* NULL, or nonzero to end the answer */
} cli_speech;
void cli_talk_options(flaw_talk_options *out, const cli_settings *s); /* all but the good parts */
flaw_status cli_open_talker(flaw_talker **out, const cli_settings *s, flaw_error *err);
int cli_speak(void *speech, const char *text, size_t size);
/* The line under an answer: what the words and the map say, and what went otherwise. */
void cli_print_findings(const flaw_answer *answer);
/* One JSON line. False without memory. */
bool cli_print_answer_json(const flaw_answer *answer, const char *image, const char *question, const char *model);

/* explain.c: a table of what the sentences did to a picture's score, and the same as JSON: "scoring" and "explanation"
 * (null without one) set in a picture's line. */
void cli_print_explanation(const flaw_explanation *explanation, bool colours);
int cli_set_explanation(json_t *line, const flaw_explanation *explanation);

/* gather.c: named files as they are; folders with all below them, sorted, picture files by ending (.jpg .jpeg .png
 * .bmp). A path that cannot be used is reported at once (unless `quiet`) and the first such fault kept; the rest goes
 * on. */
typedef struct cli_pictures {
    char **path; /* [count] owned */
    size_t count, room;
    bool quiet;
    flaw_error first; /* status FLAW_OK when every path could be used */
} cli_pictures;
void cli_pictures_add(cli_pictures *p, const char *path);
void cli_pictures_release(cli_pictures *p);

/* setup.c: likewise cli_open_inspector, for `judged`: methods that need a batch learn from these pictures. */
flaw_status cli_open_inspector_for(flaw_inspector **out, const flaw_engine *engine, const cli_settings *s,
                                   const cli_pictures *judged, flaw_error *err);

/* names.c: stems for files written beside each other: picture name without folder and ending, with the folder's name
 * in front where two are equal, and a number where that does not help. out[count], owned strings; NULL without memory.
 */
char **cli_unique_stems(char *const *path, size_t count);
void cli_free_strings(char **strings, size_t count);
/* mkdir -p */
flaw_status cli_make_folder(const char *path, flaw_error *err);

/* progress.c: a bar on standard error, only when that is a terminal and the work takes longer than half a second
 * (--progress always: at once and anywhere; never: not at all). */
typedef struct cli_progress {
    struct timespec begin;
    double after; /* milliseconds until it shows; infinite: never */
    bool shown;
} cli_progress;
cli_progress cli_progress_begin(const cli_settings *s);
int cli_progress_step(void *progress, size_t done, size_t total, const char *what); /* a flaw_progress; never stops */
void cli_progress_clear(cli_progress *progress); /* before other text on the terminal */
double cli_milliseconds_since(const struct timespec *begin);

/* text.c: text for people. */
bool cli_colours(FILE *to);              /* terminal, no NO_COLOR, TERM is not dumb */
size_t cli_text_width(const char *text); /* characters of UTF-8 text */
/* Left-aligned in `width` characters; too long is cut at the left with "..."; control bytes become '?'. */
void cli_print_cell(FILE *to, const char *text, size_t width);
void cli_print_safe(FILE *to, const char *text);
/* "PATH", or "PATH [CATEGORY]" where a table has several. */
void cli_print_dataset(FILE *to, const char *path, const char *category);
/* Text of several lines that others wrote: control bytes but line ends and tabs become '?', so that it drives no
 * terminal. */
void cli_print_words(FILE *to, const char *text, size_t size);
/* Words wrapped at `columns`, each line after `indent` spaces (the first too). */
void cli_print_wrapped(FILE *to, const char *text, int indent, int columns);

#endif
