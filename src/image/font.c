/* A stroke font drawn for this project: open, rounded letters after the manner of road signs.
 *
 * A glyph is written as letters in pairs, first x then y, 'a' = 0, 'b' = 1 and so on, y downwards: capitals go from 'c'
 * (2) to 'q' (16), small letters begin at 'g' (6), what hangs below ends at 'v' (21). A capital x marks a control point
 * of a quadratic curve, as in TrueType: between two controls in a row lies a point halfway. A space begins a new
 * stroke; a stroke of one point is a dot. */
#include "image/font.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { CAP = 14, BASELINE = 16, GAP = 3, CURVE_PIECES = 8, MAX_SEGMENTS = 160 };

typedef struct glyph {
    int width;
    const char *strokes;
} glyph;

static const glyph GLYPHS[95] = {
    {2, ""},                                                 /* space */
    {0, "acal aq"},                                          /* ! */
    {3, "acaf dcdf"},                                        /* " */
    {9, "dcbq icgq bgjg alil"},                              /* # */
    {10, "kfKcfcAcAjfjKjKqfqAqan fafs"},                     /* $ */
    {12, "dcGcGidiAiAcdc jkMkMqjqGqGkjk kccq"},              /* % */
    {10, "kqdiBgBcecHchfHhejAkanAqeqIqkk"},                  /* & */
    {0, "acaf"},                                             /* ' */
    {4, "ebAfakApet"},                                       /* ( */
    {4, "abEfekEpat"},                                       /* ) */
    {8, "edej behi hebi"},                                   /* * */
    {8, "ehep alil"},                                        /* + */
    {1, "bqat"},                                             /* , */
    {5, "alfl"},                                             /* - */
    {0, "aq"},                                               /* . */
    {7, "hbas"},                                             /* / */
    {8, "ecIcihilIqeqAqalahAcec"},                           /* 0 */
    {8, "bfeceq"},                                           /* 1 */
    {8, "agAcecIcigIiflaqiq"},                               /* 2 */
    {8, "afAcecIcIjejdj ejIjIqeqAqan"},                      /* 3 */
    {8, "gqgcamim"},                                         /* 4 */
    {8, "icacaiBhehIhIqeqAqan"},                             /* 5 */
    {8, "gcAfalAqeqIqIhehAhal"},                             /* 6 */
    {8, "aciccq"},                                           /* 7 */
    {8, "ejBjBcecHcHjejIjIqeqAqAjej"},                       /* 8 */
    {8, "cqInihIcecAcAlelIlih"},                             /* 9 */
    {0, "ai aq"},                                            /* : */
    {1, "bi bqat"},                                          /* ; */
    {8, "ihalip"},                                           /* < */
    {9, "ajij anin"},                                        /* = */
    {8, "ahilap"},                                           /* > */
    {8, "afAcecIcifIiekem eq"},                              /* ? */
    {14, "lrJshsAsakAchcOcojOnmnKnklkg kkKghgEgekEnhnKnkk"}, /* @ */
    {10, "aqfckq clil"},                                     /* A */
    {10, "aqacfcJcJjfjaj fjKjKqfqaq"},                       /* B */
    {10, "kgKcfcAcahalAqfqKqkm"},                            /* C */
    {10, "aqacecKckikkKqeqaq"},                              /* D */
    {9, "jcacaqjq ajhj"},                                    /* E */
    {9, "jcacaq ajhj"},                                      /* F */
    {10, "kgKcfcAcahalAqfqKqklkjgj"},                        /* G */
    {10, "acaq kckq ajkj"},                                  /* H */
    {0, "acaq"},                                             /* I */
    {8, "icimIqeqAqam"},                                     /* J */
    {10, "acaq jcal dikq"},                                  /* K */
    {9, "acaqjq"},                                           /* L */
    {12, "aqacgmmcmq"},                                      /* M */
    {10, "aqackqkc"},                                        /* N */
    {10, "fcKckhklKqfqAqalahAcfc"},                          /* O */
    {10, "aqacfcKcKkfkak"},                                  /* P */
    {10, "fcKckhklKqfqAqalahAcfc gmkr"},                     /* Q */
    {10, "aqacfcKcKjfjaj fjkq"},                             /* R */
    {10, "kfKcfcAcAjfjKjKqfqAqan"},                          /* S */
    {10, "ackc fcfq"},                                       /* T */
    {10, "acalAqfqKqklkc"},                                  /* U */
    {10, "acfqkc"},                                          /* V */
    {14, "acdqhflqoc"},                                      /* W */
    {10, "ackq kcaq"},                                       /* X */
    {10, "acfjkc fjfq"},                                     /* Y */
    {10, "ackcaqkq"},                                        /* Z */
    {3, "dbabatdt"},                                         /* [ */
    {7, "abhs"},                                             /* \ */
    {3, "abdbdtat"},                                         /* ] */
    {8, "ahecih"},                                           /* ^ */
    {8, "asis"},                                             /* _ */
    {4, "acce"},                                             /* ` */
    {8, "bhCgegIgijiq ikdkAkAqdqIqim"},                      /* a */
    {8, "acaq alAgegIgilIqeqAqal"},                          /* b */
    {8, "ijIgegAgalAqeqIqin"},                               /* c */
    {8, "iciq ilIgegAgalAqeqIqil"},                          /* d */
    {8, "alilIgegAgalAqeqHqio"},                             /* e */
    {6, "gcfcDcdfdq aggg"},                                  /* f */
    {8, "igirIvevBvau ilIgegAgalAqeqIqil"},                  /* g */
    {8, "acaq akAgegIgikiq"},                                /* h */
    {0, "agaq ac"},                                          /* i */
    {2, "cgcsCvav cc"},                                      /* j */
    {8, "acaq hgan dkiq"},                                   /* k */
    {3, "acanAqdq"},                                         /* l */
    {12, "agaq akAgdgGggkgq gkGgjgMgmkmq"},                  /* m */
    {8, "agaq akAgegIgikiq"},                                /* n */
    {8, "egIgilIqeqAqalAgeg"},                               /* o */
    {8, "agav alAgegIgilIqeqAqal"},                          /* p */
    {8, "igiv ilIgegAgalAqeqIqil"},                          /* q */
    {5, "agaq akAgegfg"},                                    /* r */
    {8, "iiIgegAgAlelIlIqeqAqao"},                           /* s */
    {6, "dddnDqgq aggg"},                                    /* t */
    {8, "agamAqeqIqim igiq"},                                /* u */
    {8, "ageqig"},                                           /* v */
    {12, "agdqgijqmg"},                                      /* w */
    {8, "agiq igaq"},                                        /* x */
    {8, "ageq igcv"},                                        /* y */
    {8, "agigaqiq"},                                         /* z */
    {4, "ebCbcfcgCkakCkcocpCtet"},                           /* { */
    {0, "abat"},                                             /* | */
    {4, "abCbcfcgCkekCkcocpCtat"},                           /* } */
    {8, "anCjelGnik"},                                       /* ~ */
};

