/* Reading of models/dialogue.txt. */
#include "learn/language/dialogue_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/sha256.h"
#include "learn/sections.h"

enum { MAX_FILE = 1 << 20, MAX_LINE = 256, MAX_NAME = 64, MAX_BLANKS = 4 };

/* In this order: names of things, then for each kind of question its four lists, then the talks. */
enum {
    OBJECTS,
    SURFACES,
    NO_PICTURE,
    FIRST_ASK,
    FIRST_TALK = FIRST_ASK + 4 * FLAW_ASK_KINDS,
    TALK = FIRST_TALK,
    ASIDE,
    SECTIONS
};
static const char *const names[SECTIONS] = {
    "objects", "surfaces", "no picture",
    "ask anomaly", "anomaly none", "anomaly one", "anomaly several",
    "ask where", "where none", "where one", "where several",
    "ask count", "count none", "count one", "count several",
    "ask size", "size none", "size one", "size several",
    "ask kind", "kind none", "kind one", "kind several",
    "ask good", "good none", "good one", "good several",
    "ask object", "object none", "object one", "object several",
    "ask describe", "describe none", "describe one", "describe several",
    "talk", "aside",
};

static const char *const blanks[FLAW_BLANKS] = {"{object}", "{a object}", "{n}", "{places}", "{size}", "{kind}"};

flaw_blank flaw_blank_at(const char *text, size_t *size)
{
    for (int i = 0; i < FLAW_BLANKS; i++) {
        *size = strlen(blanks[i]);
        if (strncmp(text, blanks[i], *size) == 0) return (flaw_blank)i;
    }
    return FLAW_BLANKS;
}

static flaw_status add_line(flaw_lines *l, const char *text, size_t size, flaw_arena *arena, flaw_error *err)
{
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 16;
        const char **line = flaw_arena_alloc(arena, room, sizeof *line);
        if (!line) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a list of %zu lines", room);
        if (l->count) memcpy(line, l->line, l->count * sizeof *line);
        l->line = line;
        l->room = room;
    }
    l->line[l->count] = flaw_arena_copy_string(arena, text, size);
    if (!l->line[l->count]) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a line");
    l->count++;
    return FLAW_OK;
}

static flaw_status add_block(flaw_talks *t, flaw_arena *arena, flaw_error *err)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 16;
        flaw_talk_block *block = flaw_arena_alloc(arena, room, sizeof *block);
        if (!block) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu talks", room);
        if (t->count) memcpy(block, t->block, t->count * sizeof *block);
        t->block = block;
        t->room = room;
    }
    t->block[t->count++] = (flaw_talk_block){.say = {.count = 0}};
    return FLAW_OK;
}

static flaw_lines *list_of(flaw_dialogues *d, int section)
{
    if (section == OBJECTS) return &d->object;
    if (section == SURFACES) return &d->surface;
    if (section == NO_PICTURE) return &d->no_picture;
    const int kind = (section - FIRST_ASK) / 4, which = (section - FIRST_ASK) % 4;
    return which ? &d->answer[kind][which - 1] : &d->ask[kind];
}

/* Which blanks a line of the section may have, as bits. */
static unsigned allowed_blanks(int section)
{
    const unsigned object = 1u << FLAW_BLANK_OBJECT | 1u << FLAW_BLANK_A_OBJECT;
    if (section < FIRST_ASK || section >= FIRST_TALK) return 0;
    switch ((section - FIRST_ASK) % 4) {
    case 0: return object | 1u << FLAW_BLANK_KIND;
    case 1: return object;
    case 2: return object | 1u << FLAW_BLANK_PLACES | 1u << FLAW_BLANK_SIZE;
    default: return object | 1u << FLAW_BLANK_PLACES | 1u << FLAW_BLANK_SIZE | 1u << FLAW_BLANK_N;
    }
}

/* Seen ASCII with single blanks inside, and only blanks that can be filled. */
static flaw_status check_line(const flaw_sections *s, const char *text, size_t size, flaw_error *err)
{
    const size_t most = s->section == OBJECTS || s->section == SURFACES ? MAX_NAME : MAX_LINE;
    int filled = 0;
    if (size < 1 || size > most)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: line %d has %zu bytes, allowed are 1 to %zu", s->path, s->number,
                         size, most);
    for (size_t i = 0; i < size; i++) {
        size_t length = 1;
        const bool blank = text[i] == ' ';
        if (text[i] < ' ' || text[i] > '~' || (blank && (i == 0 || i + 1 == size || text[i + 1] == ' ')) ||
            text[i] == '}')
            return flaw_fail(err, FLAW_BAD_DATA, "%s: line %d, byte %zu: byte 0x%02x has no place here", s->path,
                             s->number, i, (unsigned)(unsigned char)text[i]);
        if (text[i] != '{') continue;
        char rest[16];
        snprintf(rest, sizeof rest, "%.*s", (int)(size - i > 15 ? 15 : size - i), text + i);
        flaw_blank found = flaw_blank_at(rest, &length);
        if (found == FLAW_BLANKS || !(allowed_blanks(s->section) & 1u << found) || ++filled > MAX_BLANKS)
            return flaw_fail(err, FLAW_BAD_DATA,
                             "%s: line %d: \"%s\" cannot be filled in section [%s], at most %d blanks", s->path,
                             s->number, rest, s->section < 0 ? "" : s->names[s->section], MAX_BLANKS);
        i += length - 1;
    }
    return FLAW_OK;
}

