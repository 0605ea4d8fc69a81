/* A rectangle of pixels: columns [x, x+width), rows [y, y+height). */
#ifndef FLAW_IMAGE_BOX_H
#define FLAW_IMAGE_BOX_H

typedef struct flaw_box {
    int x, y, width, height;
} flaw_box;

#endif
