/* A load takes no more memory than what it keeps, and a tenth. Counted is memory of the process's own (anonymous),
 * exactly: it shrinks only where something is given back, so the peak is the largest of what is counted just before
 * each such call and at the end. Linked with --wrap, so that the library's calls come through here. Pages of the mapped
 * file are the system's to keep around; that they are let go is looked at apart, with a wide bar. */
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tiny_language.h"

#include "model/bundle/language_part.h"

void __real_free(void *at);
void *__real_realloc(void *old, size_t size);
int __real_madvise(void *at, size_t size, int advice);
int __real_munmap(void *at, size_t size);
void __wrap_free(void *at);
void *__wrap_realloc(void *old, size_t size);
int __wrap_madvise(void *at, size_t size, int advice);
int __wrap_munmap(void *at, size_t size);

enum { WORTH = 16 << 10 }; /* bytes: giving back less changes nothing here */

static atomic_bool counting;
static atomic_size_t peak; /* KiB */
static atomic_int samples;

/* KiB of "NAME:   123 kB" of the process's memory map, counted page by page; SIZE_MAX where the system does not tell. */
static size_t counted(const char *name)
{
    char text[4096];
    int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (size <= 0) return SIZE_MAX;
    text[size] = 0;
    const char *at = strstr(text, name);
    return at ? strtoul(at + strlen(name), NULL, 10) : SIZE_MAX;
}

static void count_now(void)
{
    size_t now = counted("\nAnonymous:"), before = atomic_load(&peak);
    while (now > before && !atomic_compare_exchange_weak(&peak, &before, now)) {
    }
    atomic_fetch_add(&samples, 1);
}

static void before_giving(size_t size)
{
    if (size >= WORTH && atomic_load(&counting)) count_now();
}

void __wrap_free(void *at)
{
    before_giving(at ? malloc_usable_size(at) : 0);
    __real_free(at);
}

void *__wrap_realloc(void *old, size_t size)
{
    before_giving(old ? malloc_usable_size(old) : 0);
    return __real_realloc(old, size);
}

int __wrap_madvise(void *at, size_t size, int advice)
{
    before_giving(size);
    return __real_madvise(at, size, advice);
}

int __wrap_munmap(void *at, size_t size)
{
    before_giving(size);
    return __real_munmap(at, size);
}

/* Zeros of F16 in a file with holes: header, then as many bytes as it promises. */
static size_t hollow_folder(const char *folder, const flaw_language_shape *s)
{
    char path[512], config[512];
    const size_t d = (size_t)s->block.width, f = (size_t)s->block.hidden, v = (size_t)s->vocab;
    flaw_buffer header;
    size_t at = 0;
    flaw_buffer_init(&header, 1 << 20);
    flaw_buffer_text(&header, "{");
    for (int i = -1; i < s->layers; i++) {
        const struct {
            const char *name;
            size_t rows, columns;
        } inner[] = {{"self_attn.q_proj", d, d}, {"self_attn.k_proj", d, d}, {"self_attn.v_proj", d, d},
                     {"self_attn.o_proj", d, d}, {"mlp.gate_proj", f, d},    {"mlp.up_proj", f, d},
                     {"mlp.down_proj", d, f},    {"input_layernorm", 0, d},  {"post_attention_layernorm", 0, d}},
          outer[] = {{"model.embed_tokens", v, d}, {"lm_head", v, d}, {"model.norm", 0, d}};
        for (size_t k = 0; k < (i < 0 ? 3u : 9u); k++) {
            const size_t rows = i < 0 ? outer[k].rows : inner[k].rows,
                         columns = i < 0 ? outer[k].columns : inner[k].columns;
            const size_t bytes = 2 * columns * (rows ? rows : 1);
            if (i < 0) flaw_buffer_printf(&header, "\"%s.weight\":", outer[k].name);
            else flaw_buffer_printf(&header, "\"model.layers.%d.%s.weight\":", i, inner[k].name);
            if (rows) flaw_buffer_printf(&header, "{\"dtype\":\"F16\",\"shape\":[%zu,%zu],", rows, columns);
            else flaw_buffer_printf(&header, "{\"dtype\":\"F16\",\"shape\":[%zu],", columns);
            flaw_buffer_printf(&header, "\"data_offsets\":[%zu,%zu]},", at, at + bytes);
            at += bytes;
        }
    }
    header.data[header.size - 1] = '}';
    uint8_t length[8] = {(uint8_t)header.size, (uint8_t)(header.size >> 8), (uint8_t)(header.size >> 16)};
    FILE *file = fopen(in_folder(path, folder, "model.safetensors"), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(length, 1, 8, file), 8);
    assert_int_equal(fwrite(header.data, 1, header.size, file), header.size);
    fclose(file);
    assert_int_equal(truncate(path, (off_t)(8 + header.size + at)), 0);
    flaw_buffer_release(&header);
    snprintf(config, sizeof config,
             "{\"model_type\":\"llama\",\"hidden_size\":%zu,\"intermediate_size\":%zu,\"num_hidden_layers\":%d,"
             "\"num_attention_heads\":8,\"vocab_size\":%zu,\"max_position_embeddings\":256}",
             d, f, s->layers, v);
    tiny_write(folder, "config.json", config, strlen(config));
    return at / 2;
}

