"""Does --alarm-rate keep its promise? The false alarms over random splits of drawn good parts, beside what was promised.

    python3 tools/measure_alarms.py [--build build] [--methods few-shot+,alfa] [--splits 200] [--kind "metal nut"]

Good pictures of one drawn product are split at random again and again: 19 parts to learn and calibrate from, the others to
judge. An alarm at rate A is a conformal p-value of at most A (tests/detect/test_calibrate.c shows that the verdict is the
same); so one run of `flaw eval` tells all rates. Printed: the rate, the share of alarms, and the 95 % interval of a binomial
count with the promised chance, over all judgements.
"""
import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RATES = [0.05, 0.1, 0.2]
LEARNT = 19  # as few as 5 % needs: 1, 2 and 4 twentieths are promised exactly


def run(flaw, *arguments):
    done = subprocess.run([str(flaw), *map(str, arguments)], stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"measure_alarms: flaw {arguments[0]} ended with status {done.returncode}")


def promised(rate):
    """The largest share of the form j / (n + 1) that is no larger than the rate: what n parts can promise exactly."""
    return math.floor(rate * (LEARNT + 1) + 1e-9) / (LEARNT + 1)


def measure(flaw, method, splits, kind):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        run(flaw, "scenes", "--out", scratch / "scenes", "-n", 64, "--kind", kind, "--anomalous-share", "1/32",
            "--size", 256)
        for i, picture in enumerate(sorted((scratch / "scenes").rglob("*/*.png"))):
            if "ground_truth" in picture.parts:
                continue
            side = scratch / "parts" / ("good" if picture.parent.name == "good" else "bad")  # a data set needs both
            side.mkdir(parents=True, exist_ok=True)
            picture.rename(side / f"{i:04d}.png")
        run(flaw, "eval", scratch / "parts", "--object", kind, "--method", method, "-k", LEARNT, "--seeds", splits,
            "--alarm-rate", "0.2", "--out", scratch / "run", "--json")
        lines = (scratch / "run" / "results.jsonl").read_text().splitlines()[1:]
    judged = [json.loads(line) for line in lines]
    return [one["p_value"] for one in judged if not one["bad"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build", type=Path)
    parser.add_argument("--methods", default="few-shot+,alfa")
    parser.add_argument("--splits", default=200, type=int)
    parser.add_argument("--kind", default="metal nut")
    arguments = parser.parse_args()
    print("| method | promised | possible | measured | 95 % interval of the promised |")
    print("|---|---|---|---|---|")
    for method in arguments.methods.split(","):
        p = measure(arguments.build.resolve() / "flaw", method, arguments.splits, arguments.kind)
        for rate in RATES:
            share = sum(x <= rate + 1e-9 for x in p) / len(p)
            spread = 1.96 * math.sqrt(rate * (1 - rate) / len(p))
            print(f"| {method} | {rate} | {promised(rate):.4f} | {share:.4f} | {rate - spread:.4f} to {rate + spread:.4f} |",
                  flush=True)


if __name__ == "__main__":
    main()
