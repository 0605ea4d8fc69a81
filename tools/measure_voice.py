"""Measure the voice inside and write its results into models/CARD.md, between the marks.

    python3 tools/measure_voice.py [--build build] [--shared ../shared] [--model FILE] [--adapter FILE] [--dry]

Every figure of the answers comes from `flaw ablation`: drawn scenes of kinds that training never saw (three draws, mean and
deviation), and, where the shared folder is, photographs of hazelnuts and cookies, by name alone and with one normal picture.
The decoder's ranking of pictures stands beside ALFA's of the same pictures (`flaw eval` by name on the towers inside).
With --adapter, a model of tools/train_adapter.sh, the paper's ablation is measured and written in their place.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- voice: written by tools/measure_voice.py -->", "<!-- end of voice -->"
ABLATION = "<!-- ablation: written by tools/measure_voice.py --adapter -->", "<!-- end of ablation -->"
ROWS = {"language": "language model alone", "limit": "decoder, limit from normal pictures",
        "adapter": "decoder, adapters (LoRA)", "full": "decoder, prompt learner"}
SEEDS = [20261124, 20261125, 20261126]
COLUMNS = ["accuracy", "count", "place", "image_auroc", "pixel_auroc"]
ABLATION_COLUMNS = ["accuracy", "false_alarms", "misses", "count", "place", "image_auroc"]


def run(flaw, *arguments):
    done = subprocess.run([str(flaw), *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"measure_voice: flaw {arguments[0]} ended with status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def cell(values):
    values = [v for v in values if v is not None]
    if not values:
        return "-"
    mean = statistics.mean(values)
    return f"{mean:.3f}" if len(values) == 1 else f"{mean:.3f} ± {statistics.stdev(values):.3f}"


def line(title, results, row, bar):
    pictures = f'{results[0]["good"]} + {results[0]["bad"]}' + (f" x {len(results)}" if len(results) > 1 else "")
    cells = [cell([r["rows"][row][c] for r in results]) for c in COLUMNS]
    return "| " + " | ".join([title, pictures, *cells, bar]) + " |"


def both(title, results, bar):
    yield line(title, results, "full", bar)
    yield line(title + ", no words: map against a limit from normal pictures", results, "limit", "")


def measure(flaw, model, shared):
    extra = ["--model", model] if model else []
    with tempfile.TemporaryDirectory() as scratch:
        drawn = [run(flaw, "ablation", "--out", Path(scratch) / str(s), "-n", 480, "--seed", s, "--json", *extra)[-1]
                 for s in SEEDS]
        yield from both("held-out scenes, by name", drawn, "yes/no .90, count .75, place .80")
        drawn = [run(flaw, "ablation", Path(scratch) / str(s) / "scenes", "--shots", 1, "--json", *extra)[-1] for s in SEEDS]
        yield from both("held-out scenes, one normal picture", drawn, "")
    for name, few in (("hazelnut", "yes/no .85"), ("cookies", "")):
        dataset = shared / "data" / name
        if not dataset.is_dir():
            print(f"measure_voice: {dataset} is not there: its rows are left out", file=sys.stderr)
            continue
        named = ["--object", "cookie"] if name == "cookies" else []
        alfa = run(flaw, "eval", dataset, "--shots", 0, "--json", *named)[-1]["mean"]["image_auroc"]
        yield from both(f"{name}, by name (ALFA, all good pictures: {alfa:.3f})",
                        run(flaw, "ablation", dataset, "--json", *named, *extra)[-1:], "image AUROC as ALFA's")
        yield from both(f"{name}, one normal picture",
                        run(flaw, "ablation", dataset, "--shots", 1, "--json", *named, *extra)[-1:], few)


def ablation(flaw, model, adapter, shared):
    """The paper's rows, by name: drawn scenes (three draws), hazelnut, cookies."""
    extra = ["--json", "--adapter", adapter] + (["--model", model] if model else [])
    with tempfile.TemporaryDirectory() as scratch:
        sets = [("held-out scenes", [run(flaw, "ablation", "--out", Path(scratch) / str(s), "-n", 480, "--seed", s, *extra)[-1]
                                     for s in SEEDS])]
    for name, named in (("hazelnut", []), ("cookies", ["--object", "cookie"])):
        if (shared / "data" / name).is_dir():
            sets.append((name, run(flaw, "ablation", shared / "data" / name, *named, *extra)[-1:]))
    for name, results in sets:
        for row, title in ROWS.items():
            cells = [cell([r["rows"][row][c] for r in results]) for c in ABLATION_COLUMNS]
            paper = results[0]["rows"][row]["paper"]
            yield "| " + " | ".join([name, title, *cells, f'{paper["mvtec"]:.3f}', f'{paper["visa"]:.3f}']) + " |"


def write(rows, head, begin, end, dry):
    table = [head, "|---" * (head.count("|") - 1) + "|"]
    for row in rows:
        print(row, flush=True)
        table.append(row)
    if dry:
        return
    card = ROOT / "models" / "CARD.md"
    before, rest = card.read_text().split(begin)
    card.write_text(before + begin + "\n" + "\n".join(table) + "\n" + end + rest.split(end)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--model", help="another voice than the one inside")
    parser.add_argument("--adapter", help="a model with adapters in place of the prompt learner: measure the ablation")
    parser.add_argument("--dry", action="store_true", help="print only, leave the card alone")
    options = parser.parse_args()
    flaw = options.build / "flaw"
    if options.adapter:
        write(ablation(flaw, options.model, options.adapter, options.shared),
              "| pictures | | yes/no | false alarms | misses | count | place | image AUROC | paper's yes/no, MVTec | VisA |",
              *ABLATION, options.dry)
    else:
        write(measure(flaw, options.model, options.shared),
              "| pictures | good + bad | yes/no | count | place | image AUROC | pixel AUROC | bar |", BEGIN, END, options.dry)


if __name__ == "__main__":
    main()