static const glyph UNKNOWN = {8, "acicaqacaq iciqaq"};

/* U+00C0 .. U+00FF without their marks. */
static const char LATIN[] = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYPsaaaaaaaceeeeiiiidnooooo:ouuuuypy";

/* The glyph `text` begins with (not at its end) and how many bytes it takes. */
static const glyph *next_glyph(const char *text, size_t *taken)
{
    unsigned char first = (unsigned char)text[0];
    *taken = 1;
    if (first >= 32 && first < 127) return &GLYPHS[first - 32];
    size_t length = flaw_utf8_length(text, strlen(text));
    if (length == 0) return &UNKNOWN;
    *taken = length;
    if (length != 2) return &UNKNOWN;
    unsigned code = (first & 31u) << 6 | ((unsigned char)text[1] & 63u);
    return code >= 0xC0 && code <= 0xFF ? &GLYPHS[LATIN[code - 0xC0] - 32] : &UNKNOWN;
}

/* Straight pieces of one glyph, ready for flaw_draw_segments. */
typedef struct outline {
    flaw_point ends[2 * MAX_SEGMENTS];
    int count;
    float left, top, scale; /* font units to pixels */
} outline;

static void add_segment(outline *o, flaw_point a, flaw_point b)
{
    if (o->count == MAX_SEGMENTS) return;
    o->ends[2 * o->count] = (flaw_point){o->left + a.x * o->scale, o->top + a.y * o->scale};
    o->ends[2 * o->count + 1] = (flaw_point){o->left + b.x * o->scale, o->top + b.y * o->scale};
    o->count++;
}

