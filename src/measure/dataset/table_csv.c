/* CSV (RFC 4180, and what spreadsheets make of it: semicolons or tabs, a byte order mark, either line end). */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "measure/dataset/table.h"

enum { MAX_COLUMNS = 256 };

typedef struct reader {
    flaw_cursor c;
    size_t line; /* of the record being read, from 1 */
    size_t next; /* line at the cursor */
    int delimiter;
    const char *name;
    size_t begin[MAX_COLUMNS]; /* where the fields begin in `text`, each ends with NUL */
    size_t fields, used;
    char *text; /* [MAX_COLUMNS * ...] of one record */
    size_t room;
} reader;

static int peek(const reader *r)
{
    return r->c.at < r->c.end ? *r->c.at : -1;
}

static bool put(reader *r, int byte)
{
    if (r->used == r->room) {
        size_t room = r->room ? 2 * r->room : 1024; /* fields and columns are bounded, so this is */
        char *grown = realloc(r->text, room);
        if (!grown) return false;
        r->text = grown;
        r->room = room;
    }
    r->text[r->used++] = (char)byte;
    return true;
}

static flaw_status refuse(const reader *r, const char *what, flaw_error *err)
{
    return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: %s", r->name, r->line, what);
}

/* One byte of a field. */
static flaw_status take(reader *r, int byte, flaw_error *err)
{
    if (byte == 0) return refuse(r, "a NUL byte, expected text", err);
    if (r->used - r->begin[r->fields] >= FLAW_TABLE_MAX_FIELD)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: field %zu is longer than %d bytes", r->name, r->line,
                         r->fields + 1, FLAW_TABLE_MAX_FIELD);
    return put(r, byte) ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory", r->name);
}

/* After the opening quote: to the closing one; a doubled quote is one. */
static flaw_status quoted(reader *r, flaw_error *err)
{
    for (;;) {
        if (peek(r) < 0) return refuse(r, "a quote that is never closed", err);
        int byte = flaw_cursor_u8(&r->c);
        if (byte == '"' && peek(r) != '"') break;
        if (byte == '"') flaw_cursor_u8(&r->c);
        if (byte == '\n') r->next++;
        flaw_status status = take(r, byte, err);
        if (status != FLAW_OK) return status;
    }
    while (peek(r) == ' ') flaw_cursor_u8(&r->c);
    int after = peek(r);
    if (after >= 0 && after != r->delimiter && after != '\r' && after != '\n')
        return refuse(r, "text after a closing quote", err);
    return FLAW_OK;
}

/* To the delimiter or the end of the line; spaces around it are not meant. */
static flaw_status plain(reader *r, flaw_error *err)
{
    for (int byte = peek(r); byte >= 0 && byte != r->delimiter && byte != '\n' && byte != '\r'; byte = peek(r)) {
        flaw_status status = take(r, flaw_cursor_u8(&r->c), err);
        if (status != FLAW_OK) return status;
    }
    while (r->used > r->begin[r->fields] && (r->text[r->used - 1] == ' ' || r->text[r->used - 1] == '\t')) r->used--;
    return FLAW_OK;
}

static flaw_status field(reader *r, flaw_error *err)
{
    if (r->fields == MAX_COLUMNS) return refuse(r, "more than 256 fields", err);
    r->begin[r->fields] = r->used;
    while (peek(r) == ' ') flaw_cursor_u8(&r->c);
    bool quote = peek(r) == '"';
    if (quote) flaw_cursor_u8(&r->c);
    flaw_status status = quote ? quoted(r, err) : plain(r, err);
    if (status == FLAW_OK && !put(r, 0)) status = flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory", r->name);
    r->fields++;
    return status;
}

/* The next line that is not empty; no fields at the end. */
static flaw_status record(reader *r, flaw_error *err)
{
    r->fields = r->used = 0;
    for (int byte = peek(r); byte == '\n' || byte == '\r'; byte = peek(r)) r->next += flaw_cursor_u8(&r->c) == '\n';
    r->line = r->next;
    if (peek(r) < 0) return FLAW_OK;
    for (;;) {
        flaw_status status = field(r, err);
        if (status != FLAW_OK || peek(r) != r->delimiter) return status;
        flaw_cursor_u8(&r->c);
    }
}

/* What stands most often in the first line. */
static int delimiter_of(const uint8_t *bytes, size_t size)
{
    static const char candidates[] = ",;\t";
    size_t count[3] = {0}, best = 0;
    for (size_t i = 0; i < size && bytes[i] != '\n'; i++)
        for (size_t k = 0; k < 3; k++) count[k] += bytes[i] == candidates[k];
    for (size_t k = 1; k < 3; k++)
        if (count[k] > count[best]) best = k;
    return candidates[best];
}

static reader reader_over(const void *bytes, size_t size, const char *name)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    reader r = {.c = flaw_cursor_over(bytes, size), .line = 1, .next = 1, .name = name};
    if (size >= sizeof mark && memcmp(bytes, mark, sizeof mark) == 0) flaw_cursor_bytes(&r.c, sizeof mark);
    r.delimiter = delimiter_of(r.c.at, flaw_cursor_left(&r.c));
    return r;
}

/* Which column is which; a second one of the same meaning is left out. */
static flaw_status read_header(flaw_column column[MAX_COLUMNS], reader *r, flaw_error *err)
{
    bool seen[FLAW_COLUMNS] = {false};
    flaw_status status = record(r, err);
    if (status != FLAW_OK) return status;
    for (size_t i = 0; i < r->fields; i++) {
        column[i] = flaw_column_named(r->text + r->begin[i]);
        if (seen[column[i]]) column[i] = FLAW_COLUMN_OTHER;
        seen[column[i]] = true;
    }
    if (seen[FLAW_COLUMN_IMAGE]) return FLAW_OK;
    return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: no column image_path (first column: '%.80s')", r->name, r->line,
                     r->fields ? r->text + r->begin[0] : "");
}

flaw_status flaw_rows_csv(flaw_rows *rows, const void *bytes, size_t size, const char *name, flaw_error *err)
{
    flaw_column column[MAX_COLUMNS];
    const uint8_t *first = bytes;
    if (size >= 2 && ((first[0] == 0xff && first[1] == 0xfe) || (first[0] == 0xfe && first[1] == 0xff)))
        return flaw_fail(err, FLAW_BAD_DATA, "'%s':1: UTF-16 text, expected UTF-8", name);
    reader r = reader_over(bytes, size, name);
    flaw_status status = read_header(column, &r, err);
    const size_t columns = r.fields;
    while (status == FLAW_OK) {
        const char *text[FLAW_COLUMNS] = {NULL};
        status = record(&r, err);
        if (status != FLAW_OK || !r.fields) break;
        if (r.fields != columns)
            status = flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: %zu fields, the first line has %zu", name, r.line,
                               r.fields, columns);
        for (size_t i = 0; i < r.fields && i < columns; i++)
            if (column[i] != FLAW_COLUMN_OTHER) text[column[i]] = r.text + r.begin[i];
        if (status == FLAW_OK) status = flaw_rows_add(rows, text, r.line, name, err);
    }
    free(r.text);
    return status;
}

bool flaw_table_is_csv(const void *bytes, size_t size)
{
    flaw_column column[MAX_COLUMNS];
    reader r = reader_over(bytes, size, "");
    bool is = read_header(column, &r, NULL) == FLAW_OK && r.fields > 1;
    free(r.text);
    return is;
}
