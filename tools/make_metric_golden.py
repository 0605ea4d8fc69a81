#!/usr/bin/env python3
"""Make tests/measure/data/metric-golden.txt: random scores with and without ties, and what scikit-learn says of them.
Needs Debian's python3-sklearn:

    /usr/bin/python3 tools/make_metric_golden.py

A case is "case N", N lines "first second label" (scores of two methods, nine digits: exact in 32 bits), and
"figures" with, of the first method, roc_auc_score, average_precision_score, auc of the precision_recall_curve and the
largest F1; then of the difference of the two AUROC its standard error and two-sided p by DeLong's formula, written here
with the full matrix of pairs.
"""
import math
import os

import numpy as np
import sklearn
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "measure", "data", "metric-golden.txt")


def components(scores, labels):
    """V10 of the bad and V01 of the good pictures from psi(x, y) = 1, 1/2, 0."""
    bad, good = scores[labels == 1], scores[labels == 0]
    psi = (bad[:, None] > good[None, :]) + 0.5 * (bad[:, None] == good[None, :])
    return psi.mean(1), psi.mean(0)


def delong(first, second, labels):
    bad = np.stack([components(s, labels)[0] for s in (first, second)])
    good = np.stack([components(s, labels)[1] for s in (first, second)])
    covariance = np.cov(bad) / bad.shape[1] + np.cov(good) / good.shape[1]
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    difference = bad[0].mean() - bad[1].mean()
    error = math.sqrt(max(variance, 0))
    return error, math.erfc(abs(difference) / error / math.sqrt(2)) if error > 1e-9 else math.nan


def main():
    rng = np.random.default_rng(6)
    lines = [f"made by tools/make_metric_golden.py with scikit-learn {sklearn.__version__}"]
    for case in range(120):
        n = int(rng.integers(4, 60))
        labels = (rng.random(n) < rng.uniform(0.1, 0.9)).astype(int)
        if labels.sum() < 2 or labels.sum() > n - 2:
            labels[:4] = [0, 0, 1, 1]
        scores = []
        for _ in range(2):
            s = rng.normal(size=n) + rng.uniform(-0.5, 2) * labels
            levels = rng.integers(1, 12)
            scores.append((np.round(s * levels) / 16 if case % 3 else s).astype(np.float32))
        first, second = scores
        precision, recall, _ = precision_recall_curve(labels, first)
        with np.errstate(invalid="ignore"):
            f1 = np.nanmax(2 * precision * recall / (precision + recall))
        figures = [roc_auc_score(labels, first), average_precision_score(labels, first), auc(recall, precision), f1,
                   *delong(first, second, labels)]
        lines.append(f"case {n}")
        lines += [f"{a:.9g} {b:.9g} {label}" for a, b, label in zip(first, second, labels)]
        lines.append("figures " + " ".join(repr(float(x)) for x in figures))
    os.makedirs(os.path.dirname(OUT), exist_ok=True)
    with open(OUT, "w") as f:
        f.write("\n".join(lines) + "\n")


main()
