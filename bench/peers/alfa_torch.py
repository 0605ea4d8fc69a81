"""A whole ALFA picture (docs/methods.md; the reconstruction that flaw has) in plain PyTorch, float32: image pass, all
windows of 2 x 2 and 3 x 3 patches in one batch each, contextual scoring by overlap, the aligner, harmonic means, the
map.

    python3 bench/peers/alfa_torch.py BUNDLE THREADS          answers `alfa` (bench/README.md), with random sentences
    python3 bench/peers/alfa_torch.py --check FLAW MODEL PICTURE...
        compares score and map with what FLAW (the command) says about pictures of the model's own size; MODEL is an
        OpenCLIP folder or a bundle with a text tower
"""
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import bundle
from torch_tower import Tower, answer

TAU, LAMBDA, LOW = 0.07, 1.0, 1e-6
SENTENCES = 25


def unit(x):
    return F.normalize(x, dim=-1)


def window_tokens(grid, k):
    """[windows, 1 + k*k] tokens of each window of a grid, the class token first."""
    across = grid - k + 1
    first = (torch.arange(across)[:, None] * grid + torch.arange(across)).flatten()
    inside = (torch.arange(k)[:, None] * grid + torch.arange(k)).flatten()
    patches = first[:, None] + inside + 1
    return torch.cat([torch.zeros(len(patches), 1, dtype=torch.long), patches], 1)


def keep_outside(own, other_mean, low, high):
    """Weights of one side's sentences: those outside the overlap; at least three and a fifth of them."""
    count = len(own)
    kept = (own < low) | (own > high) if low <= high else torch.ones(count, dtype=torch.bool)
    needed = max(3, math.ceil(0.2 * count))
    if int(kept.sum()) < needed:
        key = torch.where(kept, torch.inf, (own - other_mean).abs())
        kept = torch.zeros(count, dtype=torch.bool)
        kept[torch.sort(key, descending=True, stable=True).indices[:needed]] = True
    return kept / kept.sum()


class Alfa:
    def __init__(self, tower, normal, abnormal):
        """normal, abnormal: [K, E], rows of unit length."""
        self.tower, self.text = tower, (normal, abnormal)
        self.grid = tower.side // tower.patch
        self.windows = [window_tokens(self.grid, k) for k in (2, 3)]
        self.cover, self.inside = [], []
        for tokens in self.windows:
            cover = torch.zeros(len(tokens), self.grid ** 2)
            cover.scatter_(1, tokens[:, 1:] - 1, 1.0)
            self.cover.append(cover)
            self.inside.append(cover / cover.sum(1, keepdim=True))

    def prototypes(self, cls):
        normal, abnormal = (text @ cls for text in self.text)
        low, high = max(normal.min(), abnormal.min()), min(normal.max(), abnormal.max())
        weights = (keep_outside(normal, abnormal.mean(), low, high), keep_outside(abnormal, normal.mean(), low, high))
        return torch.stack([unit(w @ text) for w, text in zip(weights, self.text)])

    def align(self, text, cls, patches, windows):
        """The prototypes [2, E] pulled to where the patches lie."""
        everything = torch.full((1, self.grid ** 2), 1 / self.grid ** 2)
        local = unit(torch.cat([inside @ patches for inside in (*self.inside, everything)]))
        glob = torch.cat([*windows, cls[None]])
        gram = local @ local.T + LAMBDA * torch.eye(len(local))
        change = torch.linalg.solve(gram, (glob - local) @ text.T)
        return unit(text + (local.T @ change).T)

    @staticmethod
    def score(rows, text):
        return torch.sigmoid(rows @ (text[1] - text[0]) / TAU).clamp(LOW, 1 - LOW)

    def picture(self, pixels):
        """[1, 3, S, S] normalised -> score, map [S, S]"""
        tower = self.tower
        embedded = tower.embed(pixels)
        joint = unit(tower.project(tower.tokens(embedded)[0]))
        cls, patches = joint[0], joint[1:]
        windows = [unit(tower.project(tower.tokens(embedded[0][tokens])[:, 0])) for tokens in self.windows]
        text = self.prototypes(cls)
        whole = self.score(cls, text)
        inverse = 1 / whole + 1 / self.score(patches, self.align(text, cls, patches, windows))
        for rows, cover in zip(windows, self.cover):
            inverse = inverse + (cover.T @ (1 / self.score(rows, text))) / cover.sum(0)
        cells = (4 / inverse).view(1, 1, self.grid, self.grid)
        return whole, F.interpolate(cells, size=(tower.side, tower.side), mode="bilinear", align_corners=False)[0, 0]


def run_flaw(*words):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(flaw, model, pictures):
    words = {"normal": "flawless perfect whole clean sound new", "abnormal": "broken scratched bent stained cut old"}
    sides = {side: [f"a photo of a {word} part" for word in text.split()] for side, text in words.items()}
    with tempfile.TemporaryDirectory() as folder:
        prompts, packed = Path(folder) / "prompts.json", Path(folder) / "model.safetensors"
        subprocess.run([flaw, "model", "convert", model, "-o", packed], stdout=subprocess.DEVNULL, check=True)
        entry = {"class": "*", **sides}
        prompts.write_text(json.dumps({"format": "flaw-prompts", "version": 1, "model": "by hand", "date": "2026-11-22",
                                       "settings": "", "query": "", "entries": [entry]}))
        text = [torch.tensor([run_flaw(flaw, "embed", "--text", sentence, "--model", packed, "--json")[0]["embedding"]
                              for sentence in sides[side]]) for side in ("normal", "abnormal")]
        alfa = Alfa(Tower(packed), *text)
        for picture in pictures:
            dumped = Path(folder) / "dump.safetensors"
            said = run_flaw(flaw, "inspect", picture, "--method", "alfa", "--model", packed, "--prompts", prompts,
                            "--precision", "f32", "--out", folder, "--json")[0]
            run_flaw(flaw, "embed", "--image", picture, "--model", packed, "--dump", dumped, "--json")
            pixels = torch.tensor(np.array(bundle.read_tensors(dumped)[0]["pixels"]))[None]
            score, cells = alfa.picture(pixels)
            ours = np.load(Path(folder) / f"{Path(picture).stem}_map.npy")
            print(f"{picture}: score {said['score']:.6f} and {float(score):.6f}, map within "
                  f"{np.abs(ours - cells.numpy()).max():.2e} of {ours.min():.4f} to {ours.max():.4f}")
            if abs(said["score"] - float(score)) > 1e-4 or np.abs(ours - cells.numpy()).max() > 1e-4:
                sys.exit("alfa_torch: they differ")


def main():
    with torch.inference_mode():
        if sys.argv[1:2] == ["--check"] and len(sys.argv) > 4:
            check(sys.argv[2], sys.argv[3], sys.argv[4:])
        elif len(sys.argv) == 3:
            torch.set_num_threads(int(sys.argv[2]))
            torch.manual_seed(1)
            tower = Tower(sys.argv[1])
            alfa = Alfa(tower, *(unit(torch.randn(SENTENCES, tower.shape["joint"])) for _ in range(2)))
            pixels = torch.rand(1, 3, tower.side, tower.side) * 2 - 1
            answer(f"torch-{torch.__version__}", "f32", sys.argv[2], {"alfa": lambda _: alfa.picture(pixels)})
        else:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
