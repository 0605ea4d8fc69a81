#!/usr/bin/python3
"""Ours and theirs in turns, round by round, on the same weights: medians, paired ratios, shares of the machine's limit.

    python3 bench/run.py                          lists the cases
    python3 bench/run.py CASE... [--build DIR] [--seconds S] [--levels auto,avx512-bf16] [--dry] [--ops]

Needs bench/peers/setup.sh once, and the measuring programs of the build (bench/README.md). A line a case goes to
bench/history.csv unless --dry. --hush COMMAND: a command that keeps other work off the machine while the command behind
it runs; loading and each round then happen while it does.
"""
import argparse
import csv
import os
import re
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
COLUMNS = ["date", "commit", "cpu", "case", "ours", "ours_ms", "limit_gflops", "share", "peer", "peer_ms", "ratio",
           "ratio_low", "ratio_high", "rounds"]
MOST_ROUNDS, LEAST_ROUNDS = 25, 3
CALM = 0.9    # see Bench.rounds
HOLD = 8.0    # seconds after which a hush is given up and taken again
PAUSE = 0.15  # seconds between two programs: threads of ONNX Runtime and OpenMP turn for so long before they sleep


class Hush:
    """Other work is kept away between take() and drop()."""

    def __init__(self, command):
        self.command, self.child, self.since = command, None, 0.0

    def take(self, need=0.0):
        if not self.command or (self.child and time.monotonic() - self.since + need < HOLD):
            return
        self.drop()
        wait = shlex.split(self.command) + ["sh", "-c", "echo held; read line"]
        self.child = subprocess.Popen(wait, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/")
        self.child.stdout.readline()
        self.since = time.monotonic()

    def drop(self):
        if self.child:
            self.child.communicate(b"\n")
            self.child = None


class Program:
    """A process that answers requests (bench/README.md)."""

    def __init__(self, title, command):
        self.title = title
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, cwd="/", env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        ready = self.line()
        if not ready.startswith("ready "):
            raise RuntimeError(f"{title}: {ready or 'ended before it was ready'}")
        self.about = dict(part.split("=", 1) for part in ready.split()[1:])
        self.times, self.limits = [], []

    def line(self):
        return self.process.stdout.readline().strip()

    def send(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()

    def ask(self, request, kind="ms"):
        self.send(request)
        answer = self.line().split()
        if answer[:1] != [kind]:
            raise RuntimeError(f"{self.title}, asked '{request}': {' '.join(answer) or 'ended'}")
        return [float(value) for value in answer[1:]]

    def ops(self, batch):
        self.send(f"ops {batch}")
        lines = []
        while (line := self.line()) and line != "end":
            if not line.startswith("op "):
                break
            lines.append(line.split()[1:])
        return lines

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def cpu_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return re.sub(r"\s+", " ", line.split(":", 1)[1]).strip()
    return os.uname().machine


def commit():
    def git(*words):
        return output("git", "-C", ROOT, *words).strip()
    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")


class Bench:
    def __init__(self, options):
        self.options, self.build, self.peers = options, options.build.resolve(), options.build.resolve() / "peers"
        self.hush = Hush(options.hush)

    def tower(self, tower, precision, threads, level):
        path = self.peers / f"{tower}.safetensors"
        command = [self.build / "bench/bench_tower", path, "--precision", precision, "--threads", threads]
        return Program(f"flaw {precision}", command + ([] if level == "auto" else ["--level", level]))

    def ours(self, tower, precision, threads):
        """One program for each level asked for; a level that is the same as another's, or not there, is left out."""
        programs, seen = [], set()
        levels = self.options.levels.split(",")
        for level in levels[:1] if precision == "f32" else levels:  # float32 is the same above AVX-512
            try:
                program = self.tower(tower, precision, threads, level)
            except RuntimeError:
                if not programs:
                    raise
                continue
            if program.about.get("level") in seen:
                program.close()
                continue
            seen.add(program.about.get("level"))
            program.title += f" {program.about.get('level')}"
            programs.append(program)
        return programs

    def onnx(self, tower, precision, threads):
        command = ["node", HERE / "peers/onnx_tower.js", self.peers / "node_modules/onnxruntime-node",
                   self.peers / f"{tower}-{precision}.onnx", threads]
        return Program(f"ONNX Runtime {precision}", command)

    def torch(self, tower, precision, threads):
        command = [PYTHON, HERE / "peers/torch_tower.py", self.peers / f"{tower}.safetensors", precision, threads]
        return Program(f"PyTorch {precision}", command)

    def alfa(self, threads):
        return Program("PyTorch f32", [PYTHON, HERE / "peers/alfa_torch.py", self.peers / "b.safetensors", threads])

    def rounds(self, ours, peers, asked):
        """Each round asks every program once, and ours for the limit; the order turns from round to round. Rounds in
        which the machine's own limit lay under CALM of the best of them are left out: others were at work."""
        programs = [*ours, *peers]
        self.hush.drop()
        for program in programs:  # not counted
            self.hush.take()
            program.last = program.ask(asked(program))[0]
        taken, started = [], time.monotonic()
        while len(taken) < 5 * MOST_ROUNDS:
            row = {}
            for i in range(len(programs)):
                program = programs[(i + len(taken)) % len(programs)]
                self.hush.take(1.2e-3 * program.last)
                program.last = program.ask(asked(program))[0]
                row[program] = (program.last, program.ask("limit", "gflops")[0] if program in ours else None)
                time.sleep(PAUSE)
            taken.append(row)
            best = {program: max(row[program][1] for row in taken) for program in ours}
            calm = [row for row in taken if all(row[program][1] >= CALM * best[program] for program in ours)]
            spent = time.monotonic() - started
            if len(calm) >= MOST_ROUNDS or spent > 4 * self.options.seconds + 60:
                break
            if len(calm) >= LEAST_ROUNDS and spent > self.options.seconds:
                break
        print(f"{len(taken)} rounds, {len(taken) - len(calm)} of them not calm", file=sys.stderr)
        for program in programs:
            program.times = [row[program][0] for row in calm]
            program.limits = [row[program][1] for row in calm if program in ours]


def quartiles(values):
    values = sorted(values)
    return values[len(values) // 4], statistics.median(values), values[-1 - len(values) // 4]


def paired(case, ours, peers, flops, limit):
    """Rows of the history: each of ours against each peer. limit: GFLOP/s or None."""
    for program in ours:
        median = statistics.median(program.times)
        at_most = statistics.median(program.limits) if limit and program.limits else None
        share = flops / median / 1e6 / at_most if at_most and flops else None
        for peer in peers or [None]:
            row = dict(case=case, ours=program.title, ours_ms=median, limit_gflops=at_most, share=share,
                       rounds=len(program.times))
            if peer:
                low, middle, high = quartiles([t / o for o, t in zip(program.times, peer.times)])
                row.update(peer=peer.title, peer_ms=statistics.median(peer.times), ratio=middle, ratio_low=low,
                           ratio_high=high)
            yield row


def output(*command):
    words = [str(word) for word in command]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout


def run_tower(bench, case, match):
    tower, batch, threads, precision = match.groups()
    bench.hush.take()
    peers = {"f32": [("onnx", "f32"), ("torch", "f32")], "bf16": [("onnx", "f32"), ("torch", "bf16")],
             "int8": [("onnx", "int8")]}[precision]
    programs = bench.ours(tower, precision, threads)
    asked = bench.options.peers.split(",")
    theirs = [getattr(bench, kind)(tower, other, threads) for kind, other in peers if kind in asked]
    bench.rounds(programs, theirs, lambda _: f"run {batch}")
    rows = list(paired(case, programs, theirs, float(programs[0].about["flops"]) * int(batch), True))
    for program in programs if bench.options.ops else []:
        bench.hush.take(2.0)
        print(f"{program.title}, by operation: ms, GFLOP, share of the limit")
        for name, ms, work, share in program.ops(batch):
            percent = share if share == "-" else f"{100 * float(share):5.1f} %"
            print(f"  {name:12}{float(ms):10.3f}{float(work):10.3f}  {percent}")
    for program in programs + theirs:
        program.close()
    return rows


def run_alfa(bench, case, match):
    threads, precision = match.groups()
    bench.hush.take()
    programs, theirs = bench.ours("b", precision, threads), [bench.alfa(threads)]
    bench.rounds(programs, theirs, lambda _: "alfa")
    rows = list(paired(case, programs, theirs, 0, False))
    for program in programs + theirs:
        program.close()
    return rows


def run_windows(bench, case, match):
    """All windows of a picture against the same number of tokens in one batch of whole pictures."""
    threads, precision = match.groups()
    batch, tokens = 13, 226  # 2,938 tokens; the windows have 2,670
    bench.hush.take()
    programs, rows = bench.ours("b", precision, threads), []
    for program in programs:
        times, alone = [], []
        for _ in range(8):
            bench.hush.take(2.0)
            times += program.ask("windows")
            alone += program.ask(f"run {batch}")
        ratio = [a / (batch * tokens) / (w / 2670) for w, a in zip(times[1:], alone[1:])]
        low, middle, high = quartiles(ratio)
        rows.append(dict(case=case, ours=program.title, ours_ms=statistics.median(times[1:]), peer="its batch of 13",
                         peer_ms=statistics.median(alone[1:]), ratio=middle, ratio_low=low, ratio_high=high,
                         rounds=len(ratio)))
        program.close()
    return rows


def run_aupro(bench, case, _):
    """Processor seconds of one thread on 16 maps of 900 x 900, in both."""
    folder = bench.peers / "maps"
    folder.mkdir(parents=True, exist_ok=True)
    ours, exact, usual = [], [], []
    for _ in range(3):
        bench.hush.take(12.0)
        text = output(bench.build / "bench/bench_metrics", "0", "900", "1", "16", folder)
        ours.append(1e3 * float(re.search(r"AUPRO only ([\d.]+) s", text).group(1)))
        text = output("env", "OMP_NUM_THREADS=1", PYTHON, HERE / "peers/metrics.py", folder, "16", "900", "aupro")
        exact.append(1e3 * float(re.search(r"AUPRO exact.* ([\d.]+) s", text).group(1)))
        usual.append(1e3 * float(re.search(r"AUPRO cflow.* ([\d.]+) s", text).group(1)))
    for peer, times in (("numpy, 200 thresholds", usual), ("numpy, exact by argsort", exact)):
        low, middle, high = quartiles([t / o for o, t in zip(ours, times)])
        yield dict(case=case, ours="flaw, exact", ours_ms=statistics.median(ours), peer=peer,
                   peer_ms=statistics.median(times), ratio=middle, ratio_low=low, ratio_high=high, rounds=len(ours))


def run_poisson(bench, case, _):
    bench.hush.take()
    text = output(bench.build / "bench/bench_poisson")
    for name, ms in re.findall(r"^(\w+) .* median ([\d.]+) ms", text, re.M):
        yield dict(case=f"{case}-{name}", ours="flaw, 224 px, 3 channels", ours_ms=float(ms), rounds=101)


CASES = [
    (r"(b|l|tiny)-b(\d+)-t(\d+)-(f32|bf16|int8)", run_tower, "image tower: TOWER-bBATCH-tTHREADS-PRECISION"),
    (r"alfa-t(\d+)-(f32|bf16|int8)", run_alfa, "a whole ALFA picture on b: alfa-tTHREADS-PRECISION"),
    (r"windows-t(\d+)-(f32|bf16|int8)", run_windows,
     "speed of windows over that of one batch, a token: windows-tTHREADS-PRECISION"),
    (r"aupro", run_aupro, "exact AUPRO against numpy, one thread"),
    (r"poisson", run_poisson, "Poisson editing of a patch of 224 pixels, one thread"),
]


def number(value, form):
    return "-" if value is None else format(value, form)


def show(rows):
    print(f"{'case':20}{'ours':26}{'ms':>10}{'limit':>8}{'share':>8}   {'peer':24}{'ms':>10}{'ratio':>7}  quartiles  "
          "  rounds")
    for row in rows:
        get = row.get
        share = number(get("share") and 100 * row["share"], ".1f") + (" %" if get("share") else "")
        spread = f"{number(get('ratio_low'), '.2f')}-{number(get('ratio_high'), '.2f')}" if get("peer") else ""
        limit = number(get("limit_gflops"), ".0f")
        print(f"{row['case']:20}{row['ours']:26}{row['ours_ms']:10.2f}{limit:>8}{share:>8}   "
              f"{get('peer', '-'):24}{number(get('peer_ms'), '.2f'):>10}{number(get('ratio'), '.2f'):>7}  {spread:12}"
              f"{row['rounds']:>6}", flush=True)


def keep(rows):
    path = HERE / "history.csv"
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        for row in rows:
            rounded = {key: f"{value:.4g}" if isinstance(value, float) else value for key, value in row.items()}
            writer.writerow({"date": time.strftime("%Y-%m-%d"), "commit": commit(), "cpu": cpu_name(), **rounded})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--seconds", type=float, default=12, help="time to spend in rounds (at least three)")
    parser.add_argument("--levels", default="auto,avx512-bf16", help="levels of ours, with commas")
    parser.add_argument("--peers", default="onnx,torch")
    parser.add_argument("--ops", action="store_true", help="also where the time goes, by operation")
    parser.add_argument("--dry", action="store_true", help="leave the history alone")
    parser.add_argument("--hush", help="see above")
    options = parser.parse_args()
    if not options.cases:
        print(__doc__)
        for pattern, _, what in CASES:
            print(f"  {pattern:40} {what}")
    bench = Bench(options)
    for case in options.cases:
        found = [(run, re.fullmatch(pattern, case)) for pattern, run, _ in CASES if re.fullmatch(pattern, case)]
        if not found:
            sys.exit(f"run.py: no case '{case}'; without a case they are listed")
        try:
            rows = list(found[0][0](bench, case, found[0][1]))
        finally:
            bench.hush.drop()
        show(rows)
        if not options.dry:
            keep(rows)


if __name__ == "__main__":
    main()
