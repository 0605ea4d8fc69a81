#include "measure/eval/published.h"

#include <math.h>
#include <string.h>

#include "base/path.h"

/* Pictures of each class over all its parts: Bergmann et al. (2019), table 1 (training + test); Zou et al. (2022), table 1. */
static const flaw_benchmark_class CLASSES[] = {
    {FLAW_BENCHMARK_MVTEC, "bottle", 229, 63},      {FLAW_BENCHMARK_MVTEC, "cable", 282, 92},
    {FLAW_BENCHMARK_MVTEC, "capsule", 242, 109},    {FLAW_BENCHMARK_MVTEC, "carpet", 308, 89},
    {FLAW_BENCHMARK_MVTEC, "grid", 285, 57},        {FLAW_BENCHMARK_MVTEC, "hazelnut", 431, 70},
    {FLAW_BENCHMARK_MVTEC, "leather", 277, 92},     {FLAW_BENCHMARK_MVTEC, "metal_nut", 242, 93},
    {FLAW_BENCHMARK_MVTEC, "pill", 293, 141},       {FLAW_BENCHMARK_MVTEC, "screw", 361, 119},
    {FLAW_BENCHMARK_MVTEC, "tile", 263, 84},        {FLAW_BENCHMARK_MVTEC, "toothbrush", 72, 30},
    {FLAW_BENCHMARK_MVTEC, "transistor", 273, 40},  {FLAW_BENCHMARK_MVTEC, "wood", 266, 60},
    {FLAW_BENCHMARK_MVTEC, "zipper", 272, 119},     {FLAW_BENCHMARK_VISA, "candle", 1000, 100},
    {FLAW_BENCHMARK_VISA, "capsules", 602, 100},    {FLAW_BENCHMARK_VISA, "cashew", 500, 100},
    {FLAW_BENCHMARK_VISA, "chewinggum", 503, 100},  {FLAW_BENCHMARK_VISA, "fryum", 500, 100},
    {FLAW_BENCHMARK_VISA, "macaroni1", 1000, 100},  {FLAW_BENCHMARK_VISA, "macaroni2", 1000, 100},
    {FLAW_BENCHMARK_VISA, "pcb1", 1004, 100},       {FLAW_BENCHMARK_VISA, "pcb2", 1001, 100},
    {FLAW_BENCHMARK_VISA, "pcb3", 1006, 100},       {FLAW_BENCHMARK_VISA, "pcb4", 1005, 100},
    {FLAW_BENCHMARK_VISA, "pipe_fryum", 500, 100},
};

enum { WINCLIP, REBUILT, REPEATED };

static const flaw_published_source SOURCES[] = {
    [WINCLIP] = {"Jeong et al. 2023",
                 "Jeong et al., WinCLIP: Zero-/Few-Shot Anomaly Classification and Segmentation, CVPR 2023, tables of the "
                 "paper and of each class in its supplement, as repeated by public re-implementations. CLIP ViT-B/16+ at "
                 "240 (LAION-400M). No public build known here reaches its zero-shot pixel figures."},
    [REBUILT] = {"zqhang's build",
                 "Accurate-WinCLIP-pytorch by zqhang, figures of its README: WinCLIP built again, the same backbone."},
    [REPEATED] = {"VisualAD's comparison",
                  "Comparison in the README of VisualAD: WinCLIP run again; APRIL-GAN, AnomalyCLIP, AdaCLIP and VisualAD "
                  "trained on auxiliary data with defects and masks (CLIP ViT-L/14 at 336, used at 518)."},
};

#define NONE NAN /* not given */
#define MVTEC FLAW_BENCHMARK_MVTEC
#define VISA FLAW_BENCHMARK_VISA

