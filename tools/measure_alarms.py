"""Does --alarm-rate keep its promise? The false alarms over random splits of drawn good parts, beside what was promised.

    python3 tools/measure_alarms.py [--build build] [--methods few-shot+,alfa] [--splits 200] [--kind "metal nut"]
                                    [--seed 0]

Good pictures of one drawn product are split at random again and again: 19 parts to learn and calibrate from, the others to
judge. An alarm at rate A is a conformal p-value of at most A (tests/detect/test_calibrate.c shows that the verdict is the
same); so one run of `flaw eval` tells all rates. Printed: the rate, the share of alarms, where the mean over so many splits lies
in 95 % of all cases when the promise is kept exactly (judgements of a split share their good parts, so they count for less
than as many independent ones), and the binomial interval of one judgement a split.
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


def measure(flaw, method, splits, kind, seed):
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
            "--seed", seed, "--alarm-rate", "0.2", "--out", scratch / "run", "--json")
        lines = (scratch / "run" / "results.jsonl").read_text().splitlines()[1:]
    judged = [json.loads(line) for line in lines]
    return [one["p_value"] for one in judged if not one["bad"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build", type=Path)
    parser.add_argument("--methods", default="few-shot+,alfa")
    parser.add_argument("--splits", default=200, type=int)
    parser.add_argument("--kind", default="metal nut")
    parser.add_argument("--seed", default=0, type=int)
    arguments = parser.parse_args()
    print("| method | promised | measured | kept exactly, 95 % of means | binomial, one a split |")
    print("|---|---|---|---|---|")
    for method in arguments.methods.split(","):
        p = measure(arguments.build.resolve() / "flaw", method, arguments.splits, arguments.kind, arguments.seed)
        for rate in RATES:
            share = sum(x <= rate + 1e-9 for x in p) / len(p)
            one = rate * (1 - rate)
            # The share of a split: a beta of its 19 parts, and a binomial of its judgements given those.
            mean = 1.96 * math.sqrt(one * (1 / (LEARNT + 2) + arguments.splits / len(p)) / arguments.splits)
            single = 1.96 * math.sqrt(one / arguments.splits)
            print(f"| {method} | {rate} | {share:.4f} | {rate - mean:.4f} to {rate + mean:.4f} "
                  f"| {rate - single:.4f} to {rate + single:.4f} |", flush=True)


if __name__ == "__main__":
    main()
