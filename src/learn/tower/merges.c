#include "learn/tower/merges.h"

#include <string.h>

flaw_status flaw_merger_init(flaw_merger *m, size_t words, int room, flaw_arena *arena, flaw_error *err)
{
    *m = (flaw_merger){.words = words, .room = room};
    m->word = flaw_arena_alloc(arena, words, sizeof *m->word);
    m->name = flaw_arena_alloc(arena, (size_t)room, sizeof *m->name);
    m->pair = flaw_arena_alloc(arena, (size_t)room * (size_t)room, sizeof *m->pair);
    if (!m->word || !m->name || !m->pair) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to learn a vocabulary");
    return FLAW_OK;
}

/* A pair against the best so far: more often, or as often and earlier in byte order. */
static bool better(const flaw_merger *m, int a, int b, int count, int best, int left, int right)
{
    if (count != best) return count > best;
    int order = strcmp(m->name[a], m->name[left]);
    return order < 0 || (order == 0 && strcmp(m->name[b], m->name[right]) < 0);
}

bool flaw_merger_best(flaw_merger *m, int *left, int *right)
{
    int best = 0;
    for (size_t w = 0; w < m->words; w++)
        for (int i = 0; i + 1 < m->word[w].length; i++)
            m->pair[m->word[w].symbol[i] * m->room + m->word[w].symbol[i + 1]] += m->word[w].count;
    for (size_t w = 0; w < m->words; w++)
        for (int i = 0; i + 1 < m->word[w].length; i++) {
            int a = m->word[w].symbol[i], b = m->word[w].symbol[i + 1], *count = &m->pair[a * m->room + b];
            if (*count && better(m, a, b, *count, best, *left, *right)) {
                best = *count;
                *left = a;
                *right = b;
            }
            *count = 0;
        }
    return best > 0;
}

void flaw_merger_join(flaw_merger *m, int left, int right, int joined)
{
    for (size_t w = 0; w < m->words; w++) {
        flaw_merge_word *s = &m->word[w];
        int kept = 0;
        for (int i = 0; i < s->length; i++) {
            bool both = i + 1 < s->length && s->symbol[i] == left && s->symbol[i + 1] == right;
            s->symbol[kept++] = both ? joined : s->symbol[i];
            i += both;
        }
        s->length = kept;
    }
}

char *flaw_merger_text(const flaw_merger *m, int left, int right, flaw_arena *arena)
{
    size_t a = strlen(m->name[left]), b = strlen(m->name[right]);
    char *text = flaw_arena_alloc(arena, a + b + 1, 1);
    if (!text) return NULL;
    memcpy(text, m->name[left], a);
    memcpy(text + a, m->name[right], b);
    return text;
}
