"""What it takes until a model answers: python3 bench/start.py FLAW [--tower FILE] [--language FOLDER] [--picture FILE]

Whole processes from start to end, the files in the page cache: milliseconds (median and fastest of nine) and the largest
resident memory. A text is embedded, which needs the model open and costs next to nothing itself. A tower of 2 GB comes from
`python3 bench/peers/make_towers.py FOLDER xl`; --language takes any language model that `flaw complete` reads, and makes one
word with it. Below some 12 MB the memory is this script's own (a process starts as a copy of its parent).
"""
import argparse
import os
import statistics
import time

ROUNDS = 9


def once(command):
    """Milliseconds of the wall clock, and the peak of resident memory in MB."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.execv(command[0], command)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: status {os.waitstatus_to_exitcode(status)}")
    return 1e3 * (time.perf_counter() - start), usage.ru_maxrss * 1024 / 1e6


def report(title, size, command):
    once(command)
    rounds = [once(command) for _ in range(ROUNDS)]
    ms, peak = [r[0] for r in rounds], max(r[1] for r in rounds)
    print(f"{title:44}{size:>9}{statistics.median(ms):10.1f} ms{min(ms):10.1f} ms{peak:9.0f} MB", flush=True)


def file_size(path):
    files = [path] if os.path.isfile(path) else [entry.path for entry in os.scandir(path)]
    return f"{sum(os.path.getsize(f) for f in files) / 1e6:.0f} MB"


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parse.add_argument("flaw")
    parse.add_argument("--tower", action="append", default=[])
    parse.add_argument("--language", action="append", default=[])
    parse.add_argument("--picture")
    given = parse.parse_args()
    flaw = os.path.abspath(given.flaw)
    print(f"{'':44}{'files':>9}{'median':>13}{'fastest':>13}{'resident':>12}")
    report("the bare program", "", [flaw, "--version"])
    report("the model inside", "", [flaw, "embed", "--text", "a nut"])
    if given.picture:
        report("a picture judged by words", "", [flaw, "inspect", given.picture, "--object", "nut", "--json"])
    for path in given.tower:
        for precision in ("f32", "bf16"):
            report(f"{os.path.basename(path)}, {precision}", file_size(path),
                   [flaw, "embed", "--model", path, "--precision", precision, "--text", "a nut"])
    for path in given.language:
        report(f"{os.path.basename(os.path.normpath(path))}, one word", file_size(path),
               [flaw, "complete", "--model", path, "--max-tokens", "1", "Once"])


if __name__ == "__main__":
    main()
