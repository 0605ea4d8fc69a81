/* flaw chat: a dialogue about a picture, on a terminal or over pipes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "commands.h"
#include "lines.h"

extern char **environ;

typedef struct chat {
    const cli_settings *settings;
    flaw_talker *talker;
    flaw_picture picture;
    char *path;      /* of the picture */
    char note[512];  /* the last one shown: the same one is not shown again */
    char folder[64]; /* where heat maps go when --out is not given; empty until one does */
    bool terminal;   /* people type */
    int exit;        /* status of the first failure */
    bool ended;
} chat;

/* A viewer that was started ends on its own. */
static void leave_children(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGCHLD, &ignore, NULL);
}

static void note_failure(chat *c, const flaw_error *err)
{
    int exit = cli_report(err);
    if (!c->exit) c->exit = exit;
}

/* Take up a picture; when that fails the one before stays, unless the model had begun with the new one. */
static bool look(chat *c, const char *path)
{
    flaw_picture picture = {0};
    flaw_error err;
    flaw_status status = flaw_picture_read(&picture, path, &err);
    char *copy = status == FLAW_OK ? strdup(path) : NULL;
    if (status == FLAW_OK && !copy) status = flaw_fail(&err, FLAW_NO_MEMORY, "'%s': no memory", path);
    if (status == FLAW_OK) status = flaw_talker_look(c->talker, &picture, &err);
    if (status != FLAW_OK) {
        note_failure(c, &err);
        flaw_picture_release(&picture);
        free(copy);
        return false;
    }
    flaw_picture_release(&c->picture);
    free(c->path);
    c->picture = picture;
    c->path = copy;
    return true;
}

static void ask(chat *c, const char *question)
{
    cli_speech speech = {.quiet = c->settings->json, .stop = cli_lines_interrupted};
    flaw_answer answer = {0};
    flaw_error err;
    flaw_status status = flaw_talker_ask(c->talker, question, cli_speak, &speech, &answer, &err);
    if (answer.text && c->settings->json) {
        cli_print_answer_json(&answer, c->path, question, flaw_talker_model(c->talker));
    } else if (answer.text) {
        if (speech.shown) putchar('\n');
        if (!speech.shown || status != FLAW_OK) puts(answer.text);
        if (!strcmp(answer.note, c->note)) *answer.note = 0;
        else snprintf(c->note, sizeof c->note, "%s", answer.note);
        if (answer.agree == 0 || *answer.note) cli_print_findings(&answer);
    }
    if (status != FLAW_OK) note_failure(c, &err);
    flaw_answer_release(&answer);
}

/* Starts the desktop's viewer where there is a desktop. */
static bool open_viewer(const char *path)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    char *arguments[] = {(char *)"xdg-open", (char *)path, NULL};
    posix_spawn_file_actions_t quiet;
    pid_t child;
    if (!(x && *x) && !(wayland && *wayland)) return false;
    if (posix_spawn_file_actions_init(&quiet) != 0) return false;
    for (int stream = 0; stream < 3; stream++)
        posix_spawn_file_actions_addopen(&quiet, stream, "/dev/null", stream ? O_WRONLY : O_RDONLY, 0);
    bool started = posix_spawnp(&child, arguments[0], &quiet, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&quiet);
    return started;
}

/* A fresh folder for heat maps, once a dialogue. */
static const char *map_folder(chat *c, flaw_error *err)
{
    if (c->settings->out) return cli_make_folder(c->settings->out, err) == FLAW_OK ? c->settings->out : NULL;
    if (*c->folder) return c->folder;
    const char *base = getenv("TMPDIR");
    char name[sizeof c->folder];
    int size = snprintf(name, sizeof name, "%s/flaw-chat-XXXXXX", base && *base ? base : "/tmp");
    if (size >= (int)sizeof name) snprintf(name, sizeof name, "/tmp/flaw-chat-XXXXXX");
    if (!mkdtemp(name)) {
        flaw_fail(err, FLAW_IO, "folder '%s': cannot be made: %s", name, strerrordesc_np(errno));
        return NULL;
    }
    memcpy(c->folder, name, sizeof name);
    return c->folder;
}

static void show_map(chat *c)
{
    flaw_error err;
    char *path = NULL, **stem = cli_unique_stems(&c->path, 1);
    const char *folder = map_folder(c, &err);
    flaw_status status = folder ? FLAW_OK : err.status;
    if (status == FLAW_OK && (!stem || asprintf(&path, "%s/%s_overlay.png", folder, stem[0]) < 0))
        status = flaw_fail(&err, FLAW_NO_MEMORY, "no memory for the heat map");
    if (status == FLAW_OK) status = flaw_result_write_overlay(flaw_talker_facts(c->talker), &c->picture, path, &err);
    if (status == FLAW_OK) {
        bool opened = open_viewer(path);
        cli_print_safe(stdout, path);
        puts(opened ? " (opened)" : "");
    } else {
        note_failure(c, &err);
    }
    free(path);
    cli_free_strings(stem, 1);
}

