#include "learn/paint/paint_material.h"

#include <math.h>

/* One row per kind: the word for captions, ranges of the figures, and colours to pick a pair from. */
typedef struct recipe {
    const char *word;
    float scale[2], contrast[2], relief[2], gloss[2], metal;
    uint32_t colours[6][2]; /* pairs 0xRRGGBB; 0,0 ends the list; an empty list means any paint colour */
} recipe;

static const recipe recipes[FLAW_MATERIAL_KINDS] = {
    [FLAW_PLASTIC] = {"plastic", {1, 3}, {0, 0.06f}, {0, 0.02f}, {0.2f, 0.9f}, 0, {{0}}},
    [FLAW_PAINT] = {"painted", {20, 60}, {0, 0.08f}, {0.01f, 0.06f}, {0.2f, 0.8f}, 0, {{0}}},
    [FLAW_PORCELAIN] = {"ceramic",
                        {1, 4},
                        {0, 0.05f},
                        {0, 0.01f},
                        {0.6f, 1},
                        0,
                        {{0xF2F0EA, 0xE0DDD2},
                         {0xE9E2D2, 0xCFC3AA},
                         {0x7FA3B5, 0x567C92},
                         {0x3C4A5A, 0x222A33},
                         {0xB5583C, 0x8A3E2A}}},
    [FLAW_RUBBER] = {"rubber",
                     {20, 50},
                     {0.05f, 0.25f},
                     {0.02f, 0.1f},
                     {0.05f, 0.3f},
                     0,
                     {{0x222222, 0x3A3A3A}, {0x303236, 0x484A4E}, {0x6B2E26, 0x8A4136}, {0x8A8C88, 0x6C6E6A}}},
    [FLAW_BRUSHED] = {"brushed metal",
                      {60, 140},
                      {0.15f, 0.5f},
                      {0.02f, 0.08f},
                      {0.3f, 0.6f},
                      0.85f,
                      {{0xC4C6C8, 0x8E9194}, {0xB8B5B0, 0x7F7C78}, {0xD6B36A, 0x9C7A3A}, {0xC98A66, 0x8E573A}}},
    [FLAW_POLISHED] = {"polished metal",
                       {2, 6},
                       {0.05f, 0.15f},
                       {0, 0.02f},
                       {0.6f, 1},
                       0.95f,
                       {{0xD4D6D8, 0xA4A7AA}, {0xC8CACC, 0x8C9094}, {0xE0BE74, 0xAE8A44}, {0xD9A07C, 0xA56A48}}},
    [FLAW_CAST] = {"cast metal",
                   {12, 40},
                   {0.2f, 0.5f},
                   {0.1f, 0.35f},
                   {0.15f, 0.4f},
                   0.5f,
                   {{0x8A8C8E, 0x5A5C5E}, {0x6E7072, 0x46484A}, {0x9C9488, 0x6A6258}, {0x55504C, 0x302C2A}}},
    [FLAW_HAMMERED] = {"hammered metal",
                       {5, 14},
                       {0.1f, 0.3f},
                       {0.2f, 0.5f},
                       {0.4f, 0.8f},
                       0.8f,
                       {{0xB9BBBD, 0x7C7F82}, {0xB87F52, 0x7A4C2C}, {0xC8A560, 0x8C6C34}}},
    [FLAW_ZINC] = {"galvanized metal",
                   {3, 9},
                   {0.15f, 0.4f},
                   {0.01f, 0.04f},
                   {0.2f, 0.5f},
                   0.6f,
                   {{0xB4B9BC, 0x8A9094}, {0xA2A6A8, 0x787C7E}}},
    [FLAW_WOOD] = {"wood",
                   {3, 9},
                   {0.4f, 1},
                   {0.02f, 0.12f},
                   {0.05f, 0.4f},
                   0,
                   {{0xC89A64, 0x8E5E30},
                    {0xDDBB8A, 0xB08450},
                    {0x9A6A42, 0x5E3A20},
                    {0x7A4A2C, 0x452414},
                    {0xE4CDA4, 0xC2A070},
                    {0xA98B70, 0x73583F}}},
    [FLAW_LEATHER] = {"leather",
                      {9, 26},
                      {0.2f, 0.7f},
                      {0.2f, 0.5f},
                      {0.15f, 0.5f},
                      0,
                      {{0x7A4A2A, 0x4A2814},
                       {0x9A6438, 0x5E381C},
                       {0x3A2A22, 0x1C1410},
                       {0x262628, 0x101012},
                       {0x8A2A22, 0x4A1410},
                       {0xC4A078, 0x8A6844}}},
    [FLAW_CLOTH] = {"fabric", {10, 34}, {0.2f, 0.8f}, {0.2f, 0.6f}, {0, 0.1f}, 0, {{0}}},
    [FLAW_TWILL] = {"twill fabric",
                    {10, 30},
                    {0.3f, 0.8f},
                    {0.2f, 0.5f},
                    {0, 0.3f},
                    0,
                    {{0x34496E, 0xA8B2C4},
                     {0x2A2C30, 0x55585E},
                     {0x6E6048, 0x9A8A6A},
                     {0x27282A, 0x0E0E10},
                     {0x8A2E34, 0x5A1A20},
                     {0x54684A, 0x344430}}},
    [FLAW_KNIT] = {"knitted wool", {6, 14}, {0.3f, 0.8f}, {0.4f, 0.9f}, {0, 0.05f}, 0, {{0}}},
    [FLAW_FELT] = {"felt", {20, 50}, {0.15f, 0.4f}, {0.1f, 0.3f}, {0, 0.04f}, 0, {{0}}},
    [FLAW_CARPET] = {"carpet",
                     {14, 40},
                     {0.3f, 0.8f},
                     {0.4f, 1},
                     {0, 0.05f},
                     0,
                     {{0x8A8478, 0x5E584E},
                      {0x6E7276, 0x44484C},
                      {0x7A5A48, 0x4E362A},
                      {0x4A5464, 0x2C3440},
                      {0xB4A890, 0x867A64},
                      {0x7A3030, 0x4C1A1C}}},
    [FLAW_MARBLE] = {"marble",
                     {1, 3},
                     {0.3f, 1},
                     {0, 0.01f},
                     {0.5f, 1},
                     0,
                     {{0xE8E6E2, 0x8A8A8C},
                      {0xEDE4D6, 0xA88A66},
                      {0x34383A, 0xB8BABC},
                      {0x5A6E60, 0xC4CCC4},
                      {0xD8C0B4, 0x8E5E50}}},
    [FLAW_GRANITE] = {"granite",
                      {16, 44},
                      {0.4f, 1},
                      {0, 0.05f},
                      {0.3f, 0.8f},
                      0,
                      {{0xB4B0AA, 0x4E4C4A}, {0xC4A898, 0x5E4A44}, {0x6A6C6E, 0x2A2A2C}, {0xD0CCC4, 0x8A8680}}},
    [FLAW_CONCRETE] = {"concrete",
                       {2, 6},
                       {0.3f, 0.8f},
                       {0.05f, 0.25f},
                       {0, 0.1f},
                       0,
                       {{0xA8A6A0, 0x807E78}, {0x8E8E8C, 0x686866}, {0xBAB2A4, 0x90887A}, {0xC8C4BC, 0xA29E96}}},
    [FLAW_PAPER] = {"paper",
                    {30, 80},
                    {0.05f, 0.25f},
                    {0.02f, 0.12f},
                    {0, 0.1f},
                    0,
                    {{0xF0EEE8, 0xDCD8CE},
                     {0xE4D8BE, 0xC8B894},
                     {0xC8A878, 0xA88858},
                     {0xDDE4E8, 0xBCC6CC},
                     {0xE8D8DC, 0xCCB4BA}}},
    [FLAW_CARDBOARD] = {"cardboard",
                        {20, 50},
                        {0.1f, 0.4f},
                        {0.03f, 0.15f},
                        {0, 0.06f},
                        0,
                        {{0xB8905E, 0x94703F}, {0xC8A272, 0xA4804E}, {0xA88458, 0x82623A}}},
    [FLAW_FOAM] = {"foam",
                   {14, 36},
                   {0.3f, 0.8f},
                   {0.3f, 0.8f},
                   {0, 0.1f},
                   0,
                   {{0xE8D458, 0xA08820},
                    {0xE8E4DC, 0xA8A49C},
                    {0x5A5C60, 0x2A2C30},
                    {0x88B4D4, 0x4E7E9E},
                    {0xE49AA8, 0xA8626E},
                    {0x9AC47A, 0x628A46}}},
    [FLAW_DOUGH] = {"baked dough",
                    {3, 8},
                    {0.4f, 1},
                    {0.2f, 0.6f},
                    {0, 0.15f},
                    0,
                    {{0xD8A860, 0x9A6428},
                     {0xE4C080, 0xB07C38},
                     {0xC48E4C, 0x7E4E20},
                     {0xE8CFA0, 0xC49A58},
                     {0x8A5A34, 0x4E2E18}}},
    [FLAW_SHELL] = {"nut shell",
                    {3, 8},
                    {0.3f, 0.9f},
                    {0.05f, 0.25f},
                    {0.05f, 0.35f},
                    0,
                    {{0xA8703C, 0x6A3E1C}, {0xC49A68, 0x8A5C30}, {0xD8C4A0, 0xB08C58}, {0x8A5430, 0x54301A}}},
    [FLAW_PEEL] = {"fruit peel",
                   {18, 40},
                   {0.1f, 0.4f},
                   {0.1f, 0.4f},
                   {0.2f, 0.5f},
                   0,
                   {{0xE88A1E, 0xC86A10},
                    {0xE8CC3C, 0xC4A41E},
                    {0xB83428, 0xE0A038},
                    {0x8AB43C, 0xC4C454},
                    {0x7AA02E, 0x4E7A1C}}},
    [FLAW_TILE] = {"tile",
                   {1.2f, 4},
                   {0.1f, 0.5f},
                   {0.1f, 0.4f},
                   {0.2f, 0.9f},
                   0,
                   {{0xD8D4CC, 0x8A8680},
                    {0xA4745A, 0x5E5048},
                    {0x6E8A98, 0xC8CACA},
                    {0x4A4C50, 0x8E8E8C},
                    {0xE4E2DA, 0xA8A49A},
                    {0xB4A88E, 0x6E6656}}},
    [FLAW_BRICK] = {"brick",
                    {1.5f, 4},
                    {0.3f, 0.8f},
                    {0.2f, 0.6f},
                    {0, 0.08f},
                    0,
                    {{0x9A4E38, 0xB0A89C}, {0xB4674A, 0x8E8880}, {0x8A6A5A, 0xC4BCAE}, {0xC49A78, 0x8A8276}}},
    [FLAW_CORK] = {"cork",
                   {14, 34},
                   {0.4f, 0.9f},
                   {0.1f, 0.3f},
                   {0, 0.08f},
                   0,
                   {{0xC49660, 0x7A4E28}, {0xB4824E, 0x6A4020}, {0xD4AC78, 0x8E6236}}},
    [FLAW_MESH] = {"wire mesh",
                   {4, 14},
                   {0.2f, 0.6f},
                   {0.5f, 1},
                   {0.3f, 0.7f},
                   0.6f,
                   {{0xA8AAAC, 0x1C1C1E}, {0x8E9092, 0xD8D8D6}, {0x6A6C6E, 0x0E0E10}, {0xB49A5A, 0x2A241A}}},
    [FLAW_PERFORATED] = {"perforated metal",
                         {4, 12},
                         {0.1f, 0.3f},
                         {0.3f, 0.7f},
                         {0.3f, 0.6f},
                         0.6f,
                         {{0xB4B6B8, 0x141416}, {0x8E9092, 0x222224}, {0xC8CACC, 0x4A4A4C}, {0x46484C, 0xA0A0A0}}},
    [FLAW_RIBBED] = {"ribbed plastic", {5, 18}, {0.05f, 0.3f}, {0.3f, 0.9f}, {0.2f, 0.7f}, 0, {{0}}},
    [FLAW_ASPHALT] = {"asphalt",
                      {24, 60},
                      {0.4f, 0.9f},
                      {0.3f, 0.7f},
                      {0, 0.15f},
                      0,
                      {{0x5A5A5C, 0x8A8884}, {0x444446, 0x6E6C6A}, {0x746E68, 0xA49C90}}},
    [FLAW_FUR] = {"plush", {30, 60}, {0.3f, 0.8f}, {0.3f, 0.8f}, {0, 0.08f}, 0, {{0}}},
    [FLAW_TERRAZZO] = {"terrazzo",
                       {6, 16},
                       {0.5f, 1},
                       {0, 0.02f},
                       {0.3f, 0.8f},
                       0,
                       {{0xD8D4CC, 0x6E5A50}, {0xC4C6C4, 0x3A4A4A}, {0xB4A89A, 0x4A3A34}, {0x8E9A94, 0xE4E0D8}}},
};

