/* NumPy .npy, version 1.0, little-endian float32, C order. */
#ifndef FLAW_FORMAT_NPY_H
#define FLAW_FORMAT_NPY_H

#include <stddef.h>

#include "flaw/status.h"

flaw_status flaw_npy_write(const char *path, const float *data, const size_t *shape, int rank, flaw_error *err);

#endif
