/* Where a bundle came from: the metadata "manifest". */
#ifndef FLAW_MODEL_CONVERT_MANIFEST_H
#define FLAW_MODEL_CONVERT_MANIFEST_H

#include "base/buffer.h"
#include "flaw/inspect.h" /* flaw_progress */

/* {"version":1,"by":"flaw X","sources":[{"file":NAME,"bytes":N,"sha256":HEX}, ...]} of all files that opening `path` reads:
 * a single file, a folder with the weights of a model, or a released AnomalyGPT. `before` (may be NULL) is the manifest
 * of the bundle that is converted, kept as "before". Reads every file to its end; progress counts megabytes. */
flaw_status flaw_manifest_make(flaw_buffer *out, const char *path, const char *before, flaw_progress progress,
                               void *context, flaw_error *err);

#endif
