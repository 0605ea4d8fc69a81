/* The file of pixel counts, little-endian:
 *   "FLAWPIX1", u32 bits, u32 1 with sketches, u64 pictures, regions, background, marked, u32 lowest and highest key,
 *   u64 bins; bins, downwards: u32 bin, u64 background, u64 marked (both with the seen bits), u64 low and high half of
 *   the share; with sketches u64 count and each, ids upwards: u64 id, background, marked, regions, u32 cells, cells:
 *   u32 key, background, marked, u64 bits of the share; at last the SHA-256 of all before. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/file.h"
#include "base/sha256.h"
#include "measure/metrics/pixels.h"

static const char magic[8] = "FLAWPIX1";
enum { HEAD_SIZE = 64, BIN_SIZE = 36, SKETCH_SIZE = 36, CELL_SIZE = 20, DIGEST_SIZE = 32, PIECE = 1 << 16 };

/* ---- writing ---- */

typedef struct writer {
    flaw_file_stream *stream;
    flaw_sha256 hash;
    uint8_t piece[PIECE];
    size_t used;
    flaw_status status;
    flaw_error *err;
} writer;

static void flush(writer *w)
{
    if (w->status != FLAW_OK) return;
    flaw_sha256_update(&w->hash, w->piece, w->used);
    w->status = flaw_file_stream_write(w->stream, w->piece, w->used, w->err);
    w->used = 0;
}

static void put(writer *w, uint64_t value, size_t bytes)
{
    if (w->used + bytes > PIECE) flush(w);
    for (size_t i = 0; i < bytes && w->status == FLAW_OK; i++) w->piece[w->used++] = (uint8_t)(value >> (8 * i));
}

static void put_double(writer *w, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put(w, bits, 8);
}

static uint64_t bins_of(const flaw_counts *c)
{
    uint64_t bins = 0;
    flaw_step step;
    for (int64_t bin = ((int64_t)1 << c->bits) - 1; flaw_counts_next(&step, c, &bin);) bins++;
    return bins;
}

static void put_bins(writer *w, const flaw_counts *c)
{
    flaw_step step;
    for (int64_t next = ((int64_t)1 << c->bits) - 1; flaw_counts_next(&step, c, &next);) {
        const uint32_t bin = (uint32_t)(next + 1), page = bin >> FLAW_PAGE_BITS, at = bin & (FLAW_PAGE - 1);
        const flaw_marks marks = c->marked[page] ? c->marked[page][at] : (flaw_marks){0};
        put(w, bin, 4);
        put(w, c->background[page] ? c->background[page][at] : 0, 8);
        put(w, marks.seen, 8);
        put(w, (uint64_t)marks.share, 8);
        put(w, (uint64_t)(marks.share >> 64), 8);
    }
}

static void put_sketches(writer *w, const flaw_sketches *list)
{
    put(w, list->count, 8);
    for (size_t i = 0; i < list->count; i++) {
        const flaw_sketch *s = &list->item[i];
        put(w, s->id, 8);
        put(w, s->background, 8);
        put(w, s->marked, 8);
        put(w, s->regions, 8);
        put(w, s->count, 4);
        for (uint32_t k = 0; k < s->count; k++) {
            put(w, s->cell[k].key, 4);
            put(w, s->cell[k].background, 4);
            put(w, s->cell[k].marked, 4);
            put_double(w, s->cell[k].share);
        }
    }
}

static void put_all(writer *w, const flaw_pixels *p, const flaw_sketches *sorted)
{
    const flaw_counts *c = &p->total;
    for (size_t i = 0; i < sizeof magic; i++) put(w, (uint8_t)magic[i], 1);
    put(w, (uint32_t)c->bits, 4);
    put(w, p->keeps_sketches, 4);
    put(w, c->pictures, 8);
    put(w, c->totals.regions, 8);
    put(w, c->totals.background, 8);
    put(w, c->totals.marked, 8);
    put(w, c->totals.low_key, 4);
    put(w, c->totals.high_key, 4);
    put(w, bins_of(c), 8);
    put_bins(w, c);
    if (p->keeps_sketches) put_sketches(w, sorted);
    flush(w);
}

flaw_status flaw_pixels_write(const flaw_pixels *p, const char *path, flaw_error *err)
{
    flaw_sketches sorted = {0};
    flaw_status status = flaw_pixels_refuse_broken(p, err);
    if (status == FLAW_OK) status = flaw_sketches_copy(&sorted, &p->sketches, err);
    if (status == FLAW_OK) status = flaw_sketches_sort(&sorted, err);
    writer *w = NULL;
    if (status == FLAW_OK && !(w = malloc(sizeof *w)))
        status = flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory to write it", path);
    if (status == FLAW_OK) {
        w->used = 0;
        w->status = FLAW_OK;
        w->err = err;
        flaw_sha256_init(&w->hash);
        status = flaw_file_stream_begin(&w->stream, path, 0, err);
    }
    if (status == FLAW_OK) {
        uint8_t digest[DIGEST_SIZE];
        put_all(w, p, &sorted);
        flaw_sha256_final(&w->hash, digest);
        status = w->status;
        if (status == FLAW_OK) status = flaw_file_stream_write(w->stream, digest, DIGEST_SIZE, err);
        if (status == FLAW_OK) status = flaw_file_stream_end(w->stream, err);
        else flaw_file_stream_abandon(w->stream);
    }
    flaw_sketches_release(&sorted);
    free(w);
    return status;
}

