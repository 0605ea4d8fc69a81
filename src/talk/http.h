/* One POST over HTTP or HTTPS. http_curl.c is the one file that knows libcurl; a program built without it has http_none.c,
 * which says so. Redirects are not followed, so a key goes to the named host only. */
#ifndef FLAW_TALK_HTTP_H
#define FLAW_TALK_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "flaw/status.h"

typedef struct flaw_http_request {
    const char *url, *body; /* body: JSON, NUL-terminated */
    const char *key;        /* bearer key or NULL */
    double connect_timeout, timeout; /* seconds */
    /* Bytes of a successful reply (2xx) as they come, and (NULL, 0) now and then; nonzero: enough, read no more. */
    int (*take)(void *context, const char *bytes, size_t size);
    void *context;
} flaw_http_request;

typedef struct flaw_http_result {
    long code;       /* of HTTP; 0: none came */
    bool again;      /* worth another try: nobody was there, or nothing came */
    bool enough;     /* `take` ended it */
    double wait;     /* seconds that the server asks to wait; 0: it does not say */
    char body[2048]; /* beginning of a reply that is no success */
    size_t body_size;
} flaw_http_result;

/* FLAW_OK: a whole reply came, whatever its code (or `take` had enough). FLAW_UNAVAILABLE: no reply within the time, no
 * connection, built without libcurl. FLAW_BAD_DATA: the reply ended early. */
flaw_status flaw_http_post(flaw_http_result *out, const flaw_http_request *r, flaw_error *err);

#endif
