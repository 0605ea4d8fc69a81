/* For test_figures.py: data sets from standard input until it ends, each one's figures as one line of numbers.
 *   'I' u32 n, f32 scores[n], u8 labels[n]                  -> AUROC AP trapezoid-AUPR F1-max
 *   'P' u32 maps, u32 width, u32 height, f32 maps, u8 masks -> AUROC AP F1-max AUPRO cflow-200, exact and then counted */
#include <stdio.h>
#include <stdlib.h>

#include "flaw/metrics.h"

static void *take(size_t size, size_t count)
{
    void *data = malloc(size * count + 1);
    if (!data || fread(data, size, count, stdin) != count) exit(65);
    return data;
}

static void must(flaw_status status)
{
    if (status != FLAW_OK) exit(flaw_status_exit(status));
}

static void pictures(void)
{
    uint32_t *n = take(sizeof *n, 1);
    float *scores = take(sizeof *scores, *n);
    uint8_t *labels = take(1, *n);
    flaw_image_figures f;
    must(flaw_image_measure(&f, scores, labels, *n, NULL));
    printf("%.17g %.17g %.17g %.17g\n", f.auroc, f.ap, f.aupr_trapezoid, f.f1_max);
    free(n);
    free(scores);
    free(labels);
}

static void print_pixels(const flaw_pixel_figures *f, char end)
{
    printf("%.17g %.17g %.17g %.17g %.17g%c", f->auroc.value, f->ap.value, f->f1_max.value, f->aupro.value,
           f->aupro_cflow200.value, end);
}

static void pixels(void)
{
    uint32_t *size = take(sizeof *size, 3);
    const size_t n = size[0], each = (size_t)size[1] * size[2];
    float *maps = take(sizeof *maps, n * each);
    uint8_t *masks = take(1, n * each);
    flaw_pixels_picture *picture = calloc(n, sizeof *picture);
    if (!picture) exit(70);
    for (size_t i = 0; i < n; i++)
        picture[i] = (flaw_pixels_picture){.id = i, .map = maps + i * each, .mask = masks + i * each,
                                           .width = (int)size[1], .height = (int)size[2]};
    flaw_pixel_figures f;
    must(flaw_pixels_exact(&f, picture, n, 0.3, NULL));
    print_pixels(&f, ' ');
    flaw_pixels *p;
    must(flaw_pixels_open(&p, &(flaw_pixels_options){.threads = 2}, NULL));
    must(flaw_pixels_add_batch(p, picture, n, NULL));
    must(flaw_pixels_measure(&f, p, 0.3, NULL));
    print_pixels(&f, '\n');
    flaw_pixels_close(p);
    free(picture);
    free(maps);
    free(masks);
    free(size);
}

int main(void)
{
    for (int kind; (kind = getchar()) != EOF;) {
        if (kind == 'I') pictures();
        else if (kind == 'P') pixels();
        else return 2;
    }
    return 0;
}
