"""What bf16 and int8 products cost in accuracy, against float32 of the same program on the same pictures.

    python3 tools/measure_precision.py [--build build] [--shared ../shared] [--precisions bf16,int8] [--pictures 48]
                                       [--model NAME=PATH]... [--tokens | --figures] [--held-out N]

tokens: cosine of every stage's tokens (`flaw embed --dump`) of DeiT-Tiny and of the model inside over photographs of
the shared folder: mean and least over all tokens of all pictures. figures: image and pixel AUROC of `flaw eval` on the sets
whose bars the project names (tools/measure_default.py), and how far they move. Without either flag both. Exit status 1
when a bar is missed: cosine 0.9995 (bf16) and 0.995 (int8), image AUROC moved by more than 0.005.
"""
import argparse
import json
import re
import struct
import sys
import tempfile
from pathlib import Path

import numpy as np

from measure_default import ROOT, SCENES, evaluate, run

COSINE = {"bf16": 0.9995, "int8": 0.995}
MOVED = 0.005


def read_dump(path):
    """name -> array, of the safetensors file that `flaw embed --dump` writes (all float32)."""
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data, np.float32, int(np.prod(entry["shape"])), 8 + size + entry["data_offsets"][0])
            .reshape(entry["shape"]) for name, entry in header.items()}


def stages(dump):
    """Tokens after each quarter of the blocks, and the embeddings where there are any."""
    blocks = sum(name.startswith("block") for name in dump)
    at = {f"stage {i}": dump[f"block{max(blocks * i // 4 - 1, 0)}"] for i in range(1, 5)}
    at["class embedding"] = dump["cls"].reshape(1, -1)
    if "patches" in dump:
        at["patches, joint space"] = dump["patches"]
    return at


def cosines(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))


def dump_stages(flaw, model, picture, precision, scratch):
    path = Path(scratch) / "dump.safetensors"
    run(flaw, "embed", "--image", picture, "--model", model, "--precision", precision, "--dump", path, "--json")
    return stages(read_dump(path))


def photographs(shared, count):
    """So many, at even steps through the sorted list of all."""
    found = sorted(p for folder in ("photos", "data") for p in (shared / folder).rglob("*")
                   if p.suffix.lower() in (".jpg", ".jpeg", ".png") and not re.search("mask|ground_truth", str(p)))
    return found[::max(len(found) // count, 1)][:count]


def measure_tokens(flaw, models, pictures, precisions):
    missed = False
    print(f"\nTokens of {len(pictures)} photographs, cosine with float32:\n")
    print("| model | tokens | " + " | ".join(f"{p} mean | {p} least" for p in precisions) + " |")
    print("|---|---|" + "---|" * (2 * len(precisions)))
    for name, model in models.items():
        found = {}
        with tempfile.TemporaryDirectory() as scratch:
            for picture in pictures:
                exact = dump_stages(flaw, model, picture, "f32", scratch)
                for precision in precisions:
                    for stage, tokens in dump_stages(flaw, model, picture, precision, scratch).items():
                        found.setdefault((stage, precision), []).append(cosines(exact[stage], tokens))
        for stage in dict.fromkeys(stage for stage, _ in found):
            cells = []
            for precision in precisions:
                values = np.concatenate(found[stage, precision])
                missed = missed or (stage.startswith("stage") and not values.min() >= COSINE[precision])
                cells += [f"{values.mean():.6f}", f"{values.min():.6f}"]
            print(f"| {name} | {stage} | " + " | ".join(cells) + " |", flush=True)
    return missed


def sets(flaw, shared, scratch, held_out):
    """(title, folder, good parts, draws, more arguments): the rows of measure_default."""
    if held_out:
        scenes = Path(scratch) / "scenes"
        count = [held_out if word == "1600" else word for word in SCENES]
        run(flaw, "scenes", "--out", scenes, *count)
        yield f"held-out scenes ({held_out} drawn), by name", scenes, 0, 1, []
        yield f"held-out scenes ({held_out} drawn), k = 4", scenes, 4, 1, []
    for name, more in (("hazelnut", []), ("cookies", ["--object", "cookie"])):
        folder = shared / "data" / name
        if not folder.is_dir():
            print(f"measure_precision: {folder} is not there: its rows are left out", file=sys.stderr)
            continue
        yield f"{name}, by name", folder, 0, 1, more
        yield f"{name}, k = 1", folder, 1, 5, more
        yield f"{name}, k = 4", folder, 4, 5, more


def measure_figures(flaw, shared, precisions, held_out):
    missed = False
    print("\nImage AUROC / pixel AUROC of the model inside, and what image AUROC moves by:\n")
    print("| pictures | f32 | " + " | ".join(f"{p} | moved" for p in precisions) + " |")
    print("|---|---|" + "---|" * (2 * len(precisions)))
    with tempfile.TemporaryDirectory() as scratch:
        for title, folder, shots, draws, more in sets(flaw, shared, scratch, held_out):
            exact = evaluate(flaw, None, folder, shots, draws, [*more, "--precision", "f32"])["mean"]
            cells = [f'{exact["image_auroc"]:.4f} / {exact["pixel_auroc"]:.4f}']
            for precision in precisions:
                mean = evaluate(flaw, None, folder, shots, draws, [*more, "--precision", precision])["mean"]
                moved = mean["image_auroc"] - exact["image_auroc"]
                missed = missed or abs(moved) > MOVED
                cells += [f'{mean["image_auroc"]:.4f} / {mean["pixel_auroc"]:.4f}', f"{moved:+.4f}"]
            print(f"| {title} | " + " | ".join(cells) + " |", flush=True)
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--precisions", default="bf16,int8")
    parser.add_argument("--pictures", type=int, default=48)
    parser.add_argument("--model", action="append", default=[], help="NAME=PATH, also measured (tokens)")
    parser.add_argument("--held-out", type=int, default=1600, help="scenes to draw; 0 leaves them out")
    parser.add_argument("--tokens", action="store_true", help="only these")
    parser.add_argument("--figures", action="store_true", help="only these")
    options = parser.parse_args()
    flaw, precisions, missed = options.build / "flaw", options.precisions.split(","), False
    models = {"inside": "default", "DeiT-Tiny": options.shared / "models" / "deit-tiny" / "model.safetensors"}
    models.update(pair.split("=", 1) for pair in options.model)
    if not options.figures:
        missed |= measure_tokens(flaw, models, photographs(options.shared, options.pictures), precisions)
    if not options.tokens:
        missed |= measure_figures(flaw, options.shared, precisions, options.held_out)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