static void show_facts(chat *c)
{
    char *sheet = flaw_facts_text(flaw_talker_facts(c->talker));
    if (sheet) cli_print_words(stdout, sheet, strlen(sheet));
    free(sheet);
}

static void show_help(void)
{
    puts("  /map           heat map of the picture (opened where there is a display)\n"
         "  /facts         what was measured\n"
         "  /picture FILE  talk about another picture\n"
         "  /restart       forget the dialogue\n"
         "  /quit          end (or Ctrl-D); Ctrl-C stops an answer");
}

static bool is_command(const char *line, const char *name)
{
    size_t length = strlen(name);
    return strncmp(line, name, length) == 0 && (!line[length] || line[length] == ' ');
}

static void take_up(chat *c, const char *path)
{
    while (*path == ' ') path++;
    flaw_error err;
    if (!*path) {
        flaw_fail(&err, FLAW_USAGE, "/picture needs a file");
        note_failure(c, &err);
    } else if (look(c, path) && !c->settings->json) {
        puts(flaw_talker_facts(c->talker)->words);
    }
}

static void run_command(chat *c, const char *line)
{
    bool needs_picture = is_command(line, "/map") || is_command(line, "/facts");
    flaw_error err;
    if (needs_picture && !flaw_talker_facts(c->talker)) {
        flaw_fail(&err, FLAW_USAGE, "there is no picture: /picture FILE takes one up");
        note_failure(c, &err);
    } else if (is_command(line, "/map")) {
        show_map(c);
    } else if (is_command(line, "/facts")) {
        show_facts(c);
    } else if (is_command(line, "/picture")) {
        take_up(c, line + strlen("/picture"));
    } else if (is_command(line, "/restart")) {
        flaw_talker_restart(c->talker);
    } else if (is_command(line, "/help")) {
        show_help();
    } else if (is_command(line, "/quit") || is_command(line, "/exit")) {
        c->ended = true;
    } else {
        flaw_fail(&err, FLAW_USAGE, "'%.40s' is no command; /help lists them", line);
        note_failure(c, &err);
    }
}

static void take_line(chat *c, char *line)
{
    while (*line == ' ' || *line == '\t') line++;
    size_t size = strlen(line);
    while (size && strchr(" \t\r\n", line[size - 1])) line[--size] = 0;
    if (*line == '/') run_command(c, line);
    else if (*line) ask(c, line);
    fflush(stdout);
}

/* Ctrl-C ends an answer, not the program. What comes until the prompt is shown is the answer's, what comes after it the
 * prompt's: that is forgotten here and answered by a fresh line. */
static void talk(chat *c, cli_lines *lines)
{
    char *line = NULL;
    while (!c->ended) {
        cli_lines_forget();
        if (c->terminal) fputs("> ", stdout);
        fflush(stdout);
        switch (cli_lines_next(lines, &line)) {
        case CLI_LINE_TEXT: take_line(c, line); break;
        case CLI_LINE_INTERRUPT: puts(c->terminal ? "  (/quit ends)" : ""); break;
        case CLI_LINE_END:
            c->ended = true;
            if (c->terminal) putchar('\n');
            break;
        }
    }
}

static void greet(const chat *c)
{
    if (!c->terminal) return;
    cli_print_wrapped(stdout, flaw_talker_facts(c->talker)->words, 0, 100);
    puts("Ask about the picture; /help lists what else there is.");
}

int cmd_chat(const cli_settings *s)
{
    if (s->arguments.count != 1)
        return cli_wrong_use("chat: one PICTURE is needed, found are %zu arguments", s->arguments.count);
    chat c = {.settings = s, .terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !s->json};
    flaw_error err;
    if (cli_open_talker(&c.talker, s, &err) != FLAW_OK) return cli_report(&err);
    if (look(&c, s->arguments.value[0])) {
        cli_lines lines = {0};
        leave_children();
        if (cli_lines_open(&lines, &err) == FLAW_OK) {
            greet(&c);
            talk(&c, &lines);
        } else {
            note_failure(&c, &err);
        }
        cli_lines_close(&lines);
    }
    flaw_talker_close(c.talker);
    flaw_picture_release(&c.picture);
    free(c.path);
    return c.terminal && c.ended ? 0 : c.exit;
}