static float between(flaw_random *r, const float range[2])
{
    return (float)flaw_random_range(r, range[0], range[1]);
}

/* Colours of paint and plastic: mostly greys, white and black, else any hue of middling strength. */
static flaw_rgb paint_colour(flaw_random *r)
{
    double p = flaw_random_uniform(r);
    if (p < 0.2) return flaw_rgb_hsv(0, 0, (float)flaw_random_range(r, 0.75, 0.95));
    if (p < 0.32) return flaw_rgb_hsv(0.6f, 0.05f, (float)flaw_random_range(r, 0.1, 0.3));
    if (p < 0.55) return flaw_rgb_hsv((float)flaw_random_uniform(r), 0.08f, (float)flaw_random_range(r, 0.3, 0.75));
    return flaw_rgb_hsv((float)flaw_random_uniform(r), (float)flaw_random_range(r, 0.25, 0.85),
                        (float)flaw_random_range(r, 0.35, 0.9));
}

static flaw_rgb jitter(flaw_rgb c, flaw_random *r)
{
    float bright = (float)flaw_random_range(r, 0.8, 1.2);
    flaw_rgb k = {(float)flaw_random_range(r, 0.96, 1.04), 1, (float)flaw_random_range(r, 0.94, 1.06)};
    return (flaw_rgb){flaw_clamp01(c.r * bright * k.r), flaw_clamp01(c.g * bright * k.g),
                      flaw_clamp01(c.b * bright * k.b)};
}

