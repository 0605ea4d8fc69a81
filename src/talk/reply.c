#include "talk/reply.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/line.h"
#include "base/utf8.h"

void flaw_reply_init(flaw_reply *r, const char *name, flaw_talk_words words, void *context)
{
    *r = (flaw_reply){.name = name, .words = words, .context = context};
    flaw_buffer_init(&r->text, FLAW_REPLY_TEXT);
    flaw_buffer_init(&r->line, FLAW_REPLY_TEXT);
    flaw_buffer_init(&r->event, FLAW_REPLY_TEXT);
}

void flaw_reply_release(flaw_reply *r)
{
    flaw_buffer_release(&r->text);
    flaw_buffer_release(&r->line);
    flaw_buffer_release(&r->event);
}

static void empty(flaw_buffer *b)
{
    b->size = 0;
    if (b->data) b->data[0] = '\0';
}

static const char *type_of(const json_t *value)
{
    static const char *const names[] = {"an object", "an array",  "a text",    "a number",
                                        "a number",  "a boolean", "a boolean", "null"};
    return value ? names[json_typeof(value)] : "missing";
}

static flaw_status refuse(const flaw_reply *r, const char *what, const char *found, const char *allowed,
                          flaw_error *err)
{
    return flaw_fail(err, FLAW_BAD_DATA, "%s: the reply at byte %zu: %s is %s, expected %s", r->name, r->at, what,
                     found, allowed);
}

static flaw_status add_words(flaw_reply *r, const char *text, flaw_error *err)
{
    size_t size = strlen(text);
    flaw_buffer_append(&r->text, text, size);
    if (r->text.failed)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: the reply at byte %zu: more than %zu bytes of words", r->name, r->at,
                         FLAW_REPLY_TEXT);
    if (size && r->words && r->words(r->context, text, size)) r->stopped = true;
    return FLAW_OK;
}

/* {"error": {"message": ...}} in a reply that came as a success. */
static flaw_status report(const flaw_reply *r, const json_t *root, flaw_error *err)
{
    const json_t *error = json_object_get(root, "error");
    if (!error || json_is_null(error)) return FLAW_OK;
    const char *message = json_string_value(json_is_object(error) ? json_object_get(error, "message") : error);
    return flaw_fail(err, FLAW_UNAVAILABLE, "%s: the endpoint reports an error: %.200s", r->name,
                     message ? message : "no message");
}

/* One object: of a stream its choices hold "delta", else "message". */
static flaw_status read_object(flaw_reply *r, const json_t *root, const char *part, flaw_error *err)
{
    if (!json_is_object(root)) return refuse(r, "the value", type_of(root), "an object", err);
    flaw_status status = report(r, root, err);
    if (status) return status;
    const char *model = json_string_value(json_object_get(root, "model"));
    if (model && !r->model[0]) flaw_line_clean(r->model, sizeof r->model, model, strlen(model));
    const json_t *choices = json_object_get(root, "choices");
    if (!json_is_array(choices)) return refuse(r, "\"choices\"", type_of(choices), "an array", err);
    const json_t *choice = json_array_get(choices, 0);
    if (!choice && r->form == FLAW_REPLY_STREAM) return FLAW_OK; /* figures about the use of tokens come so */
    if (!json_is_object(choice)) return refuse(r, "the first choice", type_of(choice), "an object", err);
    const json_t *reason = json_object_get(choice, "finish_reason");
    if (json_is_string(reason)) {
        r->finished = true;
        r->cut = strcmp(json_string_value(reason), "length") == 0;
    } else if (reason && !json_is_null(reason)) {
        return refuse(r, "\"finish_reason\"", type_of(reason), "a text or null", err);
    }
    const json_t *message = json_object_get(choice, part);
    if (!message && r->form == FLAW_REPLY_STREAM) return FLAW_OK;
    if (!json_is_object(message)) return refuse(r, part, type_of(message), "an object", err);
    const json_t *content = json_object_get(message, "content");
    if (!content || json_is_null(content)) return FLAW_OK;
    if (!json_is_string(content)) return refuse(r, "\"content\"", type_of(content), "a text or null", err);
    return add_words(r, json_string_value(content), err);
}

static flaw_status read_json(flaw_reply *r, const flaw_buffer *from, const char *part, flaw_error *err)
{
    json_error_t why;
    json_t *root = json_loadb(from->data ? from->data : "", from->size, JSON_DECODE_ANY, &why);
    if (!root)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: the reply at byte %zu is not JSON: %.160s", r->name,
                         r->at + (why.position > 0 ? (size_t)why.position : 0), why.text);
    flaw_status status = read_object(r, root, part, err);
    json_decref(root);
    return status;
}

/* A blank line ends the event. */
static flaw_status end_event(flaw_reply *r, flaw_error *err)
{
    if (r->event.size == 0) return FLAW_OK;
    flaw_status status = read_json(r, &r->event, "delta", err);
    empty(&r->event);
    return status;
}

static bool begins(const flaw_buffer *b, const char *text)
{
    return b->size >= strlen(text) && memcmp(b->data, text, strlen(text)) == 0;
}

