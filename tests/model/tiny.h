/* What the tests of src/model share: the tiny models of tests/golden/data, random pictures, copies of folders to break.
 */
#ifndef FLAW_TESTS_MODEL_TINY_H
#define FLAW_TESTS_MODEL_TINY_H

#include "../check.h"

#include "base/file.h"
#include "base/random.h"
#include "model/tower/clip.h"

static inline const char *tiny_path(char out[1024], const char *name)
{
    const char *root = getenv("FLAW_SOURCE");
    snprintf(out, 1024, "%s/tests/golden/data/clip-tiny/%s", root ? root : ".", name);
    return out;
}

static inline flaw_compute open_compute_with(int threads, flaw_level level)
{
    flaw_compute c;
    flaw_error err = {0};
    assert_ok(flaw_compute_open(&c, threads, level, FLAW_F32, &err));
    return c;
}

static inline flaw_clip *open_tiny(const char *name, flaw_compute *c)
{
    char path[1024];
    flaw_clip *m = NULL;
    flaw_error err = {0};
    assert_ok(flaw_clip_open(&m, *name ? tiny_path(path, name) : "", c, &err));
    return m;
}

static inline float *make_floats(size_t count)
{
    float *x = aligned_alloc(64, (count * sizeof *x + 63) / 64 * 64 + 64);
    assert_non_null(x);
    return x;
}

static inline float *random_floats(size_t count, uint64_t seed)
{
    flaw_random r;
    float *x = make_floats(count);
    flaw_random_init(&r, seed, 0);
    for (size_t i = 0; i < count; i++) x[i] = (float)flaw_random_normal(&r);
    return x;
}

static inline flaw_bytes read_all(const char *path)
{
    flaw_bytes file;
    flaw_error err = {0};
    assert_ok(flaw_file_read(&file, path, (size_t)1 << 26, &err));
    return file;
}

static inline void same_file(const char *a, const char *b)
{
    flaw_bytes x = read_all(a), y = read_all(b);
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    flaw_bytes_release(&x);
    flaw_bytes_release(&y);
}

/* All files of clip-tiny/NAME into `to`. */
static inline void copy_tiny(const char *name, const char *to)
{
    char from[1024], path[1300], out[512];
    flaw_names files;
    flaw_error err = {0};
    assert_ok(flaw_file_list(&files, tiny_path(from, name), &err));
    for (size_t i = 0; i < files.count; i++) {
        snprintf(path, sizeof path, "%s/%s", from, files.name[i]);
        flaw_bytes file = read_all(path);
        assert_ok(flaw_file_write(in_folder(out, to, files.name[i]), file.data, file.size, &err));
        flaw_bytes_release(&file);
    }
    flaw_names_release(&files);
}

/* The tiny OpenCLIP's vocabulary; free it. */
static inline char *merges_text(size_t *size)
{
    char path[1024];
    flaw_bytes file = read_all(tiny_path(path, "open_clip/bpe_simple_vocab_16e6.txt"));
    *size = file.size;
    return (char *)file.data;
}

#endif
