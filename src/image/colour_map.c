#include "image/colour_map.h"

#include <math.h>

typedef struct stop {
    float value;
    flaw_colour colour;
} stop;

/* Blue, green, yellow grow out of nothing below the threshold; the warm side begins on it. */
static const stop STOPS[] = {
    {FLAW_HEAT_CLEAR, {40, 90, 255, 0}}, {0.40f, {40, 130, 255, 70}},
    {0.45f, {40, 205, 130, 95}},         {FLAW_HEAT_THRESHOLD, {250, 225, 50, 120}},
    {0.56f, {255, 145, 10, 140}},        {0.68f, {242, 45, 25, 155}},
    {1.00f, {175, 0, 35, 175}},
};
enum { STOP_COUNT = sizeof STOPS / sizeof STOPS[0] };

static const flaw_colour NOT_A_NUMBER = {128, 128, 128, 200};

static uint8_t mix(uint8_t a, uint8_t b, float t)
{
    return (uint8_t)((float)a + ((float)b - (float)a) * t + 0.5f);
}

flaw_colour flaw_heat_colour(float value)
{
    if (isnan(value)) return NOT_A_NUMBER;
    if (value < FLAW_HEAT_CLEAR) return (flaw_colour){0, 0, 0, 0};
    int i = 0;
    while (i < STOP_COUNT - 1 && value >= STOPS[i + 1].value) i++;
    if (i == STOP_COUNT - 1) return STOPS[i].colour;
    const stop *a = &STOPS[i], *b = &STOPS[i + 1];
    float t = (value - a->value) / (b->value - a->value);
    return (flaw_colour){mix(a->colour.r, b->colour.r, t), mix(a->colour.g, b->colour.g, t),
                         mix(a->colour.b, b->colour.b, t), mix(a->colour.a, b->colour.a, t)};
}

float flaw_heat_value(float raw, float low, float threshold)
{
    if (!(threshold > low)) return NAN;
    return 0.5f + 0.5f * (raw - threshold) / (threshold - low);
}