/* ---- reading ---- */

static flaw_status damaged(const char *path, const char *what, size_t at, flaw_error *err)
{
    return flaw_fail(err, FLAW_BAD_DATA, "'%s': %s at byte %zu of these pixel counts", path, what, at);
}

static double read_double(flaw_cursor *c)
{
    const uint64_t bits = flaw_cursor_u64le(c);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* What all bins must add up to. */
typedef struct sums {
    uint64_t background, marked;
    flaw_wide share;
} sums;

static flaw_status read_bin(flaw_counts *counts, sums *sum, int64_t *above, flaw_cursor *c, const char *path,
                            flaw_error *err)
{
    const flaw_totals *t = &counts->totals;
    const size_t at = flaw_cursor_offset(c);
    const uint32_t bin = flaw_cursor_u32le(c);
    const uint64_t background = flaw_cursor_u64le(c), marked = flaw_cursor_u64le(c), low = flaw_cursor_u64le(c),
                   high = flaw_cursor_u64le(c);
    const flaw_wide share = (flaw_wide)high << 64 | low, all = (flaw_wide)(t->regions + 1) * FLAW_SHARE_ONE;
    const uint32_t mask = ((uint32_t)1 << (32 - counts->bits)) - 1, seen = (uint32_t)(background | marked) & 0xffff;
    if (c->failed || bin >= *above || !(background >> FLAW_SEEN_BITS || marked >> FLAW_SEEN_BITS) ||
        (seen & ~(mask | mask << 8)) || ((seen | seen >> 8) & mask) != mask)
        return damaged(path, "a bin that cannot be", at, err);
    *above = bin;
    if (share > all - sum->share || background >> FLAW_SEEN_BITS > t->background - sum->background ||
        marked >> FLAW_SEEN_BITS > t->marked - sum->marked)
        return damaged(path, "more than there is in all", at, err);
    sum->background += background >> FLAW_SEEN_BITS;
    sum->marked += marked >> FLAW_SEEN_BITS;
    sum->share += share;
    return flaw_counts_put(counts, bin, background, (flaw_marks){marked, share}, err);
}

static flaw_status read_counts(flaw_counts *counts, flaw_cursor *c, uint64_t bins, const char *path, flaw_error *err)
{
    sums sum = {0};
    int64_t above = (int64_t)1 << counts->bits;
    if (bins > flaw_cursor_left(c) / BIN_SIZE) return damaged(path, "fewer bins than promised", HEAD_SIZE, err);
    for (uint64_t i = 0; i < bins; i++) {
        flaw_status status = read_bin(counts, &sum, &above, c, path, err);
        if (status != FLAW_OK) return status;
    }
    const flaw_totals *t = &counts->totals;
    /* every region's share is whole but for the rounding of its pixels', each half a unit */
    const flaw_wide whole = (flaw_wide)t->regions * FLAW_SHARE_ONE, off = sum.share > whole ? sum.share - whole
                                                                                           : whole - sum.share;
    if (sum.background != t->background || sum.marked != t->marked || off > (flaw_wide)t->regions << 31)
        return damaged(path, "bins that do not add up", flaw_cursor_offset(c), err);
    const bool any = t->background || t->marked;
    if (any ? t->low_key > t->high_key || t->low_key < FLAW_KEY_LOWEST || t->high_key > FLAW_KEY_HIGHEST ||
                  t->low_key >> (32 - counts->bits) != (uint64_t)above
            : t->low_key != UINT32_MAX || t->high_key)
        return damaged(path, "a range of scores that is not theirs", HEAD_SIZE, err);
    return FLAW_OK;
}

static flaw_status read_sketch(flaw_sketches *list, flaw_cursor *c, const char *path, flaw_error *err)
{
    const size_t at = flaw_cursor_offset(c);
    flaw_sketch head = {.id = flaw_cursor_u64le(c)}, *s;
    head.background = flaw_cursor_u64le(c);
    head.marked = flaw_cursor_u64le(c);
    head.regions = flaw_cursor_u64le(c);
    head.count = flaw_cursor_u32le(c);
    if (c->failed || head.count > flaw_cursor_left(c) / CELL_SIZE ||
        (list->count && head.id <= list->item[list->count - 1].id))
        return damaged(path, "a summary that cannot be", at, err);
    flaw_status status = flaw_sketches_append(&s, list, head.id, head.count, err);
    if (status != FLAW_OK) return status;
    head.cell = s->cell;
    *s = head;
    uint64_t background = 0, marked = 0;
    double share = 0;
    for (uint32_t k = 0; k < s->count; k++) {
        flaw_cell *cell = &s->cell[k];
        cell->key = flaw_cursor_u32le(c);
        cell->background = flaw_cursor_u32le(c);
        cell->marked = flaw_cursor_u32le(c);
        cell->share = read_double(c);
        if ((k && cell->key >= cell[-1].key) || !(cell->share >= 0 && cell->share <= (double)s->regions + 1e-6) ||
            cell->key < FLAW_KEY_LOWEST || cell->key > FLAW_KEY_HIGHEST)
            return damaged(path, "a cell that cannot be", at, err);
        background += cell->background;
        marked += cell->marked;
        share += cell->share;
    }
    if (background != s->background || marked != s->marked || fabs(share - (double)s->regions) > 1e-6)
        return damaged(path, "cells that do not add up", at, err);
    return FLAW_OK;
}

static flaw_status read_sketches(flaw_pixels *p, flaw_cursor *c, const char *path, flaw_error *err)
{
    const uint64_t count = flaw_cursor_u64le(c);
    flaw_totals sum = {0};
    if (count != p->total.pictures || count > flaw_cursor_left(c) / SKETCH_SIZE)
        return damaged(path, "another number of summaries than of pictures", flaw_cursor_offset(c), err);
    for (uint64_t i = 0; i < count; i++) {
        flaw_status status = read_sketch(&p->sketches, c, path, err);
        if (status != FLAW_OK) return status;
        sum.background += p->sketches.item[i].background;
        sum.marked += p->sketches.item[i].marked;
        sum.regions += p->sketches.item[i].regions;
    }
    const flaw_totals *t = &p->total.totals;
    if (sum.background != t->background || sum.marked != t->marked || sum.regions != t->regions)
        return damaged(path, "summaries that do not add up", flaw_cursor_offset(c), err);
    return FLAW_OK;
}

static flaw_status read_all(flaw_pixels **out, flaw_cursor *c, const char *path, flaw_error *err)
{
    flaw_pixels *p;
    flaw_pixels_options options = {.bits = (int)(flaw_cursor_u32le(c) & 0xff)};
    const uint32_t sketches = flaw_cursor_u32le(c);
    options.sketches = sketches == 1;
    if (sketches > 1 || options.bits == 0) return damaged(path, "options that cannot be", 8, err);
    flaw_status status = flaw_pixels_open(&p, &options, err);
    if (status != FLAW_OK) return damaged(path, "a number of bits that is not read", 8, err);
    flaw_totals *t = &p->total.totals;
    p->total.pictures = flaw_cursor_u64le(c);
    t->regions = flaw_cursor_u64le(c);
    t->background = flaw_cursor_u64le(c);
    t->marked = flaw_cursor_u64le(c);
    t->low_key = flaw_cursor_u32le(c);
    t->high_key = flaw_cursor_u32le(c);
    const uint64_t bins = flaw_cursor_u64le(c);
    if ((t->regions && !t->marked) || t->regions >> 60 || t->background >> 48 || t->marked >> 48)
        status = damaged(path, "numbers that cannot be", HEAD_SIZE, err);
    if (status == FLAW_OK) status = read_counts(&p->total, c, bins, path, err);
    if (status == FLAW_OK && options.sketches) status = read_sketches(p, c, path, err);
    if (status == FLAW_OK && flaw_cursor_left(c))
        status = damaged(path, "bytes left over", flaw_cursor_offset(c), err);
    if (status == FLAW_OK) *out = p;
    else flaw_pixels_close(p);
    return status;
}

flaw_status flaw_pixels_parse(flaw_pixels **out, const void *bytes, size_t size, const char *path, flaw_error *err)
{
    if (size < HEAD_SIZE + DIGEST_SIZE || memcmp(bytes, magic, sizeof magic))
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': no file of pixel counts", path);
    flaw_cursor c = flaw_cursor_over(bytes, size - DIGEST_SIZE);
    flaw_cursor_bytes(&c, sizeof magic);
    return read_all(out, &c, path, err);
}

flaw_status flaw_pixels_read(flaw_pixels **out, const char *path, flaw_error *err)
{
    flaw_bytes bytes;
    flaw_status status = flaw_file_map(&bytes, path, err);
    if (status != FLAW_OK) return status;
    if (bytes.size >= HEAD_SIZE + DIGEST_SIZE && !memcmp(bytes.data, magic, sizeof magic)) {
        flaw_sha256 hash;
        uint8_t digest[DIGEST_SIZE];
        flaw_sha256_init(&hash);
        flaw_sha256_update(&hash, bytes.data, bytes.size - DIGEST_SIZE);
        flaw_sha256_final(&hash, digest);
        if (memcmp(digest, bytes.data + bytes.size - DIGEST_SIZE, DIGEST_SIZE))
            status = flaw_fail(err, FLAW_BAD_DATA,
                               "'%s': pixel counts that were changed or cut (their SHA-256 differs)", path);
    }
    if (status == FLAW_OK) status = flaw_pixels_parse(out, bytes.data, bytes.size, path, err);
    flaw_bytes_release(&bytes);
    return status;
}
