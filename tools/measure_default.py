"""Measure the model inside and write its results into models/CARD.md, between the marks.

    python3 tools/measure_default.py [--build build] [--shared ../shared] [--model FILE] [--dry]

Every figure comes from `flaw eval`: drawn scenes of kinds that training never saw (zero-shot by name, k = 4), and, where
the shared folder is, photographs of hazelnuts and cookies (zero-shot, k = 1 and 4; mean and deviation over 5 draws of the
good parts). The scenes are drawn anew with a seed of their own, so nobody can have trained on them.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- results: written by tools/measure_default.py -->", "<!-- end of results -->"
SCENES = ["-n", "1600", "--held-out", "--anomalous-share", "0.5", "--products", "4", "--seed", "20261123"]
COLUMNS = ["image_auroc", "pixel_auroc", "pixel_pro", "false_alarms", "misses"]


def run(flaw, *arguments):
    done = subprocess.run([str(flaw), *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"measure_default: flaw {arguments[0]} ended with status {done.returncode}")
    return done.stdout


def evaluate(flaw, model, dataset, shots, draws, extra=()):
    arguments = ["eval", dataset, "--shots", shots, "--seeds", draws, "--json", *extra]
    if model:
        arguments += ["--model", model]
    return json.loads(run(flaw, *arguments).splitlines()[-1])  # of several folders: the mean


def cell(result, key):
    mean, sd = result["mean"][key], result["sd"][key]
    if mean is None:
        return "-"
    return f"{mean:.3f}" if sd is None else f"{mean:.3f} ± {sd:.3f}"


def row(title, bar, result):
    pictures = f'{result["good"]} + {result["bad"]}'
    return " | ".join(["", title, pictures, *(cell(result, key) for key in COLUMNS), bar, ""]).strip()


def measure(flaw, model, shared):
    with tempfile.TemporaryDirectory() as scratch:
        run(flaw, "scenes", "--out", Path(scratch) / "scenes", *SCENES)
        scenes = Path(scratch) / "scenes"
        yield row("held-out scenes, by name", "image .90, pixel .90", evaluate(flaw, model, scenes, 0, 1))
        yield row("held-out scenes, k = 4", "", evaluate(flaw, model, scenes, 4, 2))
    for name, zero, few in (("hazelnut", "image .80", "image .95, pixel .93"), ("cookies", "image .75", "image .93")):
        dataset = shared / "data" / name
        if not dataset.is_dir():
            print(f"measure_default: {dataset} is not there: its rows are left out", file=sys.stderr)
            continue
        named = ["--object", "cookie"] if name == "cookies" else []
        yield row(f"{name}, by name", zero, evaluate(flaw, model, dataset, 0, 1, named))
        yield row(f"{name}, k = 1", "", evaluate(flaw, model, dataset, 1, 5, named))
        yield row(f"{name}, k = 4", few, evaluate(flaw, model, dataset, 4, 5, named))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--model", help="another bundle than the one inside")
    parser.add_argument("--dry", action="store_true", help="print only, leave the card alone")
    options = parser.parse_args()
    table = ["| pictures | good + bad | image AUROC | pixel AUROC | PRO | false alarms | misses | bar |",
             "|---|---|---|---|---|---|---|---|"]
    for line in measure(options.build / "flaw", options.model, options.shared):
        print(line, flush=True)
        table.append(f"| {line} |" if not line.startswith("|") else line)
    if options.dry:
        return
    card = ROOT / "models" / "CARD.md"
    text = card.read_text()
    head, rest = text.split(BEGIN)
    card.write_text(head + BEGIN + "\n" + "\n".join(table) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