static void add_curve(outline *o, flaw_point a, flaw_point control, flaw_point b)
{
    flaw_point last = a;
    for (int i = 1; i <= CURVE_PIECES; i++) {
        float t = (float)i / CURVE_PIECES, s = 1 - t;
        flaw_point at = {s * s * a.x + 2 * s * t * control.x + t * t * b.x,
                         s * s * a.y + 2 * s * t * control.y + t * t * b.y};
        add_segment(o, last, at);
        last = at;
    }
}

/* One stroke, up to the space or the end; returns where it ends. */
static const char *add_stroke(outline *o, const char *s)
{
    flaw_point last = {0, 0}, control = {0, 0};
    bool begun = false, curving = false;
    const char *start = s;
    for (; s[0] > ' '; s += 2) {
        bool on = s[0] >= 'a';
        flaw_point at = {(float)(s[0] - (on ? 'a' : 'A')), (float)(s[1] - 'a')};
        if (!on && curving) {
            flaw_point half = {(control.x + at.x) / 2, (control.y + at.y) / 2};
            add_curve(o, last, control, half);
            last = half;
        }
        if (on) {
            if (curving) add_curve(o, last, control, at);
            else if (begun) add_segment(o, last, at);
            last = at;
        }
        begun = true;
        curving = !on;
        control = at;
    }
    if (s == start + 2) add_segment(o, last, last);
    return s;
}

static float advance(flaw_font font, const glyph *g)
{
    float width = (float)(g->width + GAP) * font.size / CAP + font.weight * font.size * 0.4f;
    return font.size < 24 ? roundf(width) : width; /* small letters keep to whole pixels, so that stems stay sharp */
}

float flaw_text_width(flaw_font font, const char *text)
{
    float width = 0;
    size_t taken;
    for (; *text; text += taken) width += advance(font, next_glyph(text, &taken));
    return width;
}

size_t flaw_text_fit(flaw_font font, const char *text, float width)
{
    size_t length = 0, taken;
    for (; text[length]; length += taken) {
        width -= advance(font, next_glyph(text + length, &taken));
        if (width < 0) break;
    }
    return length;
}

float flaw_text_draw(flaw_picture *p, flaw_font font, float left, float baseline, const char *text, flaw_colour colour)
{
    float stroke = fmaxf(font.size * font.weight, 1.0f), scale = (font.size - stroke) / CAP;
    size_t taken;
    if (font.size < 24) {
        left = roundf(left);
        baseline = roundf(baseline);
    }
    for (; *text; text += taken) {
        const glyph *g = next_glyph(text, &taken);
        /* The ink, not the middle of the stroke, begins at `left`, stands on the baseline and is `size` high. */
        outline o = {.left = left + stroke / 2, .top = baseline - stroke / 2 - BASELINE * scale, .scale = scale};
        for (const char *s = g->strokes; *s; s += *s == ' ') s = add_stroke(&o, s);
        flaw_draw_segments(p, o.ends, o.count, stroke, colour);
        left += advance(font, g);
    }
    return left;
}

size_t flaw_text_wrap(flaw_font font, const char *text, float width)
{
    size_t length = flaw_text_fit(font, text, width);
    if (!text[length]) return length;
    for (size_t i = length; i > 0; i--) {
        if (text[i] == ' ') return i;
    }
    return length ? length : 1;
}

void flaw_text_draw_cut(flaw_picture *p, flaw_font font, float left, float baseline, float width, const char *text,
                        flaw_colour colour)
{
    char cut[600];
    if (flaw_text_width(font, text) > width) {
        size_t length = flaw_text_fit(font, text, width - flaw_text_width(font, "..."));
        if (length > sizeof cut - 4) length = sizeof cut - 4;
        snprintf(cut, sizeof cut, "%.*s...", (int)length, text);
        text = cut;
    }
    flaw_text_draw(p, font, left, baseline, text, colour);
}
