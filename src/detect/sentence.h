/* One sentence about an object, looked at by rules: what makes it mislead a text tower that barely reads negation and
 * cuts long texts (spec 5.8, 5.9). Words are compared without regard to case. */
#ifndef FLAW_DETECT_SENTENCE_H
#define FLAW_DETECT_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>

#define FLAW_WORD_ROOM 64

/* The next word of *at in small letters, cut to fit; false at the end. */
bool flaw_word_next(const char **at, char word[FLAW_WORD_ROOM]);

/* Does it hold the last word of the object's name, in one or many, or the placeholder "{}"? */
bool flaw_sentence_names(const char *sentence, const char *object);
/* Words, and about how many tokens a CLIP tokenizer makes of them, start and end included. */
void flaw_sentence_length(int *words, int *tokens, const char *sentence);
/* The first word that does not belong into its list, words of the object's own name left aside. Into the normal list: a
 * negation ("without": the tower reads what follows it). Into the abnormal one: also a word of praise ("flawless"). */
bool flaw_sentence_negation(char word[FLAW_WORD_ROOM], const char *sentence, const char *object, bool abnormal);
/* The first word that names a defect. */
bool flaw_sentence_defect(char word[FLAW_WORD_ROOM], const char *sentence, const char *object);
/* The same words but for articles, case and punctuation? */
bool flaw_sentence_same(const char *a, const char *b);

#endif
