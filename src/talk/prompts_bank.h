/* The bank that the small model inside chooses from: frames ("a photo of a {} with %s") times states of a product, each
 * state for the materials that can have it. */
#ifndef FLAW_TALK_PROMPTS_BANK_H
#define FLAW_TALK_PROMPTS_BANK_H

#define FLAW_BANK_FRAMES 4

/* What the words of a name and a brief say a thing is made of; bits, 0: they do not say. */
unsigned flaw_bank_materials(const char *object, const char *brief);
/* State number `index` of a side ("a scratch", "an even surface"); NULL behind the last. *fits: these materials can
 * have it (what is made of nobody knows what has only states that all can have). */
const char *flaw_bank_state(int side, int index, unsigned materials, int *fits);
/* "{}" stands for the object, "%s" for the state. */
const char *flaw_bank_frame(int side, int frame);

#endif
