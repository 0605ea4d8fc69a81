"""What the sentences are worth to the model inside: ALFA by name with the built-in ones, the general ones, those that the small
language model inside chooses, and with prompt files of your own.

    python3 tools/measure_prompts.py [--build build] [--shared ../shared] [PROMPTS.json...]

Held-out scenes of a seed of their own, and hazelnuts and cookies where the shared folder is. A prompt file needs an entry for
any object ("class": "*").
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCENES = ["-n", "240", "--held-out", "--seed", "77"]
COLUMNS = ["image_auroc", "pixel_auroc", "pixel_pro", "false_alarms", "misses"]


def run(flaw, *arguments):
    done = subprocess.run([str(flaw), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    if done.returncode:
        sys.exit(f"measure_prompts: flaw {arguments[0]} ended with status {done.returncode}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("prompts", nargs="*")
    options = parser.parse_args()
    flaw = options.build / "flaw"
    rows = [("built in", []), ("general", ["--prompts", ROOT / "models" / "prompts" / "general.json"]),
            ("chosen by the model inside", ["--llm-model", "inside"])]
    rows += [(Path(name).name, ["--prompts", name]) for name in options.prompts]
    print("| pictures | sentences | image AUROC | pixel AUROC | PRO | false alarms | misses |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        scenes = Path(scratch) / "scenes"
        run(flaw, "scenes", "--out", scenes, *SCENES)
        sets = [("held-out scenes", scenes, [])]
        for name, named in (("hazelnut", []), ("cookies", ["--object", "cookie"])):
            if (options.shared / "data" / name).is_dir():
                sets.append((name, options.shared / "data" / name, named))
        for title, dataset, named in sets:
            for row, extra in rows:
                lines = run(flaw, "eval", dataset, "--method", "alfa", "--json", *named, *extra).splitlines()
                mean = json.loads(lines[-1])["mean"]  # of several folders: their mean
                print("|", " | ".join([title, row, *(f"{mean[key]:.3f}" for key in COLUMNS)]), "|", flush=True)


if __name__ == "__main__":
    main()