void flaw_material_choose(flaw_material *m, flaw_material_kind kind, flaw_random *design)
{
    const recipe *p = &recipes[kind];
    int pairs = 0;
    while (pairs < 6 && (p->colours[pairs][0] || p->colours[pairs][1])) pairs++;
    m->kind = kind;
    if (pairs) {
        const uint32_t *pair = p->colours[flaw_random_below(design, pairs)];
        m->a = jitter(flaw_rgb_hex(pair[0]), design);
        m->b = jitter(flaw_rgb_hex(pair[1]), design);
    } else {
        m->a = paint_colour(design);
        m->b = flaw_rgb_scale(m->a, (float)flaw_random_range(design, 0.35, 0.75));
        if (flaw_random_uniform(design) < 0.25) m->b = paint_colour(design);
    }
    m->scale = between(design, p->scale);
    m->contrast = between(design, p->contrast);
    m->relief = between(design, p->relief);
    m->gloss = between(design, p->gloss);
    m->metal = p->metal;
    m->angle = (float)flaw_random_range(design, 0, 3.14159);
    m->seed = (uint32_t)flaw_random_u64(design);
}

const char *flaw_material_word(flaw_material_kind kind)
{
    return recipes[kind].word;
}

/* Plain colour, faint clouds and faint bumps: plastic, paint, glaze, rubber, polished and cast metal, stone ... */
static void fill_clouds(flaw_layer *l, const flaw_material *m, float cells, int octaves)
{
    flaw_noise_map map = flaw_noise_even(cells, m->seed);
    flaw_noise_fractal(l->t[0], l->u, l->v, l->n, map, octaves, 0.55f, l->px);
    float bump = m->relief / cells;
    for (int i = 0; i < l->n; i++) {
        float t = l->t[0][i];
        l->z[i] += bump * t;
        l->t[1][i] = m->contrast * flaw_clamp01(0.5f + 0.6f * t);
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[1], m->b);
}