/* image AUROC, AP, F1-max, pixel AUROC, AP, PRO, F1-max */
static const flaw_published_row ROWS[] = {
    {MVTEC, "", "WinCLIP", 0, WINCLIP, {91.8, 96.5, 92.9, 85.1, NONE, 64.6, 31.7}},
    {MVTEC, "", "WinCLIP+", 1, WINCLIP, {93.1, 96.5, 93.7, 95.2, NONE, 87.1, 55.9}},
    {MVTEC, "", "WinCLIP+", 2, WINCLIP, {94.4, 97.0, 94.4, 96.0, NONE, 88.4, 58.4}},
    {MVTEC, "", "WinCLIP+", 4, WINCLIP, {95.2, 97.3, 94.7, 96.2, NONE, 89.0, 59.5}},
    {MVTEC, "", "WinCLIP, built again", 0, REBUILT, {90.4, 95.6, 92.7, 82.3, 18.2, 61.9, 24.8}},
    {MVTEC, "", "WinCLIP+, built again", 1, REBUILT, {93.7, NONE, NONE, 93.6, NONE, 84.1, 43.2}},
    {MVTEC, "", "WinCLIP+, built again", 2, REBUILT, {93.7, NONE, NONE, 93.8, NONE, 84.8, 43.8}},
    {MVTEC, "", "WinCLIP+, built again", 4, REBUILT, {95.3, NONE, NONE, 94.2, NONE, 85.4, 45.9}},
    {MVTEC, "", "WinCLIP+, built again", 8, REBUILT, {95.6, NONE, NONE, 94.5, NONE, 86.0, 45.9}},
    {MVTEC, "", "WinCLIP, run again", 0, REPEATED, {90.4, 95.6, 92.7, 82.3, 18.2, 62.0, 24.8}},
    {MVTEC, "", "APRIL-GAN", 0, REPEATED, {86.1, 93.6, 90.4, 87.5, 39.1, 43.7, 42.3}},
    {MVTEC, "", "AnomalyCLIP", 0, REPEATED, {91.6, 96.2, 92.7, 91.0, 34.4, 81.7, 38.9}},
    {MVTEC, "", "AdaCLIP", 0, REPEATED, {92.0, 96.4, 92.7, 88.5, 41.0, 47.6, 43.9}},
    {MVTEC, "", "VisualAD (CLIP)", 0, REPEATED, {92.2, 96.7, 93.2, 90.8, 41.2, 87.5, 43.9}},
    {VISA, "", "WinCLIP", 0, WINCLIP, {78.1, 81.2, 79.0, 79.6, NONE, 56.8, 14.8}},
    {VISA, "", "WinCLIP+", 1, WINCLIP, {83.8, 85.1, 83.1, 96.4, NONE, 85.1, 41.3}},
    {VISA, "", "WinCLIP+", 2, WINCLIP, {84.6, 85.8, 83.0, 96.8, NONE, 86.2, 43.5}},
    {VISA, "", "WinCLIP+", 4, WINCLIP, {87.3, 88.8, 84.2, 97.2, NONE, 87.6, 47.0}},
    {VISA, "", "WinCLIP, built again", 0, REBUILT, {75.5, 78.7, 78.2, 73.2, 5.4, 51.0, 9.0}},
    {VISA, "", "WinCLIP+, built again", 1, REBUILT, {83.8, NONE, NONE, 94.7, NONE, 80.5, 22.9}},
    {VISA, "", "WinCLIP+, built again", 2, REBUILT, {83.4, NONE, NONE, 95.1, NONE, 81.2, 23.9}},
    {VISA, "", "WinCLIP+, built again", 4, REBUILT, {84.1, NONE, NONE, 95.2, NONE, 81.4, 25.3}},
    {VISA, "", "WinCLIP+, built again", 8, REBUILT, {86.0, NONE, NONE, 95.3, NONE, 81.6, 25.8}},
    {VISA, "", "WinCLIP, run again", 0, REPEATED, {75.6, 78.8, 78.2, 73.2, 5.4, 51.1, 9.0}},
    {VISA, "", "APRIL-GAN", 0, REPEATED, {77.4, 80.9, 78.6, 93.8, 26.2, 86.5, 32.6}},
    {VISA, "", "AnomalyCLIP", 0, REPEATED, {81.0, 84.4, 80.3, 95.4, 20.7, 86.4, 27.6}},
    {VISA, "", "AdaCLIP", 0, REPEATED, {79.7, 83.2, 79.6, 95.1, 29.2, 71.3, 33.8}},
    {VISA, "", "VisualAD (CLIP)", 0, REPEATED, {84.7, 87.6, 82.5, 95.8, 28.4, 91.0, 34.6}},
    {MVTEC, "carpet", "WinCLIP", 0, WINCLIP, {100.0, NONE, 99.4, 95.4, NONE, NONE, 49.7}},
    {MVTEC, "carpet", "WinCLIP, built again", 0, REBUILT, {99.3, NONE, NONE, 90.9, NONE, 66.3, NONE}},
    {MVTEC, "grid", "WinCLIP", 0, WINCLIP, {98.8, NONE, 98.2, 82.2, NONE, NONE, 18.6}},
    {MVTEC, "grid", "WinCLIP, built again", 0, REBUILT, {99.2, NONE, NONE, 79.4, NONE, 49.3, NONE}},
    {MVTEC, "leather", "WinCLIP", 0, WINCLIP, {100.0, NONE, 100.0, 96.7, NONE, NONE, 39.7}},
    {MVTEC, "leather", "WinCLIP, built again", 0, REBUILT, {100.0, NONE, NONE, 95.5, NONE, 86.0, NONE}},
    {MVTEC, "tile", "WinCLIP", 0, WINCLIP, {100.0, NONE, 99.4, 77.6, NONE, NONE, 32.6}},
    {MVTEC, "tile", "WinCLIP, built again", 0, REBUILT, {99.9, NONE, NONE, 79.1, NONE, 54.5, NONE}},
    {MVTEC, "wood", "WinCLIP", 0, WINCLIP, {99.4, NONE, 98.3, 93.4, NONE, NONE, 51.5}},
    {MVTEC, "wood", "WinCLIP, built again", 0, REBUILT, {97.6, NONE, NONE, 85.1, NONE, 56.3, NONE}},
    {MVTEC, "bottle", "WinCLIP", 0, WINCLIP, {99.2, NONE, 97.6, 89.5, NONE, NONE, 58.1}},
    {MVTEC, "bottle", "WinCLIP, built again", 0, REBUILT, {98.6, NONE, NONE, 85.7, NONE, 69.9, NONE}},
    {MVTEC, "cable", "WinCLIP", 0, WINCLIP, {86.5, NONE, 84.5, 77.0, NONE, NONE, 19.7}},
    {MVTEC, "cable", "WinCLIP, built again", 0, REBUILT, {85.0, NONE, NONE, 61.3, NONE, 39.4, NONE}},
    {MVTEC, "capsule", "WinCLIP", 0, WINCLIP, {72.9, NONE, 91.4, 86.9, NONE, NONE, 21.7}},
    {MVTEC, "capsule", "WinCLIP, built again", 0, REBUILT, {68.7, NONE, NONE, 87.0, NONE, 63.8, NONE}},
    {MVTEC, "hazelnut", "WinCLIP", 0, WINCLIP, {93.9, NONE, 89.7, 94.3, NONE, NONE, 37.6}},
    {MVTEC, "hazelnut", "WinCLIP, built again", 0, REBUILT, {92.3, NONE, NONE, 95.7, NONE, 81.3, NONE}},
    {MVTEC, "metal_nut", "WinCLIP", 0, WINCLIP, {97.1, NONE, 96.3, 61.0, NONE, NONE, 32.4}},
    {MVTEC, "metal_nut", "WinCLIP, built again", 0, REBUILT, {96.2, NONE, NONE, 49.3, NONE, 39.7, NONE}},
    {MVTEC, "pill", "WinCLIP", 0, WINCLIP, {79.1, NONE, 91.6, 80.0, NONE, NONE, 17.6}},
    {MVTEC, "pill", "WinCLIP, built again", 0, REBUILT, {81.5, NONE, NONE, 72.7, NONE, 66.9, NONE}},
    {MVTEC, "screw", "WinCLIP", 0, WINCLIP, {83.3, NONE, 87.4, 89.6, NONE, NONE, 13.5}},
    {MVTEC, "screw", "WinCLIP, built again", 0, REBUILT, {71.7, NONE, NONE, 91.1, NONE, 70.2, NONE}},
    {MVTEC, "toothbrush", "WinCLIP", 0, WINCLIP, {87.5, NONE, 87.9, 86.9, NONE, NONE, 17.1}},
    {MVTEC, "toothbrush", "WinCLIP, built again", 0, REBUILT, {85.3, NONE, NONE, 86.2, NONE, 67.9, NONE}},
    {MVTEC, "transistor", "WinCLIP", 0, WINCLIP, {88.0, NONE, 79.5, 74.7, NONE, NONE, 30.5}},
    {MVTEC, "transistor", "WinCLIP, built again", 0, REBUILT, {89.1, NONE, NONE, 83.7, NONE, 45.5, NONE}},
    {MVTEC, "zipper", "WinCLIP", 0, WINCLIP, {91.5, NONE, 92.9, 91.6, NONE, NONE, 34.4}},
    {MVTEC, "zipper", "WinCLIP, built again", 0, REBUILT, {91.2, NONE, NONE, 91.7, NONE, 72.0, NONE}},
    {VISA, "candle", "WinCLIP", 0, WINCLIP, {95.4, NONE, 89.4, 88.9, NONE, NONE, 22.5}},
    {VISA, "candle", "WinCLIP, built again", 0, REBUILT, {94.9, NONE, NONE, 87.0, NONE, 77.7, NONE}},
    {VISA, "capsules", "WinCLIP", 0, WINCLIP, {85.0, NONE, 83.9, 81.6, NONE, NONE, 9.2}},
    {VISA, "capsules", "WinCLIP, built again", 0, REBUILT, {79.4, NONE, NONE, 80.0, NONE, 39.4, NONE}},
    {VISA, "cashew", "WinCLIP", 0, WINCLIP, {92.1, NONE, 88.4, 84.7, NONE, NONE, 13.2}},
    {VISA, "cashew", "WinCLIP, built again", 0, REBUILT, {91.2, NONE, NONE, 84.8, NONE, 78.4, NONE}},
    {VISA, "chewinggum", "WinCLIP", 0, WINCLIP, {96.5, NONE, 94.8, 93.3, NONE, NONE, 41.1}},
    {VISA, "chewinggum", "WinCLIP, built again", 0, REBUILT, {95.5, NONE, NONE, 95.4, NONE, 69.6, NONE}},
    {VISA, "fryum", "WinCLIP", 0, WINCLIP, {80.3, NONE, 82.7, 88.5, NONE, NONE, 22.1}},
    {VISA, "fryum", "WinCLIP, built again", 0, REBUILT, {73.6, NONE, NONE, 87.7, NONE, 74.4, NONE}},
    {VISA, "macaroni1", "WinCLIP", 0, WINCLIP, {76.2, NONE, 74.2, 70.9, NONE, NONE, 7.0}},
    {VISA, "macaroni1", "WinCLIP, built again", 0, REBUILT, {79.0, NONE, NONE, 50.3, NONE, 24.7, NONE}},
    {VISA, "macaroni2", "WinCLIP", 0, WINCLIP, {63.7, NONE, 69.8, 59.3, NONE, NONE, 1.0}},
    {VISA, "macaroni2", "WinCLIP, built again", 0, REBUILT, {67.1, NONE, NONE, 44.7, NONE, 8.0, NONE}},
    {VISA, "pcb1", "WinCLIP", 0, WINCLIP, {73.6, NONE, 71.0, 61.2, NONE, NONE, 2.4}},
    {VISA, "pcb1", "WinCLIP, built again", 0, REBUILT, {72.1, NONE, NONE, 38.7, NONE, 20.7, NONE}},
    {VISA, "pcb2", "WinCLIP", 0, WINCLIP, {51.2, NONE, 67.1, 71.6, NONE, NONE, 4.7}},
    {VISA, "pcb2", "WinCLIP, built again", 0, REBUILT, {47.0, NONE, NONE, 58.7, NONE, 20.6, NONE}},
    {VISA, "pcb3", "WinCLIP", 0, WINCLIP, {73.4, NONE, 71.0, 85.3, NONE, NONE, 10.3}},
    {VISA, "pcb3", "WinCLIP, built again", 0, REBUILT, {63.9, NONE, NONE, 76.0, NONE, 43.7, NONE}},
    {VISA, "pcb4", "WinCLIP", 0, WINCLIP, {79.6, NONE, 74.9, 94.4, NONE, NONE, 32.0}},
    {VISA, "pcb4", "WinCLIP, built again", 0, REBUILT, {74.2, NONE, NONE, 91.4, NONE, 74.5, NONE}},
    {VISA, "pipe_fryum", "WinCLIP", 0, WINCLIP, {69.7, NONE, 80.7, 75.4, NONE, NONE, 12.3}},
    {VISA, "pipe_fryum", "WinCLIP, built again", 0, REBUILT, {67.8, NONE, NONE, 83.6, NONE, 80.3, NONE}},
};

