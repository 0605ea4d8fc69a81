/* Why a picture has its score, for methods that judge by sentences: what every sentence did. */
#ifndef FLAW_EXPLAIN_H
#define FLAW_EXPLAIN_H

#include <stdbool.h>

#include "flaw/inspect.h"

/* Two sentences whose embeddings have at least this cosine say the same to the text tower. */
#define FLAW_TWIN_COSINE 0.99

typedef struct flaw_sentence {
    const char *text;
    bool abnormal;      /* which side it speaks for */
    int number;         /* place among the sentences of its side, from 1; banned ones come last */
    double similarity;  /* cosine with what the method looked at */
    double weight;      /* share in its side's prototype; 0 where it was dropped */
    double pull;        /* its part of the margin: negative for normal sentences, positive for abnormal ones; 0 for the
                           kept one that fits this picture worst, and for dropped ones */
    double other;       /* score of the picture had the sentence not been in the set; banned: had it been; NaN when that
                           would leave its side empty, or where a recipe of old does not know */
    bool kept;          /* weight over 0 */
    bool ambiguous;     /* its similarity lies where those of both sides overlap */
    bool pinned, banned;
    bool tips;          /* `other` lies on the other side of the limit: by this sentence the verdict is what it is */
    int twin;           /* index of the nearest other sentence of the set when it is nearer than FLAW_TWIN_COSINE, or -1 */
    double twin_cosine; /* of the nearest other sentence, of either side */
} flaw_sentence;

typedef struct flaw_explanation {
    flaw_sentence *sentence; /* longest pulls first, then by similarity */
    int count;
    int kept[2], total[2];   /* sentences of the normal and the abnormal side that count, and all without banned ones */
    double pull[2];          /* sum of the pulls of each side */
    double margin;           /* of both: over 0 where the words say anomalous */
    double overlap[2];       /* similarities between these are ambiguous; none where the first is larger */
    char rule[16];           /* of contextual scoring: "none", "overlap", "relevance", "soft" */
    char source[160];        /* where the sentences come from */
    flaw_verdict verdict;    /* as the result had them */
    double score, threshold;
    char method[32], object[96];
    void *memory;            /* owned: sentences and texts */
} flaw_explanation;

/* Sentences that this inspector judges by; 0: its method has none, and there is nothing to explain. */
int flaw_inspector_sentences(const flaw_inspector *inspector);

/* Explains the picture judged last. FLAW_USAGE where there is none, where its verdict is unknown, or when the method judges
 * without sentences. */
flaw_status flaw_inspector_explain(flaw_inspector *inspector, flaw_explanation *out, flaw_error *err);
void flaw_explanation_release(flaw_explanation *explanation);

/* One JSON array without newlines, malloc'ed: {side, number, sentence, similarity, weight, pull, kept, ambiguous, pinned,
 * banned, tips, score_without (banned: score_with), duplicate_of {side, number, cosine} when there is one}. NULL without
 * memory. */
char *flaw_explanation_json(const flaw_explanation *explanation);
/* Bar chart: normal pulls to the left, abnormal ones to the right. */
flaw_status flaw_explanation_write_chart(const flaw_explanation *explanation, const char *path, flaw_error *err);

#endif
