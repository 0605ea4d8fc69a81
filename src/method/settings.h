/* Options of one method, "k=50,coreset=0.1": each method lists its own, anything else is refused with the list. */
#ifndef FLAW_METHOD_SETTINGS_H
#define FLAW_METHOD_SETTINGS_H

#include "flaw/method.h"
#include "flaw/status.h"

#define FLAW_SETTINGS_MOST 8

/* value[i] belongs to list[i]: what `text` says, else the standard. `list` NULL: the method has none; `text` may be
 * NULL. FLAW_USAGE for an unknown name, one given twice, or a value outside its limits. */
flaw_status flaw_settings_read(double value[FLAW_SETTINGS_MOST], const flaw_method_option *list, const char *text,
                               const char *method, flaw_error *err);

#endif
