/* Captions in the manner of CLIP's training texts: how the picture was taken, how many, what, in which state, where. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "learn/paint/defect.h"
#include "learn/scene/scene.h"

const char *flaw_scene_place(const uint8_t *mask, int size)
{
    static const char *const names[9] = {"top left", "top",         "top right", "left",        "center",
                                         "right",    "bottom left", "bottom",    "bottom right"};
    double x = 0, y = 0, n = 0;
    for (int j = 0; j < size; j++)
        for (int i = 0; i < size; i++)
            if (mask[(size_t)j * (size_t)size + (size_t)i]) x += i, y += j, n++;
    if (n <= 0) return "";
    int column = (int)(3 * x / n / size), row = (int)(3 * y / n / size);
    return names[3 * (row > 2 ? 2 : row) + (column > 2 ? 2 : column)];
}

static const char *any_of(flaw_random *r, const char *const *words, int n)
{
    return words[flaw_random_below(r, n)];
}

static const char *article(const char *next)
{
    return strchr("aeiou", next[0]) ? "an" : "a";
}

/* "a metal nut", "4 metal nuts", "leather" stay readable without grammar beyond the plural s. */
static void say_object(flaw_buffer *b, const flaw_scene *s, const char *adjective)
{
    size_t n = strlen(s->object);
    bool ending = n && strchr("shxz", s->object[n - 1]) != NULL;
    const char *first = adjective[0] ? adjective : s->object;
    if (s->object_count > 1) flaw_buffer_printf(b, "%d ", s->object_count);
    else if (!s->texture) flaw_buffer_printf(b, "%s ", article(first));
    if (adjective[0]) flaw_buffer_printf(b, "%s ", adjective);
    flaw_buffer_text(b, s->object);
    if (s->object_count > 1) flaw_buffer_text(b, ending ? "es" : "s");
}

static void say_state(flaw_buffer *b, const flaw_scene *s, flaw_random *r)
{
    static const char *const bad[] = {"damaged", "defective", "flawed", "broken", "faulty"};
    static const char *const good[] = {"flawless", "perfect", "undamaged", "intact", "unblemished", "good", "clean"};
    static const char *const without[] = {" without defect", " without flaw", " without damage",
                                          " in perfect condition"};
    if (!s->anomalous) {
        double p = flaw_random_uniform(r);
        say_object(b, s, p < 0.5 ? any_of(r, good, 7) : "");
        if (p >= 0.5 && p < 0.75) flaw_buffer_text(b, any_of(r, without, 4));
        return;
    }
    int kind = flaw_defect_find(s->defect);
    const char *phrase = kind >= 0 ? flaw_defect_phrase(kind) : NULL;
    say_object(b, s, flaw_chance(r, 0.25) ? any_of(r, bad, 5) : "");
    if (flaw_chance(r, 0.1)) {
        flaw_buffer_text(b, " with a defect");
    } else if (phrase) {
        flaw_buffer_printf(b, " with %s", phrase);
    } else {
        flaw_buffer_printf(b, " with %s %s", article(s->defect), s->defect);
    }
    if (flaw_chance(r, 0.6)) flaw_buffer_printf(b, strcmp(s->place, "center") ? " on the %s" : " in the %s", s->place);
}

void flaw_scene_caption(flaw_scene *scene, flaw_random *r)
{
    static const char *const shots[] = {"a photo of ",
                                        "a cropped photo of ",
                                        "a close-up photo of ",
                                        "a picture of ",
                                        "a bright photo of ",
                                        "an image of ",
                                        ""};
    flaw_buffer b;
    flaw_buffer_init(&b, sizeof scene->caption - 1);
    flaw_buffer_text(&b, shots[flaw_random_below(r, 7)]);
    say_state(&b, scene, r);
    if (scene->background[0] && flaw_chance(r, 0.4)) flaw_buffer_printf(&b, " %s", scene->background);
    if (b.data && !b.failed) memcpy(scene->caption, b.data, b.size + 1);
    flaw_buffer_release(&b);
}
