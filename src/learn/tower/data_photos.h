/* Photographs for training, decoded once and kept small in memory. */
#ifndef FLAW_LEARN_DATA_PHOTOS_H
#define FLAW_LEARN_DATA_PHOTOS_H

#include "base/pool.h"
#include "flaw/picture.h"
#include "flaw/train.h"
#include "learn/tower/data_words.h"

#define FLAW_PHOTO_SIDE 288 /* shorter side at most */

typedef struct flaw_photo {
    flaw_picture picture;
    char name[FLAW_NAME]; /* "" when its files tell nothing */
    int product;          /* number of its source, from 1, where that has a name: all its pictures show one product; else 0 */
    double end;           /* running sum of weights up to and with this one */
} flaw_photo;

typedef struct flaw_photos {
    flaw_photo *item;
    size_t count;
} flaw_photos;

/* FLAW_MISSING when a source has no pictures; a file that cannot be read is an error that names it. */
flaw_status flaw_photos_load(flaw_photos *out, const flaw_train_source *sources, int count, flaw_pool *pool,
                             flaw_error *err);
void flaw_photos_release(flaw_photos *photos);
/* One photograph, by weight. */
const flaw_photo *flaw_photos_pick(const flaw_photos *photos, flaw_random *random);

/* Words from a path such as "fruit__apple__Golden-Delicious__Golden-Delicious_023.jpg": the last part that is made of
 * words and not of numbers, hashes or camera names. */
void flaw_photo_name(char out[FLAW_NAME], const char *path);

#endif
