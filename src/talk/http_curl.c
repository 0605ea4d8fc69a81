/* The one file that knows libcurl. A handle of its own for every request: answers take seconds, a connection does not.
 *
 * The library is loaded when it is first needed: with the two dozen others that it brings along it would cost every
 * command 8 ms and 6 MB (docs/decisions/0014). Once loaded it stays: its TLS libraries do not bear being unloaded. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "talk/http.h"

/* In the order of the names in `load`. */
typedef struct library {
    __typeof__(curl_easy_init) *init;
    __typeof__(&(curl_easy_setopt)) set;
    __typeof__(&(curl_easy_getinfo)) get;
    __typeof__(curl_easy_perform) *perform;
    __typeof__(curl_easy_cleanup) *cleanup;
    __typeof__(curl_easy_strerror) *about;
    __typeof__(curl_slist_append) *append;
    __typeof__(curl_slist_free_all) *free_all;
} library;

static flaw_status load(library *out, const char *url, flaw_error *err)
{
    static const char *const files[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    static const char *const names[] = {"curl_easy_init",    "curl_easy_setopt",   "curl_easy_getinfo",
                                        "curl_easy_perform", "curl_easy_cleanup",  "curl_easy_strerror",
                                        "curl_slist_append", "curl_slist_free_all"};
    void **entry = (void **)out, *file = NULL;
    for (size_t i = 0; !file && i < sizeof files / sizeof *files; i++) file = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; file && i < sizeof names / sizeof *names; i++)
        if (!(entry[i] = dlsym(file, names[i]))) file = NULL;
    if (file) return FLAW_OK;
    return flaw_fail(err, FLAW_UNAVAILABLE, "%.200s: libcurl cannot be loaded (Debian package libcurl4)", url);
}

typedef struct transfer {
    const library *lib;
    CURL *curl;
    const flaw_http_request *request;
    flaw_http_result *result;
    size_t taken; /* bytes of a successful reply */
} transfer;

static bool is_success(const transfer *t)
{
    long code = 0;
    t->lib->get(t->curl, CURLINFO_RESPONSE_CODE, &code);
    return code >= 200 && code < 300;
}

/* libcurl's write callback: another number than the size ends the transfer. */
static size_t on_bytes(char *bytes, size_t one, size_t size, void *context)
{
    transfer *t = context;
    flaw_http_result *out = t->result;
    if (is_success(t)) {
        t->taken += size;
        out->enough = t->request->take(t->request->context, bytes, size) != 0;
        return out->enough ? size + 1 : size;
    }
    size_t left = sizeof out->body - out->body_size, n = size < left ? size : left;
    memcpy(out->body + out->body_size, bytes, n);
    out->body_size += n;
    if (n == size) return size;
    out->enough = true; /* of an error page */
    return size + 1;
}

static int on_time(void *context, curl_off_t all, curl_off_t done, curl_off_t to_send, curl_off_t sent)
{
    transfer *t = context;
    if (t->request->take(t->request->context, NULL, 0) == 0) return 0;
    t->result->enough = true;
    return 1;
}

static bool add_header(const library *lib, struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = lib->append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

/* The key stands in a header of its own making, never in the address or in a message. */
static flaw_status make_headers(const library *lib, struct curl_slist **list, const char *key, flaw_error *err)
{
    char line[4200];
    bool made = add_header(lib, list, "Content-Type: application/json") && add_header(lib, list, "Expect:") &&
                add_header(lib, list, "Accept: text/event-stream, application/json");
    if (made && key) {
        int n = snprintf(line, sizeof line, "Authorization: Bearer %s", key);
        if (n >= (int)sizeof line)
            return flaw_fail(err, FLAW_USAGE, "the key of the endpoint has more than 4096 bytes");
        made = add_header(lib, list, line);
        explicit_bzero(line, sizeof line);
    }
    return made ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory for a request");
}

static void set_up(transfer *t, const struct curl_slist *headers, char *why)
{
    const flaw_http_request *r = t->request;
    CURL *c = t->curl;
    __typeof__(t->lib->set) set = t->lib->set;
    set(c, CURLOPT_ERRORBUFFER, why);
    set(c, CURLOPT_URL, r->url);
    set(c, CURLOPT_PROTOCOLS_STR, "http,https");
    set(c, CURLOPT_FOLLOWLOCATION, 0L);
    set(c, CURLOPT_NOSIGNAL, 1L);
    set(c, CURLOPT_HTTPHEADER, headers);
    set(c, CURLOPT_USERAGENT, "flaw/" FLAW_VERSION);
    set(c, CURLOPT_POSTFIELDS, r->body);
    set(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(r->body));
    set(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(1e3 * r->connect_timeout));
    set(c, CURLOPT_TIMEOUT_MS, (long)(1e3 * r->timeout));
    set(c, CURLOPT_WRITEFUNCTION, on_bytes);
    set(c, CURLOPT_WRITEDATA, t);
    set(c, CURLOPT_XFERINFOFUNCTION, on_time);
    set(c, CURLOPT_XFERINFODATA, t);
    set(c, CURLOPT_NOPROGRESS, 0L);
}

static flaw_status outcome(transfer *t, CURLcode code, const char *why, flaw_error *err)
{
    flaw_http_result *out = t->result;
    const char *url = t->request->url, *text = *why ? why : t->lib->about(code);
    t->lib->get(t->curl, CURLINFO_RESPONSE_CODE, &out->code);
    curl_off_t wait = 0;
    if (t->lib->get(t->curl, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK) out->wait = (double)wait;
    if (code == CURLE_OK || out->enough) return FLAW_OK;
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return flaw_fail(err, FLAW_UNAVAILABLE, "%.200s: no whole reply within %.3g s (%zu bytes came)", url,
                         t->request->timeout, t->taken);
    case CURLE_COULDNT_CONNECT: out->again = true; break;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        out->again = t->taken == 0;
        if (t->taken)
            return flaw_fail(err, FLAW_BAD_DATA, "%.200s: the reply is cut at byte %zu: %.120s", url, t->taken, text);
        break;
    case CURLE_OUT_OF_MEMORY: return flaw_fail(err, FLAW_NO_MEMORY, "%.200s: no memory for a request", url);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: bytes without a header */
        return flaw_fail(err, FLAW_BAD_DATA, "%.200s: the reply is not HTTP: %.120s", url, text);
    default: break;
    }
    return flaw_fail(err, FLAW_UNAVAILABLE, "%.200s: %.160s", url, text);
}

flaw_status flaw_http_post(flaw_http_result *out, const flaw_http_request *r, flaw_error *err)
{
    char why[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    library lib;
    *out = (flaw_http_result){0};
    flaw_status status = load(&lib, r->url, err);
    if (status) return status;
    transfer t = {.lib = &lib, .curl = lib.init(), .request = r, .result = out};
    status = t.curl ? make_headers(&lib, &headers, r->key, err)
                    : flaw_fail(err, FLAW_NO_MEMORY, "libcurl could not be started");
    if (!status) {
        set_up(&t, headers, why);
        status = outcome(&t, lib.perform(t.curl), why, err);
    }
    lib.free_all(headers);
    if (t.curl) lib.cleanup(t.curl);
    return status;
}
