/* Learn a vocabulary of pieces in LLaMA's form from texts: byte-pair merges within words by frequency, each word with
 * its leading U+2581. In this order: <unk>, <s>, </s>, 256 bytes, merges, characters; scores fall from 0 as merges come
 * later.
 *
 * A text is cut into words as the encoder (model/text/sentencepiece.h) will see it: the dummy prefix before it, a space
 * begins a word, and within that letters (and apostrophes), each single digit, and signs are apart. A line end is no
 * piece: it stays the byte <0x0A>, as in LLaMA's own vocabulary. */
#ifndef FLAW_LEARN_PIECES_LEARN_H
#define FLAW_LEARN_PIECES_LEARN_H

#include "learn/tower/word_counts.h"
#include "model/text/sentencepiece.h"

/* Count the words of one text. */
flaw_status flaw_piece_words_add(flaw_word_counts *counts, const char *text, size_t size, int weight, flaw_error *err);

/* A vocabulary of at most `size` pieces: fewer only when no pair of neighbours is left. All of ASCII that can be seen
 * is in it, and other characters that occur 16 times or more. FLAW_USAGE when `size` leaves no room for them or passes
 * 4096. */
flaw_status flaw_pieces_learn(flaw_pieces **out, const flaw_word_counts *counts, int size, flaw_error *err);

#endif
