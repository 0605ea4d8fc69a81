/* What the readers, the encoder and the writer of sentencepiece.h share. */
#ifndef FLAW_MODEL_PIECES_IMPL_H
#define FLAW_MODEL_PIECES_IMPL_H

#include "model/text/bpe.h"
#include "model/text/sentencepiece.h"

#define FLAW_PIECE_LIMIT 1024          /* bytes of one piece */
#define FLAW_PIECES_LIMIT (1 << 22)    /* pieces of a vocabulary */
#define FLAW_SPACE_MARK "\xe2\x96\x81" /* U+2581, what stands for a space in a piece */
#define FLAW_SPACE_MARK_SIZE 3

/* What a vocabulary says beside its pieces. */
typedef struct flaw_pieces_rules {
    int bos, eos, unknown; /* ids or -1 */
    bool dummy_prefix;     /* one space before the text */
    bool collapse;         /* runs of spaces become one, those at both ends go (remove_extra_whitespaces) */
    bool plain_spaces;     /* spaces stay spaces (escape_whitespaces off) */
    bool bytes;            /* 256 byte pieces are there: what is in no piece is read as bytes */
} flaw_pieces_rules;

struct flaw_pieces {
    flaw_arena arena;
    flaw_bpe table;    /* symbol i is piece i; its id is -1 for what no text may become */
    flaw_piece *piece; /* [count] */
    uint32_t *rank;    /* [count] by score, the highest score has the lowest rank */
    int count;
    int32_t byte[256]; /* ids of the byte pieces, or -1 */
    flaw_pieces_rules rules;
};

/* Copies pieces and rules. `rules->bytes` is found out here. The pieces named bos and eos become control pieces, the
 * one named unknown the unknown piece, whatever their kind was. */
flaw_status flaw_pieces_build(flaw_pieces **out, const flaw_piece *piece, size_t count, const flaw_pieces_rules *rules,
                              const char *name, flaw_error *err);
/* Value of "<0xXX>" (capital digits), -1 for any other text. */
int flaw_piece_byte(const char *text, size_t size);

#endif