static void fill_brushed(flaw_layer *l, const flaw_material *m)
{
    flaw_noise_map map = flaw_noise_grain(m->scale * 0.03f, m->scale, m->angle, m->seed);
    flaw_noise_fractal(l->t[0], l->u, l->v, l->n, map, 2, 0.8f, l->px);
    flaw_noise_fractal(l->t[2], l->u, l->v, l->n, flaw_noise_grain(0.4f, 6, m->angle, m->seed + 5), 3, 0.6f, l->px);
    for (int i = 0; i < l->n; i++) {
        l->t[1][i] = m->contrast * flaw_clamp01(0.5f + 0.5f * l->t[0][i] + 0.25f * l->t[2][i]);
        l->z[i] += m->relief / m->scale * l->t[0][i];
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[1], m->b);
}

/* Cells with their own brightness or tilt: zinc spangle, hammer blows. */
static void fill_facets(flaw_layer *l, const flaw_material *m)
{
    flaw_noise_cells(l->t[0], l->t[1], l->t[2], l->u, l->v, l->n, flaw_noise_even(m->scale, m->seed), 0.9f);
    bool hammer = m->kind == FLAW_HAMMERED;
    for (int i = 0; i < l->n; i++) {
        if (hammer) l->z[i] += m->relief / m->scale * l->t[0][i] * l->t[0][i];
        l->t[1][i] = m->contrast * (hammer ? 0.5f * l->t[0][i] : l->t[2][i]);
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[1], m->b);
}