/* One line of the stream: a field "data" counts, others (event, id, retry) and comments do not. */
static flaw_status read_line(flaw_reply *r, flaw_error *err)
{
    size_t start = r->taken - r->line.size;
    if (r->line.size == 0) return end_event(r, err);
    if (memchr(r->line.data, 0, r->line.size) || !flaw_utf8_valid(r->line.data, r->line.size))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: the reply at byte %zu: a line is not UTF-8 text", r->name, start);
    if (begins(&r->line, "data:")) {
        const char *data = r->line.data + 5;
        if (r->event.size) flaw_buffer_text(&r->event, "\n");
        data += *data == ' ';
        if (!r->event.size) r->at = start + (size_t)(data - r->line.data);
        flaw_buffer_text(&r->event, data);
        if (r->event.size == 6 && begins(&r->event, "[DONE]")) r->done = true; /* no need to wait for its blank line */
    } else if (!memchr(r->line.data, ':', r->line.size)) {
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: the reply at byte %zu is neither a JSON object nor a stream of events", r->name, start);
    }
    return FLAW_OK;
}

static flaw_status take_byte(flaw_reply *r, char byte, flaw_error *err)
{
    bool second = byte == '\n' && r->after_return; /* of CR LF */
    flaw_status status = FLAW_OK;
    r->after_return = byte == '\r';
    if (byte == '\n' || byte == '\r') {
        if (!second) {
            status = read_line(r, err);
            empty(&r->line);
        }
    } else {
        flaw_buffer_append(&r->line, &byte, 1);
    }
    r->taken++;
    return status;
}

static flaw_status take_line_bytes(flaw_reply *r, const char *bytes, size_t size, flaw_error *err)
{
    for (size_t i = 0; i < size && !r->done && !r->stopped; i++) {
        flaw_status status = take_byte(r, bytes[i], err);
        if (status) return status;
        if (r->line.failed || r->event.failed)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: the reply at byte %zu: an event of more than %zu bytes", r->name,
                             r->taken, FLAW_REPLY_TEXT);
    }
    return FLAW_OK;
}

/* Which form it has, by the first byte that is no white space (nor part of a byte order mark). */
static size_t find_form(flaw_reply *r, const char *bytes, size_t size)
{
    size_t i = 0;
    while (i < size && strchr(" \t\r\n\xef\xbb\xbf", bytes[i]) && bytes[i]) i++;
    if (i < size) {
        r->form = bytes[i] == '{' ? FLAW_REPLY_OBJECT : FLAW_REPLY_STREAM;
        if (r->form == FLAW_REPLY_OBJECT) r->line.maximum = FLAW_REPLY_LIMIT + 1;
    }
    r->taken += i;
    if (r->form == FLAW_REPLY_OBJECT) r->at = r->taken;
    return i;
}

flaw_status flaw_reply_feed(flaw_reply *r, const char *bytes, size_t size, flaw_error *err)
{
    if (r->form == FLAW_REPLY_BEGINS) {
        size_t skip = find_form(r, bytes, size);
        bytes += skip;
        size -= skip;
    }
    if (r->done || r->stopped) return FLAW_OK;
    if (size > FLAW_REPLY_LIMIT - r->taken)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: a reply of more than %zu bytes", r->name, FLAW_REPLY_LIMIT);
    if (r->form == FLAW_REPLY_STREAM) return take_line_bytes(r, bytes, size, err);
    flaw_buffer_append(&r->line, bytes, size);
    r->taken += size;
    return r->line.failed ? flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the reply", r->name) : FLAW_OK;
}

flaw_status flaw_reply_end(flaw_reply *r, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    if (r->form == FLAW_REPLY_OBJECT) status = read_json(r, &r->line, "message", err);
    if (r->form == FLAW_REPLY_STREAM && !r->done && !r->stopped) {
        status = r->line.size ? read_line(r, err) : FLAW_OK;
        if (!status && !r->done) status = end_event(r, err);
        if (!status && !r->finished && !r->done)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: the reply is cut at byte %zu: the stream has no end", r->name,
                             r->taken);
    }
    if (!status && r->text.size == 0 && !r->stopped)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: the reply of %zu bytes holds no words", r->name, r->taken);
    return status;
}

void flaw_reply_message(char *out, size_t room, const char *body, size_t size)
{
    json_t *root = json_loadb(body, size, 0, NULL);
    const json_t *error = json_object_get(root, "error");
    const char *message = json_string_value(error);
    if (!message) message = json_string_value(json_object_get(error, "message"));
    if (!message) message = json_string_value(json_object_get(root, "message"));
    if (!message) message = json_string_value(json_object_get(root, "detail"));
    size_t length = message ? strlen(message) : size, used = 0;
    if (!message) message = body;
    for (size_t i = 0; i < length && used + 4 < room;) {
        size_t n = flaw_utf8_length(message + i, length - i);
        bool shown = n && (n > 1 || ((unsigned char)message[i] >= 0x20 && message[i] != 0x7f));
        memcpy(out + used, shown ? message + i : " ", shown ? n : 1);
        used += shown ? n : 1;
        i += n ? n : 1;
    }
    out[used] = '\0';
    json_decref(root);
}
