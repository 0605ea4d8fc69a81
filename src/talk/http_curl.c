/* The one file that knows libcurl. A handle of its own for every request: answers take seconds, a connection does not.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "talk/http.h"

typedef struct transfer {
    CURL *curl;
    const flaw_http_request *request;
    flaw_http_result *result;
    size_t taken; /* bytes of a successful reply */
} transfer;

static bool is_success(const transfer *t)
{
    long code = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
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

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

/* The key stands in a header of its own making, never in the address or in a message. */
static flaw_status make_headers(struct curl_slist **list, const char *key, flaw_error *err)
{
    char line[4200];
    bool made = add_header(list, "Content-Type: application/json") && add_header(list, "Expect:") &&
                add_header(list, "Accept: text/event-stream, application/json");
    if (made && key) {
        int n = snprintf(line, sizeof line, "Authorization: Bearer %s", key);
        if (n >= (int)sizeof line)
            return flaw_fail(err, FLAW_USAGE, "the key of the endpoint has more than 4096 bytes");
        made = add_header(list, line);
        explicit_bzero(line, sizeof line);
    }
    return made ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory for a request");
}

static void set_up(transfer *t, const struct curl_slist *headers, char *why)
{
    const flaw_http_request *r = t->request;
    CURL *c = t->curl;
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(c, CURLOPT_URL, r->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "flaw/" FLAW_VERSION);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(r->body));
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(1e3 * r->connect_timeout));
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(1e3 * r->timeout));
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_time);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
}

static flaw_status outcome(transfer *t, CURLcode code, const char *why, flaw_error *err)
{
    flaw_http_result *out = t->result;
    const char *url = t->request->url, *text = *why ? why : curl_easy_strerror(code);
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &out->code);
    curl_off_t wait = 0;
    if (curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK) out->wait = (double)wait;
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
    *out = (flaw_http_result){0};
    transfer t = {.curl = curl_easy_init(), .request = r, .result = out};
    flaw_status status =
        t.curl ? make_headers(&headers, r->key, err) : flaw_fail(err, FLAW_NO_MEMORY, "libcurl could not be started");
    if (!status) {
        set_up(&t, headers, why);
        status = outcome(&t, curl_easy_perform(t.curl), why, err);
    }
    curl_slist_free_all(headers);
    if (t.curl) curl_easy_cleanup(t.curl);
    return status;
}
