"""Figures against scikit-learn and numpy on random cases with ties: pictures, from a few to 50,000, and pixels, where
AUPRO is written here as MVTec's evaluation has it (argsort, cumulative sums) and as the public scripts have it (200
thresholds)."""
import os
import struct
import subprocess
import unittest

try:
    import numpy as np
    from scipy.ndimage import label
    from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score
except ImportError:
    np = None

LIMIT = 0.3


def f1_and_trapezoid(labels, scores):
    precision, recall, _ = precision_recall_curve(labels, scores)
    return auc(recall, precision), np.max(2 * precision * recall / np.maximum(precision + recall, 1e-300))


def overlap(maps, masks):
    """Exact AUPRO and the dialect cflow-200."""
    weight, count, regions = np.zeros(maps.shape), 0, []
    for k, mask in enumerate(masks):
        names, n = label(mask, structure=np.ones((3, 3)))
        regions += [(k, *np.nonzero(names == i + 1)) for i in range(n)]
        weight[k] = np.where(mask, 1 / np.maximum(np.bincount(names.ravel()), 1)[names], 0)
        count += n
    scores, good = maps.ravel(), ~masks.ravel()
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    rates = np.append(0, (np.cumsum(good[order]) / good.sum())[last])
    shares = np.append(0, (np.cumsum(weight.ravel()[order]) / count)[last])
    end = np.searchsorted(rates, LIMIT, side="right")
    shares = np.append(shares[:end], np.interp(LIMIT, rates[end - 1:end + 1], shares[end - 1:end + 1]))
    exact = np.trapz(shares, np.append(rates[:end], LIMIT)) / LIMIT

    low, high = float(maps.min()), float(maps.max())
    points = []
    for i in range(200):
        found = maps > low + i * ((high - low) / 200)
        points.append((found.ravel()[good].mean(), np.mean([found[k, y, x].mean() for k, y, x in regions])))
    rates, shares = np.array([p for p in points if p[0] < LIMIT]).T
    return exact, auc((rates - rates.min()) / (rates.max() - rates.min()), shares)


@unittest.skipIf(np is None, "needs Debian's python3-sklearn")
class Figures(unittest.TestCase):
    def run_cases(self, cases):
        done = subprocess.run([os.environ["FLAW_FIGURES"]], input=b"".join(cases), capture_output=True, check=True)
        return [[float(x) for x in line.split()] for line in done.stdout.decode().splitlines()]

    def test_pictures(self):
        rng = np.random.default_rng(1)
        cases, expected = [], []
        for i in range(300):
            n = int(rng.integers(2, 300)) if i % 30 else 50000
            labels = (rng.random(n) < rng.uniform(0.02, 0.98)).astype(np.uint8)
            labels[:2] = 0, 1
            scores = (rng.normal(size=n) + labels).astype(np.float32)
            if i % 4:
                scores = np.round(scores * rng.integers(1, 50)).astype(np.float32) / np.float32(7)
            cases.append(b"I" + struct.pack("=I", n) + scores.tobytes() + labels.tobytes())
            expected.append([roc_auc_score(labels, scores), average_precision_score(labels, scores),
                             *f1_and_trapezoid(labels, scores)])
        found = self.run_cases(cases)
        self.assertEqual(len(found), len(expected))
        self.assertLess(np.abs(np.array(found) - np.array(expected)).max(), 1e-12)

    def test_pixels(self):
        rng = np.random.default_rng(2)
        cases, expected = [], []
        for i in range(12):
            n, height, width = int(rng.integers(2, 5)), int(rng.integers(20, 60)), int(rng.integers(20, 60))
            masks = np.zeros((n, height, width), bool)
            for k in range(1, n):
                for _ in range(3):
                    y, x = rng.integers(0, height - 8), rng.integers(0, width - 8)
                    masks[k, y:y + rng.integers(1, 8), x:x + rng.integers(1, 8)] = True
            maps = (rng.normal(size=masks.shape) + 1.5 * masks).astype(np.float32)
            if i % 2:
                maps = np.round(maps * 8).astype(np.float32) / np.float32(8)
            cases.append(b"P" + struct.pack("=III", n, width, height) + maps.tobytes() +
                         masks.astype(np.uint8).tobytes())
            labels, scores = masks.ravel(), maps.ravel()
            expected.append([roc_auc_score(labels, scores), average_precision_score(labels, scores),
                             f1_and_trapezoid(labels, scores)[1], *overlap(maps, masks)])
        for found, wanted in zip(self.run_cases(cases), expected):
            self.assertLess(np.abs(np.array(found[:5]) - wanted).max(), 1e-9)
            self.assertLess(np.abs(np.array(found[5:9]) - wanted[:4]).max(), 2e-3)


if __name__ == "__main__":
    unittest.main()
