/* What belongs on a product and stands out nevertheless: prints and ribs, on both states of a subject alike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/font.h"
#include "learn/tower/data_vary.h"

/* A stamp: coverage as the brightness of a small picture, laid down turned about its middle. */
typedef struct stamp {
    flaw_picture cover;
    float x, y, cosine, sine; /* where its middle stands, pixels; how it is turned */
    float strength;           /* 0 .. 1 at full coverage */
    uint8_t colour[3];
} stamp;

static const flaw_colour white = {255, 255, 255, 255};

static void write_letters(char out[8], flaw_random *random)
{
    static const char letters[] = "0123456789ABCDEFGHIKLMNPRSTUVXYZ-./";
    int n = 1 + flaw_random_below(random, 5), count = flaw_random_below(random, 2) ? 10 : (int)sizeof letters - 1;
    for (int i = 0; i < n; i++) out[i] = letters[flaw_random_below(random, count)];
    out[n] = 0;
}

/* Letters, bars, rings or a bordered box, `height` pixels high. */
static flaw_status draw_cover(flaw_picture *out, float height, flaw_random *random, flaw_error *err)
{
    char text[8];
    write_letters(text, random);
    flaw_font font = {height, (float)flaw_random_range(random, 0.1, 0.22)};
    int kind = flaw_random_below(random, 6), rows = (int)(1.5f * height) + 4;
    float words = flaw_text_width(font, text) + 0.4f * height, middle = 0.5f * (float)rows;
    int columns = kind < 4 ? (int)words + 4 : rows * (kind == 4 ? 2 : 1);
    flaw_status status = flaw_picture_new(out, columns, rows, err);
    if (status) return status;
    memset(out->rgb, 0, 3 * (size_t)columns * (size_t)rows);
    flaw_box frame = {0, 0, columns, rows};
    if (kind < 4) flaw_text_draw(out, font, 0.2f * height + 2, middle + 0.5f * height, text, white);
    if (kind == 3) flaw_draw_outline(out, frame, 1 + (int)(0.08f * height), white);
    for (float x = 2; kind == 4 && x < (float)columns - 2;) {
        float wide = (float)flaw_random_range(random, 1, 0.2 * (double)height + 1.5);
        flaw_draw_line(out, (flaw_point){x, 2}, (flaw_point){x, (float)rows - 2}, wide, white);
        x += wide + (float)flaw_random_range(random, 1.5, 0.25 * (double)height + 2);
    }
    for (float r = middle - 2; kind == 5 && r > 2; r -= (float)flaw_random_range(random, 4, 0.8 * (double)height + 4))
        flaw_draw_ring(out, (flaw_point){middle, middle}, r, 1 + 0.1f * height, white);
    return FLAW_OK;
}

static float cover_at(const flaw_picture *p, float u, float v)
{
    int x = (int)floorf(u), y = (int)floorf(v);
    if (x < 0 || y < 0 || x + 1 >= p->width || y + 1 >= p->height) return 0;
    const uint8_t *at = p->rgb + 3 * ((ptrdiff_t)y * p->width + x), *below = at + 3 * (ptrdiff_t)p->width;
    float a = u - (float)x, b = v - (float)y;
    float top = (float)at[0] + a * (float)(at[3] - at[0]), low = (float)below[0] + a * (float)(below[3] - below[0]);
    return (top + b * (low - top)) * (1.0f / 255);
}

static void lay_stamp(flaw_picture *p, const stamp *s)
{
    float reach = 0.5f * hypotf((float)s->cover.width, (float)s->cover.height);
    int x0 = (int)fmaxf(0, s->x - reach), x1 = (int)fminf((float)p->width, s->x + reach + 1);
    int y0 = (int)fmaxf(0, s->y - reach), y1 = (int)fminf((float)p->height, s->y + reach + 1);
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            float dx = (float)x - s->x, dy = (float)y - s->y;
            float u = s->cosine * dx + s->sine * dy + 0.5f * (float)s->cover.width;
            float v = s->cosine * dy - s->sine * dx + 0.5f * (float)s->cover.height;
            float cover = s->strength * cover_at(&s->cover, u, v);
            uint8_t *rgb = p->rgb + 3 * ((ptrdiff_t)y * p->width + x);
            for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)((float)rgb[c] + cover * (float)(s->colour[c] - rgb[c]) + 0.5f);
        }
}

flaw_status flaw_subject_print(flaw_subject *subject, flaw_random *random, flaw_error *err)
{
    flaw_picture *normal = &subject->normal;
    float height = 0.035f * (float)normal->width * (float)exp(flaw_random_range(random, 0, 1.5));
    bool straight = flaw_random_below(random, 2), dark = flaw_random_below(random, 2);
    stamp s = {.x = (float)flaw_random_range(random, 0.15, 0.85) * (float)normal->width,
               .y = (float)flaw_random_range(random, 0.15, 0.85) * (float)normal->height,
               .strength = (float)flaw_random_range(random, 0.3, 0.85)};
    float turn = straight ? 0 : (float)flaw_random_range(random, 0, 6.2831853);
    s.cosine = cosf(turn), s.sine = sinf(turn);
    int shade = flaw_random_below(random, 70);
    bool coloured = flaw_random_uniform(random) < 0.3;
    for (int c = 0; c < 3; c++) s.colour[c] = (uint8_t)(coloured ? flaw_random_below(random, 256) : dark ? shade : 255 - shade);
    flaw_status status = draw_cover(&s.cover, fmaxf(height, 5), random, err);
    if (!status) lay_stamp(&subject->normal, &s);
    if (!status) lay_stamp(&subject->defective, &s);
    flaw_picture_release(&s.cover);
    return status;
}

/* Ribs, as of a thread or of a grip: a band of waves across its own length. */
typedef struct ribs {
    float x, y, cosine, sine, along, across; /* middle, direction, half extents, pixels */
    float rate, slant, depth, sharp;
} ribs;

static void lay_ribs(flaw_picture *p, const ribs *r)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            float dx = (float)x - r->x, dy = (float)y - r->y;
            float u = r->cosine * dx + r->sine * dy, v = r->cosine * dy - r->sine * dx;
            if (fabsf(u) > r->along || fabsf(v) > r->across) continue;
            float wave = tanhf(r->sharp * sinf(r->rate * (u + r->slant * v))), by = 1 + r->depth * wave;
            uint8_t *rgb = p->rgb + 3 * ((ptrdiff_t)y * p->width + x);
            for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)fminf(255, by * (float)rgb[c] + 0.5f);
        }
}

void flaw_subject_rib(flaw_subject *subject, flaw_random *random)
{
    float side = (float)subject->normal.width, turn = (float)flaw_random_range(random, 0, 6.2831853);
    float period = 0.02f * side * (float)exp(flaw_random_range(random, 0, 1.4));
    ribs r = {.x = (float)flaw_random_range(random, 0.25, 0.75) * side, .y = (float)flaw_random_range(random, 0.25, 0.75) * side,
              .cosine = cosf(turn), .sine = sinf(turn), .along = (float)flaw_random_range(random, 0.1, 0.7) * side,
              .across = (float)flaw_random_range(random, 0.05, 0.4) * side, .rate = 6.2831853f / period,
              .slant = (float)flaw_random_range(random, -0.4, 0.4), .depth = (float)flaw_random_range(random, 0.1, 0.55),
              .sharp = (float)flaw_random_range(random, 0.7, 4)};
    lay_ribs(&subject->normal, &r);
    lay_ribs(&subject->defective, &r);
}
