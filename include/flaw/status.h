/* Status codes and the error every fallible call fills.
 *
 * Convention of the whole library: a function that can fail returns flaw_status, takes its outputs first and a
 * `flaw_error *` last (may be NULL). On failure no output is touched and the error holds one line that says what
 * failed, which file, where, what was found and what is allowed. */
#ifndef FLAW_STATUS_H
#define FLAW_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum flaw_status {
    FLAW_OK = 0,
    FLAW_USAGE,       /* the caller asked for something that makes no sense      exit 2  */
    FLAW_BAD_DATA,    /* bytes that are not what they claim to be                exit 65 */
    FLAW_MISSING,     /* a file, tensor or key that is not there                 exit 66 */
    FLAW_UNAVAILABLE, /* built without it, or this machine cannot                exit 69 */
    FLAW_INTERNAL,    /* our own fault                                           exit 70 */
    FLAW_NO_MEMORY,   /* allocation refused or over the stated limit             exit 70 */
    FLAW_IO,          /* the operating system refused a read or write            exit 74 */
} flaw_status;

typedef struct flaw_error {
    flaw_status status;
    char text[496]; /* one line, NUL-terminated, no trailing newline, control bytes escaped */
} flaw_error;

/* Fill `err` (if not NULL) and return `status`, so that callers write `return flaw_fail(err, FLAW_MISSING, "...")`. */
flaw_status flaw_fail(flaw_error *err, flaw_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Short stable name of a status: "ok", "usage", "bad data", ... */
const char *flaw_status_name(flaw_status status);

/* Exit status of the command for a status: 0, 2, 65, 66, 69, 70, 70, 74. */
int flaw_status_exit(flaw_status status);

#ifdef __cplusplus
}
#endif
#endif
