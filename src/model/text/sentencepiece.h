/* LLaMA's tokenizer: SentencePiece byte-pair encoding by score (llama "SPM"), with byte fallback.
 *
 * A text gets one leading space (the dummy prefix) when the vocabulary says so, spaces become U+2581, then characters
 * merge, highest score first and leftmost on ties; what is not in the vocabulary falls back to bytes <0xXX>, or to the
 * unknown piece. Words never become control: "<s>" or "</s>" in a text is read as plain characters. */
#ifndef FLAW_MODEL_SENTENCEPIECE_H
#define FLAW_MODEL_SENTENCEPIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "format/tensors.h"

typedef struct flaw_pieces flaw_pieces;

/* SentencePiece's own numbers. */
typedef enum flaw_piece_kind {
    FLAW_PIECE_NORMAL = 1,
    FLAW_PIECE_UNKNOWN,
    FLAW_PIECE_CONTROL,
    FLAW_PIECE_USER,
    FLAW_PIECE_UNUSED,
    FLAW_PIECE_BYTE
} flaw_piece_kind;

typedef struct flaw_piece {
    const char *text; /* UTF-8, U+2581 for a space; not NUL-terminated */
    size_t size;
    float score;
    flaw_piece_kind kind;
} flaw_piece;

/* tokenizer.model (protocol buffer of sentencepiece): BPE models; a unigram model is refused by name. */
flaw_status flaw_pieces_from_model(flaw_pieces **out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err);
/* llama2.c's tokenizer.bin with `vocab` pieces. */
flaw_status flaw_pieces_from_llama2c(flaw_pieces **out, const uint8_t *bytes, size_t size, int vocab, const char *name,
                                     flaw_error *err);
/* From a list (GGUF's metadata, the learner): copied. bos, eos, unknown: ids or -1. */
flaw_status flaw_pieces_from_list(flaw_pieces **out, const flaw_piece *piece, size_t count, int bos, int eos, int unknown,
                                  bool dummy_prefix, const char *name, flaw_error *err);
/* From the metadata of a GGUF file (tokenizer.ggml.*); *out NULL and FLAW_OK when it has no tokenizer. One that is not LLaMA's
 * is FLAW_UNAVAILABLE. */
flaw_status flaw_pieces_from_gguf(flaw_pieces **out, const flaw_tensors *file, flaw_error *err);
void flaw_pieces_free(flaw_pieces *p);

int flaw_pieces_count(const flaw_pieces *p);
int flaw_pieces_bos(const flaw_pieces *p);
int flaw_pieces_eos(const flaw_pieces *p);
/* Id of a piece by its exact text ("##", "<0x0A>"), -1 when there is none. */
int flaw_pieces_find(const flaw_pieces *p, const char *text);

/* Ids of a text, without beginning and end tokens. At most `room` are written; *count says how many there are. Invalid UTF-8 is
 * read byte by byte. FLAW_USAGE for more than 1 MiB of text. */
flaw_status flaw_pieces_encode(const flaw_pieces *p, const char *text, size_t size, int32_t *ids, size_t room, size_t *count,
                               flaw_error *err);
/* Append the text of a token: U+2581 becomes a space, byte pieces become bytes, control pieces nothing.
 * `first`: the leading space of the dummy prefix is left out. Ids out of range append nothing. */
void flaw_pieces_append(const flaw_pieces *p, int32_t id, bool first, flaw_buffer *out);
/* Bytes of `text` [size] up to the end of its last complete UTF-8 character: what may be shown while words arrive. */
size_t flaw_pieces_complete(const char *text, size_t size);

/* The same as tokenizer.model (what the bundle keeps). */
void flaw_pieces_write(const flaw_pieces *p, flaw_buffer *out);

#endif
