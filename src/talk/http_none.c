/* Built without libcurl. */
#include "talk/http.h"

flaw_status flaw_http_post(flaw_http_result *out, const flaw_http_request *r, flaw_error *err)
{
    *out = (flaw_http_result){0};
    return flaw_fail(err, FLAW_UNAVAILABLE, "%.200s: this flaw was built without libcurl and cannot ask endpoints", r->url);
}
