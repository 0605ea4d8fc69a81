/* The types that weights_span.h unpacks: a product of each, with the type a constant. Included behind
 *   product_of(type, p, scratch)    inlined, and
 *   span                            of the vectors of a bundle. */

static size_t bundle_size(int n)
{
    return (size_t)spans_of(n) * sizeof(span);
}

#define PRODUCT(name, type)                                                                                            \
    static __attribute__((noinline)) void product_##name(const flaw_weight_product *p, void *scratch)                  \
    {                                                                                                                  \
        product_of(type, p, scratch);                                                                                  \
    }

PRODUCT(q8_0, FLAW_WEIGHT_Q8_0)
PRODUCT(q4_0, FLAW_WEIGHT_Q4_0)
PRODUCT(q4_1, FLAW_WEIGHT_Q4_1)
PRODUCT(q4_k, FLAW_WEIGHT_Q4_K)

static void product_any(const flaw_weight_product *p, void *scratch)
{
    switch (p->type) {
    case FLAW_WEIGHT_Q8_0: product_q8_0(p, scratch); break;
    case FLAW_WEIGHT_Q4_0: product_q4_0(p, scratch); break;
    case FLAW_WEIGHT_Q4_1: product_q4_1(p, scratch); break;
    default: product_q4_k(p, scratch); break;
    }
}

#define READS_EACH {[FLAW_WEIGHT_Q8_0] = true, [FLAW_WEIGHT_Q4_0] = true, [FLAW_WEIGHT_Q4_1] = true, [FLAW_WEIGHT_Q4_K] = true}
