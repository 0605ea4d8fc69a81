#!/usr/bin/env python3
"""The figures of bench_metrics by numpy, scipy and scikit-learn, on the maps that it wrote: values to compare, and
processor time in one thread.

    build/bench/bench_metrics 0 900 1 16 FOLDER
    OMP_NUM_THREADS=1 /usr/bin/python3 bench/peers/metrics.py FOLDER 16 900 [aupro]

With aupro, only that. Two ways to AUPRO: the usual one of evaluation scripts, 200 thresholds with every mask's
components counted at each (values of the dialect cflow-200), and the exact one by argsort and cumulative sums over all pixels.
"""
import sys
import time

import numpy as np
from scipy.ndimage import label
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

LIMIT = 0.3


def timed(name, work):
    start = time.process_time()
    value = work()
    print(f"  {name:32} {value:.9f}  {time.process_time() - start:8.3f} s", flush=True)


def components(mask):
    return label(mask, structure=np.ones((3, 3)))


def thresholds_200(maps, masks):
    """cal_pro_score as the public scripts have it, with the regions' pixels found once."""
    regions = []
    for k, mask in enumerate(masks):
        names, count = components(mask)
        regions += [(k, *np.nonzero(names == i + 1)) for i in range(count)]
    good = ~masks
    rates, overlaps = [], []
    low, high = float(maps.min()), float(maps.max())
    for i in range(200):
        found = maps > low + i * (high - low) / 200
        overlaps.append(np.mean([found[k, y, x].mean() for k, y, x in regions]))
        rates.append(np.logical_and(good, found).sum() / good.sum())
    rates, overlaps = np.array(rates), np.array(overlaps)
    kept = rates < LIMIT
    rates, overlaps = rates[kept], overlaps[kept]
    rates = (rates - rates.min()) / (rates.max() - rates.min())
    return -np.trapz(overlaps, rates)


def sorted_exactly(maps, masks):
    """As MVTec's evaluation does it: each region pixel weighs 1 / (its region's size), ties merged."""
    weight = np.zeros(maps.shape)
    count = 0
    for k, mask in enumerate(masks):
        names, n = components(mask)
        sizes = np.bincount(names.ravel(), minlength=n + 1)
        weight[k] = np.where(mask, 1 / np.maximum(sizes, 1)[names], 0)
        count += n
    scores, good = maps.ravel(), ~masks.ravel()
    order = np.argsort(scores)[::-1]
    scores = scores[order]
    rates = np.cumsum(good[order]) / good.sum()
    overlaps = np.cumsum(weight.ravel()[order]) / count
    last = np.append(np.diff(scores) != 0, True)
    rates, overlaps = np.append(0, rates[last]), np.append(0, overlaps[last])
    end = np.searchsorted(rates, LIMIT, side="right")
    at_limit = np.interp(LIMIT, rates, overlaps)
    return np.trapz(np.append(overlaps[:end], at_limit), np.append(rates[:end], LIMIT)) / LIMIT


def f1_max(labels, scores):
    precision, recall, _ = precision_recall_curve(labels, scores)
    return np.max(2 * precision * recall / np.maximum(precision + recall, 1e-300))


def main():
    folder, count, side = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    maps = np.fromfile(folder + "/maps.f32", np.float32).reshape(count, side, side)
    masks = np.fromfile(folder + "/masks.u8", np.uint8).reshape(count, side, side) > 0
    print(f"numpy {np.__version__}: {count} maps of {side} x {side}")
    timed("AUPRO exact, argsort", lambda: sorted_exactly(maps, masks))
    timed("AUPRO cflow-200, 200 thresholds", lambda: thresholds_200(maps, masks))
    if sys.argv[4:] == ["aupro"]:
        return
    labels, scores = masks.ravel(), maps.ravel()
    timed("AUROC", lambda: roc_auc_score(labels, scores))
    timed("AP", lambda: average_precision_score(labels, scores))
    timed("F1-max", lambda: f1_max(labels, scores))


main()
