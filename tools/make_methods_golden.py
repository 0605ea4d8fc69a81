#!/usr/bin/python3
"""Reference results of SPADE, PaDiM, PatchCore, AnomalyDINO and MuSc for tests/method/test_memories.c, written from the papers
with numpy, scipy and scikit-learn. Features come from a formula of name and index that the test knows, too.

    tools/make_methods_golden.py tests/method/memories.json
"""
import json
import sys

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from make_dino_golden import uniform

GRID, WIDTH, PARTS, QUERIES = 4, 64, 5, 2
CELLS = GRID * GRID


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def rows(picture, what, count):
    """Rows that parts share, by place, and their own: a defect of the second query at patch 6."""
    common = uniform('common.' + what, count * WIDTH)
    own = uniform(f'{picture}.{what}', count * WIDTH)
    x = (common + 0.5 * own).reshape(count, WIDTH)
    if picture == 'query1' and count == CELLS:
        x[6] = 2 * uniform('defect.' + what, WIDTH)
    return unit(x.astype(np.float32).astype(np.float64)).astype(np.float32).astype(np.float64)


class Picture:
    def __init__(self, name):
        self.cls = rows(name, 'cls', 1)[0]
        self.stage = [rows(name, f'stage{s}', CELLS) for s in range(4)]
        self.patches = rows(name, 'patches', CELLS)


def neighbourhood(x, radius):
    if radius == 0:
        return x
    grid = x.reshape(GRID, GRID, WIDTH)
    out = np.empty_like(grid)
    for y in range(GRID):
        for z in range(GRID):
            out[y, z] = grid[max(0, y - radius):y + radius + 1, max(0, z - radius):z + radius + 1].mean((0, 1))
    return unit(out.reshape(CELLS, WIDTH))


def spade(parts, query, k):
    near = NearestNeighbors(n_neighbors=k).fit([p.cls for p in parts])
    distance, index = near.kneighbors([query.cls])
    joined = lambda p: np.hstack(p.stage[:3]) / np.sqrt(3)
    gallery = np.vstack([joined(parts[i]) for i in index[0]])
    patch, _ = NearestNeighbors(n_neighbors=1).fit(gallery).kneighbors(joined(query))
    return distance.mean(), patch[:, 0]


def padim(parts, query):
    joined = lambda p: np.hstack(p.stage[:3]) * np.sqrt(WIDTH)
    all_parts, x = np.stack([joined(p) for p in parts]), joined(query)
    out = np.empty(CELLS)
    d = 3 * WIDTH
    for cell in range(CELLS):
        covariance = np.cov(all_parts[:, cell].T, ddof=1) + 0.01 * np.eye(d)
        apart = x[cell] - all_parts[:, cell].mean(0)
        out[cell] = np.sqrt(apart @ np.linalg.solve(covariance, apart) * 0.01 / d)
    return out.max(), out


def patchcore(parts, query, b):
    made = lambda p: np.hstack([neighbourhood(p.stage[1], 1), neighbourhood(p.stage[2], 1)]) / np.sqrt(2)
    bank, x = np.vstack([made(p) for p in parts]), made(query)
    distance, index = NearestNeighbors(n_neighbors=1).fit(bank).kneighbors(x)
    worst = distance[:, 0].argmax()
    _, around = NearestNeighbors(n_neighbors=b).fit(bank).kneighbors(bank[index[worst]])
    s = distance[worst, 0]
    to_neighbours = np.linalg.norm(x[worst] - bank[around[0]], axis=1)
    return s * (1 - np.exp(s) / np.exp(to_neighbours).sum()), distance[:, 0]


def anomalydino(parts, query):
    bank = np.vstack([p.patches for p in parts])
    distance = 1 - (query.patches @ bank.T).max(1)
    return np.sort(distance)[-1:].mean(), distance


def musc(pictures, share, k):
    n = len(pictures)
    maps = np.zeros((n, CELLS))
    for s in range(4):
        for radius in range(3):
            made = [neighbourhood(p.stage[s], radius) for p in pictures]
            for i in range(n):
                each = np.stack([cdist(made[i], made[j]).min(1) for j in range(n) if j != i])
                lowest = max(1, int(share * (n - 1)))
                maps[i] += np.sort(each, 0)[:lowest].mean(0) / 12
    peaks, likeness = maps.max(1), np.clip(np.array([[p.cls @ q.cls for q in pictures] for p in pictures]), 0, None)
    scores = []
    for i in range(n):
        order = [i] + [j for j in np.argsort(-likeness[i]) if j != i]
        weight = np.array([1] + [likeness[i, j] for j in order[1:]])
        scores.append(np.mean([(weight[:m] * peaks[order[:m]]).sum() / weight[:m].sum() for m in range(1, k + 1)]))
    return scores, maps


def pack(result):
    return {'image': float(result[0]), 'map': [float(v) for v in result[1]]}


def main():
    parts = [Picture(f'part{i}') for i in range(PARTS)]
    queries = [Picture(f'query{i}') for i in range(QUERIES)]
    scores, maps = musc(parts + queries, 0.4, 3)
    golden = {
        'spade': [pack(spade(parts, q, 2)) for q in queries],
        'padim': [pack(padim(parts, q)) for q in queries],
        'patchcore': [pack(patchcore(parts, q, 9)) for q in queries],
        'anomalydino': [pack(anomalydino(parts, q)) for q in queries],
        'musc': [pack(both) for both in zip(scores, maps)],
    }
    with open(sys.argv[1], 'w', encoding='utf-8') as file:
        json.dump(golden, file, indent=0)
        file.write('\n')


if __name__ == '__main__':
    main()
