/* What the methods need and which options each takes: what `flaw method list` prints. */
#ifndef FLAW_METHOD_FACTS_H
#define FLAW_METHOD_FACTS_H

/* What a method needs, as bits. */
typedef enum flaw_needs {
    FLAW_NEEDS_TEXT = 1,       /* a model with a text tower */
    FLAW_NEEDS_GOOD = 2,       /* good parts */
    FLAW_NEEDS_BATCH = 4,      /* the unlabelled pictures that are judged, all at once: they go where good parts go
                                  (flaw_inspect_options.good) */
    FLAW_NEEDS_TRAINING = 8,   /* a part of its own that was trained, or that it trains itself from good parts */
    FLAW_NEEDS_LOCAL_HEAD = 16 /* a model whose patches meet the text by training */
} flaw_needs;

typedef enum flaw_option_kind {
    FLAW_OPTION_WHOLE,
    FLAW_OPTION_NUMBER,
    FLAW_OPTION_SHARE,
    FLAW_OPTION_CHOICE
} flaw_option_kind;

/* One option of a method, written NAME=VALUE in flaw_inspect_options.method_options, several with commas between. */
typedef struct flaw_method_option {
    const char *name; /* NULL ends a list */
    flaw_option_kind kind;
    double low, high, standard; /* of a choice: standard is its place in `choices` */
    const char *choices;        /* "auto|on|off" */
    const char *about;
} flaw_method_option;

typedef struct flaw_method_facts {
    const char *name;
    const char *about;                /* one line */
    const char *paper;                /* authors, year, number at arXiv or place; "own" where there is none */
    int needs;                        /* FLAW_NEEDS_* */
    const flaw_method_option *option; /* ends with name NULL; NULL where there are none */
} flaw_method_facts;

/* The methods in the order of the table; name NULL at and beyond flaw_method_count(). */
flaw_method_facts flaw_method_tell(int index);
/* What a method needs; 0 for NULL, "auto" and names that are unknown. */
int flaw_method_needs(const char *name);

/* Methods of the papers this program follows that are not there, and why. */
typedef struct flaw_method_absence {
    const char *name, *paper, *reason; /* all NULL beyond the last */
} flaw_method_absence;
flaw_method_absence flaw_method_absent(int index);

#endif
