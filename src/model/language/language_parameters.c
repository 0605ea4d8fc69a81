/* The walk over the parameters of a language model, and the limits of its shape. */
#include "model/language/language.h"
#include "model/tower/walk.h"

static void visit_all(flaw_walk *w, void *view, const void *shape)
{
    flaw_language_view *v = view;
    const flaw_language_shape *s = shape;
    flaw_block_weights none;
    int d = s->block.width;
    flaw_walk_visit(w, &v->token, s->vocab, d, "language.token");
    for (int i = 0; i < s->layers; i++)
        flaw_walk_block(w, w->base ? &v->block[i] : &none, &s->block, false, "language", i);
    flaw_walk_visit(w, &v->norm, 0, d, "language.norm");
    if (!s->tied) flaw_walk_visit(w, &v->head, s->vocab, d, "language.head");
    else if (w->base) v->head = v->token;
}

flaw_status flaw_language_parameters(flaw_parameters *out, const flaw_language_shape *shape, flaw_arena *arena,
                                     flaw_error *err)
{
    flaw_language_view none = {0};
    flaw_status status = flaw_language_shape_check(shape, "language model", err);
    return status ? status : flaw_walk_list(out, visit_all, &none, shape, arena, err);
}

flaw_status flaw_language_view_over(flaw_language_view *out, const flaw_language_shape *shape,
                                    const flaw_parameters *list, float *base, flaw_arena *arena, flaw_error *err)
{
    flaw_language_view v = {0};
    v.block = flaw_arena_alloc(arena, (size_t)shape->layers, sizeof *v.block);
    if (!v.block) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the view of a language model");
    flaw_walk_view(list, visit_all, &v, shape, base);
    *out = v;
    return FLAW_OK;
}

/* The limits are far above any published model and keep every later product of sizes in range. */
flaw_status flaw_language_shape_check(const flaw_language_shape *s, const char *name, flaw_error *err)
{
    const flaw_block_shape *b = &s->block;
    const struct {
        const char *what;
        int value, min, max;
    } limits[] = {
        {"width", b->width, 1, 16384},
        {"number of heads", b->heads, 1, 1024},
        {"number of key and value heads", b->kv_heads, 0, b->heads},
        {"hidden width of an MLP", b->hidden, 1, 131072},
        {"number of layers", s->layers, 1, 512},
        {"vocabulary", s->vocab, 3, 1 << 24},
        {"context length", s->context, 1, FLAW_CONTEXT_LIMIT},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (limits[i].value < limits[i].min || limits[i].value > limits[i].max)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: %s is %d, allowed are %d to %d", name, limits[i].what,
                             limits[i].value, limits[i].min, limits[i].max);
    if (b->width % (2 * b->heads))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: width %d is not an even multiple of its %d heads", name, b->width,
                         b->heads);
    if (b->width / b->heads > 1024)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: width %d for %d heads, allowed are up to 1024 for each", name, b->width,
                         b->heads);
    if (b->kv_heads && b->heads % b->kv_heads)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %d heads are not a multiple of %d key and value heads", name,
                         b->heads, b->kv_heads);
    if (!(b->eps > 0 && b->eps < 1))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: epsilon of the norms is %g, allowed are values in (0, 1)", name,
                         (double)b->eps);
    if (!(b->rotary_base >= 1 && b->rotary_base <= 1e9f))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: base of the rotary positions is %g, allowed are 1 to 1e9", name,
                         (double)b->rotary_base);
    if (!b->causal || !b->rms || !b->gated || b->rotary == FLAW_ROTARY_NONE)
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: a language model is causal, with RMS norms, gated MLPs and rotary positions", name);
    return FLAW_OK;
}
