#ifndef FLAW_LEARN_SCENE_CAMERA_H
#define FLAW_LEARN_SCENE_CAMERA_H

/* What a JPEG file of low quality does: 8 x 8 cosine transform of luma and colour difference, coefficients rounded to
 * multiples of the standard's example tables (ITU-T T.81, annex K) times `coarse`. x [height, width, 3], 0 .. 255. */
void flaw_camera_blocks(float *x, int width, int height, float coarse);

#endif