/* Fibres in all directions: paper, cardboard, with a few dark ones. */
static void fill_paper(flaw_layer *l, const flaw_material *m)
{
    fill_clouds(l, m, m->scale, 3);
    flaw_rgb dark = flaw_rgb_scale(m->b, 0.7f);
    flaw_noise_map map = flaw_noise_grain(m->scale * 0.15f, m->scale, m->angle, m->seed + 3);
    flaw_tint_noise(l, map, 2, dark, 0.5f, 1.2f, 0.5f * m->contrast + 0.05f);
    if (m->kind != FLAW_CARDBOARD) return;
    /* The flutes below the liner show as faint stripes. */
    flaw_noise_map flute = flaw_noise_grain(0, m->scale * 0.3f, m->angle, 0);
    for (int i = 0; i < l->n; i++) {
        float s = flaw_wave(flute.yu * l->u[i] + flute.yv * l->v[i]);
        l->t[0][i] = 0.06f * (0.5f + 0.5f * s);
    }
    flaw_tint_by(l, l->t[0], dark);
}

/* Grains of several tones on a ground: cork, asphalt. */
static void fill_grains(flaw_layer *l, const flaw_material *m)
{
    flaw_noise_cells(l->t[0], l->t[1], l->t[2], l->u, l->v, l->n, flaw_noise_even(m->scale, m->seed), 1);
    for (int i = 0; i < l->n; i++) {
        l->z[i] -= m->relief / m->scale * l->t[0][i];
        float seam = 1 - flaw_clamp01(l->t[1][i] * 5);
        l->t[0][i] = flaw_clamp01(m->contrast * (l->t[2][i] * l->t[2][i] * 1.2f + 0.35f * seam));
    }
    flaw_tint_flat(l, m->a);
    flaw_tint_by(l, l->t[0], m->b);
    flaw_noise_map map = flaw_noise_even(m->scale * 3, m->seed + 9);
    flaw_tint_noise(l, map, 2, flaw_rgb_scale(m->b, 0.5f), 0.3f, 1.2f, 0.4f * m->contrast);
}

void flaw_material_fill(flaw_layer *l, const flaw_material *m)
{
    if (l->n == 0) return;
    l->gloss = m->gloss;
    l->metal = m->metal;
    switch (m->kind) {
    case FLAW_BRUSHED: fill_brushed(l, m); break;
    case FLAW_HAMMERED:
    case FLAW_ZINC: fill_facets(l, m); break;
    case FLAW_WOOD:
    case FLAW_SHELL: flaw_fill_wood(l, m); break;
    case FLAW_LEATHER:
    case FLAW_PEEL: flaw_fill_leather(l, m); break;
    case FLAW_CLOTH:
    case FLAW_TWILL: flaw_fill_cloth(l, m); break;
    case FLAW_KNIT: flaw_fill_knit(l, m); break;
    case FLAW_FELT: flaw_fill_felt(l, m); break;
    case FLAW_CARPET: flaw_fill_carpet(l, m); break;
    case FLAW_FUR: flaw_fill_fur(l, m); break;
    case FLAW_MARBLE: flaw_fill_marble(l, m); break;
    case FLAW_GRANITE:
    case FLAW_TERRAZZO: flaw_fill_granite(l, m); break;
    case FLAW_PAPER:
    case FLAW_CARDBOARD: fill_paper(l, m); break;
    case FLAW_FOAM: flaw_fill_foam(l, m); break;
    case FLAW_DOUGH: flaw_fill_dough(l, m); break;
    case FLAW_TILE:
    case FLAW_BRICK: flaw_fill_tile(l, m); break;
    case FLAW_CORK:
    case FLAW_ASPHALT: fill_grains(l, m); break;
    case FLAW_MESH: flaw_fill_mesh(l, m); break;
    case FLAW_PERFORATED: flaw_fill_perforated(l, m); break;
    case FLAW_RIBBED: flaw_fill_ribbed(l, m); break;
    case FLAW_CONCRETE:
    case FLAW_CAST: fill_clouds(l, m, m->scale, 5); break;
    default: fill_clouds(l, m, m->scale, 2); break;
    }
}
