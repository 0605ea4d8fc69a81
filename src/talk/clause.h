/* English as answers use it: a text cut into clauses, a clause into words whose kinds are known. Any bytes are allowed;
 * what is not known is a word without a kind. */
#ifndef FLAW_TALK_CLAUSE_H
#define FLAW_TALK_CLAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of words; one word may have several. */
#define FLAW_IS(bit) ((uint64_t)1 << (bit))
enum {
    W_YES,
    W_NO,
    W_NOT,        /* negates what follows: not, isn't, never, neither */
    W_WITHOUT,    /* the same, and takes back a negation before it: without, free (of), lacks */
    W_GENERAL,    /* anomaly, defect, damage */
    W_SPECIFIC,   /* scratch, hole */
    W_REGION,     /* region, area: an anomaly after a bad adjective */
    W_GOOD,       /* normal, intact */
    W_BAD,        /* anomalous, broken */
    W_MAYBE,      /* if, should, usually: the clause states nothing */
    W_COULD,      /* the same unless something is negated ("no anomaly could be found") */
    W_ELSE,       /* other, rest: what is denied or praised is not the whole */
    W_SUBJECT,    /* there, it, the: after a comma a new statement begins */
    W_DOUBT,      /* unsure */
    W_KNOW,       /* with a negation: doubt (cannot tell) */
    W_QUESTIONED, /* doubt, question: "no doubt" denies nothing else */
    W_COMPOUND,   /* "anomaly detection" is no anomaly */
    W_HAS,        /* there, has, shows: what follows exists */
    W_LOOK,       /* see, find: what follows exists, unless "to" stands before */
    W_SEEN,       /* visible, found: what stands before or behind exists */
    W_ARTICLE,    /* a, an, another: one */
    W_DEFINITE,   /* the, this, its */
    W_MANY,       /* several: a number that is not said */
    W_UNIT,       /* mm: the number before it counts no things */
    W_ANY,
    W_OF,
    W_TO,
    W_ON,
    W_AT, /* at, in, near */
    W_AND,
    W_OR,
    W_AUXILIARY, /* is, were, can */
    W_ONLY,
    W_FREE,
    W_TOP,
    W_BOTTOM,
    W_LEFT,
    W_RIGHT,
    W_MIDDLE,
    W_NEEDS_SIDE,      /* upper, lower: a place only beside another place word or before "part", "side" */
    W_SIDE,            /* part, side, corner */
    W_NO_PLACE_AFTER,  /* "are right", "nothing left": what follows is no place */
    W_NO_PLACE_BEFORE, /* "right now", "left over" */
    W_TURN,            /* but, however, because: a clause of its own begins */
    W_PARTICIPLE,      /* with, having: has, but no verb of a sentence */
    W_EVERY,           /* every, each: what follows is a kind */
    W_DEFINES,         /* means, defined */
    W_NAME,            /* flaw: this program's name, too */
    W_NAMED,           /* called, by: a name follows */
    W_ACTS,            /* says, judged: who does it is no anomaly */
};

typedef enum flaw_gap { FLAW_GAP_SPACE, FLAW_GAP_JOIN, FLAW_GAP_COMMA } flaw_gap; /* JOIN: a hyphen */

typedef struct flaw_word {
    uint64_t is;
    int number;   /* of "2", "two", "pair"; -1 for others */
    flaw_gap gap; /* what stands before it */
} flaw_word;

#define FLAW_CLAUSE_WORDS 160 /* longer ones are cut */

typedef struct flaw_clause {
    flaw_word word[FLAW_CLAUSE_WORDS];
    int count;
    bool question; /* its sentence ends with a question mark */
    bool turned;   /* another clause of its sentence follows at a word of W_TURN */
} flaw_clause;

/* Reads on; a state of its own for each text. */
typedef struct flaw_clauses {
    const char *at, *end, *sentence_end;
    bool question;
    const char *name; /* NULL, or what is one word without a kind wherever it stands: "hole saw" */
} flaw_clauses;

flaw_clauses flaw_clauses_over(const char *text, size_t size);
bool flaw_clause_next(flaw_clauses *c, flaw_clause *out); /* false at the end */

static inline bool flaw_word_is(const flaw_clause *c, int i, int bit)
{
    return i >= 0 && i < c->count && (c->word[i].is & FLAW_IS(bit));
}

#endif