/* "> said" or "< answered"; an empty line ends the block. */
static flaw_status read_talk(flaw_dialogues *d, const flaw_sections *s, bool *open, flaw_error *err)
{
    flaw_talks *t = s->section == TALK ? &d->talk : &d->aside;
    flaw_status status = FLAW_OK;
    if (s->length < 3 || s->line[1] != ' ' || (s->line[0] != '>' && s->line[0] != '<'))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: line %d begins neither with \"> \" nor with \"< \"", s->path,
                         s->number);
    const bool says = s->line[0] == '>';
    if (!*open && !says) return flaw_fail(err, FLAW_BAD_DATA, "%s: line %d answers nothing", s->path, s->number);
    if (!*open) status = add_block(t, &d->arena, err);
    if (status) return status;
    *open = true;
    flaw_talk_block *b = &t->block[t->count - 1];
    if (says && b->answer.count)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: line %d: something said after the answers; an empty line is missing",
                         s->path, s->number);
    status = check_line(s, s->line + 2, s->length - 2, err);
    if (!status) status = add_line(says ? &b->say : &b->answer, s->line + 2, s->length - 2, &d->arena, err);
    return status;
}

static flaw_status check_talks(const flaw_talks *t, int section, const char *name, flaw_error *err)
{
    if (t->count == 0)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: section [%s] is missing or empty", name, names[section]);
    for (size_t i = 0; i < t->count; i++)
        if (t->block[i].answer.count == 0)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: nothing is answered to \"%s\"", name, t->block[i].say.line[0]);
    return FLAW_OK;
}

/* Does a line of the list do without sizes and kinds? One must, for what is not known. */
static bool has_plain_line(const flaw_lines *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (!strstr(l->line[i], "{size}") && !strstr(l->line[i], "{kind}")) return true;
    return false;
}

static flaw_status check_lists(flaw_dialogues *d, const char *name, flaw_error *err)
{
    for (int i = 0; i < FIRST_TALK; i++) {
        const flaw_lines *l = list_of(d, i);
        if (!l->count) return flaw_fail(err, FLAW_BAD_DATA, "%s: section [%s] is missing or empty", name, names[i]);
        if (!has_plain_line(l))
            return flaw_fail(err, FLAW_BAD_DATA, "%s: section [%s] has no line without {size} and {kind}", name,
                             names[i]);
    }
    flaw_status status = check_talks(&d->talk, TALK, name, err);
    return status ? status : check_talks(&d->aside, ASIDE, name, err);
}

static flaw_status read_lines(flaw_dialogues *d, const char *text, size_t size, const char *name, flaw_error *err)
{
    flaw_sections s = flaw_sections_over(text, size, name, names, SECTIONS);
    flaw_status status;
    bool open = false;
    int section = -1;
    while (flaw_sections_next(&s, &status, err)) {
        if (s.length == 0 || s.section != section) open = false;
        section = s.section;
        if (s.length == 0) continue;
        if (section >= FIRST_TALK) {
            status = read_talk(d, &s, &open, err);
        } else {
            status = check_line(&s, s.line, s.length, err);
            if (!status) status = add_line(list_of(d, section), s.line, s.length, &d->arena, err);
        }
        if (status) break;
    }
    return status ? status : check_lists(d, name, err);
}

flaw_status flaw_dialogues_parse(flaw_dialogues **out, const char *text, size_t size, const char *name, flaw_error *err)
{
    flaw_dialogues *d = calloc(1, sizeof *d);
    if (!d) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the lists", name);
    flaw_arena_init(&d->arena, 0);
    flaw_sha256_hex(text, size, d->digest);
    flaw_status status = read_lines(d, text, size, name, err);
    if (status) flaw_dialogues_free(d);
    else *out = d;
    return status;
}

flaw_status flaw_dialogues_read(flaw_dialogues **out, const char *path, flaw_error *err)
{
    flaw_bytes file;
    flaw_status status = flaw_file_read(&file, path, MAX_FILE, err);
    if (status) return status;
    status = flaw_dialogues_parse(out, (const char *)file.data, file.size, path, err);
    flaw_bytes_release(&file);
    return status;
}

const char *flaw_dialogues_digest(const flaw_dialogues *lists)
{
    return lists->digest;
}

void flaw_dialogues_free(flaw_dialogues *lists)
{
    if (!lists) return;
    flaw_arena_release(&lists->arena);
    free(lists);
}
