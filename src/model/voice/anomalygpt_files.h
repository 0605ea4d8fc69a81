/* The files of a released AnomalyGPT in one folder. */
#ifndef FLAW_MODEL_ANOMALYGPT_FILES_H
#define FLAW_MODEL_ANOMALYGPT_FILES_H

#include <stdbool.h>

#include "flaw/status.h"

#define FLAW_FILE_IMAGEBIND "imagebind_huge.pth"
#define FLAW_FILE_VICUNA "vicuna" /* a folder */
#define FLAW_FILE_PANDAGPT "pandagpt_delta.pt"
#define FLAW_FILE_ANOMALYGPT "anomalygpt_delta.pt"

/* Is one of the deltas there, or vicuna/ with imagebind_huge.pth? Then the folder is meant to be one. */
bool flaw_anomalygpt_is_folder(const char *folder);
/* FLAW_MISSING names all that is not there, at once. */
flaw_status flaw_anomalygpt_check_folder(const char *folder, flaw_error *err);

#endif
