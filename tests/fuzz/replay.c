/* Runs a fuzz target without libFuzzer, so that every build is tested with the corpus: each file of a folder as it is,
 * then cut and damaged in fixed ways (the same on every machine and in every run).
 *
 *   replay_NAME FOLDER_OR_FILE [MUTATIONS]     MUTATIONS per file, 300 if not given; 0: the files alone
 *
 * The last input tried is named on standard error when the target crashes (file and number of the mutation). */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "fuzz.h"

enum { MAXIMUM = 1 << 24, INSERT = 16 };

static char now[256]; /* what is being tried */

static const int crash_signals[] = {SIGSEGV, SIGABRT, SIGFPE};
static struct sigaction before[NSIG]; /* the sanitizer's handlers, or none */

/* Say what was tried, then let the crash happen again under the handler that was there before. */
static void on_crash(int number)
{
    if (write(STDERR_FILENO, now, strlen(now)) < 0) _exit(1);
    sigaction(number, &before[number], NULL);
}

static void watch_crashes(void)
{
    const struct sigaction ours = {.sa_handler = on_crash};
    for (size_t i = 0; i < sizeof crash_signals / sizeof crash_signals[0]; i++) {
        sigaction(crash_signals[i], &ours, &before[crash_signals[i]]);
    }
}

/* A copy of exactly `size` bytes, so that a sanitizer sees the first byte read past the end. */
static void run_exact(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) abort();
    if (size > 0) memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* Damage `data` in place (room for INSERT more bytes); returns the new size. The kinds are what happens to files:
 * cut, bits flipped, a number made huge, a stretch zeroed, bytes inserted, bytes lost. */
static size_t mutate(uint8_t *data, size_t size, flaw_random *r)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '"', '{', '['};
    if (size == 0) return 0;
    const size_t at = (size_t)flaw_random_below(r, (int)size);
    const size_t left = size - at;
    const size_t run = 1 + (size_t)flaw_random_below(r, (int)(left < INSERT ? left : INSERT));
    switch (flaw_random_below(r, 6)) {
    case 0: return at;
    case 1: data[at] ^= (uint8_t)(1u << flaw_random_below(r, 8)); return size;
    case 2: memset(data + at, 0xff, run); return size;
    case 3: memset(data + at, edges[flaw_random_below(r, sizeof edges)], run); return size;
    case 4:
        memmove(data + at + run, data + at, left);
        for (size_t i = 0; i < run; i++) data[at + i] = (uint8_t)flaw_random_below(r, 256);
        return size + run;
    default: memmove(data + at, data + at + run, left - run); return size - run;
    }
}

static void run_mutations(const flaw_bytes *seed, const char *name, int mutations)
{
    enum { ROUNDS = 4 };
    uint8_t *work = malloc(seed->size + (size_t)ROUNDS * INSERT + 1);
    if (!work) abort();
    for (int m = 1; m <= mutations; m++) {
        flaw_random r;
        flaw_random_init(&r, 1, (uint64_t)m);
        snprintf(now, sizeof now, "crashed on mutation %d of %s\n", m, name);
        memcpy(work, seed->data, seed->size + 1);
        size_t size = seed->size;
        for (int rounds = 1 + flaw_random_below(&r, ROUNDS); rounds > 0; rounds--) size = mutate(work, size, &r);
        run_exact(work, size);
    }
    free(work);
}

static int run_file(const char *path, const char *name, int mutations)
{
    flaw_error err;
    flaw_bytes seed;
    if (flaw_file_read(&seed, path, MAXIMUM, &err) != FLAW_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    snprintf(now, sizeof now, "crashed on %s\n", name);
    run_exact(seed.data, seed.size);
    run_mutations(&seed, name, mutations);
    flaw_bytes_release(&seed);
    return 0;
}

static int run_folder(const char *folder, int mutations)
{
    flaw_error err;
    flaw_names names;
    if (flaw_file_list(&names, folder, &err) != FLAW_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int bad = names.count == 0;
    if (bad) fprintf(stderr, "no seed files in %s\n", folder);
    for (size_t i = 0; i < names.count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names.name[i]);
        bad |= run_file(path, names.name[i], mutations);
    }
    if (!bad) printf("%zu seed files and %d mutations of each\n", names.count, mutations);
    flaw_names_release(&names);
    return bad;
}

int main(int count, char **arguments)
{
    if (count < 2) {
        fprintf(stderr, "usage: %s FOLDER_OR_FILE [MUTATIONS]\n", arguments[0]);
        return 2;
    }
    const int mutations = count > 2 ? (int)strtol(arguments[2], NULL, 10) : 300;
    watch_crashes();
    if (flaw_file_is_folder(arguments[1])) return run_folder(arguments[1], mutations);
    return run_file(arguments[1], arguments[1], mutations);
}
