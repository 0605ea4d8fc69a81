/* What an OpenAI-compatible endpoint answers: one JSON object, or a stream of server-sent events ("data: {...}" lines,
 * the last one "[DONE]"). Told apart by the first bytes. Takes the bytes in pieces of any size and trusts none of them.
 */
#ifndef FLAW_TALK_REPLY_H
#define FLAW_TALK_REPLY_H

#include "base/buffer.h"
#include "flaw/status.h"
#include "flaw/talk.h"

#define FLAW_REPLY_LIMIT ((size_t)8 << 20) /* bytes of a reply */
#define FLAW_REPLY_TEXT ((size_t)1 << 20)  /* bytes of its words, and of one event */

typedef struct flaw_reply {
    const char *name;      /* of the endpoint, for messages; borrowed */
    flaw_talk_words words; /* gets the words of a stream as they come; may be NULL */
    void *context;
    char model[128];   /* "model" of the reply as one clean line; else empty */
    flaw_buffer text;  /* the words so far */
    flaw_buffer line;  /* of a stream: the line that has begun; else all of the reply */
    flaw_buffer event; /* data lines of the event that has begun */
    size_t taken;      /* bytes */
    size_t at;         /* of them, where the last event began */
    enum { FLAW_REPLY_BEGINS, FLAW_REPLY_OBJECT, FLAW_REPLY_STREAM } form;
    bool after_return; /* the last byte was a carriage return */
    bool finished;     /* a reason to finish was given */
    bool done;         /* [DONE]: the rest is not read */
    bool cut;          /* the reason was the length */
    bool stopped;      /* `words` asked to stop: what came so far counts */
} flaw_reply;

void flaw_reply_init(flaw_reply *r, const char *name, flaw_talk_words words, void *context);
void flaw_reply_release(flaw_reply *r);
/* More bytes. FLAW_BAD_DATA says what is wrong and at which byte; FLAW_UNAVAILABLE carries an error the endpoint
 * reports. */
flaw_status flaw_reply_feed(flaw_reply *r, const char *bytes, size_t size, flaw_error *err);
/* No more bytes will come: r->text holds words, or this fails. */
flaw_status flaw_reply_end(flaw_reply *r, flaw_error *err);

/* The message inside of an error reply ({"error": {"message": ...}}, {"message": ...}, {"detail": ...}), else the
 * beginning of the text; one line, control bytes as blanks. */
void flaw_reply_message(char *out, size_t room, const char *body, size_t size);

#endif
