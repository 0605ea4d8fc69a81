#include "flaw/inspect.h"

const char *flaw_verdict_name(flaw_verdict verdict)
{
    return verdict == FLAW_NORMAL ? "normal" : verdict == FLAW_ANOMALOUS ? "anomalous" : "unknown";
}