const char *flaw_benchmark_name(flaw_benchmark benchmark)
{
    return benchmark == FLAW_BENCHMARK_MVTEC ? "MVTec AD" : "VisA";
}

int flaw_benchmark_classes(flaw_benchmark benchmark)
{
    int count = 0;
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++) count += CLASSES[i].benchmark == benchmark;
    return count;
}

const flaw_benchmark_class *flaw_benchmark_class_of(const flaw_benchmark_class **same_name, const flaw_dataset *set)
{
    char name[128];
    int good = 0, bad = 0;
    flaw_path_name(name, sizeof name, *set->category ? set->category : set->root);
    for (size_t i = 0; i < set->items; i++) {
        good += set->item[i].label == FLAW_LABEL_GOOD;
        bad += set->item[i].label == FLAW_LABEL_BAD;
    }
    *same_name = NULL;
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++) {
        if (strcmp(CLASSES[i].category, name) != 0) continue;
        if (CLASSES[i].good == good && CLASSES[i].bad == bad) return &CLASSES[i];
        *same_name = &CLASSES[i];
    }
    return NULL;
}

int flaw_published_count(void)
{
    return (int)(sizeof ROWS / sizeof *ROWS);
}

const flaw_published_row *flaw_published_at(int index)
{
    return index >= 0 && index < flaw_published_count() ? &ROWS[index] : NULL;
}

int flaw_published_sources(void)
{
    return (int)(sizeof SOURCES / sizeof *SOURCES);
}

const flaw_published_source *flaw_published_source_at(int index)
{
    return index >= 0 && index < flaw_published_sources() ? &SOURCES[index] : NULL;
}