/* What a load took, MiB. */
typedef struct taken {
    double peak; /* of its own memory, over what the process had before */
    double file; /* pages of files that are still mapped at the end, likewise */
} taken;

static int load(taken *out, const char *folder, flaw_keep keep, const char *bundle)
{
    flaw_compute c;
    flaw_language *m = NULL;
    if (flaw_compute_open(&c, 2, FLAW_LEVEL_AUTO, FLAW_F32, NULL)) return 2;
    const size_t own = counted("\nAnonymous:"), all = counted("\nRss:");
    atomic_store(&counting, true);
    if (flaw_language_open(&m, folder, keep, NULL, &c, NULL)) return 3;
    if (bundle && flaw_language_bundle_write(bundle, m, FLAW_KEEP_INT4, NULL, NULL)) return 4;
    count_now();
    const size_t own_left = counted("\nAnonymous:"), left = counted("\nRss:");
    if (atomic_load(&samples) < 2) return 5;
    out->peak = ((double)atomic_load(&peak) - (double)own) / 1024;
    out->file = ((double)(left - own_left) - (double)(all - own)) / 1024;
    return 0;
}

/* In a process of its own: memory that another load has given back would be used again. */
static taken taken_by(const char *folder, flaw_keep keep, const char *bundle)
{
    int ends[2], status = 0;
    taken t = {0};
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fault = load(&t, folder, keep, bundle);
        _exit(fault ? fault : write(ends[1], &t, sizeof t) == sizeof t ? 0 : 6);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], &t, sizeof t), sizeof t);
    close(ends[0]);
    close(ends[1]);
    return t;
}

/* MiB of a file of 115 that the system may keep mapped around what is read just now, in units as large as its page
 * cache has them (26 were seen on a machine with much free memory, 2 on a full one). */
#define AROUND 40.0

/* What is taken and given back between two looks is counted. */
static void test_counting(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    if (counted("\nAnonymous:") == SIZE_MAX) skip();
    const size_t size = 8 << 20, before = counted("\nAnonymous:");
    atomic_store(&counting, true);
    volatile char *block = malloc(size); /* volatile: or the compiler sees that nobody reads it */
    assert_non_null(block);
    for (size_t i = 0; i < size; i += 1024) block[i] = 1;
    free((void *)(uintptr_t)block);
    void *at = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    memset(at, 1, 2 * size);
    const size_t after_first = atomic_load(&peak);
    madvise(at, 2 * size, MADV_DONTNEED);
    const size_t after_second = atomic_load(&peak);
    munmap(at, 2 * size);
    atomic_store(&counting, false);
    atomic_store(&peak, 0);
    atomic_store(&samples, 0);
    assert_in_range(after_first - before, 8 << 10, 9 << 10);
    assert_in_range(after_second - before, 16 << 10, 17 << 10);
}

static void test_memory(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its shadow is not ours */
#endif
    if (counted("\nAnonymous:") == SIZE_MAX) {
        print_message("  skipped: this system does not tell a process's memory (smaps_rollup)\n");
        skip();
    }
    char bundle[512];
    const flaw_language_shape shape = {
        .block = {.width = 1024, .heads = 8, .hidden = 2816}, .layers = 4, .vocab = 4096};
    const size_t weights = hollow_folder(*state, &shape);
    const double mib = (double)weights / (1 << 20);
    static const struct {
        flaw_keep keep;
        double bytes; /* of a weight */
    } rows[] = {{FLAW_KEEP_FILE, 0}, {FLAW_KEEP_BF16, 2}, {FLAW_KEEP_INT8, 34 / 32.0}, {FLAW_KEEP_INT4, 20 / 32.0}};
    const double tables = 2.0 * 4096 * 1024 / (1 << 20); /* kept as int8 where the others are int4 */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double kept = mib * rows[i].bytes + (rows[i].keep == FLAW_KEEP_INT4 ? tables * 14 / 32.0 : 0);
        taken t = taken_by(*state, rows[i].keep, NULL);
        print_message("  %.0f M weights, keep %d: %.1f MiB kept, peak %.1f MiB, %.1f MiB of the file left\n",
                      (double)weights / 1e6, rows[i].keep, kept, t.peak, t.file);
        assert_true(t.peak <= 1.1 * kept + 2); /* and the list of tensors */
        assert_true(t.peak >= kept * 0.95);
        assert_true(t.file <= AROUND);
    }
    /* from the mapped file into a bundle: never more than a matrix */
    taken t = taken_by(*state, FLAW_KEEP_FILE, in_folder(bundle, *state, "m.safetensors"));
    print_message("  written as int4: peak %.1f MiB, %.1f MiB of the file left\n", t.peak, t.file);
    assert_true(t.peak <= 4);
    assert_true(t.file <= AROUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counting),
        cmocka_unit_test_setup_teardown(test_memory, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
